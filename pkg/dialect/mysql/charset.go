package mysql

import "github.com/trueup/trueup/pkg/schema"

// faithful are the character sets in which every text a column can hold has one
// in UTF-8 of its own. In the others a column can hold bytes that are no
// character (ascii, cp1251), or two codes of one (sjis, cp932): the server
// prints a question mark or the same character for them.
var faithful = map[string]bool{
	utf8: true, "utf8mb3": true, "utf8": true, "utf16": true, "utf16le": true, "utf32": true, "ucs2": true,
	"latin1": true, "latin2": true, "latin5": true, "latin7": true, "koi8r": true, "koi8u": true,
	"cp850": true, "cp852": true, "cp866": true, "keybcs2": true, "macce": true, "macroman": true,
}

// holed says whether a text of the column may have none in UTF-8.
func holed(c schema.Column) bool { return c.Charset != "" && !faithful[c.Charset] }

// What has no text is read as noText and its bytes in hexadecimal digits: no
// other value has that text, and as it is no UTF-8 no column takes it. The
// server cannot print that; there it begins with lost, a noncharacter that text
// is not to hold (Unicode, "Noncharacters") and no set with holes has.
const (
	lost   = "\U0010ffff"
	noText = 0xff
)

// utf8Text is a column's text in UTF-8.
func utf8Text(name string, c schema.Column) string {
	if c.Charset == utf8 {
		return name
	}
	text := "CONVERT(" + name + " USING " + utf8 + ")"
	if !holed(c) {
		return text
	}
	back := "CAST(CONVERT(" + text + " USING " + c.Charset + ") AS BINARY)"
	return "IF(" + back + " = CAST(" + name + " AS BINARY), " + text + ", CONCAT(" + quoteText(lost) + ", HEX(" + name + ")))"
}
