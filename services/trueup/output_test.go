package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
)

var someFindings = []event.Finding{
	{ID: "1", Pair: "orders", Kind: event.NotEqual, Key: event.Key{column("id", canonical.Int, "7")}, Columns: []string{"status"}},
	{ID: "2", Pair: "orders", Kind: event.TargetMissing, Key: event.Key{column("id", canonical.Int, "9")}},
	{ID: "3", Pair: "orders", Kind: event.BaseMissing, Key: event.Key{column("id", canonical.Int, "11")}},
}

func TestFindingsAsJSONLines(t *testing.T) {
	var w bytes.Buffer
	o := newOutput(&w, true)
	if err := o.findings(someFindings); err != nil {
		t.Fatal(err)
	}
	verdict := validate.Verdict{
		Pair: "orders", Mode: "full", Method: "checksum", Complete: true, SourceRows: 10, TargetRows: 9,
		TargetMissing: 1, NotEqual: 1, BaseMissing: 1, Seconds: 0.1,
	}
	if err := o.verdict(verdict); err != nil {
		t.Fatal(err)
	}
	if err := o.summary(); err != nil {
		t.Fatal(err)
	}
	want := `{"pair":"orders","kind":"neq","key":{"id":7},"columns":["status"]}
{"pair":"orders","kind":"target_missing","key":{"id":9}}
{"pair":"orders","kind":"base_missing","key":{"id":11}}
{"verdict":{"pair":"orders","mode":"full","complete":true,"clean":false,"rows":{"source":10,"target":9},"findings":{"target_missing":1,"neq":1,"base_missing":1},"unreadable":0,"seconds":0.1,"method":"checksum"`
	if got := w.String(); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 4 {
		t.Errorf("got\n%s", got)
	}
}

func TestFindingsForAPerson(t *testing.T) {
	var w bytes.Buffer
	o := newOutput(&w, false)
	if err := o.findings(someFindings); err != nil {
		t.Fatal(err)
	}
	for _, v := range []validate.Verdict{
		{Pair: "orders", Mode: "full", Method: "checksum", Complete: true, SourceRows: 10, TargetRows: 9, NotEqual: 1, Seconds: 0.12},
		{Pair: "items", Mode: "full", Method: "merge", Complete: true, Clean: true, SourceRows: 5, TargetRows: 5},
		{Pair: "parcels", Mode: "full", Reason: "2 ranges could not be read"},
	} {
		if err := o.verdict(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.summary(); err != nil {
		t.Fatal(err)
	}
	want := `orders  neq             id=7  (status)
orders  target_missing  id=9
orders  base_missing    id=11
PAIR     MODE  METHOD    SOURCE ROWS  TARGET ROWS  TARGET MISSING  NEQ  BASE MISSING  SECONDS  VERDICT
orders   full  checksum  10           9            0               1    0             0.1      different
items    full  merge     5            5            0               0    0             0.0      clean
parcels  full  –         0            0            0               0    0             0.0      incomplete
parcels: 2 ranges could not be read
`
	if got := w.String(); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestOutcomesOfARepair(t *testing.T) {
	outcomes := []event.Outcome{
		{FindingID: "1", Pair: "orders", Key: someFindings[0].Key, Result: event.Repaired, Action: event.Update},
		{FindingID: "2", Pair: "orders", Key: someFindings[1].Key, Result: event.Dead, Class: "duplicate", Reason: "another row has the e-mail"},
	}
	byID := map[string]event.Finding{"1": someFindings[0], "2": someFindings[1]}
	for asJSON, want := range map[bool]string{
		true: `{"pair":"orders","kind":"neq","key":{"id":7},"columns":["status"],"result":"repaired","action":"update"}
{"pair":"orders","kind":"target_missing","key":{"id":9},"result":"dead","class":"duplicate","reason":"another row has the e-mail"}
`,
		false: `orders  neq             id=7  (status)  repaired
orders  target_missing  id=9  dead: another row has the e-mail
`,
	} {
		var w bytes.Buffer
		if err := newOutput(&w, asJSON).outcomes(byID, outcomes); err != nil {
			t.Fatal(err)
		}
		if w.String() != want {
			t.Errorf("got\n%s", w.String())
		}
	}
}

func TestRepairCountsAreASentence(t *testing.T) {
	var c repairCount
	c.Pair = "orders"
	for _, r := range []event.Result{event.Repaired, event.Repaired, event.AlreadyEqual, event.Vanished, event.Held, event.Dead} {
		c.add(event.Outcome{Result: r})
	}
	if got, want := c.sentence(), "orders: 2 repaired, 1 equal when looked at again, 1 gone on both sides, 1 held back, 1 not repairable\n"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestStatusFollowsTheVerdict(t *testing.T) {
	clean := validate.Verdict{Complete: true, Clean: true}
	different := validate.Verdict{Complete: true, NotEqual: 3}
	cases := []struct {
		name    string
		r       runner
		verdict validate.Verdict
		err     error
		want    int
	}{
		{"clean", runner{}, clean, nil, 0},
		{"different", runner{}, different, nil, 1},
		{"open rows", runner{}, validate.Verdict{Complete: true, Open: 1}, nil, 1},
		{"incomplete", runner{}, validate.Verdict{}, nil, 2},
		{"incomplete with findings", runner{}, validate.Verdict{NotEqual: 3}, nil, 2},
		{"error", runner{}, different, anError(), 2},
		{"as many as asked for", runner{maxFindings: 3}, validate.Verdict{NotEqual: 3}, nil, 1},
		{"stopped before that", runner{maxFindings: 4}, validate.Verdict{NotEqual: 3}, nil, 2},
		{"equal counts", runner{mode: validate.Count}, validate.Verdict{Complete: true, SourceRows: 4, TargetRows: 4}, nil, 0},
		{"unequal counts", runner{mode: validate.Count}, validate.Verdict{Complete: true, SourceRows: 4, TargetRows: 5}, nil, 1},
	}
	for _, c := range cases {
		if got := c.r.status(c.verdict, c.err); got != c.want {
			t.Errorf("%s: status %d, want %d", c.name, got, c.want)
		}
	}
}

func anError() error {
	return usage("any error")
}

func TestStatusOfARepair(t *testing.T) {
	cases := []struct {
		repair *repair
		found  int
		want   int
	}{
		{&repair{}, 0, 0},
		{&repair{count: repairCount{Repaired: 3}}, 1, 0},
		{&repair{count: repairCount{Repaired: 3, Held: 1}}, 1, 1},
		{&repair{count: repairCount{Repaired: 3, Dead: 1}}, 1, 1},
		{&repair{count: repairCount{Repaired: 3}}, 2, 2},
		{&repair{dryRun: true, count: repairCount{Repaired: 3}}, 1, 1},
		{&repair{dryRun: true, count: repairCount{AlreadyEqual: 3}}, 1, 0},
	}
	for i, c := range cases {
		if got := c.repair.status(c.found); got != c.want {
			t.Errorf("case %d: status %d, want %d", i, got, c.want)
		}
	}
}

func TestProgressLines(t *testing.T) {
	var w bytes.Buffer
	l := &lines{w: &w}
	l.Started(validate.Start{Pair: "orders", Rows: 1000, Done: 100})
	l.RangeDone(validate.RangeReport{Pair: "orders", Scanned: 150})
	if got := w.String(); !strings.HasPrefix(got, "trueup: orders: 250 of about 1000 rows, 25 %") {
		t.Errorf("got %q", got)
	}
	if got := l.state(l.begun.Add(10 * time.Second)); got != "250 of about 1000 rows, 25 %, 25 rows/s, 30s left" {
		t.Errorf("got %q", got)
	}
}

func TestProgressIsQuietWhereItIsNotWanted(t *testing.T) {
	var w bytes.Buffer
	for _, p := range []progress{newProgress(&w, true, false), newProgress(&w, false, true)} {
		p.Started(validate.Start{Pair: "orders", Rows: 10})
		p.RangeDone(validate.RangeReport{Pair: "orders", Scanned: 10})
		p.done()
	}
	if w.Len() > 0 {
		t.Errorf("got %q", w.String())
	}
	newProgress(&w, true, false).RangeDone(validate.RangeReport{Pair: "orders", Unreadable: usage("lost")})
	if !strings.Contains(w.String(), "could not be read: lost") {
		t.Errorf("got %q", w.String())
	}
}

func TestThePlanOfAPair(t *testing.T) {
	as := func(name, native string, kind canonical.Kind) schema.ViewColumn {
		return schema.ViewColumn{Column: schema.Column{Name: name, Native: native}, As: canonical.Type{Kind: kind}}
	}
	p := &schema.Pair{
		Name: "orders", Names: []string{"id", "state", "weight", "attrs"},
		Rules:  []canonical.Rule{{}, {Trim: "right", Case: "ignore"}, {Tolerance: 1e-9}, {}},
		Method: schema.Merge, Why: "a float has no exact text on both servers",
		Warnings: []string{"column note of orders is not compared"},
	}
	p.Source = schema.View{Table: &schema.Table{Name: schema.Name{Table: "orders"}, Engine: "mysql", Rows: 12}, Key: []int{0}, Where: "a = 1", Columns: []schema.ViewColumn{
		as("id", "bigint(20)", canonical.Int), as("state", "varchar(9)", canonical.Text), as("weight", "double", canonical.Float64), as("attrs", "json", canonical.JSON),
	}}
	p.Target = schema.View{Table: &schema.Table{Name: schema.Name{Schema: "public", Table: "orders"}, Engine: "postgres", Rows: 11}, Key: []int{0}, Columns: []schema.ViewColumn{
		as("id", "bigint", canonical.Int), as("status", "text", canonical.Text), as("weight", "double precision", canonical.Float64), as("attrs", "jsonb", canonical.JSON),
	}}
	p.Target.Table.AllReferences = true
	p.Source.Columns[0].Nullable, p.Source.Columns[2].Default, p.Target.Columns[2].Default = true, "1", "2"
	var w bytes.Buffer
	if err := printPlan(&w, planOf(resolved{pair: p})); err != nil {
		t.Fatal(err)
	}
	want := `orders: orders (mysql, about 12 rows) against public.orders (postgres, about 11 rows)
  key     id
  method  merge: a float has no exact text on both servers
  rows    at the source only those with a = 1

  COLUMN          SOURCE TYPE  TARGET TYPE       COMPARED AS  RULE                    COULD HIDE
  id              bigint(20)   bigint            int          –                       nothing
  state → status  varchar(9)   text              text         trim:right,case:ignore  blanks at the end; letter case
  weight          double       double precision  float64      tolerance:1e-09         differences up to 1e-09; -0 for 0
  attrs           json         jsonb             json         –                       JSON spelling: order of keys, blanks, 1.0 for 1

  danger   id: NULL at the source, NOT NULL at the target
           the target refuses rows with NULL; allow it there, or forbid it at the source
  warning  column note of orders is not compared
  warning  weight: default 1 at the source, default 2 at the target
           an insert that leaves the column out stores another value at the target after a cut-over; give both the same default
`
	if w.String() != want {
		t.Errorf("got\n%s", w.String())
	}
}
