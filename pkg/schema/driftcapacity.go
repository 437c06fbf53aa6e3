package schema

import (
	"cmp"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
)

// narrower says which values of the authority's column the copy's cannot hold.
// Nothing means that it holds all, or that it is not known that it does not.
func (d *drift) narrower(from, to ViewColumn, rule canonical.Rule) (Severity, string) {
	limit := cmp.Or(numberLimit(from, to), d.textLimit(from, to), bytesLimit(from, to), d.timeLimit(from, to))
	if limit == "" && !rule.Translates() {
		limit = d.wordLimit(from, to)
	}
	severity := Danger
	switch {
	case limit == "":
		return Note, ""
	case strings.HasPrefix(limit, keepsDigitsOnly) && rule.Rounds():
		severity = Note // what is lost is what the rule lets pass
	case to.Type.Kind == canonical.Bool && strings.HasPrefix(from.Native, "tinyint(1)"):
		severity = Note // which is how MySQL spells boolean
	}
	return severity, "the " + d.toSide + " " + limit + ", and refuses or alters other values; widen it there"
}

// keepsDigitsOnly begins every limit of precision.
const keepsDigitsOnly = "keeps "

func bytesLimit(from, to ViewColumn) string {
	if from.Type.Kind != canonical.Bytes || to.Type.Kind != canonical.Bytes || to.Length == 0 || from.Length > 0 && from.Length <= to.Length {
		return ""
	}
	return fmt.Sprintf("holds at most %d bytes", to.Length)
}

// shownWords bounds how many words a sentence names.
const shownWords = 5

func (d *drift) wordLimit(from, to ViewColumn) string {
	if to.Words == nil {
		return ""
	}
	missing := to.Words
	takes := "takes only "
	if from.Words != nil {
		missing = slices.DeleteFunc(slices.Clone(from.Words), func(w string) bool { return slices.Contains(to.Words, w) })
		takes = "does not know "
	}
	if len(missing) == 0 {
		return ""
	}
	shown := missing[:min(len(missing), shownWords)]
	out := takes + "'" + strings.Join(shown, "', '") + "'"
	if more := len(missing) - len(shown); more > 0 {
		out += fmt.Sprintf(" and %d more", more)
	}
	return out
}

// numbers are what a column of exact numbers holds; a nil bound is none.
type numbers struct {
	low, high *big.Int
	decimals  int // -1: any number
}

// lastYear is the largest YEAR.
const lastYear = 2155

var declaredDigits = regexp.MustCompile(`\((\d+)(?:, *(-?\d+))?\)`)

func numbersOf(c ViewColumn) (numbers, bool) {
	switch c.Type.Kind {
	case canonical.Bool:
		return numbers{big.NewInt(0), big.NewInt(1), 0}, true
	case canonical.Int:
		if c.Base == "year" {
			return numbers{big.NewInt(0), big.NewInt(lastYear), 0}, true
		}
		bits, known := integerBits[c.Base]
		if !known {
			return numbers{}, false
		}
		if c.Unsigned || c.Base == "oid" {
			return numbers{big.NewInt(0), power(2, bits), 0}, true
		}
		high := power(2, bits-1)
		return numbers{new(big.Int).Not(high), high, 0}, true
	case canonical.Decimal:
		return decimals(c), true
	default:
		return numbers{}, false
	}
}

// power is base to the n, less 1.
func power(base int64, n uint) *big.Int {
	out := new(big.Int).Exp(big.NewInt(base), new(big.Int).SetUint64(uint64(n)), nil)
	return out.Sub(out, big.NewInt(1))
}

func decimals(c ViewColumn) numbers {
	found := declaredDigits.FindStringSubmatch(c.Native)
	if found == nil {
		return numbers{decimals: c.Precision}
	}
	digits, _ := strconv.Atoi(found[1])
	scale, _ := strconv.Atoi(found[2]) // none is 0
	high := power(10, uint(max(digits-scale, 0)))
	low := new(big.Int).Neg(high)
	if c.Unsigned {
		low.SetInt64(0)
	}
	return numbers{low, high, max(scale, 0)}
}

// The decimal digits a binary number keeps for sure (IEEE 754).
const (
	singleDigits = 6
	doubleDigits = 15
)

func numberLimit(from, to ViewColumn) string {
	source, exact := numbersOf(from)
	target, exactTo := numbersOf(to)
	switch {
	case exact && exactTo:
		return exactLimit(source, target)
	case exactTo && binaryFloat(from) && target.decimals >= 0:
		return fmt.Sprintf(keepsDigitsOnly+"%d decimals of a floating-point number", target.decimals)
	case to.Type.Kind == canonical.Float32 && from.Type.Kind == canonical.Float64:
		return fmt.Sprintf(keepsDigitsOnly+"%d digits for sure where a double has %d", singleDigits, doubleDigits)
	case exact && binaryFloat(to):
		keeps := doubleDigits
		if to.Type.Kind == canonical.Float32 {
			keeps = singleDigits
		}
		if source.high == nil || source.decimals < 0 || len(source.high.String())+source.decimals > keeps {
			return fmt.Sprintf(keepsDigitsOnly+"%d digits for sure", keeps)
		}
	}
	return ""
}

func exactLimit(from, to numbers) string {
	switch {
	case to.high != nil && (from.high == nil || from.high.Cmp(to.high) > 0 || from.low.Cmp(to.low) < 0):
		return fmt.Sprintf("holds %s to %s", to.low, to.high)
	case to.decimals >= 0 && (from.decimals < 0 || from.decimals > to.decimals):
		return fmt.Sprintf(keepsDigitsOnly+"%d decimals", to.decimals)
	default:
		return ""
	}
}

// extent is how long a text can be: characters, or bytes, or neither bounded.
type extent struct{ characters, bytes int64 }

// largestText is what a PostgreSQL text can hold, in bytes (manual, "Character
// Types": about 1 GB).
const largestText = 1 << 30

func extentOf(engine string, c ViewColumn) extent {
	switch {
	case c.Type.Kind == canonical.UUID:
		return extent{characters: uuidCharacters}
	case c.Words != nil: // a set can hold all of them
		return extent{characters: int64(len(strings.Join(c.Words, ",")))}
	case strings.HasSuffix(c.Base, "text") && engine != "postgres":
		return extent{bytes: c.Length}
	default:
		return extent{characters: c.Length}
	}
}

func (d *drift) textLimit(from, to ViewColumn) string {
	if to.Type.Kind != canonical.Text || to.Words != nil {
		return ""
	}
	if from.Type.Kind != canonical.Text && from.Type.Kind != canonical.UUID {
		return ""
	}
	has, holds := extentOf(d.from.Table.Engine, from), extentOf(d.to.Table.Engine, to)
	most := has.characters // characters the authority may have
	if has.characters == 0 {
		most = min(largestText, has.bytes)
		if has.bytes == 0 {
			most = largestText
		}
	}
	switch {
	case holds.characters > 0 && most > holds.characters:
		return fmt.Sprintf("holds at most %d characters", holds.characters)
	case holds.bytes > 0 && has.characters > 0 && most*bytesPerCharacter(to.Charset) > holds.bytes,
		holds.bytes > 0 && has.characters == 0 && most > holds.bytes:
		return fmt.Sprintf("holds at most %d bytes", holds.bytes)
	default:
		return ""
	}
}

func bytesPerCharacter(charset string) int64 {
	switch charset {
	case "utf8mb4", "utf16", "utf16le", "utf32":
		return 4
	case "utf8", "utf8mb3", "ucs2":
		return 3
	default:
		return 1
	}
}

// repertoire of a character set: all of Unicode, its first plane, or the set's own.
const (
	allOfUnicode = 2
	firstPlane   = 1
	ofItsOwn     = 0
)

func repertoire(engine, charset string) int {
	switch {
	case charset == "utf8" && engine == "postgres":
		return allOfUnicode
	case bytesPerCharacter(charset) == 4, charset == "gb18030":
		return allOfUnicode
	case bytesPerCharacter(charset) == 3:
		return firstPlane
	default:
		return ofItsOwn
	}
}

// bytesAsGiven is PostgreSQL's name for no character set at all: what a column
// holds in it cannot be said.
const bytesAsGiven = "sql_ascii"

// charset tells of a copy whose character set lacks characters.
func (d *drift) charset(name string, from, to ViewColumn) {
	has, holds := repertoire(d.from.Table.Engine, from.Charset), repertoire(d.to.Table.Engine, to.Charset)
	lacks := ""
	switch {
	case from.Charset == "", to.Charset == "", from.Charset == to.Charset && has == holds:
	case from.Charset == bytesAsGiven, to.Charset == bytesAsGiven:
	case holds == allOfUnicode, from.Charset == "ascii":
	case holds == firstPlane && has <= firstPlane:
	case holds == firstPlane:
		lacks = "emoji and other characters beyond U+FFFF"
	default:
		lacks = "characters of " + from.Charset
	}
	if lacks != "" {
		d.add(Danger, name, "character set "+from.Charset, "character set "+to.Charset,
			"the "+d.toSide+" lacks "+lacks+", and refuses or alters texts with them; give the column a Unicode character set there")
	}
}

func (d *drift) timeLimit(from, to ViewColumn) string {
	mysqlTo := d.to.Table.Engine != "postgres"
	switch to.Type.Kind {
	case canonical.Time, canonical.Timestamp, canonical.Instant:
	default:
		return ""
	}
	switch {
	case from.Type.Kind == canonical.Date || from.Precision < 0:
		return ""
	case mysqlTo && to.Base == "timestamp" && (d.from.Table.Engine == "postgres" || from.Base != "timestamp"):
		return "holds the years 1970 to 2038 (MariaDB 11.5 to 2106)"
	case to.Precision >= 0 && from.Precision > to.Precision:
		return fmt.Sprintf(keepsDigitsOnly+"%d fractional digits of a second", to.Precision)
	default:
		return ""
	}
}

// extremes notes values that one engine has and the other has not, which few
// tables hold.
func (d *drift) extremes(name string, from, to ViewColumn) {
	fromPostgres, toPostgres := d.from.Table.Engine == "postgres", d.to.Table.Engine == "postgres"
	if fromPostgres == toPostgres {
		return
	}
	note := func(what string) { d.add(Note, name, "", "", "the "+d.toSide+" cannot hold "+what) }
	switch from.Type.Kind {
	case canonical.Date, canonical.Timestamp, canonical.Instant:
		if fromPostgres {
			note("infinity, nor years before 0 or after 9999")
		} else {
			note("0000-00-00, nor a day or month 0")
		}
	case canonical.Time:
		if toPostgres {
			note("times below 0 or beyond 24 hours")
		}
	case canonical.Decimal, canonical.Float32, canonical.Float64:
		if fromPostgres {
			note("NaN, nor infinity")
		}
	case canonical.Text:
		if toPostgres && from.Words == nil {
			note("texts with a NUL character")
		}
	default: // both engines have the same values
	}
}
