package schema

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
)

// findConstants looks up the columns that hold a constant.
func (r *resolution) findConstants(constants map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(constants)) {
		target, found := r.target.Column(name)
		if !found {
			return noColumn("constants", name, r.target)
		}
		if source, both := r.source.Column(name); both {
			return fmt.Errorf("constants: %s has a column %s of its own, which is compared; take the constant out", r.source.Name, source.Name)
		}
		if r.excludeTarget[target.Name] {
			return fmt.Errorf("constants: column %s is excluded; take it out of one of the two", target.Name)
		}
		r.constants[target.Name] = constants[name]
	}
	return nil
}

// addConstants adds the target's columns that hold a constant to both views.
// The source's server spells the constant where a column's name would stand, so
// that rows, digests and repairs are made like those of any other column.
func (r *resolution) addConstants(p *Pair) error {
	for _, target := range r.target.Columns {
		text, wanted := r.constants[target.Name]
		if !wanted {
			continue
		}
		if slices.ContainsFunc(p.Target.Columns, func(c ViewColumn) bool { return c.Name == target.Name }) {
			return fmt.Errorf("constants: column %s of %s is held against a column of %s by `map`; take one of the two out", target.Name, r.target.Name, r.source.Name)
		}
		value, err := constantText(target, text)
		if err != nil {
			return fmt.Errorf("constants: column %s (%s): %w", target.Name, target.Native, err)
		}
		p.Names = append(p.Names, target.Name)
		p.Rules = append(p.Rules, canonical.Rule{})
		p.Source.Columns = append(p.Source.Columns, ViewColumn{Column: constantColumn(target, value), As: target.Type, Constant: value})
		p.Target.Columns = append(p.Target.Columns, ViewColumn{Column: target, As: target.Type})
	}
	return nil
}

// constantColumn is the source's counterpart of a column it has not: a text, or
// bytes, which every engine can spell, and which is read as the target's type.
// Its length lets Keeps see that the target stores it as it is.
func constantColumn(target Column, value row.Value) Column {
	c := Column{
		Name: target.Name, Native: "constant " + string(value), Base: "text", Type: canonical.Type{Kind: canonical.Text},
		Length: int64(utf8.RuneCount(value)), Generated: true,
	}
	if target.Type.Kind == canonical.Bytes {
		c.Base, c.Type, c.Length = "bytes", target.Type, int64(len(value)/2)
	}
	return c
}

// errNoConstant refuses the types whose equal values have several texts, and
// those no engine but the target's own can spell.
var errNoConstant = errors.New("a constant of this type cannot be compared exactly; leave the column out (`exclude`), and restrict the rows by `target_where` if need be")

// constantText reads a constant as a value the column holds, in its canonical
// text.
func constantText(c Column, text string) (row.Value, error) {
	var value row.Value
	var err error
	switch c.Type.Kind {
	case canonical.Bool:
		value, err = boolConstant(text)
	case canonical.Int:
		if value, err = canonical.AppendIntText(nil, []byte(text)); err != nil && c.Native == "tinyint(1)" { // MySQL's BOOLEAN
			value, err = boolConstant(text)
		}
	case canonical.Decimal:
		value, err = canonical.AppendDecimal(nil, []byte(text))
	case canonical.Text:
		value = row.Value(text)
		if c.Base == "char" { // the blanks at its end are no part of a value
			value = bytes.TrimRight(value, " ")
		}
	case canonical.Bytes:
		if _, err = canonical.DecodeHex(row.Value(text)); err != nil {
			return nil, fmt.Errorf("%q is no byte string; write it in hexadecimal digits", text)
		}
		value = row.Value(strings.ToLower(text))
	case canonical.UUID:
		if value, err = canonical.AppendUUIDText(nil, []byte(text)); err == nil {
			_, err = canonical.DecodeUUID(value)
		}
	case canonical.Date:
		value, err = canonical.AppendDate(nil, []byte(text))
	case canonical.Time:
		value, err = canonical.AppendTime(nil, []byte(text))
	case canonical.Timestamp:
		value, err = canonical.AppendTimestamp(nil, []byte(text))
	case canonical.Instant:
		value, err = canonical.AppendInstant(nil, []byte(text))
	default:
		return nil, errNoConstant
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	if !holds(c, value) {
		return nil, fmt.Errorf("%q is no value the column can hold; correct it, or widen the column", text)
	}
	return value, nil
}

func boolConstant(text string) (row.Value, error) {
	switch strings.ToLower(text) {
	case "true", "1":
		return canonical.AppendBool(nil, true), nil
	case "false", "0":
		return canonical.AppendBool(nil, false), nil
	default:
		return nil, errors.New("neither true nor false")
	}
}

// holds says whether the column stores the value as it is: within its length,
// its range and its fractional digits.
func holds(c Column, value row.Value) bool {
	switch c.Type.Kind {
	case canonical.Text:
		return utf8.Valid(value) && (c.Length == 0 || int64(utf8.RuneCount(value)) <= c.Length)
	case canonical.Bytes:
		size := int64(len(value) / 2)
		return c.Length == 0 || size == c.Length || c.Base != "binary" && size < c.Length
	case canonical.Int:
		return inRange(c, value)
	case canonical.Decimal, canonical.Time, canonical.Timestamp, canonical.Instant:
		_, fraction, _ := bytes.Cut(value, []byte("."))
		return c.Precision < 0 || len(bytes.TrimRight(fraction, "0")) <= c.Precision
	default:
		return true
	}
}

// integerBits are the sizes of the engines' integers. Types that are not here
// leave it to the server to refuse a value.
var integerBits = map[string]uint{
	"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "integer": 32, "bigint": 64, "oid": 32,
}

func inRange(c Column, value row.Value) bool {
	bits, known := integerBits[c.Base]
	number, ok := new(big.Int).SetString(string(value), 10)
	if !known || !ok {
		return ok
	}
	if c.Unsigned || c.Base == "oid" {
		return number.Sign() >= 0 && number.BitLen() <= int(bits)
	}
	if number.Sign() < 0 { // the least value has one bit more
		number.Not(number)
	}
	return number.BitLen() < int(bits)
}

// fix restricts the target to the rows with this pair's constants when its
// unique key needs them to tell rows apart: rows with other values belong to
// others. The primary key is asked first.
func (r *resolution) fix(p *Pair, positions []int) {
	var fixed []Fixed
	for i, c := range p.Source.Columns {
		if c.Constant != nil {
			fixed = append(fixed, Fixed{ViewColumn: p.Target.Columns[i], Value: c.Constant})
		}
	}
	for _, k := range p.Target.Table.Keys {
		p.Target.Fixed = slices.DeleteFunc(slices.Clone(fixed), func(f Fixed) bool {
			return f.Nullable || !slices.Contains(k.Columns, f.Name)
		})
		if _, serves := p.Target.order(k, positions); serves {
			return
		}
	}
	p.Target.Fixed = nil
}
