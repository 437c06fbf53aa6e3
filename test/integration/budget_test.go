package integration

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

// writesLimit is how many writes to the target a fixer may have at once.
func writesLimit(s *service) string {
	_, metrics := s.get("/metrics")
	for line := range strings.Lines(metrics) {
		if text, found := strings.CutPrefix(line, `trueup_governor_statements{side="target",state="limit",use="writes"} `); found {
			return strings.TrimSpace(text)
		}
	}
	return "unknown"
}

func TestFixersShareTheBudgetOfADatabaseAsTheyComeAndDie(t *testing.T) {
	const rows = 600
	w := newWorld(t, direction{maria, postgres}, strings.Replace(ordersPair, "{name: orders", "{breaker: {share: off}, name: orders", 1)+
		"\ngovernor: {source: {adapt: false, concurrency: 6}, target: {adapt: false, concurrency: 6}}")
	w.direction.source.fill(t, w.source, "orders", 1, rows)
	w.direction.target.fill(t, w.target, "orders", 1, rows)
	testenv.Exec(t, w.target, "UPDATE orders SET state = 'damaged'")
	w.must(1, "validator", "--config", w.config, "--once")

	// Rows that somebody holds keep the fixers trying.
	foreign := testenv.Open(t, w.target)
	tx, err := foreign.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "SELECT * FROM orders FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	fixers := []*service{start(t, "fixer", "--config", w.config), start(t, "fixer", "--config", w.config)}
	limits := func(want ...string) {
		t.Helper()
		eventually(t, func() (bool, string) {
			var got []string
			for _, f := range fixers {
				got = append(got, writesLimit(f))
			}
			return fmt.Sprint(got) == fmt.Sprint(want), fmt.Sprintf("limits of writes are %v, want %v", got, want)
		})
	}
	limits("3", "3")
	fixers[1].kill(syscall.SIGKILL)
	fixers = fixers[:1]
	limits("6")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() (bool, string) { // the dead one's share of them, too
		var n int
		err := foreign.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM orders WHERE state = 'damaged'").Scan(&n)
		return err == nil && n == 0, fmt.Sprintf("%d rows are not repaired, %v", n, err)
	})
	w.must(0, "validator", "--config", w.config, "--once")
	limits("0") // nothing to do
	if status := fixers[0].stop(); status != 0 {
		t.Errorf("the fixer stopped with status %d", status)
	}
}

func TestWhatCalibrateProposesIsConfiguration(t *testing.T) {
	const patient = "{limits: {threads: 100000, lock_waits: 100000, connections: 100, replica_lag: 0s}}" // other tests use the servers, too
	w := newWorld(t, direction{postgres, maria}, ordersPair+"\ngovernor: {source: "+patient+", target: "+patient+"}")
	w.direction.source.fill(t, w.source, "orders", 1, 2000)
	w.direction.target.fill(t, w.target, "orders", 1, 2000)
	calibrate := []string{"governor", "calibrate", "--config", w.config, "--for", "6s", "--keep", filepath.Join(t.TempDir(), "load.jsonl")}
	w.must(0, "trueup", calibrate...)
	proposal := w.must(0, "trueup", calibrate...) // of both hours
	source, target, both := strings.Cut(proposal, "  target:\n")
	for _, side := range []string{source, target} {
		if !both || !containsAll(side, []string{"    limits:\n", "      canary: ", "      per_row: ", "      lock_waits: ", "    # canary, 6 s from "}) {
			t.Fatalf("the proposal is incomplete:\n%s", proposal)
		}
		if n := strings.Count(side, "# per_row"); n != 2 {
			t.Errorf("%d hours are told of", n)
		}
	}
	w.configure(w.source, w.target, ordersPair+"\n"+proposal)
	out := w.must(0, "trueup", "governor", "watch", "--config", w.config, "--once", "--json")
	if !containsAll(out, []string{`"governor":"source reads"`, `"signal":"canary"`}) {
		t.Errorf("watch printed %s", out)
	}
}

// A person's command and the services are not two times the load.
func TestACommandAndAFixerTogetherKeepWithinTheBudget(t *testing.T) {
	const rows, most = 1200, 4 // enough to have both at work, however long one takes to begin
	pair := strings.NewReplacer("{name: orders", "{breaker: {share: off}, name: orders", "confirm: 200ms", "confirm: 0s, range: {max_rows: 10, min_rows: 10}").Replace(ordersPair)
	w := newWorld(t, direction{maria, postgres}, pair+
		fmt.Sprintf("\ngovernor: {source: {adapt: false, concurrency: %d}, target: {adapt: false, concurrency: %[1]d}}", most))
	w.direction.source.fill(t, w.source, "orders", 1, rows)
	w.direction.target.fill(t, w.target, "orders", 1, rows)
	// Each repair takes a while, so that many are at work at once.
	testenv.Exec(t, w.target,
		"CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$",
		"UPDATE orders SET state = 'damaged'",
		"CREATE TRIGGER slow BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION slowly()")
	w.must(1, "validator", "--config", w.config, "--once")
	foreign := testenv.Open(t, w.target)
	// What sets up sessions and describes tables comes before there is any work.
	atWork := func() (command, fixer int, what string) {
		t.Helper()
		const sessions = "SELECT COUNT(*) FILTER (WHERE application_name = 'trueup'), COUNT(*) FILTER (WHERE application_name = 'trueup-fixer')," +
			" string_agg(application_name || ': ' || left(query, 90), E'\n') FROM pg_stat_activity" +
			" WHERE datname = current_database() AND application_name LIKE 'trueup%' AND xact_start IS NOT NULL AND query LIKE '%\"orders\"%'"
		var text sql.NullString
		if err := foreign.QueryRowContext(t.Context(), sessions).Scan(&command, &fixer, &text); err != nil {
			t.Fatal(err)
		}
		return command, fixer, text.String
	}
	fixer := start(t, "fixer", "--config", w.config)
	eventually(t, func() (bool, string) {
		return writesLimit(fixer) == fmt.Sprint(most), "the fixer's limit is " + writesLimit(fixer)
	})
	fix := start(t, "trueup", "fix", "--config", w.config, "--confirm", "0", "--threads", "4")
	both, over, ended := 0, 0, false
	var beyond string
	for !ended {
		select {
		case <-fix.done:
			ended = true
		default:
		}
		command, repairs, what := atWork()
		if command > 0 && repairs > 0 {
			both++
		}
		if command+repairs > over {
			over, beyond = command+repairs, what
		}
	}
	t.Logf("at most %d of %d sessions at work, and both programs %d times", over, most, both)
	if over > most {
		t.Errorf("%d sessions at work, with a budget of %d:\n%s", over, most, beyond)
	}
	if both == 0 {
		t.Error("the two were never at work at the same time, which shows nothing")
	}
	eventually(t, func() (bool, string) {
		var n int
		err := foreign.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM orders WHERE state = 'damaged'").Scan(&n)
		return err == nil && n == 0, fmt.Sprintf("%d rows are not repaired, %v", n, err)
	})
	if status := fixer.stop(); status != 0 {
		t.Errorf("the fixer stopped with status %d", status)
	}
}

func TestBothSidesOnOneServerHaveHalfOfItsBudgetEach(t *testing.T) {
	for _, engine := range []engine{maria, postgres} {
		w := newWorld(t, direction{engine, engine}, ordersPair+"\ngovernor: {source: {adapt: false, concurrency: 6}, target: {adapt: false, concurrency: 9, processes: 3}}")
		w.direction.source.fill(t, w.source, "orders", 1, 30)
		w.direction.target.fill(t, w.target, "orders", 1, 30)
		watch := []string{"governor", "watch", "--config", w.config, "--once", "--json"}
		out := w.must(0, "trueup", watch...)
		for _, want := range []string{`"governor":"source reads","state":"running","workers":3,"most":3`, `"governor":"target writes","state":"running","workers":1,"most":1`} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %s in\n%s", engine.name, want, out)
			}
		}
		start(t, "trueup", watch...).logged("source and target are on one server")
		w.must(0, "validator", "--config", w.config, "--once")
	}
}

func TestACommandSaysWhatItKnowsOfOthers(t *testing.T) {
	w := newWorld(t, direction{maria, postgres}, ordersPair)
	w.direction.source.fill(t, w.source, "orders", 1, 30)
	w.direction.target.fill(t, w.target, "orders", 1, 30)
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	diff := func(kafka string) *service {
		t.Helper()
		changed := regexp.MustCompile(`(?m)^kafka: .*$`).ReplaceAll(text, []byte(kafka))
		if err := os.WriteFile(w.config, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		return start(t, "trueup", "diff", "--config", w.config, "--confirm", "0")
	}
	alone := diff("")
	alone.logged("what other processes ask of these databases is not counted", "governor.*.processes")
	<-alone.done
	if status := alone.cmd.ProcessState.ExitCode(); status != 0 {
		t.Errorf("without Kafka: status %d", status)
	}
	// Others may be at work: nothing is asked for that may be theirs.
	lost := diff(`kafka: {brokers: ["127.0.0.1:1"]}`)
	lost.logged("this process's part of the budget is not known", "the Kafka group trueup.governor", "governor.source.processes")
	lost.kill(syscall.SIGTERM)
	if status := lost.cmd.ProcessState.ExitCode(); status != 2 {
		t.Errorf("with a Kafka that is away: status %d", status)
	}
}
