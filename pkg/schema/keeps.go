package schema

import "github.com/trueup/trueup/pkg/canonical"

// Keeps says whether the copy, which is &p.Source or &p.Target, is sure to
// store what it is given as it is, or to refuse it. Servers alter some values
// without a word even in their strict modes: they round fractions, fill up
// fixed lengths, cut blanks; and a trigger may do anything. False is a doubt,
// not a certainty.
func (p *Pair) Keeps(side *View) bool {
	other := &p.Source
	if side == other {
		other = &p.Target
	}
	if len(side.Table.Triggers) > 0 {
		return false
	}
	sameEngine := side.Table.Engine == other.Table.Engine
	for i, to := range side.Columns {
		from := other.Columns[i]
		if to.Translation != nil || from.Translation != nil {
			return false
		}
		if to.Generated || sameEngine && sameNative(to, from) && to.Collation == from.Collation {
			continue
		}
		if !keeps(side.Table.Engine, to, from) {
			return false
		}
	}
	return true
}

// keeps says whether a column stores each value of the other one or refuses it.
func keeps(engine string, to, from ViewColumn) bool {
	switch to.Type.Kind {
	case canonical.Bool, canonical.Date, canonical.UUID, canonical.Bits:
		return true
	case canonical.Int: // MySQL rounds 1.5 to 2
		return from.Type.Kind != canonical.Decimal && !binaryFloat(from)
	case canonical.Decimal:
		return from.Type.Kind == canonical.Int || sameKind(to, from) && keepsDigits(to, from)
	case canonical.Time, canonical.Timestamp, canonical.Instant:
		return keepsDigits(to, from)
	case canonical.Float32:
		return from.Type.Kind == canonical.Float32
	case canonical.Float64:
		return binaryFloat(from)
	case canonical.Text:
		return keepsText(to, from)
	case canonical.Bytes: // binary(n) is filled up
		return to.Base != "binary" || from.Base == to.Base && from.Length == to.Length || from.Type.Kind == canonical.UUID
	case canonical.JSON: // MySQL reads long numbers as binary floating point
		return engine != "mysql"
	default:
		return false
	}
}

func sameKind(a, b ViewColumn) bool { return a.Type.Kind == b.Type.Kind }

func binaryFloat(c ViewColumn) bool {
	return c.Type.Kind == canonical.Float32 || c.Type.Kind == canonical.Float64
}

// keepsDigits: a precision below 0 is left open and holds any value.
func keepsDigits(to, from ViewColumn) bool {
	return to.Precision < 0 || from.Precision >= 0 && to.Precision >= from.Precision
}

// keepsText: varchar(n) loses blanks beyond n, char(n) those at the end, an
// enum or a set takes some words for others.
func keepsText(to, from ViewColumn) bool {
	switch to.Base {
	case "varchar", "text", "tinytext", "mediumtext", "longtext":
	default:
		return false
	}
	if from.Type.Kind == canonical.UUID {
		return true
	}
	return sameKind(to, from) && (to.Length == 0 || from.Length > 0 && to.Length >= from.Length)
}
