package integration

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/event"
)

// A fixer that is killed with -9 and started again under its name goes on at once;
// without one, its partitions would wait 30 s for its session to time out.
func TestAFixerKilledAndStartedUnderItsNameGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{maria, postgres}, ordersPair)
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	named := strings.Replace(string(text), "kafka: {", `kafka: {instance: "${FIXER}", `, 1)
	if err := os.WriteFile(w.config, []byte(named), 0o600); err != nil {
		t.Fatal(err)
	}
	w.direction.source.fill(t, w.source, "orders", 1, 100)
	w.direction.target.fill(t, w.target, "orders", 1, 100)
	fixers := map[string]*service{}
	for _, name := range []string{"fixer-0", "fixer-1"} {
		setenv(t, "FIXER", name)
		fixers[name] = start(t, "fixer", "--config", w.config)
	}
	for _, fixer := range fixers {
		fixer.logged("joined the group", w.kafka.Prefix+`.fixer"`, `"partitions":3,`)
	}
	fixers["fixer-1"].kill(syscall.SIGKILL) // the name that the environment has
	testenv.Exec(t, w.target, "DELETE FROM orders")
	var findings []event.Finding
	for id := 1; id <= 100; id++ {
		findings = append(findings, findingOf("orders", id))
	}
	w.publish(findings)
	began := time.Now()
	start(t, "fixer", "--config", w.config)
	w.drained()
	if took := time.Since(began); took > 22*time.Second {
		t.Errorf("the findings of the killed fixer waited %v", took)
	}
	if n := scan[int](t, w.target, "SELECT COUNT(*) FROM orders"); n != 100 {
		t.Errorf("%d rows after the repair, want 100", n)
	}
}
