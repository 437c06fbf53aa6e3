package integration

import (
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/event"
)

// TestASwitchedPairIsRepairedInTheNewDirectionOnly has a fixer run on with the
// old configuration while the pair is switched.
func TestASwitchedPairIsRepairedInTheNewDirectionOnly(t *testing.T) {
	t.Parallel()
	for _, d := range []direction{{maria, postgres}, {postgres, maria}} {
		t.Run(d.String(), func(t *testing.T) {
			const before = "pairs: [{name: orders, authority: source, epoch: 1}, {name: items}]\nvalidator: {confirm: 0s}"
			const after = "pairs: [{name: orders, authority: target, epoch: 2}, {name: items}]\nvalidator: {confirm: 0s}"
			w := newWorld(t, d, before)
			for _, dsn := range []string{w.source, w.target} {
				testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", "CREATE TABLE items (id INT PRIMARY KEY, v INT)",
					"INSERT INTO orders VALUES (1, 1), (2, 2), (3, 3), (4, 4)", "INSERT INTO items VALUES (1, 1)")
			}
			old := start(t, "fixer", "--config", w.config)
			old.readiness(200, `"ready": true`)
			oldConfig := w.config
			values := func(dsn string) int {
				return scan[int](t, dsn, "SELECT SUM(v) FROM orders")
			}

			testenv.Exec(t, w.target, "UPDATE orders SET v = 20 WHERE id = 2")
			w.configure(w.source, w.target, after)
			w.must(1, "validator", "--config", w.config, "--once")
			old.readiness(503, "start it again with the present configuration")
			w.publish([]event.Finding{findingOf("orders", 2)}) // of the epoch that has passed
			if s, c := values(w.source), values(w.target); s != 10 || c != 28 {
				t.Errorf("the old fixer wrote: the source's sum is %d, the target's %d", s, c)
			}
			// What it may not do it leaves for one that may.
			second := start(t, "fixer", "--config", w.config)
			second.readiness(200, `"ready": true`)
			old.stop()
			eventually(t, func() (bool, string) { return values(w.source) == 28, "the copy is not repaired" })
			w.drained()
			if c := values(w.target); c != 28 {
				t.Errorf("the authority was written: its sum is %d", c)
			}
			w.must(0, "validator", "--config", w.config, "--once")
			refused(t, []string{"pair orders is in epoch 2", "start it again"}, "validator", "--config", oldConfig, "--once", "--pair", "orders")
			w.configure(w.source, w.target, "pairs: [{name: orders, authority: source, epoch: 2}]")
			refused(t, []string{"both sides", "epoch 3"}, "validator", "--config", w.config, "--once")
			refused(t, []string{"both sides", "epoch 3"}, "fixer", "--config", w.config)
		})
	}
}
