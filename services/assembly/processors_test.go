package assembly

import (
	"runtime"
	"testing"
)

func TestProcessorsAreDividedEvenly(t *testing.T) {
	for _, c := range []struct{ processors, among, want int }{{2, 2, 1}, {2, 3, 1}, {1, 2, 1}, {32, 10, 3}, {8, 2, 4}} {
		if got := evenPart(c.processors, c.among); got != c.want {
			t.Errorf("%d processors among %d: %d, want %d", c.processors, c.among, got, c.want)
		}
	}
}

func TestProcessorsAreLeftToNeighboursWhileThereAreAny(t *testing.T) {
	t.Setenv("GOMAXPROCS", "")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	runtime.SetDefaultGOMAXPROCS()
	all := runtime.GOMAXPROCS(0)
	leave := leaveProcessors()
	for _, step := range []struct{ others, want int }{{0, all}, {1, max(1, all/2)}, {1, max(1, all/2)}, {all + 5, 1}, {0, all}} {
		leave(step.others)
		if got := runtime.GOMAXPROCS(0); got != step.want {
			t.Errorf("beside %d others: %d processors, want %d", step.others, got, step.want)
		}
	}
}

func TestAStatedNumberOfProcessorsStands(t *testing.T) {
	t.Setenv("GOMAXPROCS", "3")
	if leaveProcessors() != nil {
		t.Error("it would be changed")
	}
}
