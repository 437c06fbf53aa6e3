package fix

import (
	"fmt"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// intake sorts findings by what may be done about them: the jobs to repair and
// those to look at only, one per key each. Findings about which nothing may be
// done get their outcome at once.
func (s *session) intake(findings []event.Finding) (repair, look []*job) {
	looks := map[string]*job{}
	s.repairs = make(map[string]*job, len(findings))
	repair = make([]*job, 0, len(findings))
	spare := make([]job, len(findings)) // in one piece, since nearly every finding needs one
	for i := range findings {
		f := &findings[i]
		if res, refused := s.r.refuse(f); refused {
			s.tell(*f, 1, res)
			continue
		}
		if s.r.cfg.DryRun || f.Epoch < s.r.cfg.Epoch {
			look = coalesce(look, looks, f, &spare)
		} else {
			repair = coalesce(repair, s.repairs, f, &spare)
		}
	}
	return repair, look
}

// coalesce adds f to the job of its key, or a new one, taken from spare.
func coalesce(jobs []*job, byID map[string]*job, f *event.Finding, spare *[]job) []*job {
	key := f.Key.Values()
	id := key.ID()
	j, ok := byID[id]
	if !ok {
		j, *spare = &(*spare)[0], (*spare)[1:]
		j.key, j.id, j.findings = key, id, j.one[:0]
		byID[id] = j
		jobs = append(jobs, j)
	}
	j.findings = append(j.findings, f)
	return jobs
}

// refuse says what cannot be worked on at all.
func (r *Repairer) refuse(f *event.Finding) (result, bool) {
	if res, refused := r.unusable(f); refused {
		return res, true
	}
	if f.Epoch > r.cfg.Epoch {
		// Which side is right under that epoch is not known here. Holding
		// rather than failing keeps one early finding from stopping a
		// partition; the validator reports the row again while it differs.
		return result{result: event.Held, class: ClassEpochUnknown, reason: fmt.Sprintf(
			"found under epoch %d, and this fixer knows epoch %d; nothing is written until it learns which side is right now", f.Epoch, r.cfg.Epoch)}, true
	}
	return result{}, false
}

// unusable says what nobody with this configuration can work on.
func (r *Repairer) unusable(f *event.Finding) (result, bool) {
	if f.Pair != r.cfg.Pair.Name {
		return unknownPair(f.Pair), true
	}
	if reason := r.badKey(f.Key); reason != "" {
		return result{result: event.Dead, class: ClassBadKey, reason: reason}, true
	}
	return result{}, false
}

func unknownPair(name string) result {
	return result{
		result: event.Dead, class: ClassUnknownPair,
		reason: fmt.Sprintf("no pair named %q is configured; add it to the fixer's configuration, or drop the finding", name),
	}
}

// badKey says why a key is not one of the pair's; "" when it is. A key of
// another shape comes from another configuration, and what it would be read
// as here is anyone's guess. The reason names columns and types, no values.
func (r *Repairer) badKey(key event.Key) string {
	names := r.cfg.Pair.KeyNames()
	if len(key) != len(names) {
		return fmt.Sprintf("the key has %d columns and the pair's has %d; is the validator's configuration this fixer's?", len(key), len(names))
	}
	source := &r.cfg.Pair.Source
	for i, at := range source.Key {
		want := &source.Columns[at]
		switch c := key[i]; {
		case c.Column != names[i]:
			return fmt.Sprintf("key column %d is %q and the pair's is %q; is the validator's configuration this fixer's?", i+1, c.Column, names[i])
		case c.Type != want.As:
			return fmt.Sprintf("key column %s is of type %s and the pair's is %s; is the validator's configuration this fixer's?", c.Column, c.Type, want.As)
		case !wellFormed(want.As, c.Value):
			return fmt.Sprintf("key column %s does not hold the canonical text of type %s", c.Column, want.As)
		}
	}
	return ""
}

// wellFormed says whether v is the canonical text of a value of type t, as far
// as the text alone tells. A server that is asked for a malformed key may
// answer about another row: MySQL reads the text "abc" as the number 0.
func wellFormed(t canonical.Type, v row.Value) bool {
	if v.IsNull() {
		return false
	}
	switch t.Kind {
	case canonical.Bool:
		return len(v) == 1 && (v[0] == '0' || v[0] == '1')
	case canonical.Int:
		return same(v, canonical.AppendIntText)
	case canonical.Decimal:
		return same(v, canonical.AppendDecimal)
	case canonical.Date:
		return same(v, canonical.AppendDate)
	case canonical.Time:
		return same(v, canonical.AppendTime)
	case canonical.Timestamp:
		return same(v, canonical.AppendTimestamp)
	case canonical.Instant:
		return same(v, canonical.AppendInstant)
	case canonical.UUID:
		return same(v, canonical.AppendUUIDText)
	case canonical.Bytes:
		raw, err := canonical.DecodeHex(v)
		return err == nil && string(canonical.AppendHex(nil, raw)) == string(v)
	default:
		return true
	}
}

// same says whether v is unchanged by the function that makes canonical texts.
func same(v row.Value, appendText func(dst, text []byte) ([]byte, error)) bool {
	text, err := appendText(nil, v)
	return err == nil && string(text) == string(v)
}
