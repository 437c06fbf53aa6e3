package integration

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/event"
)

// TestAFixerThatWasStoppedAndReplacedTurnsNoRowBack stops a fixer with SIGSTOP in
// the midst of its work, so that the group takes it for dead and gives its
// partition to another. When it goes on it still holds a transaction and what it
// read before; by then the authority's rows are others.
func TestAFixerThatWasStoppedAndReplacedTurnsNoRowBack(t *testing.T) {
	t.Parallel()
	const rows = 6000
	for _, d := range []direction{{postgres, maria}} { // MariaDB ends no transaction for being idle
		t.Run(d.String(), func(t *testing.T) {
			w := newNarrowWorld(t, d, "pairs: [{name: orders, breaker: {share: off, deletes: off}}]\nvalidator: {confirm: 0s}\nfixer: {retry_delay: 500ms}")
			number := map[string]string{maria.name: "SELECT seq, seq FROM seq_1_to_%d", postgres.name: "SELECT i, i FROM generate_series(1, %d) i"}
			testenv.Exec(t, w.source, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", fmt.Sprintf("INSERT INTO orders "+number[d.source.name], rows))
			testenv.Exec(t, w.target, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", fmt.Sprintf("INSERT INTO orders "+number[d.target.name], rows),
				"UPDATE orders SET v = -1", "DELETE FROM orders WHERE id % 3 = 0")
			first := start(t, "fixer", "--config", w.config)
			first.logged("joined the group", "fixer\"", `"partitions":1,`)
			var findings []event.Finding
			for id := 1; id <= rows; id++ {
				findings = append(findings, findingOf("orders", id))
			}
			w.publish(findings)
			eventually(t, func() (bool, string) {
				return scan[int](t, w.target, "SELECT COUNT(*) FROM orders WHERE v <> -1") > 0, "the first fixer repairs nothing"
			})
			if err := first.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			at := scan[int](t, w.target, "SELECT COUNT(*) FROM orders WHERE v = -1")
			testenv.Exec(t, w.source, "UPDATE orders SET v = v + 1000000", "DELETE FROM orders WHERE id % 5 = 0")
			second := start(t, "fixer", "--config", w.config)
			w.publish(findings) // the rows have changed since
			w.drained()
			if err := first.cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			eventually(t, func() (bool, string) {
				status, out, stderr := command(t, "trueup", "diff", "--config", w.config, "--confirm", "0", "--max-findings", "10")
				return status == 0, out + stderr
			})
			t.Logf("%d rows were open when it stopped; equal %v after it went on", at, time.Since(began))
			for name, s := range map[string]*service{"first": first, "second": second} {
				if n := outcomes(t, s)["dead"]; n > 0 {
					t.Errorf("the %s gave up %d findings", name, n)
				}
				if status := s.stop(); status != 0 {
					t.Errorf("the %s stopped with status %d", name, status)
				}
			}
			w.must(0, "trueup", "diff", "--config", w.config, "--confirm", "0")
		})
	}
}
