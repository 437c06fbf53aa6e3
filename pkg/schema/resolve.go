package schema

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/trueup/trueup/pkg/canonical"
)

// DigestTexts are the two dialects' answers to how a server spells a column's
// canonical text: an SQL expression (empty: it cannot) and whether that text is
// exactly the Go text. A nil function means that the side cannot digest.
type DigestTexts struct {
	Source, Target func(ViewColumn) (expr string, exact bool)
}

// Resolve holds what the user said about a pair against both tables, and
// returns the pair as it is compared: which columns, in which types, by which
// key and method. Whatever cannot be compared soundly is an error that says
// what to do; what is merely surprising is a warning in the pair.
func Resolve(m Mapping, source, target *Table, method Method, d DigestTexts) (*Pair, error) {
	pair, err := resolve(m, source, target, method, d)
	if err != nil {
		return nil, fmt.Errorf("pair %s: %w", m.title(source), err)
	}
	return pair, nil
}

func resolve(m Mapping, source, target *Table, method Method, d DigestTexts) (*Pair, error) {
	r, err := newResolution(m, source, target)
	if err != nil {
		return nil, err
	}
	if err := r.defaultKey(); err != nil {
		return nil, err
	}
	if err := r.pick(); err != nil {
		return nil, err
	}
	pair := &Pair{
		Name:   m.title(source),
		Source: View{Table: source, Where: m.SourceWhere},
		Target: View{Table: target, Where: m.targetWhere()},
	}
	for _, c := range r.columns {
		if err := r.add(pair, c); err != nil {
			return nil, err
		}
	}
	if err := r.addConstants(pair); err != nil {
		return nil, err
	}
	key, err := r.resolveKey(pair)
	if err != nil {
		return nil, err
	}
	pair.Source.Key, pair.Target.Key = key, slices.Clone(key)
	if err := chooseMethod(pair, method, d); err != nil {
		return nil, err
	}
	if err := m.share(pair); err != nil {
		return nil, err
	}
	pair.Warnings = append(r.warnings, surprises(pair)...)
	return pair, nil
}

func (r *resolution) add(p *Pair, c columnPair) error {
	rule := r.rules[c.source.Name]
	as, err := r.unify(c, rule)
	if err != nil {
		return err
	}
	ofSource, ofTarget, err := rule.Translations(c.source.Type, c.target.Type)
	if err != nil {
		return fmt.Errorf("column %s: %w", c.source.Name, err)
	}
	p.Names = append(p.Names, c.source.Name)
	p.Rules = append(p.Rules, rule.Between(c.source.Type, c.target.Type))
	p.Source.Columns = append(p.Source.Columns, ViewColumn{Column: c.source, As: as, Translation: ofSource})
	p.Target.Columns = append(p.Target.Columns, ViewColumn{Column: c.target, As: as, Translation: ofTarget})
	return nil
}

// title is the pair's name, by default that of the source table.
func (m Mapping) title(source *Table) string {
	if m.Name != "" {
		return m.Name
	}
	return source.Name.Table
}

// unify returns the type a pair of columns is compared in.
func (r *resolution) unify(c columnPair, rule canonical.Rule) (canonical.Type, error) {
	if err := cmp.Or(supported(c.source, r.source), supported(c.target, r.target)); err != nil {
		return canonical.Type{}, fmt.Errorf("%w; exclude it: `exclude: [%s]`", err, c.source.Name)
	}
	as, err := rule.Unify(c.source.Type, c.target.Type)
	if err == nil {
		err = cmp.Or(holdsUUID(c.source, c.target), holdsUUID(c.target, c.source), rule.Validate(as))
	}
	if err != nil {
		return canonical.Type{}, fmt.Errorf("column %s (%s in %s, %s in %s): %w",
			c.source.Name, c.source.Native, r.source.Engine, c.target.Native, r.target.Engine, err)
	}
	return as, nil
}

// supported refuses a column of a type the project does not know.
func supported(c Column, t *Table) error {
	if c.Type.Kind != canonical.Unsupported {
		return nil
	}
	reason := c.Reason
	if reason == "" {
		reason = "the type is not known"
	}
	return fmt.Errorf("column %s of %s has type %s, which cannot be compared: %s", c.Name, t.Name, c.Native, reason)
}

const (
	uuidCharacters = 36
	uuidBytes      = 16
)

// holdsUUID refuses a column that is not sure to hold the UUIDs of the other
// side.
func holdsUUID(c, other Column) error {
	if other.Type.Kind != canonical.UUID {
		return nil
	}
	switch {
	case c.Type.Kind == canonical.Text && c.Length > 0 && c.Length < uuidCharacters:
		return fmt.Errorf("%s is too short for a uuid of %d characters; exclude the column", c.Native, uuidCharacters)
	case c.Type.Kind == canonical.Bytes && (c.Base != "binary" || c.Length != uuidBytes):
		return fmt.Errorf("%s is not sure to hold the %d bytes of a uuid, only binary(%d) is; exclude the column", c.Native, uuidBytes, uuidBytes)
	default:
		return nil
	}
}
