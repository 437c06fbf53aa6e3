package main

import (
	"maps"
	"strings"
	"testing"
)

func TestTheDamageIsTheSameEveryTimeAndOfAllKinds(t *testing.T) {
	damage := scatter(100_000)
	if !maps.Equal(damage, scatter(100_000)) {
		t.Error("two runs damage different rows")
	}
	for k, want := range map[kind]int{changed: 60, missing: 20, extra: 20} {
		if got := len(idsOf(damage, k)); got != want {
			t.Errorf("%d rows %s, want %d", got, k, want)
		}
	}
	for id := range damage {
		if id < 1 || id > 100_000 {
			t.Errorf("row %d is outside the table", id)
		}
	}
}

func TestRowsNeedNoQuotingInAnyFormat(t *testing.T) {
	for i := 1; i <= 10_000; i++ {
		for _, field := range order(i) {
			if field != null && strings.ContainsAny(field, "'\\\t\n") {
				t.Fatalf("row %d has %q", i, field)
			}
		}
	}
}

func TestTheBareWritesUndoTheBreakage(t *testing.T) {
	statements := bareStatements(100, "UPSERT")
	if len(statements) != 2 {
		t.Fatalf("%d statements for ten rows, want an insert and a delete", len(statements))
	}
	for _, id := range []string{"('1',", "('11',", "('21',", "('31',", "('51',", "('61',", "('71',", "('81',"} {
		if !strings.Contains(statements[0], id) {
			t.Errorf("row %s is not written", id)
		}
	}
	if n := strings.Count(statements[0], "),("); n != 7 {
		t.Errorf("%d rows are written, want 8", n+1)
	}
	if want := "DELETE FROM orders WHERE id IN (1000000041,1000000091)"; statements[1] != want {
		t.Errorf("got %s, want %s", statements[1], want)
	}
}

func TestTheWideTableHasItsColumnsInBothEngines(t *testing.T) {
	mysqlColumns, mysqlValues, postgresColumns, postgresValues := wideSQL()
	for name, text := range map[string]string{"MariaDB": mysqlColumns, "PostgreSQL": postgresColumns} {
		if n := strings.Count(text, " NOT NULL"); n != wideColumns-1 {
			t.Errorf("%s: %d columns beside the key, want %d", name, n, wideColumns-1)
		}
	}
	for name, text := range map[string]string{"MariaDB": mysqlValues, "PostgreSQL": postgresValues} {
		if strings.Contains(text, "%!") {
			t.Errorf("%s: badly formatted: %s", name, text)
		}
	}
}
