package event

import (
	"fmt"
	"math"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

// alphabet says which characters the text of a kind may hold. It is a guard
// against garbage, not a grammar: a text of the wrong alphabet would break the
// framing of keys, one of the wrong shape is refused by the database.
type alphabet func(r rune) bool

// number holds digits, signs, and the letters of NaN, Infinity and an exponent.
func number(r rune) bool { return r >= '0' && r <= '9' || strings.ContainsRune("-.+eENaInfity", r) }

func printable(r rune) bool { return r >= ' ' && r <= '~' }

func plain(kind canonical.Kind, text string, allowed alphabet) (canonical.Type, row.Value, error) {
	t := canonical.Type{Kind: kind}
	if text == "" {
		return t, nil, fmt.Errorf("a value of type %s is empty", t)
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return !allowed(r) }); i >= 0 {
		return t, nil, fmt.Errorf("the value is not one of type %s", t)
	}
	return t, row.Value(text), nil
}

// bigInt takes canonical digits only: a number that is sent on takes the form
// of its size, and 007 would become 7.
func bigInt(digits string) (canonical.Type, row.Value, error) {
	t := canonical.Type{Kind: canonical.Int}
	text, err := canonical.AppendIntText(nil, []byte(digits))
	if err != nil || string(text) != digits {
		return t, nil, fmt.Errorf("the value is not the canonical text of type %s", t)
	}
	return t, text, nil
}

// free takes a text as it is. An empty text is empty, not NULL.
func free(kind canonical.Kind, text []byte) (canonical.Type, row.Value, error) {
	return canonical.Type{Kind: kind}, append(row.Value{}, text...), nil
}

func bitString(b *eventv1.BitString) (canonical.Type, row.Value, error) {
	t := canonical.Type{Kind: canonical.Bits}
	if b.GetWidth() > math.MaxInt32 {
		return t, nil, fmt.Errorf("a bit string cannot be %d digits wide", b.GetWidth())
	}
	t.Width = int(b.GetWidth())
	digits := b.GetDigits()
	if strings.Trim(digits, "01") != "" {
		return t, nil, fmt.Errorf("%q is not a value of type %s", digits, t)
	}
	return t, append(row.Value{}, digits...), nil
}
