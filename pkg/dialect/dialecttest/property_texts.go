package dialecttest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/trueup/trueup/pkg/canonical"
)

// Pieces of which texts are made: what frames, statements, collations and
// encodings stumble over.
var pieces = []string{
	"", "a", "A", "a", "ä", "a\u0308", "ß", "ss", "é", "e\u0301", "É", "İ", "ı", "K", "\u212a", "0", "1", " ", "  ", "\t", "\n", "\r\n",
	"|", "~", "~|", "1:a|", ":", ",", "'", "''", `"`, `\`, `\n`, "NULL", "{", "}", "%", "_", "--", "/*", "\x01", "\x1a", "\x7f", "\u0085", "\u00a0",
	"\u200b", "\u200d", "\u2028", "\ufeff", "\ufffd", "\ufffe", "\uffff", "\ud7ff", "\ue000", "日本", "ﬁ", "한", "한", "😀", "👩‍👧", "\U0010ffff", "\U00010000",
}

// Texts draws texts of at most so many characters.
func Texts(most int) Domain { return textsOf(most, pieces) }

// TextsWithNUL draws texts that may hold the character NUL, which PostgreSQL has not.
func TextsWithNUL(most int) Domain {
	return textsOf(most, append([]string{"\x00", "a\x00"}, pieces...))
}

// TextsOf draws texts of the given pieces.
func TextsOf(most int, pieces ...string) Domain { return textsOf(most, pieces) }

// LongTexts draws texts of the given pieces, some of as many bytes as a digest spells
// out and some of a few more, of which it has the MD5.
func LongTexts(pieces ...string) Domain {
	return func(r *rand.Rand) string {
		var out strings.Builder
		for size := canonical.Long - 4 + r.IntN(8); out.Len() < size; {
			out.WriteString(pieces[r.IntN(len(pieces))])
		}
		return out.String()
	}
}

func textsOf(most int, pieces []string) Domain {
	return func(r *rand.Rand) string {
		var out strings.Builder
		length := 0
		for range r.IntN(1 + min(most, []int{1, 2, 3, 12}[r.IntN(4)])) {
			piece := pieces[r.IntN(len(pieces))]
			if length += utf8.RuneCountInString(piece); length > most {
				break
			}
			out.WriteString(piece)
		}
		return out.String()
	}
}

// Unpadded draws from a domain without blanks at the end, for columns that have
// none: PostgreSQL's and MySQL's char(n).
func Unpadded(texts Domain) Domain {
	return func(r *rand.Rand) string { return strings.TrimRight(texts(r), " ") }
}

// Octets draws byte strings of least to most bytes, in hexadecimal digits.
func Octets(least, most int) Domain {
	edges := []byte{0, ' ', '|', '~', '\\', '\'', 0x7f, 0x80, 0xc3, 0xed, 0xff}
	return func(r *rand.Rand) string {
		out := make([]byte, least+r.IntN(most-least+1))
		fill := r.IntN(4)
		for i := range out {
			switch fill {
			case 0:
				out[i] = edges[r.IntN(len(edges))]
			case 1:
				out[i] = edges[0]
			default:
				out[i] = byte(r.UintN(256))
			}
		}
		return hex.EncodeToString(out)
	}
}

// UUIDs draws UUIDs of the versions 1 to 7 of RFC 9562, in either case, few
// enough that some are drawn twice. MariaDB's type refuses some others.
func UUIDs() Domain {
	return func(r *rand.Rand) string {
		node := r.Uint64() >> 16
		if r.IntN(3) == 0 {
			node = 0xabcdef + r.Uint64N(3)
		}
		text := fmt.Sprintf("00000000-0000-%x%03x-%x%03x-%012x", 1+r.IntN(7), r.IntN(2)*0xfff, 8+r.IntN(4), r.IntN(2)*0xabc, node)
		return randomCase(r, text)
	}
}

// AnyUUIDs draws UUIDs of any digits.
func AnyUUIDs() Domain {
	return func(r *rand.Rand) string {
		high, low := r.Uint64(), r.Uint64()
		text := fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
		return randomCase(r, text)
	}
}

func randomCase(r *rand.Rand, text string) string {
	if r.IntN(2) == 0 {
		return strings.ToUpper(text)
	}
	return text
}

// Addresses draws IPv4 or IPv6 addresses.
func Addresses(v6 bool) Domain {
	return func(r *rand.Rand) string {
		if !v6 {
			return fmt.Sprintf("%d.%d.%d.%d", 255*r.IntN(2), r.IntN(256), 255*r.IntN(2), r.IntN(256))
		}
		if r.IntN(4) == 0 {
			return []string{"::", "::1", "::ffff:1.2.3.4", "2001:db8::ff00:42:8329", "fe80::"}[r.IntN(5)]
		}
		groups := make([]string, 8)
		for i := range groups {
			groups[i] = strconv.FormatUint(uint64(r.UintN(2)*r.UintN(0x10000)), 16)
		}
		return strings.Join(groups, ":")
	}
}

// Documents draws JSON documents: members in any order, numbers in many forms,
// strings escaped or not, blanks anywhere.
func Documents() Domain {
	return func(r *rand.Rand) string { return document(r, 3) }
}

// jsonStrings are of characters both engines' JSON has: no NUL, no halves of
// surrogate pairs, no noncharacters.
var jsonStrings = TextsOf(4, "a", "A", "é", "e\u0301", "😀", `"`, `\`, "/", "|", "~", "\n", "\x01", " ", "", "1", "\u2028")

func document(r *rand.Rand, depth int) string {
	blank := func() string { return []string{"", "", " ", "\n"}[r.IntN(4)] }
	kind := r.IntN(8)
	if depth == 0 {
		kind = r.IntN(6)
	}
	switch kind {
	case 0:
		return []string{"null", "true", "false", "{}", "[]", `""`}[r.IntN(6)]
	case 1, 2:
		return jsonString(r)
	case 3, 4, 5:
		return jsonNumber(r)
	case 6:
		items := make([]string, r.IntN(4))
		for i := range items {
			items[i] = blank() + document(r, depth-1) + blank()
		}
		return "[" + strings.Join(items, ",") + "]"
	default:
		// Each name once: MariaDB keeps what is said twice, PostgreSQL does not.
		var members []string
		for _, i := range r.Perm(4)[:r.IntN(5)] {
			name := []string{`"a"`, `"b"`, `"A"`, `""`}[i]
			members = append(members, blank()+name+blank()+":"+blank()+document(r, depth-1))
		}
		return "{" + strings.Join(members, ",") + blank() + "}"
	}
}

func jsonNumber(r *rand.Rand) string {
	return []Domain{
		OneOf("0", "-0", "0.0", "1", "1.0", "1e0", "10E-1", "100", "1e2", "0.1", "1.10", "-1", "9007199254740993", "1e21", "1E-7"),
		Integers("-1000000000000000000000000", "1000000000000000000000000"),
		Decimals(40, 20),
		func(r *rand.Rand) string { return strconv.FormatFloat(r.NormFloat64(), 'g', -1, 64) },
	}[r.IntN(4)](r)
}

// jsonString escapes what must be, and now and then what need not.
func jsonString(r *rand.Rand) string {
	text := jsonStrings(r)
	plain, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	if r.IntN(3) > 0 {
		return string(plain)
	}
	var out strings.Builder
	for _, c := range text {
		if c > 0xffff {
			c -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04X`, 0xd800+c>>10, 0xdc00+c&0x3ff)
			continue
		}
		fmt.Fprintf(&out, `\u%04x`, c)
	}
	return `"` + out.String() + `"`
}
