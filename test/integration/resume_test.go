package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
)

// damaged makes two tables of orders with damage of every kind all over.
func damaged(t *testing.T, w *world, rows int) {
	t.Helper()
	w.direction.source.fill(t, w.source, "orders", 1, rows)
	w.direction.target.fill(t, w.target, "orders", 1, rows)
	testenv.Exec(t, w.target, "DELETE FROM orders WHERE id % 250 = 3", "UPDATE orders SET state = 'damaged' WHERE id % 250 = 4")
	testenv.Exec(t, w.source, "DELETE FROM orders WHERE id % 250 = 5")
}

// paced is a filter that lets every row through, each after the seconds that the table
// pace holds: a run of few ranges would be over before it could be killed.
const paced = "SLEEP((SELECT seconds FROM pace)) = 0"

// setPace has both databases know the pace.
func (w *world) setPace(seconds float64) {
	w.t.Helper()
	for _, side := range []struct {
		engine
		dsn string
	}{{w.direction.source, w.source}, {w.direction.target, w.target}} {
		statements := []string{"CREATE TABLE IF NOT EXISTS pace (seconds DOUBLE PRECISION)", "DELETE FROM pace", fmt.Sprintf("INSERT INTO pace VALUES (%v)", seconds)}
		if side.name == postgres.name {
			statements = append(statements, "CREATE OR REPLACE FUNCTION sleep(seconds double precision) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT 0 FROM pg_sleep(seconds)'")
		}
		testenv.Exec(w.t, side.dsn, statements...)
	}
}

// randomSettings are those a run may be gone on with in any change.
func randomSettings(random *rand.Rand, size int) string {
	method := []string{"checksum", "merge"}[random.IntN(2)]
	return fmt.Sprintf("pairs: [{name: orders, exclude: [untouched, weight], where: "+paced+", method: %s}]\n"+
		"validator: {confirm: 0s, threads: %d, checkpoint_every: 1ms, drill_rows: 5, range: {min_rows: %d, max_rows: %d}}", method, 1+random.IntN(3), size, size)
}

// TestADiffKilledAgainAndAgainFindsWhatAnUndisturbedOneFinds kills the command
// with SIGKILL after every few positions, and lets it go on each time with
// ranges of another size, other threads and another method.
func TestADiffKilledAgainAndAgainFindsWhatAnUndisturbedOneFinds(t *testing.T) {
	t.Parallel()
	const rows, kills = 16_000, 10
	for _, mode := range []string{"full", "reverse"} {
		t.Run(mode, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			random := rand.New(rand.NewPCG(seed, seed))
			t.Logf("seed %d", seed)
			w := newWorldWithoutTopics(t, direction{maria, postgres}, randomSettings(random, 1000))
			damaged(t, w, rows)
			w.setPace(0)
			want := kinds(t, w.must(1, "trueup", "diff", "--config", w.config, "--mode", mode, "--json"))
			if len(want) < 2*rows/250 {
				t.Fatalf("only %d findings", len(want))
			}
			w.setPace(0.0002)
			file := filepath.Join(t.TempDir(), "checkpoint")
			got := map[string]string{}
			for n := range kills {
				size := []int{1, 7, 1000}[n%3]
				w.configure(w.source, w.target, randomSettings(random, size))
				positions := 1
				if size < 1000 {
					positions += random.IntN(4)
				}
				add(t, got, killedAfter(t, file, positions, time.Duration(random.IntN(5))*time.Millisecond, "diff", "--config", w.config, "--mode", mode, "--json", "--checkpoint", file))
			}
			w.setPace(0)
			refuseOtherComparisons(t, w, mode, file)
			w.configure(w.source, w.target, randomSettings(random, 1000))
			last := w.must(1, "trueup", "diff", "--config", w.config, "--mode", mode, "--json", "--checkpoint", file)
			add(t, got, last)
			if !maps.Equal(got, want) {
				t.Errorf("together they found %d rows, an undisturbed run %d", len(got), len(want))
			}
			counts := fmt.Sprintf(`"neq":%d`, rows/250)
			if !containsAll(last, []string{`"resumed":true`, `"complete":true`, counts}) {
				t.Errorf("the last verdict: %s", last[strings.LastIndex(strings.TrimSpace(last), "\n")+1:])
			}
		})
	}
}

// add adds the findings of JSON lines, of which the last may be cut off.
func add(t *testing.T, to map[string]string, text string) {
	t.Helper()
	whole := text[:strings.LastIndexByte(text, '\n')+1]
	for _, f := range lines(t, whole) {
		if f.Kind == "" {
			continue
		}
		key, err := json.Marshal(f.Key)
		if err != nil {
			t.Fatal(err)
		}
		to[string(key)] = f.Kind
	}
}

// killedAfter runs trueup, kills it when it has saved that many positions and a
// little later, and returns what it has printed.
func killedAfter(t *testing.T, file string, positions int, later time.Duration, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary("trueup"), args...)
	cmd.Env = environment(t)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	before, _ := os.ReadFile(file) // there is none at first
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the state tells
		close(ended)
	}()
	for seen := 0; seen < positions; {
		select {
		case <-ended:
			t.Fatalf("it ended before it could be killed:\n%s%s", tail(stdout.String()), stderr.String())
		case <-time.After(time.Millisecond): // another process's file gives no sign
		}
		if now, err := os.ReadFile(file); err == nil && !bytes.Equal(now, before) {
			before, seen = now, seen+1
		}
	}
	<-time.After(later) // a moment nobody chose
	_ = cmd.Process.Signal(syscall.SIGKILL)
	<-ended
	return stdout.String()
}

// refuseOtherComparisons makes sure that a position serves no other comparison,
// says which part is another, and outlives the attempt.
func refuseOtherComparisons(t *testing.T, w *world, mode, file string) {
	t.Helper()
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for pair, want := range map[string]string{
		"exclude: [untouched, weight], where: id > 7":                                  "the source's filter and the target's filter changed",
		"exclude: [untouched, weight], authority: target, where: " + paced:             "the authority changed",
		"exclude: [untouched, weight, note], where: " + paced:                          "the source's columns and the target's columns and the rules changed",
		"exclude: [untouched, weight], rules: {state: {trim: right}}, where: " + paced: "the rules changed",
		"exclude: [untouched, weight], method: lookup, epoch: 2, where: " + paced:      "the method and the epoch changed",
	} {
		w.configure(w.source, w.target, "pairs: [{name: orders, "+pair+"}]")
		status, stdout, stderr := command(t, "trueup", "diff", "--config", w.config, "--mode", mode, "--json", "--checkpoint", file)
		if status != 2 || !strings.Contains(stderr, want) || !strings.Contains(stderr, "delete the checkpoint file") || strings.Contains(stdout, `"kind"`) {
			t.Errorf("%s: status %d\n%s%s", pair, status, stdout, stderr)
		}
	}
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, kept) {
		t.Errorf("the position did not outlive that: %v", err)
	}
}

// TestADiffThatStopsAtItsLimitTellsSoAndGoesOn takes a comparison in steps of
// a few findings.
func TestADiffThatStopsAtItsLimitTellsSoAndGoesOn(t *testing.T) {
	t.Parallel()
	const rows, limit = 10_000, 30
	for _, confirm := range []string{"0s", "1ms"} {
		t.Run(confirm, func(t *testing.T) {
			w := newWorldWithoutTopics(t, direction{postgres, postgres}, "pairs: [{name: orders, exclude: [untouched]}]\n"+
				"validator: {confirm: "+confirm+", threads: 4, checkpoint_every: 1ms, range: {min_rows: 50, max_rows: 50}}")
			damaged(t, w, rows)
			file := filepath.Join(t.TempDir(), "checkpoint")
			got := map[string]string{}
			for step := 1; ; step++ {
				stdout := w.must(1, "trueup", "diff", "--config", w.config, "--json", "--max-findings", fmt.Sprint(limit), "--checkpoint", file)
				add(t, got, stdout)
				all := lines(t, stdout)
				verdict := all[len(all)-1].Verdict
				if len(all)-1 > limit {
					t.Errorf("step %d: %d findings, and %d is the limit", step, len(all)-1, limit)
				}
				if verdict.Complete {
					break
				}
				if verdict.Clean || len(all)-1 != limit || verdict.Reason != "stopped after 30 findings, which is the limit" {
					t.Fatalf("step %d: %d findings, %+v", step, len(all)-1, verdict)
				}
				if step > 3*rows/250 {
					t.Fatal("it does not get on")
				}
			}
			if len(got) != 3*rows/250 {
				t.Errorf("together they found %d rows, want %d", len(got), 3*rows/250)
			}
		})
	}
}

// TestAValidatorKilledAgainAndAgainLosesNoFinding does the same to the service,
// whose position is in the state topic, and lets the fixer prove that every
// finding is in Kafka. Until the last run its filter takes a while for each row, or
// a run of large ranges would be over before its position can be asked for.
func TestAValidatorKilledAgainAndAgainLosesNoFinding(t *testing.T) {
	t.Parallel()
	const rows, kills = 16_000, 4
	for _, mode := range []string{"full", "reverse"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, direction{maria, maria}, "pairs: [{name: orders}]")
			damaged(t, w, rows)
			w.setPace(0.0005)
			settings := func(n int) string {
				size := []int{1, 1000, 7}[n%3]
				return fmt.Sprintf("pairs: [{name: orders, exclude: [untouched], where: "+paced+", schedule: {%s: '@every 1s'}}]\n"+
					"validator: {confirm: 0s, threads: %d, checkpoint_every: 1ms, range: {min_rows: %d, max_rows: %d}}", mode, 1+n%2, size, size)
			}
			admin := w.admin()
			position := func() string {
				states, _, err := admin.ReadState(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return string(states["orders"].Position)
			}
			for n := range kills {
				w.configure(w.source, w.target, settings(n))
				before := position()
				validator := start(t, "validator", "--config", w.config)
				eventually(t, func() (bool, string) {
					now := position()
					return now != "" && now != before, now
				})
				validator.kill(syscall.SIGKILL)
				if strings.Contains(strings.Join(validator.lines(), "\n"), `"verdict"`) {
					t.Fatal("the run ended before it could be killed; it is too short for this test")
				}
			}
			w.setPace(0)
			w.configure(w.source, w.target, settings(kills))
			last := start(t, "validator", "--config", w.config)
			line := last.logged(`"verdict"`)
			last.kill(syscall.SIGKILL)
			want := []string{`"resumed":true`, `"complete":true`, fmt.Sprintf(`"neq":%d,"base_missing":%d`, rows/250, rows/250)}
			if mode == "full" {
				want = append(want, fmt.Sprintf(`"target_missing":%d`, rows/250))
			}
			if !containsAll(line, want) {
				t.Errorf("the verdict is %s", line)
			}
			start(t, "fixer", "--config", w.config)
			w.drained()
			w.must(0, "trueup", "diff", "--config", w.config, "--mode", mode, "--confirm", "0")
		})
	}
}
