package mysql

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// A few values the server would translate instead of refusing them, strict as
// its mode may be, so that the copy held something else than it was given:
//
//   - for a YEAR, 1 to 99 are 2001 to 2069 and 1970 to 1999;
//   - for a BIT, a text is its bytes, and leading zeros are no length;
//   - for an ENUM, a text of digits is a position, a text in another case or
//     with blanks behind it the member that its collation calls equal;
//   - for a SET, the same, and members come in the order of the definition.
//
// refused is in place of such a value: the server refuses it, by the column's
// name. It has more bytes than any BIT, and no member is without digits or
// letters that it has.
const refused = "\x01 no value of this column \x01"

// firstYear is where a YEAR's numbers mean what they say; 0 does as well.
const firstYear = 100

// yearValue is negative, and so refused, where the server would add a century.
func yearValue(v row.Value) any {
	_, arg, _ := wholeValue(v)
	if n, ok := arg.(int64); ok && 0 < n && n < firstYear {
		return -n
	}
	return arg
}

// bitsValue is a bit string as a number, or one of more bits than the column
// has if its length is another.
func bitsValue(c schema.ViewColumn, text string) any {
	switch n, err := strconv.ParseUint(text, 2, 64); {
	case err == nil && len(text) == c.Type.Width:
		return n
	case c.Type.Width < 64:
		return uint64(math.MaxUint64)
	default:
		return refused
	}
}

// memberValue is a text as it is, for an ENUM or SET only if it is exactly one
// of the values the column can hold.
func memberValue(c schema.ViewColumn, text string) string {
	switch c.Base {
	case "enum":
		if !slices.Contains(members(c.Native), text) {
			return refused
		}
	case "set":
		if !isSubset(members(c.Native), text) {
			return refused
		}
	}
	return text
}

// isSubset says whether the text names some of the members, each once and in
// their order. No member of a SET has a comma in it.
func isSubset(all []string, text string) bool {
	if text == "" {
		return true
	}
	for _, name := range strings.Split(text, ",") {
		at := slices.Index(all, name)
		if at < 0 {
			return false
		}
		all = all[at+1:]
	}
	return true
}

// escapes are the characters that information_schema spells with a backslash.
var escapes = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r", `\0`, "\x00", `\Z`, "\x1a", `''`, `'`)

// members are the values in a type such as enum('small','it”s').
func members(native string) []string {
	_, list, _ := strings.Cut(native, "(")
	var out []string
	for strings.HasPrefix(list, "'") {
		end := 1
		for end < len(list) && (list[end] != '\'' || end+1 < len(list) && list[end+1] == '\'') {
			if list[end] == '\'' || list[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(list) {
			break
		}
		out = append(out, escapes.Replace(list[1:end]))
		list = strings.TrimPrefix(list[end+1:], ",")
	}
	return out
}
