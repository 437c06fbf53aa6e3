package schema

import (
	"math/big"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
)

// Severity says what a difference between two tables can lead to.
type Severity uint8

// The severities. What makes a comparison unsound is none of them: Resolve
// refuses it.
const (
	// Note: worth knowing, and harmless as far as can be told.
	Note Severity = iota
	// Warning: the tables behave differently for those who use them.
	Warning
	// Danger: the copy may refuse rows of the authority, or alter them.
	Danger
)

// String is the severity as configuration and output call it.
func (s Severity) String() string {
	return [...]string{"note", "warning", "danger"}[s]
}

// Drift is one way in which the tables of a pair are not alike.
type Drift struct {
	Severity Severity
	// Columns are the source's names of the columns it is about; none when it is
	// about the tables.
	Columns []string
	// Source and Target are what each side says, in its own words; both empty
	// where there is nothing to quote.
	Source, Target string
	// Says is the consequence, and the way out.
	Says string
}

// String is the difference as a sentence without its end.
func (d Drift) String() string {
	about := ""
	switch len(d.Columns) {
	case 0:
	case 1:
		about = "column " + d.Columns[0]
	default:
		about = "columns " + strings.Join(d.Columns, ", ")
	}
	if d.Source != "" || d.Target != "" {
		words := d.Source + " at the source, " + d.Target + " at the target"
		if about == "" {
			about = words
		} else {
			about += " (" + words + ")"
		}
	}
	if about == "" {
		return d.Says
	}
	return about + ": " + d.Says
}

// drift is the work of Pair.Drift.
type drift struct {
	p                *Pair
	from, to         *View  // the authority's and the copy's
	fromSide, toSide string // their names
	found            []Drift
}

// Drift holds the two tables against each other beyond what the comparison of
// rows needs: what the copy, which is &p.Source or &p.Target, may not hold, and
// what it does differently. The gravest comes first. Columns that the pair does
// not compare are left out.
func (p *Pair) Drift(side *View) []Drift {
	d := &drift{p: p, from: &p.Source, to: &p.Target, fromSide: "source", toSide: "target"}
	if side == &p.Source {
		d.from, d.to, d.fromSide, d.toSide = d.to, d.from, d.toSide, d.fromSide
	}
	for i := range p.Names {
		if d.from.Columns[i].Constant == nil && d.to.Columns[i].Constant == nil {
			d.column(i)
		}
	}
	d.inserts()
	d.uniqueKeys()
	d.indexes()
	d.references()
	d.cascades()
	d.checks()
	slices.SortStableFunc(d.found, func(a, b Drift) int { return int(b.Severity) - int(a.Severity) })
	return d.found
}

// add notes a difference; of one that several columns have alike there is one entry.
func (d *drift) add(severity Severity, column, from, to, says string) {
	source, target := from, to
	if d.to == &d.p.Source {
		source, target = to, from
	}
	for i := range d.found {
		if f := &d.found[i]; column != "" && f.Columns != nil && f.Severity == severity && f.Says == says && f.Source == source && f.Target == target {
			f.Columns = append(f.Columns, column)
			return
		}
	}
	entry := Drift{Severity: severity, Source: source, Target: target, Says: says}
	if column != "" {
		entry.Columns = []string{column}
	}
	d.found = append(d.found, entry)
}

// column compares the pair's column at position i.
func (d *drift) column(i int) {
	name, from, to := d.p.Names[i], d.from.Columns[i], d.to.Columns[i]
	d.nullable(name, from, to)
	d.generated(name, from, to)
	d.identity(name, from, to)
	if d.p.Rules[i].Translates() {
		return // each side has its own words, and room for them
	}
	if severity, says := d.narrower(from, to, d.p.Rules[i]); says != "" {
		d.add(severity, name, from.Native, to.Native, says)
	}
	d.charset(name, from, to)
	d.extremes(name, from, to)
	d.defaults(name, from, to)
	d.collation(name, from, to)
}

func (d *drift) nullable(name string, from, to ViewColumn) {
	switch {
	case from.Nullable == to.Nullable || to.Generated:
	case from.Nullable:
		d.add(Danger, name, "NULL", "NOT NULL", "the "+d.toSide+" refuses rows with NULL; allow it there, or forbid it at the "+d.fromSide)
	default:
		d.add(Note, name, "NOT NULL", "NULL", "the "+d.toSide+" would take a NULL that the "+d.fromSide+" refuses")
	}
}

func (d *drift) generated(name string, from, to ViewColumn) {
	switch {
	case from.Generated == to.Generated:
	case to.Generated:
		d.add(Warning, name, "a stored value", "computed by the server", "a repair cannot write it: a row stays different if the "+d.toSide+" computes another value")
	default:
		d.add(Warning, name, "computed by the server", "a stored value", "after a cut-over nothing computes it at the "+d.toSide+"; generate it there as well")
	}
}

// identity compares who numbers the rows. A MySQL server follows the largest
// number that was inserted, a PostgreSQL sequence does not.
func (d *drift) identity(name string, from, to ViewColumn) {
	switch {
	case !from.Identity && !to.Identity:
		return
	case !to.Identity:
		d.add(Warning, name, "numbered by the server", "not numbered", "after a cut-over inserts into the "+d.toSide+" must bring a value; make it AUTO_INCREMENT or IDENTITY there")
		return
	case !from.Identity:
		d.add(Note, name, "not numbered", "numbered by the server", "the "+d.toSide+" gives a number where none is inserted")
		return
	}
	here, ok := new(big.Int).SetString(from.Next, 10)
	there, okThere := new(big.Int).SetString(to.Next, 10)
	severity, behind := Warning, "is behind: inserts after a cut-over would meet numbers in use; move it on before"
	if d.to.Table.Engine != "postgres" {
		severity, behind = Note, "is behind, and follows the rows it gets; look again before a cut-over"
	}
	switch {
	case !ok || !okThere:
		d.add(Note, name, position(from), position(to), "where the numbering stands cannot be seen; grant SELECT on the sequence, or look before a cut-over")
	case there.Cmp(here) < 0:
		d.add(severity, name, position(from), position(to), "the "+d.toSide+" "+behind)
	}
}

func position(c ViewColumn) string {
	if c.Next == "" {
		return "next unknown"
	}
	return "next " + c.Next
}

func (d *drift) defaults(name string, from, to ViewColumn) {
	if from.Identity || to.Identity || from.Generated || to.Generated {
		return
	}
	a, sureA := meaning(d.from.Table.Engine, from)
	b, sureB := meaning(d.to.Table.Engine, to)
	switch {
	case a == b:
	case sureA && sureB:
		d.add(Warning, name, defaultWords(from), defaultWords(to), "an insert that leaves the column out stores another value at the "+d.toSide+" after a cut-over; give both the same default")
	default:
		d.add(Note, name, defaultWords(from), defaultWords(to), "the defaults differ in words; see whether they mean the same")
	}
}

func defaultWords(c ViewColumn) string {
	if c.Default == "" {
		return "no default"
	}
	return "default " + c.Default
}

func (d *drift) collation(name string, from, to ViewColumn) {
	if from.Type.Kind != canonical.Text || to.Type.Kind != canonical.Text || from.Words != nil || to.Words != nil {
		return
	}
	a, b := collationWords(from), collationWords(to)
	sameFamily := (d.from.Table.Engine == "postgres") == (d.to.Table.Engine == "postgres")
	switch {
	case a == b && (from.Base == "citext") == (to.Base == "citext"):
	case coarse(d.from.Table.Engine, from) != coarse(d.to.Table.Engine, to):
		finer, coarser := d.fromSide, d.toSide
		if coarse(d.from.Table.Engine, from) {
			finer, coarser = coarser, finer
		}
		d.add(Warning, name, a, b, "the "+coarser+" takes texts for equal that the "+finer+" tells apart (a and A): searches, sorting and unique keys behave differently after a cut-over")
	case sameFamily:
		d.add(Warning, name, a, b, "texts sort, and perhaps compare, differently after a cut-over")
	default:
		d.add(Note, name, a, b, "texts may sort differently after a cut-over")
	}
}

func collationWords(c ViewColumn) string {
	if c.Base == "citext" {
		return "citext"
	}
	if c.Collation == "" {
		return c.Native
	}
	return "collation " + c.Collation
}

// coarse says whether a column takes different texts for equal, as those of
// MySQL do by default.
func coarse(engine string, c ViewColumn) bool {
	if c.Type.Kind != canonical.Text {
		return false
	}
	if engine == "postgres" {
		return c.Base == "citext" || strings.HasSuffix(c.Collation, " (nondeterministic)")
	}
	return !strings.HasSuffix(c.Collation, "_bin") && !strings.HasSuffix(c.Collation, "_cs") && c.Collation != "binary" && c.Collation != ""
}

// inserts tells of columns without which the copy takes no row.
func (d *drift) inserts() {
	if err := d.p.CheckRepair(d.to); err != nil {
		d.add(Danger, "", "", "", strings.TrimPrefix(err.Error(), "pair "+d.p.Name+": "))
	}
}
