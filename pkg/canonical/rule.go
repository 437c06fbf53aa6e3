package canonical

import "reflect"

// The words a Rule knows.
const (
	TrimLeft   = "left"
	TrimRight  = "right"
	TrimBoth   = "both"
	CaseIgnore = "ignore"
	ZoneUTC    = "UTC"
)

// Rule says how one column is compared when not exactly. The zero Rule compares
// exactly. Equal (equal.go) applies what relaxes the comparison; Zone, Enum and
// Bool say what a value means on one of the sides, and are applied when it is
// read and written (Translation).
type Rule struct {
	// Tolerance is the largest absolute difference of two numbers that still
	// counts as equal, and Relative the largest one as a share of the greater of
	// the two magnitudes.
	Tolerance float64 `yaml:"tolerance"`
	Relative  float64 `yaml:"relative"`
	// ULP is the largest distance of two binary floating-point numbers that
	// still counts as equal, in units in the last place: how many steps to the
	// next number of that size lie between them. A single against a double
	// counts in steps of the single, to which the double is rounded.
	ULP int `yaml:"ulp"`
	// Scale, when set, compares numbers rounded to so many fractional digits,
	// half away from zero.
	Scale *int `yaml:"scale"`
	// Precision, when set, compares times rounded to so many fractional digits
	// of a second, where exactly half may have gone either way; Cut compares
	// them with the further digits cut off.
	Precision *int `yaml:"precision"`
	Cut       *int `yaml:"cut"`
	// Trim drops blanks (U+0020) before comparing: "left", "right" or "both".
	Trim string `yaml:"trim"`
	// Case "ignore" compares texts without regard to letter case (Unicode
	// simple case folding).
	Case string `yaml:"case"`
	// JSON compares texts as JSON documents.
	JSON bool `yaml:"json"`
	// Zone is the IANA zone in which a column without zone is to be read when
	// the other side has one.
	Zone string `yaml:"zone"`
	// Enum gives the target's word for each of the source's.
	Enum map[string]string `yaml:"enum"`
	// Bool gives the words for true and false of the side that is no boolean.
	Bool *BoolWords `yaml:"bool"`
	// Comparator is a comparison of the library user's own.
	Comparator *Comparator `yaml:"-"`

	// single: the ULPs are those of single precision although the column is
	// compared in double, see Between.
	single bool
}

// IsZero says whether the rule asks for nothing, so that values compare exactly.
func (r Rule) IsZero() bool { return reflect.ValueOf(r).IsZero() }

// Rounds says whether the rule forgives digits that one of two columns cannot hold.
func (r Rule) Rounds() bool {
	return r.nears() || r.Scale != nil || r.Precision != nil || r.Cut != nil || r.Comparator != nil
}

// Translates says whether the rule has words for words.
func (r Rule) Translates() bool { return r.Enum != nil || r.Bool != nil }

// nears says whether the rule lets numbers pass that are near each other.
func (r Rule) nears() bool { return r.Tolerance > 0 || r.Relative > 0 || r.ULP > 0 }

// approximates says whether the rule says how a number that is exact compares
// with one that is not.
func (r Rule) approximates() bool {
	return r.Tolerance > 0 || r.Relative > 0 || r.Scale != nil || r.Comparator != nil
}

// Between is the rule as Equal needs it for columns of these types.
func (r Rule) Between(source, target Type) Rule {
	r.single = r.ULP > 0 && either(source.Kind, target.Kind, Float32, Float64)
	return r
}
