package schema

import (
	"fmt"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
)

// surprises are the warnings that follow from a resolved pair.
func surprises(p *Pair) []string {
	var out []string
	warn := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if p.Overlap == nil && (p.Source.Where == "") != (p.Target.Where == "") {
		warn("only one side has a row filter: every row the filter leaves out counts as missing there")
	}
	for _, v := range [...]*View{&p.Source, &p.Target} {
		if !v.indexed() {
			warn("%s has no index over the key in the order (%s): its scans sort the table; create one there", v.Table.Name, strings.Join(p.KeyNames(), ", "))
		}
		if len(v.Table.Triggers) > 0 {
			warn("%s has triggers, which a repair there fires: %s", v.Table.Name, strings.Join(v.Table.Triggers, ", "))
		}
	}
	for i, name := range p.Names {
		source, target := p.Source.Columns[i], p.Target.Columns[i]
		if hazard := hazard(source, target); hazard != "" && !p.Rules[i].Rounds() {
			warn("column %s (%s, %s): %s", name, source.Native, target.Native, hazard)
		}
	}
	return out
}

// hazard says what an exact comparison of two columns brings to light that
// their owner may not expect; empty when there is nothing.
func hazard(a, b ViewColumn) string {
	switch {
	case a.Type.Kind != b.Type.Kind && a.As.Kind == canonical.Float64:
		return "a single-precision number is seldom equal to a double (0.1 is 0.10000000149011612); give it a rule {ulp: …} or {relative: …}"
	case shorter(a, b, canonical.Timestamp), shorter(a, b, canonical.Instant), shorter(a, b, canonical.Time):
		return "one side keeps fewer fractional digits of a second, so values with more cannot be equal; give it a rule {precision: …} where they are rounded, {cut: …} where they are cut off"
	case shorter(a, b, canonical.Decimal):
		return "one side keeps fewer decimals, so numbers with more cannot be equal; give it a rule {scale: …}"
	default:
		return ""
	}
}

// shorter says whether two columns of a kind keep different numbers of
// fractional digits.
func shorter(a, b ViewColumn, kind canonical.Kind) bool {
	return a.Type.Kind == kind && b.Type.Kind == kind && a.Precision >= 0 && b.Precision >= 0 && a.Precision != b.Precision
}
