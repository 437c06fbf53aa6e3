package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// journal notes in which order parts stop.
type journal struct {
	mu    sync.Mutex
	names []string
}

func (j *journal) until(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		<-ctx.Done()
		j.mu.Lock()
		defer j.mu.Unlock()
		j.names = append(j.names, name)
		return ctx.Err()
	}
}

func TestPartsStopInReverseOrderWhenTheContextEnds(t *testing.T) {
	var stopped journal
	var g Group
	for _, name := range []string{"http", "kafka", "runs"} {
		g.Add(name, stopped.until(name))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Run(ctx); err != nil {
		t.Errorf("an orderly stop returned %v", err)
	}
	if want := []string{"runs", "kafka", "http"}; !slices.Equal(stopped.names, want) {
		t.Errorf("stopped %v, want %v", stopped.names, want)
	}
}

func TestAPartStopsOnlyAfterTheOneAddedAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		var kafkaStopped time.Time
		start := time.Now()
		g.Add("kafka", func(ctx context.Context) error {
			<-ctx.Done()
			kafkaStopped = time.Now()
			return nil
		})
		g.Add("runs", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(7 * time.Second)
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.run(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if took := kafkaStopped.Sub(start); took != 7*time.Second {
			t.Errorf("kafka stopped after %v, want 7s", took)
		}
	})
}

func TestTheFirstErrorStopsEverythingAndNamesThePart(t *testing.T) {
	var stopped journal
	var g Group
	broken := errors.New("address in use")
	g.Add("runs", stopped.until("runs"))
	g.Add("http", func(context.Context) error { return broken })
	err := g.Run(t.Context())
	if !errors.Is(err, broken) || err.Error() != "http: address in use" {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(stopped.names, []string{"runs"}) {
		t.Errorf("stopped %v", stopped.names)
	}
}

func TestAPartThatIsDoneStopsTheOthersWithoutError(t *testing.T) {
	var stopped journal
	var g Group
	g.Add("http", stopped.until("http"))
	g.Add("once", func(context.Context) error { return nil })
	if err := g.Run(t.Context()); err != nil {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(stopped.names, []string{"http"}) {
		t.Errorf("stopped %v", stopped.names)
	}
}

func TestErrorsOfStoppingAreKept(t *testing.T) {
	var g Group
	g.Add("state", func(ctx context.Context) error {
		<-ctx.Done()
		return errors.New("flush: disk full")
	})
	g.Add("http", func(context.Context) error { return errors.New("address in use") })
	err := g.Run(t.Context())
	if err == nil || err.Error() != "http: address in use\nstate: flush: disk full" {
		t.Errorf("got %v", err)
	}
}

func TestASignalStopsTheGroup(t *testing.T) {
	var stopped journal
	var g Group
	g.Add("runs", stopped.until("runs"))
	g.Add("signal", func(ctx context.Context) error {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			return err
		}
		return stopped.until("signal")(ctx)
	})
	if err := g.Run(t.Context()); err != nil {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(stopped.names, []string{"signal", "runs"}) {
		t.Errorf("stopped %v", stopped.names)
	}
}

func TestASecondSignalAbortsAStopThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		release := make(chan struct{})
		defer close(release)
		var g Group
		g.Add("hangs", func(ctx context.Context) error {
			<-release
			return nil
		})
		signals <- syscall.SIGINT
		signals <- syscall.SIGINT
		start := time.Now()
		if err := g.run(t.Context(), signals); !errors.Is(err, ErrAborted) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

func TestAPartThatDoesNotStopInTimeIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		g := Group{StopTimeout: 3 * time.Second}
		g.Add("http", func(ctx context.Context) error { <-ctx.Done(); return nil })
		g.Add("hangs", func(context.Context) error { <-release; return nil })
		g.Add("quick", func(ctx context.Context) error { <-ctx.Done(); return nil })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		err := g.run(ctx, nil)
		if err == nil || !strings.Contains(err.Error(), "hangs") || strings.Contains(err.Error(), "quick") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %v, want 3s", took)
		}
	})
}

func TestAnEmptyGroupReturnsAtOnce(t *testing.T) {
	var g Group
	if err := g.Run(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestStress races parts that fail, finish and wait against the end of the
// context and against signals: Run always returns, and never before every part
// has.
func TestStress(t *testing.T) {
	for round := range 300 {
		var g Group
		var running sync.WaitGroup
		parts := 1 + round%7
		running.Add(parts)
		for i := range parts {
			g.Add(fmt.Sprint(i), func(ctx context.Context) error {
				defer running.Done()
				switch (round + i) % 5 {
				case 0:
					return errors.New("broken")
				case 1:
					return nil
				default:
					<-ctx.Done()
					return ctx.Err()
				}
			})
		}
		ctx, cancel := context.WithCancel(t.Context())
		signals := make(chan os.Signal, 1)
		go cancel()
		if round%3 == 0 {
			go func() { signals <- syscall.SIGTERM }()
		}
		err := g.run(ctx, signals)
		if errors.Is(err, ErrAborted) {
			continue // a signal that came after the context's end
		}
		running.Wait() // hangs, and so fails, when a part was left without its stop
	}
}
