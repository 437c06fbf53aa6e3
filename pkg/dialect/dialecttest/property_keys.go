package dialecttest

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// checkKeys makes tables whose keys are random values of each type that can be
// one, walks them by ranges, and looks every row up.
func (s *suite) checkKeys(t *testing.T, r *rand.Rand, n int, properties []Property) {
	t.Helper()
	for i, p := range properties {
		// A table a type takes most of the time: a small run draws some of them.
		if p.Keyless || n <= defaultRows && r.IntN(3) > 0 {
			continue
		}
		v := s.keyed(t, r, n, "property_key_"+strconv.Itoa(i), p)
		all := s.rows(t, v, row.Range{})
		s.walk(t, v, all, 1+r.IntN(10))
		keys := make([]row.Key, len(all))
		there := map[string]bool{}
		for i, line := range all {
			keys[i] = line.Key(v.Key)
			there[keys[i].ID()] = true
		}
		s.findsOnly(t, v, keys, there)
		s.findsOnly(t, v, lookalikes(v, keys), there)
		if got := s.deleted(t, v, lookalikes(v, keys)[:1]...); there[lookalikes(v, keys)[0].ID()] != (got == 1) {
			t.Errorf("%s: deleted %d rows by the key %q", p.Type, got, lookalikes(v, keys)[0])
		}
	}
}

// keyed makes and fills a table with a key of the property's type, alone or
// behind a number. What its index takes for the same is there once.
func (s *suite) keyed(t *testing.T, r *rand.Rand, n int, name string, p Property) *schema.View {
	t.Helper()
	key := [][]string{{"v"}, {"a", "v"}, {"v", "a"}}[r.IntN(3)]
	s.exec(t, "CREATE TABLE "+name+" (a int NOT NULL, v "+p.Type+" NOT NULL, PRIMARY KEY ("+strings.Join(key, ", ")+"))")
	lines := make([]string, n)
	for i := range lines {
		plain := p.Values(r)
		if p.As == canonical.UUID {
			// Ranges are cut by the text in lower case; with others in the
			// column they are sound but not of the size asked for.
			plain = strings.ToLower(plain)
		}
		lines[i] = "(" + strconv.Itoa(r.IntN(3)) + ", " + s.spell(spelled{form: p.Form, plain: plain}) + ")"
	}
	insert, conflict := "INSERT IGNORE INTO ", ""
	if s.postgres() {
		insert, conflict = "INSERT INTO ", " ON CONFLICT DO NOTHING"
	}
	s.exec(t, s.oddZone(), insert+name+" VALUES "+strings.Join(lines, ", ")+conflict)
	v := s.view(t, name, key...)
	if p.As != canonical.Unsupported {
		v.Columns[1].As = canonical.Type{Kind: p.As}
	}
	return v
}

// findsOnly looks keys up and wants those that are there, each once.
func (s *suite) findsOnly(t *testing.T, v *schema.View, keys []row.Key, there map[string]bool) {
	t.Helper()
	want := map[string]bool{}
	for _, k := range keys {
		if there[k.ID()] {
			want[k.ID()] = true
		}
	}
	found, err := s.db.Lookup(t.Context(), v, keys)
	must(t, err)
	for _, line := range found {
		id := line.Key(v.Key).ID()
		if !want[id] {
			t.Errorf("%s: found %s, which was not asked for, or twice", v.Columns[1].Native, show(line))
		}
		delete(want, id)
	}
	for id := range want {
		t.Errorf("%s: did not find %q", v.Columns[1].Native, id)
	}
}

// lookalikes are the keys with texts that a collation or a column's padding may
// take for theirs. Whether one of them is another row's key, its ID says.
func lookalikes(v *schema.View, keys []row.Key) []row.Key {
	var out []row.Key
	seen := map[string]bool{}
	for _, k := range keys {
		for i, c := range v.KeyColumns() {
			if c.Name != "v" || c.As.Kind != canonical.Text {
				continue
			}
			for _, text := range [][]byte{bytes.ToUpper(k[i]), bytes.ToLower(k[i]), append(k[i].Clone(), ' '), bytes.TrimSpace(k[i]), append(k[i].Clone(), "\u0301"...)} {
				other := k.Clone()
				other[i] = append(row.Value{}, text...)
				if !seen[other.ID()] {
					out = append(out, other)
				}
				seen[other.ID()] = true
			}
		}
	}
	if len(out) == 0 {
		return keys[:1]
	}
	return out
}
