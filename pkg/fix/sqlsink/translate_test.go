package sqlsink_test

import (
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// translated are the rules that put one side's values into the other's terms.
var translated = map[string]canonical.Rule{
	"state": {Enum: map[string]string{"A": "active", "I": "inactive"}},
	"step":  {Enum: map[string]string{"1": "new", "2": "paid"}},
	"paid":  {Bool: &canonical.BoolWords{True: []string{"Y", "yes"}, False: []string{"N"}}},
	"seen":  {Zone: "Europe/Berlin"},
}

const (
	sourceWords = "CREATE TABLE words (id int PRIMARY KEY, state varchar(20) NOT NULL, step int, paid varchar(3), seen %s)"
	targetWords = "CREATE TABLE words (id int PRIMARY KEY, state varchar(20) NOT NULL, step varchar(20), paid %s, seen %s)"
)

// wordsBench is a pair of tables that differ in rows 1 to 5.
func wordsBench(t *testing.T, source, target *server, side event.Side) *bench {
	t.Helper()
	wall, boolean, instant := "datetime(6)", "tinyint(1)", "timestamp(6) NULL"
	if source.engine == "postgres" {
		wall = "timestamp"
	}
	if target.engine == "postgres" {
		boolean, instant = "boolean", "timestamptz"
	}
	source.exec(t, strings.ReplaceAll(sourceWords, "%s", wall))
	target.exec(t, strings.Replace(strings.Replace(targetWords, "%s", boolean, 1), "%s", instant, 1))
	tables := [2]*schema.Table{}
	for i, s := range []*server{source, target} {
		var err error
		if tables[i], err = s.db.Table(t.Context(), schema.Name{Table: "words"}); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := schema.Resolve(schema.Mapping{Name: "words", Rules: translated}, tables[0], tables[1], schema.Auto, schema.DigestTexts{
		Source: source.db.Dialect().DigestText, Target: target.db.Dialect().DigestText,
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{source: source, target: target, pair: pair}
	b.direct(side)
	return b
}

// direct makes side the authority.
func (b *bench) direct(side event.Side) {
	from, to, view := b.source, b.target, &b.pair.Target
	if side == event.Target {
		from, to, view = b.target, b.source, &b.pair.Source
	}
	b.config = fix.Config{Pair: b.pair, Side: side, Epoch: 1, MaxRefusals: 1, Authority: sqlsink.NewReader(from.db), Sink: sqlsink.New(to.db, view)}
}

func TestTranslatedColumnsAreRepairedInBothDirections(t *testing.T) {
	for _, from := range []string{"mysql", "postgres"} {
		to := map[string]string{"mysql": "postgres", "postgres": "mysql"}[from]
		for _, side := range []event.Side{event.Source, event.Target} {
			t.Run(from+" to "+to+", right is the "+side.String(), func(t *testing.T) {
				b := wordsBench(t, start(t, from), start(t, to), side)
				authority, rows := b.source, "(1, 'A', 1, 'Y', '2024-07-01 14:00:00'), (2, 'I', 2, 'N', NULL), (3, 'A', NULL, NULL, '2024-10-27 02:30:00')"
				read, want := "SELECT CONCAT(state, ' ', step, ' ', paid) FROM words WHERE id = 1", "active new "
				if side == event.Target {
					authority = b.target
					rows = "(1, 'active', 'new', TRUE, '2024-07-01 12:00:00'), (2, 'inactive', 'paid', FALSE, NULL), (3, 'active', NULL, NULL, '2024-10-27 01:30:00')"
					if authority.engine == "postgres" {
						rows = strings.ReplaceAll(rows, ":00'", ":00+00'")
					} else {
						b.target.raw.SetMaxOpenConns(1)
						b.target.exec(t, "SET time_zone = '+00:00'")
					}
					want = "A 1 Y"
				}
				authority.exec(t, "INSERT INTO words VALUES "+rows)
				for round, action := range []event.Action{event.Insert, event.Update} {
					if round == 1 {
						copied, damage := b.target, "UPDATE words SET state = 'inactive', step = 'x', paid = NULL, seen = NULL"
						if side == event.Target {
							copied, damage = b.source, "UPDATE words SET state = 'active', step = 9, paid = 'nay', seen = NULL"
						}
						copied.exec(t, damage)
					}
					for id, o := range b.repair(t, b.findings(1, 2, 3)) {
						if o.Result != event.Repaired || o.Action != action {
							t.Errorf("%s: %s %s (%s)", id, o.Result, o.Action, o.Reason)
						}
					}
					b.wantEqual(t, 4)
				}
				copied := b.target
				if side == event.Target {
					copied = b.source
				}
				if got := copied.text(t, read); !strings.HasPrefix(got, want) {
					t.Errorf("row 1 was written as %q, want %q", got, want)
				}
			})
		}
	}
}

func TestAWordWithoutTranslationIsRefusedForItsRowAlone(t *testing.T) {
	b := wordsBench(t, start(t, "mysql"), start(t, "postgres"), event.Source)
	b.source.exec(t, "INSERT INTO words VALUES (1, 'A', 1, 'Y', '2024-07-01 14:00:00'), (2, 'zzz', 2, 'N', NULL), (3, 'I', 1, 'Y', '2024-03-31 02:30:00')")
	outcomes := b.repair(t, b.findings(1, 2, 3))
	if o := outcomes["f1"]; o.Result != event.Repaired {
		t.Errorf("row 1: %s (%s)", o.Result, o.Reason)
	}
	for id, says := range map[string]string{"f2": "column state: the other side's value has no word", "f3": "column seen: the time is one that clocks in Europe/Berlin skipped"} {
		o := outcomes[id]
		if o.Result != event.Dead || !strings.Contains(o.Reason, says) || strings.Contains(o.Reason, "zzz") || strings.Contains(o.Reason, "2024") {
			t.Errorf("%s: %s (%s), want … %s …", id, o.Result, o.Reason, says)
		}
	}
	// The dry run says so as well, in a line that is no statement.
	script := sqlsink.New(b.target.db, &b.pair.Target).Script(fix.Change{
		Action: event.Insert, Row: row.Row{row.Value("2"), row.Value("\xffzzz"), nil, nil, nil},
	})
	if !strings.HasPrefix(script, "-- not repairable, \"id\" = 2: column state: ") || strings.Contains(script, "\n") {
		t.Errorf("script: %s", script)
	}
	script = sqlsink.New(b.target.db, &b.pair.Target).Script(fix.Change{
		Action: event.Update, Row: row.Row{row.Value("1"), row.Value("active"), nil, row.Value("1"), row.Value("2024-07-01 14:00:00.000000")}, Columns: []int{1, 3, 4},
	})
	if !strings.Contains(script, `'active'`) || !strings.Contains(script, "2024-07-01 12:00:00.000000+00") {
		t.Errorf("script: %s", script)
	}
}
