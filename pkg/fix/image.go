package fix

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Images says which values an outcome keeps of the rows that a repair replaced.
// Digests of the whole rows it always has.
type Images uint8

// The images. NoImages is the default: whoever may read the topic of outcomes
// reads no rows, unless somebody decided that they may.
const (
	// NoImages: an insert can be undone, nothing else.
	NoImages Images = iota
	// ChangedImages is what undo needs: the columns that an update changed,
	// before and after, and the whole of a row that is deleted.
	ChangedImages
	// FullImages are whole rows, before and after.
	FullImages
)

var imageNames = map[Images]string{NoImages: "none", ChangedImages: "changed", FullImages: "full"}

// String is the name in configuration.
func (i Images) String() string { return imageNames[i] }

// ParseImages reads the name of images; empty is none.
func ParseImages(name string) (Images, error) {
	if name == "" {
		return NoImages, nil
	}
	for i, n := range imageNames {
		if n == name {
			return i, nil
		}
	}
	return NoImages, fmt.Errorf("%q is none of none, changed and full", name)
}

// Imager is what a batch can offer besides: its rows through another view of the
// same table, as they stand in the batch. Images other than none need it.
type Imager interface {
	Through(ctx context.Context, view *schema.View, keys []row.Key) ([]row.Row, error)
}

// Keep says what outcomes tell of rows.
type Keep struct {
	Images Images
	// Mask names columns, as the source does or else as the copy does, whose
	// values are told by a digest alone. It needs a DigestKey, since a few
	// possible values are soon tried out.
	Mask []string
	// DigestKey keys all digests.
	DigestKey []byte
}

// portrait tells of the rows of one side of a pair.
type portrait struct {
	keep   Keep
	pair   *schema.Pair
	side   event.Side
	view   *schema.View
	whole  whole
	masked map[string]bool // by the table's own names
	// told are the columns that digests cover: those the table does not compute.
	told  []int
	types []canonical.Type
	// rows begins what digests of rows are made of.
	rows string
	sums *sums
}

func newPortrait(pair *schema.Pair, side event.Side, keep Keep) (*portrait, error) {
	p := &portrait{keep: keep, pair: pair, side: side, view: &pair.Source, masked: map[string]bool{}, sums: &sums{key: keep.DigestKey}}
	if side == event.Target {
		p.view = &pair.Target
	}
	p.whole = newWhole(p.view)
	p.rows = p.about("")
	for i, c := range p.view.Columns {
		if p.view.Writable(i) {
			p.told, p.types = append(p.told, i), append(p.types, c.As)
		}
	}
	if len(keep.Mask) > 0 && len(keep.DigestKey) == 0 {
		return nil, fmt.Errorf("pair %s: mask needs a secret, or masked values could be guessed from their digests; set fixer.digest_key", pair.Name)
	}
	for _, name := range keep.Mask {
		own, err := p.ownName(name)
		if err != nil {
			return nil, fmt.Errorf("pair %s: mask: %w", pair.Name, err)
		}
		p.masked[own] = true
	}
	return p, nil
}

// ownName is the table's name of a column that the configuration names.
func (p *portrait) ownName(name string) (string, error) {
	own := name
	if i := slices.Index(p.pair.Names, name); i >= 0 {
		own = p.view.Columns[i].Name
	}
	c, found := p.view.Table.Column(own)
	if !found {
		return "", fmt.Errorf("%s has no column %s", p.view.Table.Name, own)
	}
	if slices.ContainsFunc(p.view.KeyColumns(), func(k schema.ViewColumn) bool { return k.Name == c.Name }) {
		return "", fmt.Errorf("column %s belongs to the key, which every message carries; choose another key, or take it out", name)
	}
	return c.Name, nil
}

// sight is a row before and after a write, nil where there was none: as the
// pair has it and as a whole, in its table's own terms.
type sight struct {
	before, after           row.Row
	wholeBefore, wholeAfter row.Row
}

// tell is what an outcome says of a write.
func (p *portrait) tell(action event.Action, s sight) event.Write {
	w := event.Write{Side: p.side, Action: action, Before: p.digest(s.before), After: p.digest(s.after)}
	var masked []string
	for i, c := range p.whole.write.Columns {
		differs := !p.whole.same(i, s.wholeBefore, s.wholeAfter)
		if p.keep.Images != FullImages && !differs {
			continue
		}
		if p.masked[c.Name] && differs {
			masked = append(masked, c.Name)
		}
		w.Columns = append(w.Columns, event.WrittenColumn{
			Column: c.Name, Before: p.content(i, s.wholeBefore), After: p.content(i, s.wholeAfter),
		})
	}
	switch lost := p.whole.lost; {
	case action == event.Insert: // what is deleted again need not be known
	case p.keep.Images == NoImages:
		w.Incomplete = "the values were not kept (images: none)"
	case len(masked) > 0:
		w.Incomplete = "masked values are not kept: " + strings.Join(masked, ", ")
	case action == event.Delete && len(lost) > 0:
		w.Incomplete = "the row had columns of types that are not read: " + strings.Join(lost, ", ")
	}
	return w
}

func (p *portrait) content(i int, whole row.Row) *event.Content {
	if whole == nil {
		return nil
	}
	if c := p.whole.write.Columns[i]; p.masked[c.Name] {
		return &event.Content{Masked: p.mask(i, whole[i])}
	}
	return &event.Content{Type: p.whole.write.Columns[i].As, Value: whole[i]}
}

// wanted says whether the whole row is to be read before, or after, a write.
func (p *portrait) wanted(a event.Action, after bool) bool {
	switch {
	case p.keep.Images == NoImages, after && a == event.Delete, !after && a == event.Insert:
		return false
	default:
		return p.keep.Images == FullImages || a != event.Insert
	}
}
