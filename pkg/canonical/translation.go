package canonical

import (
	"errors"

	"github.com/trueup/trueup/pkg/row"
)

// Translation is what stands between a column's own values, canonical texts of
// its own type, and those of the type its pair compares in. It is applied when
// a value is read and, the other way, when one is written; NULL is NULL on both
// sides. It is safe for concurrent use.
type Translation interface {
	// Compared returns the value to compare. A value that has no counterpart
	// becomes a text that no column holds, so that it equals nothing on the
	// other side. The result may share memory with the argument.
	Compared(own []byte) []byte
	// Own returns the value to write, or an error, which holds nothing of the
	// value, when there is none or not one alone.
	Own(compared row.Value) (row.Value, error)
	// Writable says why no values can be written at all, as far as the rule
	// alone tells.
	Writable() error
}

// Translations returns what the rule puts before the source's and the target's
// values; nil where they are compared as they are.
func (r Rule) Translations(source, target Type) (ofSource, ofTarget Translation, err error) {
	switch {
	case r.Enum != nil:
		ofTarget = known{}
		ofSource, err = r.enumWords(source, target)
	case r.Bool != nil && r.boolWordsAtSource(source, target):
		ofTarget = known{}
		ofSource, err = r.Bool.words(source)
	case r.Bool != nil:
		ofSource = known{}
		ofTarget, err = r.Bool.words(target)
	case r.Zone != "" && r.Zone != ZoneUTC && source.Kind == Instant && target.Kind == Timestamp:
		ofSource, err = newZone(r.Zone)
	case r.Zone != "" && r.Zone != ZoneUTC && source.Kind == Timestamp && target.Kind == Instant:
		ofTarget, err = newZone(r.Zone)
	}
	return ofSource, ofTarget, err
}

// foreign marks a value without counterpart, which the other side must neither
// hold nor be given. The byte is no UTF-8 and in no other kind's alphabet; a
// text that begins with it all the same, as databases without an encoding have
// them, is set apart by native.
const (
	foreign = '\xff'
	native  = '\xfe'
)

func marked(mark byte, own []byte) []byte {
	return append(append(make([]byte, 0, len(own)+1), mark), own...)
}

// known is the side whose words are those that are compared.
type known struct{}

// Compared implements Translation.
func (known) Compared(own []byte) []byte {
	if len(own) > 0 && (own[0] == foreign || own[0] == native) {
		return marked(native, own)
	}
	return own
}

// Own implements Translation.
func (known) Own(compared row.Value) (row.Value, error) {
	switch {
	case len(compared) == 0 || compared[0] != foreign && compared[0] != native:
		return compared, nil
	case compared[0] == native: // a row of this side, written back
		return compared[1:], nil
	default:
		return nil, errForeign
	}
}

// Writable implements Translation.
func (known) Writable() error { return nil }

var errForeign = errors.New("the other side's value has no word in the column's rule; give it one")
