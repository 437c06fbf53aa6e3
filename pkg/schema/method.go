package schema

import (
	"fmt"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
)

// chooseMethod sets Method and Why, or says why the method the user wants
// would not be sound.
func chooseMethod(p *Pair, wanted Method, d DigestTexts) error {
	disorder := orderDiffers(p)
	undigested := notDigested(p, d)
	switch {
	case wanted == Lookup:
		p.Method, p.Why = Lookup, "lookup: asked for"
	case disorder != "" && wanted != Auto:
		return fmt.Errorf("method %s: %s, so the same range holds other rows on each side; use `method: lookup` (or auto)", wanted, disorder)
	case disorder != "":
		p.Method, p.Why = Lookup, "lookup: "+disorder
	case wanted == Merge:
		p.Method, p.Why = Merge, "merge: asked for"
	case undigested == "":
		p.Method, p.Why = Checksum, "checksum: both servers can digest every column"+relaxed(p)
		p.Insisted = wanted == Checksum
	case wanted == Checksum:
		return fmt.Errorf("method checksum: %s; exclude that column, or use `method: merge` (or auto)", undigested)
	default:
		p.Method, p.Why = Merge, "merge: "+undigested
	}
	return nil
}

// relaxed says what rules mean for a digest, which knows none: it is finer than
// the comparison, so that equal digests prove equality and unequal ones only
// cost a read.
func relaxed(p *Pair) string {
	var names []string
	for i, rule := range p.Rules {
		rule.Zone = "" // decides the type, not the comparison
		if !rule.IsZero() {
			names = append(names, p.Names[i])
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; the rules of %s apply when a range whose digests differ is read", strings.Join(names, ", "))
}

// notDigested names the first column the two servers have no common text for,
// or returns nothing.
func notDigested(p *Pair, d DigestTexts) string {
	for i, name := range p.Names {
		source, target := p.Source.Columns[i], p.Target.Columns[i]
		okSource, exactSource := digests(d.Source, source)
		okTarget, exactTarget := digests(d.Target, target)
		switch {
		case source.Translation != nil || target.Translation != nil:
			return fmt.Sprintf("column %s is translated by its rule when it is read, which no server does", name)
		case !okSource:
			return fmt.Sprintf("the source cannot digest column %s (%s)", name, source.Native)
		case !okTarget:
			return fmt.Sprintf("the target cannot digest column %s (%s)", name, target.Native)
		case exactSource && exactTarget:
		case p.Source.Table.Engine == p.Target.Table.Engine && sameNative(source, target):
		default:
			return fmt.Sprintf("the servers spell column %s (%s in %s, %s in %s) differently",
				name, source.Native, p.Source.Table.Engine, target.Native, p.Target.Table.Engine)
		}
	}
	return ""
}

func digests(text func(ViewColumn) (string, bool), c ViewColumn) (ok, exact bool) {
	if text == nil {
		return false, false
	}
	expr, exact := text(c)
	return expr != "", exact
}

// sameNative says whether two columns of the same engine print alike.
func sameNative(a, b ViewColumn) bool {
	return a.Native == b.Native && a.Charset == b.Charset && a.As == b.As
}

// orderDiffers says why the key does not sort alike on both sides, or returns
// nothing when it does.
func orderDiffers(p *Pair) string {
	for _, v := range [...]*View{&p.Source, &p.Target} {
		if !v.indexed() {
			return fmt.Sprintf("%s has no index over the key in the order (%s)", v.Table.Name, strings.Join(p.KeyNames(), ", "))
		}
	}
	for _, k := range p.Source.Key {
		source, target := p.Source.Columns[k], p.Target.Columns[k]
		if !sortsAlike(p.Source.Table.Engine, source, p.Target.Table.Engine, target) {
			return fmt.Sprintf("key column %s sorts differently: %s in %s, %s in %s", p.Names[k],
				sorting(source), p.Source.Table.Engine, sorting(target), p.Target.Table.Engine)
		}
	}
	return ""
}

func sorting(c ViewColumn) string {
	if c.Collation == "" {
		return c.Native
	}
	return c.Native + " by " + c.Collation
}

// indexed says whether a unique key has exactly the view's key order.
func (v *View) indexed() bool {
	_, found := v.KeyIndex()
	return found
}

// sortsAlike says whether two key columns have the same order on their engines.
func sortsAlike(engineA string, a ViewColumn, engineB string, b ViewColumn) bool {
	same := engineA == engineB && a.Native == b.Native
	switch a.As.Kind {
	case canonical.Bool, canonical.Int, canonical.Decimal, canonical.Bytes,
		canonical.Date, canonical.Time, canonical.Timestamp, canonical.Instant:
		return true
	case canonical.UUID:
		return same || uuidSortsByText(engineA, a) && uuidSortsByText(engineB, b)
	case canonical.Bits:
		return same || a.As.Width > 0
	case canonical.Text:
		return textSortsAlike(engineA, a, engineB, b)
	default:
		return same
	}
}

// uuidSortsByText says whether a column sorts UUIDs by their digits from left
// to right. MariaDB's own type does not: it sorts by the parts of a time-based
// UUID, the node first (its manual, "UUID Data Type").
func uuidSortsByText(engine string, c ViewColumn) bool {
	switch c.Type.Kind {
	case canonical.UUID:
		return engine != "mariadb"
	case canonical.Text:
		return c.Length == uuidCharacters
	default:
		return true
	}
}

func textSortsAlike(engineA string, a ViewColumn, engineB string, b ViewColumn) bool {
	if (a.Base == "citext") != (b.Base == "citext") {
		return false
	}
	if sortsByCodePoint(a) && sortsByCodePoint(b) {
		return padsBlanks(a) == padsBlanks(b)
	}
	if engineA != engineB {
		return false
	}
	return a.Collation == b.Collation && a.Collation != "" && a.Charset == b.Charset
}

// sortsByCodePoint recognizes the collations that sort by character codes, for
// which MySQL's order is that of UTF-8 bytes and so PostgreSQL's C.
func sortsByCodePoint(c ViewColumn) bool {
	if c.Base == "citext" {
		return false
	}
	switch c.Charset { // C sorts by bytes, which follow Unicode in these only
	case "", "utf8", "utf8mb3", "utf8mb4", "ascii", "latin1":
	default:
		return false
	}
	switch c.Collation {
	case "C", "POSIX", "ucs_basic", "C.UTF-8", "C.utf8", "pg_c_utf8",
		"utf8mb4_0900_bin", "utf8mb4_nopad_bin", "utf8mb3_nopad_bin", "utf8_nopad_bin", "ascii_nopad_bin":
		return true
	default:
		return padsBlanks(c)
	}
}

// padsBlanks recognizes those of them that compare as if the shorter text were
// filled with blanks, and so sort a control character before the text's end:
// after "a" where they do not, before it where they do. A range that ends there
// would hold other rows on each side.
func padsBlanks(c ViewColumn) bool {
	switch c.Collation {
	case "utf8mb4_bin", "utf8mb3_bin", "utf8_bin", "ascii_bin":
		return true
	default:
		return false
	}
}

// The bounds within which reading rows is cheaper than digesting them: within one
// data centre, where a round trip takes a fraction of a millisecond and the
// network is no bottleneck, and as long as rows are not large.
const (
	nearRoundTrip = time.Millisecond
	smallRow      = 4 << 10 // bytes; rows of 120 columns and 3 KB are still read in half the time
)

// What a row costs a server, MariaDB and PostgreSQL about alike: its digest, with the
// others of its range, and sending it in the binary protocol. Measured on rows of 10
// columns and 130 bytes and of 120 columns and 2.5 KB (docs/benchmarks); of single
// large values a byte costs less, by both ways.
const (
	digestRow, digestByte = 2400.0, 3.7 // nanoseconds
	sendRow, sendByte     = 530.0, 1.7
)

// Near reconsiders a method that Auto chose once the longer of the two servers'
// round trips is known: near servers are read, far ones digest.
func (p *Pair) Near(roundTrip time.Duration) {
	if p.Method != Checksum {
		return
	}
	size := max(p.Source.Table.RowBytes, p.Target.Table.RowBytes)
	costs := fmt.Sprintf("a round trip takes %s; %s", roundTrip.Round(10*time.Microsecond), costs(max(p.Source.Table.Rows, p.Target.Table.Rows), size))
	if roundTrip > nearRoundTrip || size > smallRow {
		p.Why += "; " + costs
		return
	}
	p.Method = Merge
	p.Why = "merge: " + costs
}

// costs holds the two ways against each other, about.
func costs(rows, size int64) string {
	digest := time.Duration(float64(rows) * (digestRow + digestByte*float64(size)))
	send := time.Duration(float64(rows) * (sendRow + sendByte*float64(size)))
	return fmt.Sprintf("about %d rows of %d bytes: sending them takes each server about %s of CPU and the network %s, digesting them about %s and next to nothing",
		rows, size, seconds(send), megabytes(rows*size), seconds(digest))
}

func seconds(d time.Duration) string { return d.Round(10 * time.Millisecond).String() }

func megabytes(n int64) string {
	const mega = 1_000_000
	return fmt.Sprintf("%.1f MB", float64(n)/mega)
}
