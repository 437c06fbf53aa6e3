package dialecttest

import (
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
)

func (s *suite) exerciseDescription(t *testing.T) {
	s.exec(t, "CREATE TABLE described (id bigint NOT NULL PRIMARY KEY, a int NOT NULL, b varchar(30) DEFAULT 'x',"+
		" c decimal(10,3), twice int GENERATED ALWAYS AS (a * 2) STORED, required text NOT NULL)",
		"CREATE UNIQUE INDEX described_ab ON described (a, b)",
		"CREATE INDEX described_c ON described (c)")
	table := s.view(t, "described", "id").Table
	for name, want := range map[string]schema.Column{
		"id":       {Type: canonical.Type{Kind: canonical.Int}},
		"a":        {Type: canonical.Type{Kind: canonical.Int}},
		"b":        {Type: canonical.Type{Kind: canonical.Text}, Nullable: true, HasDefault: true, Length: 30, Base: "varchar"},
		"c":        {Type: canonical.Type{Kind: canonical.Decimal}, Nullable: true, Precision: 3},
		"twice":    {Type: canonical.Type{Kind: canonical.Int}, Nullable: true, Generated: true},
		"required": {Type: canonical.Type{Kind: canonical.Text}},
	} {
		c, found := table.Column(name)
		if !found || c.Type != want.Type || c.Nullable != want.Nullable || c.Generated != want.Generated ||
			c.HasDefault != want.HasDefault || c.Precision != want.Precision ||
			want.Length > 0 && c.Length != want.Length || want.Base != "" && c.Base != want.Base {
			t.Errorf("%s is described as %+v, want %+v", name, c, want)
		}
	}
	if len(table.Keys) != 2 || !table.Keys[0].Primary || !slices.Equal(table.Keys[1].Columns, []string{"a", "b"}) || table.Keys[1].Primary {
		t.Errorf("the keys are %+v", table.Keys)
	}
	if !slices.ContainsFunc(table.Indexes, func(x []string) bool { return slices.Equal(x, []string{"c"}) }) {
		t.Errorf("the indexes are %v", table.Indexes)
	}
	if table.Engine != s.d.Engine() || table.Name.Table != "described" || table.Name.Schema == "" {
		t.Errorf("the table is %+v of %s", table.Name, table.Engine)
	}
}

func (s *suite) exerciseMissingTable(t *testing.T) {
	for _, name := range []schema.Name{{Table: "not_there"}, {Schema: "nowhere", Table: "not_there"}} {
		if _, err := s.db.Table(t.Context(), name); err == nil || !strings.Contains(err.Error(), name.String()) {
			t.Errorf("a missing table gives %v", err)
		}
	}
}
