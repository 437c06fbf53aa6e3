package integration

import (
	"fmt"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

// noSignals turns every signal off that the machine's other work could move.
const noSignals = "limits: {canary: 0s, threads: 0, lock_waits: 0, history: 0, replica_lag: 0s, connections: 0}"

func TestWritesWaitForABusyCopyAndReadsDoNot(t *testing.T) {
	const check = "checks: [{name: brake, sql: SELECT MAX(n) FROM brake, limit: 1, for: writes}]"
	w := newWorld(t, direction{postgres, maria}, ordersPair+fmt.Sprintf("\ngovernor: {source: {adapt: false}, target: {%s, %s}}", noSignals, check))
	testenv.Exec(t, w.target, "CREATE TABLE brake (n INT)", "INSERT INTO brake VALUES (5)")
	w.direction.source.fill(t, w.source, "orders", 1, 300)
	w.direction.target.fill(t, w.target, "orders", 1, 300)
	testenv.Exec(t, w.target, "DELETE FROM orders WHERE id % 10 = 0")

	fixer := start(t, "fixer", "--config", w.config)
	fixer.logged(`"governor":"target writes"`, "brake 5 ≥ 1 on target", "paused")
	w.must(1, "validator", "--config", w.config, "--once") // reads the same database
	fixer.readiness(200, `"ready": true`)
	if status, _ := fixer.get("/healthz"); status != 200 {
		t.Errorf("a pause fails liveness, with status %d", status)
	}
	eventually(t, func() (bool, string) {
		_, metrics := fixer.get("/metrics")
		waiting := `trueup_governor_statements{side="target",state="waiting",use="writes"} `
		return containsAll(metrics, []string{`trueup_governor_paused{side="target",use="writes"} 1`, `trueup_governor_paused{side="target",use="reads"} 0`, waiting}) &&
			!strings.Contains(metrics, waiting+"0"), metrics
	})
	if n := scan[int](t, w.target, "SELECT COUNT(*) FROM orders"); n != 270 {
		t.Errorf("%d rows while writes are paused, want 270", n)
	}
	testenv.Exec(t, w.target, "UPDATE brake SET n = 0")
	fixer.logged(`"governor":"target writes"`, "resumed")
	w.drained()
	if n := scan[int](t, w.target, "SELECT COUNT(*) FROM orders"); n != 300 {
		t.Errorf("%d rows after the repair, want 300", n)
	}
	if status := fixer.stop(); status != 0 {
		t.Errorf("the fixer stopped with status %d", status)
	}
}

func TestAGovernorThatSeesNothingDoesNotStart(t *testing.T) {
	w := newWorld(t, direction{postgres, maria}, ordersPair+"\ngovernor: {source: {adapt: false}, target: {"+noSignals+"}}")
	w.direction.source.fill(t, w.source, "orders", 1, 3)
	w.direction.target.fill(t, w.target, "orders", 1, 3)
	for _, args := range [][]string{{"validator", "--config", w.config, "--once"}, {"validator", "--config", w.config}, {"fixer", "--config", w.config}} {
		s := start(t, args[0], args[1:]...)
		s.logged("nothing of the database's load can be measured", "governor.target.adapt: false")
		<-s.done
		if status := s.cmd.ProcessState.ExitCode(); status != 2 {
			t.Errorf("%v: status %d", args, status)
		}
	}
}

func TestASignalThatMayNotBeSeenIsNamedAndTheRestIsUsed(t *testing.T) {
	settings := ordersPair + "\ngovernor: {source: {cores: 64, limits: {canary: 60s}}, target: {limits: {canary: 60s, threads: 1000}}}"
	w := newWorld(t, direction{postgres, maria}, settings)
	w.direction.source.fill(t, w.source, "orders", 1, 3)
	w.direction.target.fill(t, w.target, "orders", 1, 3)
	limited, err := url.Parse(w.source)
	if err != nil {
		t.Fatal("a test database has no valid URL")
	}
	reader := strings.TrimPrefix(limited.Path, "/") + "_r"
	limited.User = url.UserPassword(reader, "unused")
	testenv.Exec(t, w.source, "CREATE ROLE "+reader+" LOGIN PASSWORD 'unused'", "GRANT SELECT ON orders TO "+reader)
	defer testenv.Exec(t, w.source, "DROP OWNED BY "+reader, "DROP ROLE "+reader)
	w.configure(limited.String(), w.target, settings)
	out := w.must(0, "trueup", "governor", "watch", "--config", w.config, "--once", "--json")
	if !containsAll(out, []string{`"governor":"source reads"`, `"signal":"canary"`, `"signal":"lock_waits"`}) || strings.Contains(strings.SplitN(out, "\n", 2)[0], `"signal":"threads"`) {
		t.Errorf("watch printed %s", out)
	}
	validator := start(t, "validator", "--config", w.config, "--once")
	validator.logged(`"signal":"threads"`, "the user does not see what others do; grant the user pg_monitor", `"replaced":false`)
	validator.logged(`"signal":"lock_waits"`, `"replaced":true`)
	validator.logged("orders: clean")
}

func TestWhatPeopleRunAsksTheGovernorsToo(t *testing.T) {
	const check = "checks: [{name: brake, sql: SELECT MAX(n) FROM brake, limit: 1, for: writes}]"
	w := newWorld(t, direction{postgres, maria}, ordersPair+fmt.Sprintf("\ngovernor: {source: {adapt: false}, target: {%s, %s}}", noSignals, check))
	testenv.Exec(t, w.target, "CREATE TABLE brake (n INT)", "INSERT INTO brake VALUES (0)")
	w.direction.source.fill(t, w.source, "orders", 1, 300)
	w.direction.target.fill(t, w.target, "orders", 1, 300)
	const damage = "DELETE FROM orders WHERE id % 10 = 0"
	want := func(rows int) {
		t.Helper()
		if n := scan[int](t, w.target, "SELECT COUNT(*) FROM orders"); n != rows {
			t.Errorf("the copy has %d rows, want %d", n, rows)
		}
	}
	// held has a command wait for the brake, and gives up on it.
	held := func(args ...string) {
		t.Helper()
		testenv.Exec(t, w.target, "UPDATE brake SET n = 5")
		before := scan[int](t, w.target, "SELECT COUNT(*) FROM orders")
		waits := start(t, "trueup", args...)
		waits.logged("target writes", "brake 5 ≥ 1 on target")
		waits.kill(syscall.SIGTERM)
		want(before)
	}
	fix := []string{"fix", "--config", w.config, "--confirm", "0"}
	testenv.Exec(t, w.target, damage)
	held(fix...)
	w.must(1, "trueup", append(fix, "--dry-run")...)                    // reads alone
	w.must(1, "trueup", "diff", "--config", w.config, "--confirm", "0") // so does this
	testenv.Exec(t, w.target, "UPDATE brake SET n = 0")
	w.must(0, "trueup", fix...)
	want(300)

	testenv.Exec(t, w.target, damage)
	w.must(1, "validator", "--config", w.config, "--once")
	fixer := start(t, "fixer", "--config", w.config)
	w.drained()
	fixer.stop()
	want(300)
	undo := []string{"undo", "--config", w.config, "--pair", "orders", "--since", "10m"}
	held(undo...)
	w.must(0, "trueup", append(undo, "--dry-run")...)
	testenv.Exec(t, w.target, "UPDATE brake SET n = 0")
	w.must(0, "trueup", undo...)
	want(270)
}
