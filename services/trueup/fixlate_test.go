package main

import (
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

// family are tables whose names sort the other way than their foreign keys ask
// for: lines of orders of people, who have bosses among themselves.
var family = []string{
	"CREATE TABLE c_people (id BIGINT PRIMARY KEY, boss BIGINT)",
	"CREATE TABLE b_orders (id BIGINT PRIMARY KEY, person BIGINT NOT NULL)",
	"CREATE TABLE a_lines (id BIGINT PRIMARY KEY, of_order BIGINT NOT NULL)",
}

var familyKeys = []string{
	"ALTER TABLE c_people ADD CONSTRAINT person_boss FOREIGN KEY (boss) REFERENCES c_people (id)",
	"ALTER TABLE b_orders ADD CONSTRAINT order_person FOREIGN KEY (person) REFERENCES c_people (id)",
	"ALTER TABLE a_lines ADD CONSTRAINT line_order FOREIGN KEY (of_order) REFERENCES b_orders (id)",
}

func TestSeveralTablesAreRepairedParentsFirstAndDeletedChildrenFirst(t *testing.T) {
	for _, engine := range []string{"mysql", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			source, target := testenv.MySQL(t), engines[engine](t)
			testenv.Exec(t, source, family...)
			testenv.Exec(t, target, family...)
			testenv.Exec(t, source, familyKeys...)
			testenv.Exec(t, target, familyKeys...)
			testenv.Exec(t, source, // whose bosses come after them
				"INSERT INTO c_people VALUES (9, NULL)", "INSERT INTO c_people VALUES (8, 9)", "INSERT INTO c_people VALUES (7, 8)", "INSERT INTO c_people VALUES (1, 7)",
				"INSERT INTO b_orders VALUES (1, 1), (2, 7), (3, 9)", "INSERT INTO a_lines VALUES (1, 1), (2, 2), (3, 3)")
			testenv.Exec(t, target, // where all is missing and this is too much
				"INSERT INTO c_people VALUES (20, NULL)", "INSERT INTO c_people VALUES (21, 20)", "INSERT INTO c_people VALUES (22, 21)",
				"INSERT INTO b_orders VALUES (20, 20), (21, 22)", "INSERT INTO a_lines VALUES (20, 20), (21, 21)")

			status, stdout, stderr := trueup(t, "fix", source, target, "--confirm", "0", "--json", "--verify", "--quiet")
			if status != 0 || strings.Contains(stdout, `"result":"dead"`) {
				t.Errorf("status %d\n%s%s", status, stdout, stderr)
			}
			if n := strings.Count(stdout, `"result":"repaired"`); n != 10+7 {
				t.Errorf("%d rows repaired, want 17\n%s", n, stdout)
			}
			if status, stdout, stderr := trueup(t, "diff", source, target, "--confirm", "0", "--quiet"); status != 0 {
				t.Errorf("afterwards: status %d\n%s%s", status, stdout, stderr)
			}
		})
	}
}

func TestRowsThatReferToEachOtherAreGivenUpAndTheRestIsRepaired(t *testing.T) {
	source, target := testenv.MySQL(t), testenv.Postgres(t)
	for _, dsn := range []string{source, target} {
		testenv.Exec(t, dsn, "CREATE TABLE x (id BIGINT PRIMARY KEY, y BIGINT)", "CREATE TABLE y (id BIGINT PRIMARY KEY, x BIGINT)",
			"INSERT INTO x VALUES (1, NULL)", "INSERT INTO y VALUES (1, NULL)")
	}
	testenv.Exec(t, source, "INSERT INTO x VALUES (2, 2), (3, 3)", "INSERT INTO y VALUES (2, 2), (3, 1)")
	testenv.Exec(t, target, "ALTER TABLE x ADD CONSTRAINT x_y FOREIGN KEY (y) REFERENCES y (id)", "ALTER TABLE y ADD CONSTRAINT y_x FOREIGN KEY (x) REFERENCES x (id)")

	status, stdout, stderr := trueup(t, "fix", source, target, "--confirm", "0", "--json", "--quiet")
	if status != 1 || strings.Count(stdout, `"result":"repaired"`) != 2 || strings.Count(stdout, `"class":"reference"`) != 2 ||
		!strings.Contains(stdout, "constraint x_y") || !strings.Contains(stdout, "constraint y_x") ||
		!strings.Contains(stderr, "foreign keys go round in a circle: x, y") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
}

func TestACopyWhoseDeletesCascadeIsRefusedBeforeAnyWork(t *testing.T) {
	for _, engine := range []string{"mysql", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			source, target := testenv.MySQL(t), engines[engine](t)
			for _, dsn := range []string{source, target} {
				testenv.Exec(t, dsn, "CREATE TABLE people (id BIGINT PRIMARY KEY, n INT)", "CREATE TABLE letters (id BIGINT PRIMARY KEY, person BIGINT)")
			}
			testenv.Exec(t, target, "INSERT INTO people VALUES (1, 1)", "INSERT INTO letters VALUES (5, 1)",
				"ALTER TABLE letters ADD CONSTRAINT letter_person FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE")

			fix := []string{"fix", source, target, "people", "--confirm", "0", "--quiet"}
			status, stdout, stderr := trueup(t, fix...)
			if status != statusTrouble || stdout != "" || !strings.Contains(stderr, "letter_person") || !strings.Contains(stderr, "ON DELETE CASCADE") || !strings.Contains(stderr, "--allow-cascades") {
				t.Errorf("status %d\n%s%s", status, stdout, stderr)
			}
			if n := count(t, target, "people"); n != 1 {
				t.Errorf("the copy has %d people", n)
			}
			if status, _, stderr := trueup(t, "diff", source, target, "people", "--confirm", "0", "--quiet"); status != statusDifferences {
				t.Errorf("a comparison only: status %d\n%s", status, stderr)
			}
			if status, stdout, stderr := trueup(t, append(fix, "--allow-cascades")...); status != 0 || count(t, target, "people")+count(t, target, "letters") != 0 {
				t.Errorf("allowed: status %d\n%s%s", status, stdout, stderr)
			}
		})
	}
}

func count(t *testing.T, dsn, table string) int {
	t.Helper()
	var n int
	if err := testenv.Open(t, dsn).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestASchemaThatHoldsLessIsWarnedOfOrRefused(t *testing.T) {
	source, target := testenv.MySQL(t), testenv.Postgres(t)
	testenv.Exec(t, source, "CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT)")
	testenv.Exec(t, target, "CREATE TABLE t (id BIGINT PRIMARY KEY, n INT)")
	const danger = "the target holds -2147483648 to 2147483647"
	for schema, want := range map[string]struct {
		status int
		says   bool
	}{"": {0, true}, "warn": {0, true}, "strict": {2, true}, "ignore": {0, false}} {
		args := []string{"diff", source, target, "t", "--confirm", "0"}
		if schema != "" {
			args = append(args, "--schema", schema)
		}
		if status, _, stderr := trueup(t, args...); status != want.status || strings.Contains(stderr, danger) != want.says {
			t.Errorf("--schema %s: status %d\n%s", schema, status, stderr)
		}
	}
	if status, _, stderr := trueup(t, "diff", source, target, "t", "--schema", "lax"); status != 2 || !strings.Contains(stderr, `"lax" is unknown; say strict, warn or ignore`) {
		t.Errorf("status %d: %s", status, stderr)
	}
	status, stdout, stderr := trueup(t, "plan", source, target, "t", "--json")
	if status != 0 || !strings.Contains(stdout, `"schema":[{"severity":"danger","columns":["n"],"source":"bigint(20)","target":"integer","says":"`+danger) {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
}
