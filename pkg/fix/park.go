package fix

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// unique is a unique key of the copy, all of whose columns the pair maps.
type unique struct {
	name      string
	positions []int
	// park is the column that takes another value for a while when rows of a
	// circle change places; -1 when there is none, for the reason why.
	park int
	why  string
}

// uniques are the unique keys of the copy that a row can be looked up by.
func uniques(v *schema.View) []unique {
	var out []unique
	for _, k := range v.Table.Keys {
		u := unique{name: k.Name, park: -1}
		for _, name := range k.Columns {
			p := slices.IndexFunc(v.Columns, func(c schema.ViewColumn) bool { return c.Name == name && c.Constant == nil })
			if p < 0 {
				break
			}
			u.positions = append(u.positions, p)
		}
		if len(u.positions) == len(k.Columns) {
			u.park, u.why = parking(v, u.positions)
			out = append(out, u)
		}
	}
	return out
}

// parking chooses the column of a unique key that can be given a passing value:
// NULL where it takes that, else a random one. The value is gone before anybody
// sees it, unless the copy acts on it: a trigger, or a foreign key that carries
// the change to other tables. Then there is no such column. A foreign key that
// this user cannot see could carry a NULL, which does not come back, so that
// there it is a random value or none.
func parking(v *schema.View, positions []int) (int, string) {
	if len(v.Table.Triggers) > 0 {
		return -1, fmt.Sprintf("a passing value would reach the triggers of %s", v.Table.Name)
	}
	best := -1
	for _, p := range positions {
		c := v.Columns[p]
		fixed := slices.ContainsFunc(v.Fixed, func(f schema.Fixed) bool { return f.Name == c.Name })
		if v.IsKey(p) || !v.Writable(p) || fixed || carries(v.Table, c.Name) {
			continue
		}
		if nullable(v, p) {
			return p, ""
		}
		if _, ok := passing(c); ok && best < 0 && !refers(v.Table, c.Name) {
			best = p
		}
	}
	if best < 0 {
		return -1, "no column of the unique key takes a passing value"
	}
	return best, ""
}

// nullable says whether NULL is the passing value of a column.
func nullable(v *schema.View, p int) bool { return v.Columns[p].Nullable && v.Table.AllReferences }

// carries says whether a foreign key brings a change of the column to the rows
// that refer to it; one whose action cannot be seen might.
func carries(t *schema.Table, column string) bool {
	return slices.ContainsFunc(t.ReferencedBy, func(k schema.ForeignKey) bool {
		return slices.Contains(k.ParentColumns, column) && !k.OnUpdate.Refuses()
	})
}

// refers says whether the column has to have the value of another row.
func refers(t *schema.Table, column string) bool {
	return slices.ContainsFunc(t.References, func(k schema.ForeignKey) bool { return slices.Contains(k.Columns, column) })
}

// Passing values: long enough that no two meet but by a rare chance, which the
// copy refuses and another try cures.
const (
	passingLetters = 26
	passingBytes   = 16
	passingDigits  = 15
	fewestDigits   = 4
	fewestLetters  = 3
)

// passing is a random value of the column's type; false for types with few.
func passing(c schema.ViewColumn) (row.Value, bool) {
	switch {
	case c.Translation != nil, c.Base == "enum", c.Base == "set":
		return nil, false // their words are given
	case c.As.Kind == canonical.UUID:
		return row.Value(uuid.NewString()), true
	}
	switch c.Type.Kind {
	case canonical.Text:
		n := passingLetters
		if c.Length > 0 {
			n = int(min(c.Length, passingLetters))
		}
		return row.Value(strings.ToLower(rand.Text()[:n])), n >= fewestLetters
	case canonical.Bytes:
		n := passingBytes
		if c.Length > 0 {
			n = int(min(c.Length, passingBytes))
		}
		raw := make([]byte, n)
		_, _ = rand.Read(raw) // never fails, by its documentation
		return row.Value(hex.EncodeToString(raw)), n >= fewestLetters
	case canonical.Int:
		return passingInt(c)
	case canonical.Decimal:
		whole := wholeDigits(c.Native)
		return below(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(whole)), nil)), whole >= fewestDigits
	case canonical.Date:
		return passingTime().AppendFormat(nil, time.DateOnly), true
	case canonical.Timestamp, canonical.Instant:
		return passingTime().AppendFormat(nil, "2006-01-02 15:04:05.000000"), true
	default:
		return nil, false
	}
}

// intBits are the sizes of the engines' integers.
var intBits = map[string]uint{
	"smallint": 16, "mediumint": 24, "int": 32, "integer": 32, "bigint": 64,
}

func passingInt(c schema.ViewColumn) (row.Value, bool) {
	bits, ok := intBits[c.Base]
	if !ok {
		return nil, false
	}
	value := below(new(big.Int).Lsh(big.NewInt(1), bits-1))
	if c.Identity { // AUTO_INCREMENT goes on after the largest number it has ever seen
		return append(row.Value("-"), value...), !strings.Contains(c.Native, "unsigned")
	}
	return value, true
}

// below is a random number from 0 up to, and without, limit.
func below(limit *big.Int) row.Value {
	n, err := rand.Int(rand.Reader, limit)
	if err != nil { // crypto/rand never fails, by its documentation
		panic(err)
	}
	return row.Value(n.String())
}

// wholeDigits is how many digits a decimal column takes before the point.
func wholeDigits(native string) int {
	_, args, found := strings.Cut(native, "(")
	if !found {
		return passingDigits
	}
	args, _, _ = strings.Cut(args, ")")
	precision, scale, _ := strings.Cut(args, ",")
	p, err := strconv.Atoi(strings.TrimSpace(precision))
	if err != nil {
		return 0
	}
	s, err := strconv.Atoi(strings.TrimSpace(scale))
	if err != nil {
		s = 0
	}
	return min(p-s, passingDigits)
}

// passingTime is a random second of the years 1971 to 2037, which all types of
// time have in common: MySQL's TIMESTAMP ends in January 2038.
func passingTime() time.Time {
	first := time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC)
	n, _ := strconv.ParseInt(string(below(big.NewInt(last.Unix()-first.Unix()))), 10, 64)
	return first.Add(time.Duration(n) * time.Second)
}
