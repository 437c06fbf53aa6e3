package integration

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

const ordersPair = `
pairs:
  - name: orders
    columns: [state, amount, weight, paid, born, at, raw, note]
validator: {confirm: 200ms}
`

// damage makes the target differ in every way, and returns what diff has to
// find.
func damage(t *testing.T, w *world, rows int) map[string]string {
	t.Helper()
	want := map[string]string{}
	find := func(id int, kind string) { want[fmt.Sprintf(`{"id":%d}`, id)] = kind }
	testenv.Exec(t, w.target, "DELETE FROM orders WHERE id % 97 = 5 OR id = 1")
	for id := 1; id <= rows; id++ {
		if id%97 == 5 || id == 1 {
			find(id, "target_missing")
		}
	}
	alike := map[string]string{
		"id % 89 = 7":   "state = CONCAT(state, ' ')",
		"id % 101 = 50": "amount = amount + 0.0001",
		"id % 103 = 20": "paid = NOT paid",
		"id % 107 = 60": "note = NULL",
		"id % 109 = 70": "raw = NULL",
		"id % 113 = 80": "at = NULL",
	}
	for where, set := range alike {
		testenv.Exec(t, w.target, "UPDATE orders SET "+set+" WHERE "+where)
	}
	for id := 1; id <= rows; id++ {
		changed := id%89 == 7 || id%101 == 50 || id%103 == 20 || id%107 == 60 && id%11 != 0 || id%109 == 70 || id%113 == 80
		if changed && id%97 != 5 && id != 1 {
			find(id, "neq")
		}
	}
	w.direction.target.insert(t, w.target, "orders", rows+1, rows+9)
	w.direction.target.insert(t, w.target, "orders", -3, 0)
	for id := -3; id <= rows+9; id++ {
		if id <= 0 || id > rows {
			find(id, "base_missing")
		}
	}
	testenv.Exec(t, w.target, "UPDATE orders SET untouched = 'theirs' WHERE id % 2 = 0")
	return want
}

func TestDamageIsFoundCarriedAndRepairedInAllDirections(t *testing.T) {
	t.Parallel()
	for _, d := range directions {
		t.Run(d.String(), func(t *testing.T) {
			const rows = 3000
			w := newWorld(t, d, ordersPair)
			d.source.fill(t, w.source, "orders", 1, rows)
			d.target.fill(t, w.target, "orders", 1, rows)
			w.must(0, "trueup", "diff", w.source, w.target, "orders", "--json", "--exclude", "untouched")
			want := damage(t, w, rows)
			theirs := scan[int](t, w.target, "SELECT COUNT(*) FROM orders WHERE untouched = 'theirs' AND id BETWEEN 1 AND 3000")

			found := kinds(t, w.must(1, "trueup", "diff", "--config", w.config, "--json", "--confirm", "0"))
			if !maps.Equal(found, want) {
				t.Fatalf("diff found %d keys, want %d:\n%s", len(found), len(want), differences(found, want))
			}

			fixer := start(t, "fixer", "--config", w.config)
			w.must(1, "validator", "--config", w.config, "--once")
			w.drained()
			w.must(0, "validator", "--config", w.config, "--once")
			w.must(0, "trueup", "diff", "--config", w.config, "--json")

			// Columns outside the pair are as they were, but for rows that
			// were inserted anew.
			if left := scan[int](t, w.target, "SELECT COUNT(*) FROM orders WHERE untouched = 'theirs'"); left != theirs {
				t.Errorf("%d rows keep their own value in the unmapped column, want %d", left, theirs)
			}
			if results := outcomes(t, fixer); results["dead"]+results["held"] > 0 {
				t.Errorf("some findings were not repaired: %v", results)
			}
			fixer.readiness(200, `"ready": true`)
			if status := fixer.stop(); status != 0 {
				t.Errorf("the fixer stopped with status %d", status)
			}
		})
	}
}

func differences(got, want map[string]string) string {
	var out strings.Builder
	for key, kind := range want {
		if got[key] != kind {
			fmt.Fprintf(&out, "%s: found %q, want %q\n", key, got[key], kind)
		}
	}
	for key, kind := range got {
		if _, ok := want[key]; !ok {
			fmt.Fprintf(&out, "%s: found %q, want nothing\n", key, kind)
		}
	}
	return out.String()
}

func TestFixRepairsWithoutKafkaInAllDirections(t *testing.T) {
	t.Parallel()
	for _, d := range directions {
		t.Run(d.String(), func(t *testing.T) {
			const rows = 1500
			w := &world{t: t, direction: d, source: d.source.fresh(t), target: d.target.fresh(t)}
			d.source.fill(t, w.source, "orders", 1, rows)
			d.target.fill(t, w.target, "orders", 1, rows)
			want := damage(t, w, rows)
			args := []string{w.source, w.target, "orders", "--exclude", "untouched", "--confirm", "0"}

			script := w.must(1, "trueup", append([]string{"fix", "--dry-run", "--json"}, args...)...)
			statements := 0
			for _, line := range lines(t, script) {
				if line.SQL != "" {
					statements++
				}
			}
			if statements != len(want) {
				t.Errorf("the dry run prints %d statements, want %d", statements, len(want))
			}
			if found := kinds(t, w.must(1, "trueup", append([]string{"diff", "--json"}, args...)...)); !maps.Equal(found, want) {
				t.Fatalf("after a dry run diff found other keys:\n%s", differences(found, want))
			}

			repaired := w.must(0, "trueup", append([]string{"fix", "--json", "--verify"}, args...)...)
			if found := kinds(t, repaired); !maps.Equal(found, want) {
				t.Errorf("fix found other keys:\n%s", differences(found, want))
			}
			for _, line := range lines(t, repaired) {
				if line.Kind != "" && line.Result != "repaired" {
					t.Errorf("%v: %s", line.Key, line.Result)
				}
			}
			w.must(0, "trueup", append([]string{"diff"}, args...)...)
		})
	}
}

// TestTheScriptOfADryRunRepairs runs what --dry-run prints.
func TestTheScriptOfADryRunRepairs(t *testing.T) {
	t.Parallel()
	for _, d := range []direction{{postgres, maria}, {maria, postgres}} {
		t.Run(d.String(), func(t *testing.T) {
			w := &world{t: t, direction: d, source: d.source.fresh(t), target: d.target.fresh(t)}
			d.source.fill(t, w.source, "orders", 1, 600)
			d.target.fill(t, w.target, "orders", 1, 600)
			damage(t, w, 600)
			args := []string{w.source, w.target, "orders", "--exclude", "untouched", "--confirm", "0"}
			script := w.must(1, "trueup", append([]string{"fix", "--dry-run"}, args...)...)
			for statement := range strings.SplitSeq(strings.TrimSpace(script), ";\n") {
				testenv.Exec(t, w.target, statement)
			}
			w.must(0, "trueup", append([]string{"diff"}, args...)...)
		})
	}
}

func TestTheTargetMayBeTheAuthority(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{maria, postgres}, `
pairs: [{name: orders, exclude: [untouched], authority: target, epoch: 2}]
validator: {confirm: 0s}
`)
	maria.fill(t, w.source, "orders", 1, 500)
	postgres.fill(t, w.target, "orders", 1, 500)
	testenv.Exec(t, w.source, "DELETE FROM orders WHERE id = 17", "UPDATE orders SET state = 'old' WHERE id = 18")
	maria.insert(t, w.source, "orders", 501, 501)
	before := scan[int](t, w.target, "SELECT COUNT(*) FROM orders")
	start(t, "fixer", "--config", w.config)
	w.must(1, "validator", "--config", w.config, "--once")
	w.drained()
	w.must(0, "validator", "--config", w.config, "--once")
	if after := scan[int](t, w.target, "SELECT COUNT(*) FROM orders"); after != before {
		t.Errorf("the authority has %d rows, had %d", after, before)
	}
}

func TestEveryTableBothSidesHaveIsComparedWhenNoneIsNamed(t *testing.T) {
	t.Parallel()
	w := &world{t: t, source: maria.fresh(t), target: postgres.fresh(t)}
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE first (id INT PRIMARY KEY, v INT)", "INSERT INTO first VALUES (1, 1)",
			"CREATE TABLE second (a INT, b INT, v INT, PRIMARY KEY (a, b))", "INSERT INTO second VALUES (1, 2, 3)")
	}
	testenv.Exec(t, w.source, "CREATE TABLE here (id INT PRIMARY KEY)", "CREATE VIEW viewed AS SELECT * FROM first")
	testenv.Exec(t, w.target, "CREATE TABLE there (id INT PRIMARY KEY)", "CREATE VIEW viewed AS SELECT * FROM first", "UPDATE second SET v = 4")
	status, stdout, stderr := command(t, "trueup", "diff", w.source, w.target, "--json", "--confirm", "0")
	if status != 1 {
		t.Errorf("status %d\n%s", status, stderr)
	}
	if got := kinds(t, stdout); !maps.Equal(got, map[string]string{`{"a":1,"b":2}`: "neq"}) {
		t.Errorf("found %v", got)
	}
	if strings.Count(stdout, `"verdict"`) != 2 {
		t.Errorf("not two verdicts:\n%s", stdout)
	}
	for _, want := range []string{"table here is only at the source", "table there is only at the target"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr)
		}
	}
}

func TestATableOfAnyNameIsQuoted(t *testing.T) {
	t.Parallel()
	for _, d := range directions {
		t.Run(d.String(), func(t *testing.T) {
			w := &world{t: t, direction: d, source: d.source.fresh(t), target: d.target.fresh(t)}
			create := map[string]string{
				maria.name:    "CREATE TABLE `order; drop` (`k\"e'y` INT PRIMARY KEY, `a``b c` VARCHAR(9))",
				postgres.name: "CREATE TABLE \"order; drop\" (\"k\"\"e'y\" INT PRIMARY KEY, \"a`b c\" VARCHAR(9))",
			}
			insert := map[string]string{maria.name: "INSERT INTO `order; drop` VALUES (1, 'x'), (2, 'y')", postgres.name: "INSERT INTO \"order; drop\" VALUES (1, 'x'), (2, 'y')"}
			testenv.Exec(t, w.source, create[d.source.name], insert[d.source.name])
			testenv.Exec(t, w.target, create[d.target.name])
			stdout := w.must(1, "trueup", "diff", w.source, w.target, "order; drop", "--json", "--confirm", "0")
			if !strings.Contains(stdout, `{"pair":"order; drop","kind":"target_missing","key":{"k\"e'y":1}}`) {
				t.Errorf("got\n%s", stdout)
			}
			w.must(0, "trueup", "fix", w.source, w.target, "order; drop", "--verify", "--confirm", "0")
		})
	}
}
