package main

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
)

func isTime(t canonical.Type) bool {
	return t.Kind == canonical.Timestamp || t.Kind == canonical.Instant || t.Kind == canonical.Date
}

// position is a value on a line: a number, or seconds since 1970.
func position(t canonical.Type, v row.Value) (float64, bool) {
	if v == nil {
		return 0, false
	}
	if isTime(t) {
		for _, layout := range []string{"2006-01-02 15:04:05.999999", "2006-01-02"} {
			if at, err := time.Parse(layout, string(v)); err == nil {
				return float64(at.Unix()), true
			}
		}
		return 0, false // infinity, BC, 0000-00-00
	}
	switch t.Kind {
	case canonical.Int, canonical.Decimal, canonical.Float32, canonical.Float64:
		at, err := strconv.ParseFloat(string(v), 64)
		return at, err == nil && !math.IsNaN(at) && !math.IsInf(at, 0)
	default:
		return 0, false
	}
}

// showRange is a range of keys for a person to read.
func (r *record) showRange(bounds row.Range) string {
	from, through := r.showKey(bounds.After), r.showKey(bounds.Through)
	switch {
	case from == "" && through == "":
		return "all keys"
	case from == "":
		return "up to " + through
	case through == "":
		return "after " + from
	default:
		return "after " + from + ", up to " + through
	}
}

func (r *record) showKey(key row.Key) string {
	types := r.keyTypes()
	var parts []string
	for i, v := range key {
		parts = append(parts, showValue(types[i], v))
	}
	return strings.Join(parts, ", ")
}

// maxShown bounds what is shown of one value.
const maxShown = 160

// showValue is a key's value for a person to read: free text in quotes, bytes
// in hexadecimal digits.
func showValue(t canonical.Type, v row.Value) string {
	text := string(v)
	more := ""
	if len(text) > maxShown {
		end := maxShown
		for end > maxShown-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		more = "… (" + strconv.Itoa(len(text)) + " bytes)"
		text = text[:end]
	}
	switch {
	case t.Kind == canonical.Bytes:
		text = "0x" + text
	case t.Free():
		text = strconv.Quote(text)
	}
	return text + more
}
