package canonical

import "fmt"

// numeric says whether the kind's texts are numbers with digits.
func (k Kind) numeric() bool {
	switch k {
	case Bool, Int, Decimal, Float32, Float64:
		return true
	default:
		return false
	}
}

func (k Kind) float() bool { return k == Float32 || k == Float64 }

// Unify returns the type in which a source and a target column compare
// exactly, or an error that names both types and the way out.
func Unify(source, target Type) (Type, error) { return Rule{}.Unify(source, target) }

// Unify is the function Unify for a column with a rule: some types compare
// only because the rule says how.
func (r Rule) Unify(source, target Type) (Type, error) {
	if source.Kind == Unsupported || target.Kind == Unsupported {
		return Type{}, fmt.Errorf("%s and %s cannot be compared; exclude the column", source, target)
	}
	if r.Translates() {
		return r.unifyWords(source, target)
	}
	if source == target {
		return source, nil
	}
	if t, ok := widen(source, target); ok {
		return t, nil
	}
	if t, ok := widen(target, source); ok {
		return t, nil
	}
	return r.unifyByRule(source, target)
}

// widen returns the type that holds the values of both without loss; it is
// asked in both orders.
func widen(a, b Type) (Type, bool) {
	switch {
	case a.Kind == Bool && b.Kind == Int:
		return b, true
	case a.Kind == Bool && b == Type{Kind: Bits, Width: 1}:
		return a, true
	case a.Kind == Int && b.Kind == Decimal:
		return b, true
	case a.Kind == Float32 && b.Kind == Float64:
		return b, true
	case a.Kind == Text && b.Kind == UUID, a.Kind == Bytes && b.Kind == UUID:
		return b, true
	case a.Kind == Text && b.Kind == JSON:
		return b, true
	case a.Kind == Bits && b == Type{Kind: Bits}: // fixed against varying width
		return b, true
	default:
		return Type{}, false
	}
}

func (r Rule) unifyByRule(a, b Type) (Type, error) {
	if a.Kind.float() && exactNumber(b.Kind) || b.Kind.float() && exactNumber(a.Kind) {
		if r.approximates() {
			return Type{Kind: Decimal}, nil
		}
		return Type{}, fmt.Errorf("%s and %s do not compare exactly; give the column a rule such as {tolerance: 1e-9}, {relative: 1e-9} or {scale: 2}, or exclude it", a, b)
	}
	if a.Kind == Timestamp && b.Kind == Instant || a.Kind == Instant && b.Kind == Timestamp {
		switch r.Zone {
		case ZoneUTC:
			return Type{Kind: Instant}, nil
		case "":
			return Type{}, fmt.Errorf("%s and %s: only one side knows its time zone; if the other holds UTC give the column the rule {zone: UTC}, if local time its zone, such as {zone: Europe/Berlin}, else exclude it", a, b)
		default: // an instant has one wall-clock time, but not the reverse
			return Type{Kind: Timestamp}, nil
		}
	}
	return Type{}, fmt.Errorf("%s and %s cannot be compared%s; exclude the column, or give both sides the same type", a, b, reason(a.Kind, b.Kind))
}

func exactNumber(k Kind) bool { return k == Int || k == Decimal }

// reason says why two kinds that look alike are not; empty when it is plain.
func reason(a, b Kind) string {
	switch {
	case a == Bits && b == Bits:
		return ": a bit string of another length is another value"
	case either(a, b, Date, Timestamp), either(a, b, Date, Instant):
		return ": one of them has a time of day"
	case either(a, b, Time, Interval):
		return ": an interval also counts months and days"
	case either(a, b, Text, Inet):
		return ": the same address has several spellings as text"
	case either(a, b, Text, Bytes):
		return ": bytes have no character set"
	case a == Text || b == Text:
		return ": the same value has several spellings as text"
	default:
		return ""
	}
}

func either(a, b, x, y Kind) bool { return a == x && b == y || a == y && b == x }
