package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// shops are two databases with tables that differ in a known way.
func shops(t *testing.T) (source, target string) {
	t.Helper()
	tables := []string{
		"CREATE TABLE orders (id BIGINT NOT NULL PRIMARY KEY, state VARCHAR(20), updated_at DATETIME(6))",
		"CREATE TABLE people (email VARCHAR(90) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, name VARCHAR(20))",
		`INSERT INTO people VALUES ('<script>alert("x")</script>@example.org', 'private name'), ('b@example.org', 'same')`,
	}
	for id := 1; id <= 40; id++ {
		tables = append(tables, "INSERT INTO orders VALUES ("+itoa(id)+", 'private state', '2026-03-01 10:00:00')")
	}
	source, target = testenv.MySQL(t), testenv.MySQL(t)
	testenv.Exec(t, source, tables...)
	testenv.Exec(t, target, tables...)
	testenv.Exec(t, target, "DELETE FROM orders WHERE id IN (7, 8)", "UPDATE orders SET state = 'other' WHERE id = 11",
		"INSERT INTO orders VALUES (99, 'ghost', '2026-04-01 10:00:00')", "UPDATE people SET name = 'changed' WHERE name <> 'same'")
	return source, target
}

func itoa(n int) string { return strconv.Itoa(n) }

func read(t *testing.T, file string) string {
	t.Helper()
	html, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

// passwordOf is what a report must never hold.
func passwordOf(t *testing.T, dsn string) string {
	t.Helper()
	m := regexp.MustCompile(`://[^:]*:([^@]+)@`).FindStringSubmatch(dsn)
	if m == nil {
		t.Fatal("the test's database has no password")
	}
	return m[1]
}

func TestDiffWritesAReport(t *testing.T) {
	source, target := shops(t)
	file := filepath.Join(t.TempDir(), "out.html")
	status, _, stderr := trueup(t, "diff", source, target, "orders", "people", "--confirm", "0", "--quiet", "--where", "1 = '1'", "--method", "merge", "--report", file)
	if status != statusDifferences {
		t.Fatalf("status %d, %s", status, stderr)
	}
	html := read(t, file)
	for _, want := range []string{
		"<h1>Different</h1>", "2 of 2 pairs differ, in 5 rows.",
		"4 rows differ: 2 missing at the target, 1 not equal, 1 only at the target.",
		"<code>7</code>", "<code>8</code>", "<code>11</code>", "<td>state</td>", "<code>99</code>",
		"&lt;script&gt;alert(", "By id.", "By updated_at.", "datetime(6)", "no column updated_at or created_at",
		"trueup fix &#39;mysql://root:${SOURCE_PASSWORD}@", "${TARGET_PASSWORD}@",
		" orders people --where &#39;1 = &#39;\\&#39;&#39;1&#39;\\&#39;&#39;&#39; --method merge --confirm 0 --verify</code>",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the report does not say %s", want)
		}
	}
	for _, secret := range []string{passwordOf(t, source), passwordOf(t, target), "private", "ghost", "<script>"} {
		if strings.Contains(html, secret) {
			t.Errorf("the report holds %s", secret)
		}
	}
}

func TestAReportOfACleanRunSaysSo(t *testing.T) {
	source, _ := shops(t)
	file := filepath.Join(t.TempDir(), "out.html")
	if status, _, stderr := trueup(t, "diff", source, source, "orders", "--confirm", "0", "--quiet", "--report", file); status != statusClean {
		t.Fatalf("status %d, %s", status, stderr)
	}
	html := read(t, file)
	if !strings.Contains(html, "<h1>Clean</h1>") || strings.Contains(html, "trueup fix") {
		t.Error("the report does not say clean, or offers to repair")
	}
}

func TestAReportOfAnInterruptedRunIsNotComplete(t *testing.T) {
	source, target := shops(t)
	file := filepath.Join(t.TempDir(), "out.html")
	a := &app{stdout: &strings.Builder{}, stderr: &strings.Builder{}}
	r := openRunner(t, a, file, source, target, "orders", "people")
	if html := read(t, file); !strings.Contains(html, "<h1>Not complete</h1>") || !strings.Contains(html, "0 of 2 pairs done") {
		t.Error("before it begins the report does not say that the comparison is at work")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.diff(ctx); err != nil {
		t.Fatal(err)
	}
	html := read(t, file)
	for _, want := range []string{"<h1>Not complete</h1>", "interrupted: ", "1 pair is only compared in part, 1 pair was not compared.", "trueup diff "} {
		if !strings.Contains(html, want) {
			t.Errorf("the report does not say %s", want)
		}
	}
	if a.status != statusTrouble {
		t.Errorf("status %d", a.status)
	}
}

// openRunner is diff up to where it compares.
func openRunner(t *testing.T, a *app, file string, args ...string) *runner {
	t.Helper()
	var o runOptions
	var r *runner
	cmd := &cobra.Command{RunE: func(cmd *cobra.Command, args []string) (err error) {
		if r, err = o.runner(a, cmd, args); err != nil {
			return err
		}
		t.Cleanup(r.close)
		r.report, err = newReporter(r, reportOptions{file: file, keys: 5}, newCommandLine(cmd, &o.options, r.job, r.Databases))
		r.progress = r.report
		return err
	}, SilenceUsage: true, SilenceErrors: true}
	o.addTo(cmd)
	cmd.SetArgs(append(args, "--quiet"))
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestATableLeftOutKeepsTheReportFromClean(t *testing.T) {
	source, _ := shops(t)
	testenv.Exec(t, source, "CREATE TABLE keyless (a INT)")
	file := filepath.Join(t.TempDir(), "out.html")
	if status, _, stderr := trueup(t, "diff", source, source, "--confirm", "0", "--quiet", "--report", file); status != statusTrouble {
		t.Fatalf("status %d, %s", status, stderr)
	}
	if html := read(t, file); !strings.Contains(html, "<h1>Not complete</h1>") || !strings.Contains(html, "keyless") {
		t.Error("the report does not name the table that was left out")
	}
}

func TestAReportThatCannotBeWrittenIsKnownAtOnce(t *testing.T) {
	source, target := shops(t)
	file := filepath.Join(t.TempDir(), "no", "such.html")
	status, stdout, stderr := trueup(t, "diff", source, target, "orders", "--report", file)
	if status != statusTrouble || !strings.Contains(stderr, "write the report: ") || stdout != "" {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
	if status, _, stderr = trueup(t, "diff", "mysql://a/b", "mysql://c/d", "--report-keys", "1001"); status != statusTrouble || !strings.Contains(stderr, "choose 0 to 1000") {
		t.Errorf("status %d, %q", status, stderr)
	}
}

func TestARecordKeepsABoundedNumberOfKeys(t *testing.T) {
	r := newRecord(onePair(), validate.Full, 3)
	for id := range 5000 {
		r.find(event.Finding{Kind: event.NotEqual, Key: event.Key{column("id", canonical.Int, itoa(id))}})
		r.warn("warning " + itoa(id))
	}
	if n := len(r.samples[1].Items()); n != 3 || len(r.drawn.Items()) != plotted || len(r.warnings) != maxReportWarnings {
		t.Errorf("%d samples, %d drawn, %d warnings", n, len(r.drawn.Items()), len(r.warnings))
	}
	if got := r.sampleKeys(1, 5000); len(got) != 1 || len(got[0].Keys) != 3 || got[0].Total != 5000 {
		t.Errorf("%+v", got)
	}
}

func onePair() resolved {
	view := schema.View{Table: &schema.Table{}, Key: []int{0}, Columns: []schema.ViewColumn{{Column: schema.Column{Name: "id"}, As: canonical.Type{Kind: canonical.Int}}}}
	return resolved{asked: assembly.Pair{Authority: "source"}, pair: &schema.Pair{Name: "orders", Names: []string{"id"}, Rules: make([]canonical.Rule, 1), Source: view, Target: view}}
}

func TestOnlyAWalkThatEndedEarlyLeavesRows(t *testing.T) {
	key := func(id string) row.Key { return row.Key{row.Value(id)} }
	for _, c := range []struct {
		through row.Key
		where   string
		want    int64
	}{{key("10"), "", 990}, {nil, "", 0}, {key("10"), "a = 1", 0}} {
		pair := onePair()
		pair.pair.Source.Table = &schema.Table{Rows: 1000}
		pair.pair.Source.Where = c.where
		r := newRecord(pair, validate.Full, 0)
		r.rangeDone(validate.RangeReport{Range: row.Range{Through: c.through}, Scanned: 10})
		if got := r.space()[0].Left; got != c.want {
			t.Errorf("through %v where %q: %d rows left, want %d", c.through, c.where, got, c.want)
		}
	}
}

func TestUnreadableRangesAreListedInTheOrderOfTheirKeys(t *testing.T) {
	r := newRecord(onePair(), validate.Full, 3)
	at := func(after, through string) validate.UnreadableRange {
		bounds := row.Range{}
		if after != "" {
			bounds.After = row.Key{row.Value(after)}
		}
		if through != "" {
			bounds.Through = row.Key{row.Value(through)}
		}
		return validate.UnreadableRange{Range: bounds, Reason: "lost"}
	}
	var p reporter
	p.page.Pairs = append(p.page.Pairs, (&reporter{r: &runner{}}).describe(onePair()))
	out := &p.page.Pairs[0]
	r.fill(out, validate.Verdict{Mode: "full", Unreadable: 3, UnreadableRanges: []validate.UnreadableRange{at("900", ""), at("", "5"), at("10", "11")}, Reason: "3 ranges"}, nil)
	var got []string
	for _, u := range out.Ranges {
		got = append(got, u.Range)
	}
	if text := strings.Join(got, "; "); text != "up to 5; after 10, up to 11; after 900" {
		t.Errorf("%s", text)
	}
}

func TestKeysAreShownByTheirTypes(t *testing.T) {
	for _, c := range []struct {
		kind        canonical.Kind
		value, want string
	}{
		{canonical.Int, "-7", "-7"},
		{canonical.Text, "a\x00b\"<", `"a\x00b\"<"`},
		{canonical.Text, "", `""`},
		{canonical.Text, "\xff😀", `"\xff😀"`},
		{canonical.Bytes, "00ff", "0x00ff"},
		{canonical.Timestamp, "2026-01-01 00:00:00.000000", "2026-01-01 00:00:00.000000"},
		{canonical.Text, strings.Repeat("é", 200), `"` + strings.Repeat("é", 80) + `"… (400 bytes)`},
	} {
		if got := showValue(canonical.Type{Kind: c.kind}, row.Value(c.value)); got != c.want {
			t.Errorf("%q is shown as %s, want %s", c.value, got, c.want)
		}
	}
}

func TestACommandRepeatsTheFlagsThatMatterAndNoPassword(t *testing.T) {
	source, target := shops(t)
	withVariable := strings.Replace(target, ":"+passwordOf(t, target)+"@", ":${REPORT_TEST_PW}@", 1)
	t.Setenv("REPORT_TEST_PW", passwordOf(t, target))
	file := filepath.Join(t.TempDir(), "out.html")
	a := &app{stdout: &strings.Builder{}, stderr: &strings.Builder{}}
	r := openRunner(t, a, file, source, withVariable, "orders", "--key", "id", "--columns", "id,state", "--map", "state=state",
		"--rule", "state=trim:right", "--rule", "state=case:ignore", "--where", "id > 1 AND state <> 'x'", "--checkpoint", file+".cp", "--max-findings", "7", "--mode", "reverse")
	got := r.report.commands.repairs(r.pairs, r.mode)[1].Line
	want := " orders --key id --columns id,state --map state=state --rule state=trim:right --rule state=case:ignore " +
		`--where 'id > 1 AND state <> '\''x'\''' --mode reverse --verify`
	if !strings.HasSuffix(got, want) || !strings.HasPrefix(got, "trueup fix 'mysql://root:${SOURCE_PASSWORD}@") || !strings.Contains(got, ":${REPORT_TEST_PW}@") {
		t.Errorf("the command is %s, want …%s", got, want)
	}
}

func TestArgumentsAreQuotedForAShell(t *testing.T) {
	for arg, want := range map[string]string{
		"orders": "orders", "a=b.c": "a=b.c", "x y": "'x y'", "it's": `'it'\''s'`, "${PW}": "'${PW}'", "": "''", "a;rm": "'a;rm'",
	} {
		if got := quoteArg(arg); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
