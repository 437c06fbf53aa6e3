package validate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/trueup/trueup/pkg/schema"
)

// aspect is one of the things that give a position its meaning.
type aspect struct {
	name  string // as a message names it
	value any
}

// aspects are all of them: a position serves only a run in which none differs.
func (r *run) aspects() []aspect {
	type column struct {
		Name, Native, As, Charset, Collation string
		Nullable                             bool
	}
	columns := func(v *schema.View) (out []column) {
		for _, c := range v.Columns {
			out = append(out, column{c.Name, c.Native, c.As.String(), c.Charset, c.Collation, c.Nullable})
		}
		return out
	}
	table := func(v *schema.View, at string) []string {
		known := []string{v.Table.Engine, v.Table.Name.String(), v.Table.Identity}
		if at != "" {
			known = append(known, at)
		}
		return known
	}
	pair := r.spec.Pair
	source, target := &pair.Source, &pair.Target
	return []aspect{
		{"the pair", pair.Name},
		{"the mode", r.spec.Mode.String()},
		{"the method", walk(pair.Method)},
		{"the authority", r.spec.Authority.String()},
		{"the epoch", r.spec.Epoch},
		{"the source's table", table(source, r.spec.SourceAt)},
		{"the target's table", table(target, r.spec.TargetAt)},
		{"the key", [2][]int{source.Key, target.Key}},
		{"the source's columns", columns(source)},
		{"the target's columns", columns(target)},
		{"the source's filter", filters(source)},
		{"the target's filter", filters(target)},
		{"the rules", pair.Rules},
	}
}

// filters says which rows of its table a view has.
func filters(v *schema.View) [3][]string {
	of := func(views ...*schema.View) (out []string) {
		for _, v := range views {
			out = append(out, v.Filter())
		}
		return out
	}
	return [3][]string{of(v), of(v.Within...), of(v.Outside...)}
}

// fingerprint is a short digest of every aspect, so that a difference can be
// named.
func fingerprint(aspects []aspect) (string, error) {
	parts := make([]string, len(aspects))
	for i, a := range aspects {
		data, err := json.Marshal(a.value)
		if err != nil {
			return "", fmt.Errorf("fingerprint %s: %w", a.name, err)
		}
		sum := sha256.Sum256(data)
		parts[i] = hex.EncodeToString(sum[:8])
	}
	return strings.Join(parts, " "), nil
}

// differing names the aspects in which two fingerprints differ.
func differing(aspects []aspect, kept, now string) string {
	keptParts, nowParts := strings.Fields(kept), strings.Fields(now)
	if len(keptParts) != len(nowParts) {
		return "it was kept by another version"
	}
	var names []string
	for i, a := range aspects {
		if keptParts[i] != nowParts[i] {
			names = append(names, a.name)
		}
	}
	return strings.Join(names, " and ") + " changed meanwhile"
}

// walk says how a method cuts the key space, which is what a position refers
// to. Checksum and merge cut it alike, so that a run may go on with the other
// one when the servers have come nearer or moved away.
func walk(method schema.Method) string {
	if method == schema.Lookup {
		return "lookup"
	}
	return "ranges"
}
