package integration

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/row"
)

// wrongPairs has the source's state go to the target's note, so that every row
// differs and would be rewritten.
const wrongPairs = "pairs: [{name: orders, columns: [id, state], map: {state: note}, breaker: {share: %s}}]\nvalidator: {confirm: 0s, max_mismatch_share: 1}"

const wrongRows = 12_000

var allows = regexp.MustCompile(`share allows (\d+)`)

// TestAWrongRuleDoesNotRewriteATable has three fixers meet a mapping under which
// every row differs.
func TestAWrongRuleDoesNotRewriteATable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{maria, postgres}, fmt.Sprintf(wrongPairs, "20%"))
	maria.fill(t, w.source, "orders", 1, wrongRows)
	postgres.fill(t, w.target, "orders", 1, wrongRows)
	testenv.Exec(t, w.target, "ALTER TABLE orders ALTER state SET DEFAULT '', ALTER paid SET DEFAULT FALSE", "UPDATE orders SET note = 'as it was'", "ANALYZE orders")
	rewritten := func() int {
		return scan[int](t, w.target, "SELECT count(*) FROM orders WHERE note IS DISTINCT FROM 'as it was'")
	}
	fixers := make([]*service, 3)
	for i := range fixers {
		fixers[i] = start(t, "fixer", "--config", w.config)
	}
	for _, f := range fixers {
		f.logged("joined the group", `"partitions":2,`)
	}
	w.must(1, "validator", "--config", w.config, "--once")
	w.drained()

	limit := 0
	for i, f := range fixers {
		f.logged("the breaker has tripped", "trueup release orders")
		f.readiness(200, "trueup release orders")
		results := outcomes(t, f)
		t.Logf("fixer %d: %v", i, results)
		if results["held"] == 0 {
			t.Errorf("fixer %d held nothing", i)
		}
		if _, body := f.get("/metrics"); !strings.Contains(body, `trueup_fixer_breaker_tripped{pair="orders"} 1`) {
			t.Errorf("fixer %d does not show that the breaker has tripped", i)
		}
		reason := allows.FindStringSubmatch(f.logged("the breaker has tripped"))
		if reason == nil {
			t.Fatal("the reason does not say what is allowed")
		}
		n, _ := strconv.Atoi(reason[1])
		limit = max(limit, n)
	}
	const inFlight = 6 * 200 // a batch of each partition
	done := rewritten()
	t.Logf("%d rows were rewritten, the limit is %d", done, limit)
	if limit < wrongRows/10 || limit > wrongRows/2 {
		t.Errorf("a limit of %d is no fifth of about %d rows", limit, wrongRows)
	}
	if done < limit || done > limit+inFlight {
		t.Errorf("%d rows were rewritten, want %d to %d", done, limit, limit+inFlight)
	}

	// Killed and started again, with a limit that would allow all, it still holds.
	for _, f := range fixers {
		f.kill(syscall.SIGKILL)
	}
	w.configure(w.source, w.target, fmt.Sprintf(wrongPairs, "off"))
	again := start(t, "fixer", "--config", w.config)
	again.logged("the breaker has tripped")
	w.must(1, "validator", "--config", w.config, "--once")
	w.drained()
	if now := rewritten(); now != done {
		t.Errorf("%d rows were rewritten after the trip", now-done)
	}
	if results := outcomes(t, again); results["repaired"] > 0 || results["held"] < wrongRows-done {
		t.Errorf("outcomes after the trip: %v", results)
	}

	dry := w.must(0, "trueup", "release", "orders", "--config", w.config, "--dry-run")
	want := fmt.Sprintf("%d held findings", wrongRows-done)
	if !strings.Contains(dry, want) || !strings.Contains(dry, "would be released") {
		t.Errorf("release --dry-run says %q, want %s", dry, want)
	}
	if released := w.must(0, "trueup", "release", "orders", "--config", w.config); !strings.Contains(released, want) {
		t.Errorf("release says %q, want %s", released, want)
	}
	again.logged("the breaker is released")
	w.drained()
	if now := rewritten(); now != wrongRows {
		t.Errorf("%d of %d rows are repaired after the release", now, wrongRows)
	}
	if twice := w.must(0, "trueup", "release", "orders", "--config", w.config); !strings.Contains(twice, "has not tripped") || !strings.Contains(twice, " 0 held findings") {
		t.Errorf("a second release says %q", twice)
	}
	w.must(0, "validator", "--config", w.config, "--once")
}

// TestRepairsOfAnEarlierLifeCount is what a fixer finds that is started again
// after it was killed between tripping and saying so: outcomes, and no trip.
func TestRepairsOfAnEarlierLifeCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{postgres, maria}, "pairs: [{name: orders, exclude: [untouched], breaker: {deletes: 50}}]\nvalidator: {confirm: 0s}")
	postgres.fill(t, w.source, "orders", 1, 10)
	maria.fill(t, w.target, "orders", 1, 30)
	publisher, err := kafka.NewPublisher(w.kafka, zerolog.Nop(), kafka.Unobserved{})
	if err != nil {
		t.Fatal(err)
	}
	var earlier []event.Outcome
	for id := range 45 {
		earlier = append(earlier, event.Outcome{
			FindingID: fmt.Sprint("e", id), Pair: "orders", Result: event.Repaired, Action: event.Delete, Attempts: 1, At: time.Now().Add(-time.Hour),
			Key: event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(strconv.Itoa(1000 + id))}},
		})
	}
	if err := publisher.PublishOutcomes(t.Context(), earlier); err != nil {
		t.Fatal(err)
	}
	if err := publisher.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.must(1, "validator", "--config", w.config, "--once")
	f := start(t, "fixer", "--config", w.config)
	w.drained()
	if left := scan[int](t, w.target, "SELECT count(*) FROM orders"); left != 25 {
		t.Errorf("%d rows are left, want 25: 45 deletes of 50 were made before", left)
	}
	f.logged("the breaker has tripped", "deletes allows 50")
}

// TestADryRunSaysWhatWouldBeDone runs as a user who may read the copy and nothing
// else: whatever would lock or write is refused by the server.
func TestADryRunSaysWhatWouldBeDone(t *testing.T) {
	t.Parallel()
	for _, d := range []direction{{maria, postgres}, {postgres, maria}} {
		t.Run(d.String(), func(t *testing.T) {
			const pairs = "pairs: [{name: orders, exclude: [untouched]}]\nvalidator: {confirm: 0s}\nfixer: {dry_run: true}"
			w := newWorld(t, d, pairs)
			d.source.fill(t, w.source, "orders", 1, 300)
			d.target.fill(t, w.target, "orders", 31, 320)
			testenv.Exec(t, w.target, "UPDATE orders SET state = 'damaged' WHERE id > 290")
			before := w.must(1, "trueup", "diff", "--config", w.config, "--json", "--confirm", "0")
			w.must(1, "validator", "--config", w.config, "--once")
			w.configure(w.source, readOnlyUser(t, d.target, w.target), pairs)
			f := start(t, "fixer", "--config", w.config)
			f.logged("dry run")
			w.drained()
			f.readiness(200, "dry run")
			if got := outcomes(t, f); got["would_be_repaired"] != 60 || len(got) != 1 {
				t.Errorf("outcomes %v, want 60 that would be repaired", got)
			}
			after := w.must(1, "trueup", "diff", "--config", w.config, "--json", "--confirm", "0")
			if was, is := kinds(t, before), kinds(t, after); fmt.Sprint(was) != fmt.Sprint(is) || len(is) != 60 {
				t.Errorf("before the dry run %v differed, after it %v", was, is)
			}
			if status := f.stop(); status != 0 {
				t.Errorf("stopped with status %d", status)
			}
		})
	}
}

// readOnlyUser is the database's URL as a user who may only read.
func readOnlyUser(t *testing.T, e engine, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("a test database has no valid URL")
	}
	database := strings.TrimPrefix(u.Path, "/")
	name, password := "reader_"+database, "only-to-read"
	create := []string{fmt.Sprintf(`CREATE ROLE "%s" LOGIN PASSWORD '%s'`, name, password), fmt.Sprintf(`GRANT SELECT ON orders TO "%s"`, name)}
	drop := []string{fmt.Sprintf(`DROP OWNED BY "%s"`, name), fmt.Sprintf(`DROP ROLE "%s"`, name)}
	if e.name == maria.name {
		create = []string{fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY '%s'", name, password), fmt.Sprintf("GRANT SELECT ON `%s`.* TO '%s'@'%%'", database, name)}
		drop = []string{fmt.Sprintf("DROP USER '%s'@'%%'", name)}
	}
	db, ctx := testenv.Open(t, dsn), context.WithoutCancel(t.Context())
	for _, statement := range create {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, statement := range drop {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				t.Error(err)
			}
		}
	})
	u.User = url.UserPassword(name, password)
	return u.String()
}
