package main

import (
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

func TestThePlanSaysWhatKeepsChangesFromBeingFollowed(t *testing.T) {
	at := schema.Column{Name: "at", Type: canonical.Type{Kind: canonical.Instant}}
	day := schema.Column{Name: "day", Native: "date", Type: canonical.Type{Kind: canonical.Date}}
	table := &schema.Table{Name: schema.Name{Table: "orders"}, Columns: []schema.Column{at, day}}
	pair := &schema.Pair{Source: schema.View{Table: table}}
	for column, want := range map[string]string{"at": "no index that begins with at", "day": "does not tell when a row changed", "none": "no column none"} {
		asked := assembly.Pair{UpdatedAt: column, Schedule: assembly.Schedule{Incremental: "@every 1s"}}
		if got := changeWarnings(resolved{asked, pair}); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %q", column, got)
		}
	}
	table.Indexes = [][]string{{"at"}}
	if got := changeWarnings(resolved{assembly.Pair{UpdatedAt: "at", Schedule: assembly.Schedule{Incremental: "@every 1s"}}, pair}); got != nil {
		t.Errorf("%q", got)
	}
}
