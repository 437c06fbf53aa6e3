package canonical

import (
	"bytes"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonDepth is how deep a document may be nested: far deeper than MySQL's 100
// (its manual, "The JSON Data Type"), shallow enough for the stack.
const jsonDepth = 1_000

// The kinds of a node are the bytes their texts begin with.
const (
	jsonObject = '{'
	jsonArray  = '['
	jsonString = '"'
	jsonNumber = '0'
)

// jsonNode is a value: a string's characters, a number's text, or the members
// from (included) to (excluded) of an array or object. true, false and null
// are their first letter.
type jsonNode struct {
	kind     byte
	text     []byte
	from, to int
}

// jsonMember is a member of an object, or, without name, of an array.
type jsonMember struct {
	name  []byte
	value jsonNode
}

// jsonParser turns a text into nodes. The members of one array or object are
// neighbours in members; objects are sorted by name and have each name once.
// open holds the members of the arrays and objects not yet closed.
type jsonParser struct {
	text    []byte
	members []jsonMember
	open    []jsonMember
	strings []byte // the characters of strings that were escaped
	depth   int
}

func (p *jsonParser) parse(text []byte) (jsonNode, bool) {
	p.text, p.depth = text, 0
	p.members, p.open, p.strings = p.members[:0], p.open[:0], p.strings[:0]
	node, ok := p.value()
	p.blanks()
	return node, ok && len(p.text) == 0
}

func (p *jsonParser) large() bool {
	const memberBytes = 80 // a jsonMember's size
	return cap(p.strings) > jsonKeep || (cap(p.members)+cap(p.open))*memberBytes > jsonKeep
}

// forget drops the references into the caller's memory.
func (p *jsonParser) forget() {
	p.text = nil
	clear(p.members)
	clear(p.open)
}

func (p *jsonParser) blanks() {
	for len(p.text) > 0 {
		switch p.text[0] {
		case ' ', '\t', '\n', '\r':
			p.text = p.text[1:]
		default:
			return
		}
	}
}

// next takes c off the text when it comes next after blanks.
func (p *jsonParser) next(c byte) bool {
	p.blanks()
	if len(p.text) == 0 || p.text[0] != c {
		return false
	}
	p.text = p.text[1:]
	return true
}

func (p *jsonParser) value() (jsonNode, bool) {
	p.blanks()
	if len(p.text) == 0 {
		return jsonNode{}, false
	}
	switch c := p.text[0]; c {
	case jsonObject:
		return p.container(jsonObject, '}')
	case jsonArray:
		return p.container(jsonArray, ']')
	case jsonString:
		text, ok := p.string()
		return jsonNode{kind: jsonString, text: text}, ok
	case 't':
		return jsonNode{kind: c}, p.word("true")
	case 'f':
		return jsonNode{kind: c}, p.word("false")
	case 'n':
		return jsonNode{kind: c}, p.word("null")
	default:
		return p.number()
	}
}

func (p *jsonParser) word(word string) bool {
	rest, found := bytes.CutPrefix(p.text, []byte(word))
	p.text = rest
	return found
}

func (p *jsonParser) container(kind, end byte) (jsonNode, bool) {
	p.text = p.text[1:]
	if p.depth++; p.depth > jsonDepth {
		return jsonNode{}, false
	}
	base := len(p.open)
	if !p.next(end) {
		for {
			member, ok := p.member(kind)
			if !ok {
				return jsonNode{}, false
			}
			p.open = append(p.open, member)
			if p.next(end) {
				break
			}
			if !p.next(',') {
				return jsonNode{}, false
			}
		}
	}
	p.depth--
	return p.closed(kind, base), true
}

func (p *jsonParser) member(kind byte) (jsonMember, bool) {
	var m jsonMember
	if kind == jsonObject {
		p.blanks()
		if len(p.text) == 0 || p.text[0] != jsonString {
			return m, false
		}
		name, ok := p.string()
		if !ok || !p.next(':') {
			return m, false
		}
		m.name = name
	}
	value, ok := p.value()
	m.value = value
	return m, ok
}

// closed moves the members open since base to their place for good.
func (p *jsonParser) closed(kind byte, base int) jsonNode {
	all := p.open[base:]
	own := all
	if kind == jsonObject {
		own = lastOfEachName(own)
	}
	node := jsonNode{kind: kind, from: len(p.members)}
	p.members = append(p.members, own...)
	node.to = len(p.members)
	clear(all)
	p.open = p.open[:base]
	return node
}

// lastOfEachName sorts by name and keeps the last of those with the same.
func lastOfEachName(members []jsonMember) []jsonMember {
	slices.SortStableFunc(members, func(x, y jsonMember) int { return bytes.Compare(x.name, y.name) })
	kept := members[:0]
	for i, m := range members {
		if i+1 < len(members) && bytes.Equal(m.name, members[i+1].name) {
			continue
		}
		kept = append(kept, m)
	}
	return kept
}

// number holds the text to the grammar of JSON; equalNumber takes its value.
func (p *jsonParser) number() (jsonNode, bool) {
	size := 0
	if p.text[0] == '-' {
		size++
	}
	whole := countDigits(p.text[size:])
	if whole == 0 || whole > 1 && p.text[size] == '0' {
		return jsonNode{}, false
	}
	size += whole
	if size < len(p.text) && p.text[size] == '.' {
		frac := countDigits(p.text[size+1:])
		if frac == 0 {
			return jsonNode{}, false
		}
		size += 1 + frac
	}
	if size < len(p.text) && (p.text[size] == 'e' || p.text[size] == 'E') {
		size++
		if size < len(p.text) && (p.text[size] == '-' || p.text[size] == '+') {
			size++
		}
		size += countDigits(p.text[size:])
	}
	text := p.text[:size]
	_, ok := parseNumber(text)
	p.text = p.text[size:]
	return jsonNode{kind: jsonNumber, text: text}, ok
}

// string returns the characters of the string the text begins with.
func (p *jsonParser) string() ([]byte, bool) {
	rest := p.text[1:]
	for i, c := range rest {
		switch {
		case c == '"':
			p.text = rest[i+1:]
			return rest[:i:i], utf8.Valid(rest[:i])
		case c == '\\':
			return p.escaped(rest, i)
		case c < ' ':
			return nil, false
		}
	}
	return nil, false
}

// escaped is string for a text with an escape at plain. Its characters are
// collected in p.strings.
func (p *jsonParser) escaped(rest []byte, plain int) ([]byte, bool) {
	start := len(p.strings)
	p.strings = append(p.strings, rest[:plain]...)
	rest = rest[plain:]
	for len(rest) > 0 {
		c := rest[0]
		switch {
		case c == '"':
			p.text = rest[1:]
			own := p.strings[start:len(p.strings):len(p.strings)]
			return own, utf8.Valid(own)
		case c == '\\':
			size := p.unescape(rest)
			if size == 0 {
				return nil, false
			}
			rest = rest[size:]
		case c < ' ':
			return nil, false
		default:
			p.strings = append(p.strings, c)
			rest = rest[1:]
		}
	}
	return nil, false
}

// unescape appends the character of the escape that text begins with, and
// returns the escape's length, 0 when there is none.
func (p *jsonParser) unescape(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	switch c := text[1]; c {
	case '"', '\\', '/':
		p.strings = append(p.strings, c)
	case 'b':
		p.strings = append(p.strings, '\b')
	case 'f':
		p.strings = append(p.strings, '\f')
	case 'n':
		p.strings = append(p.strings, '\n')
	case 'r':
		p.strings = append(p.strings, '\r')
	case 't':
		p.strings = append(p.strings, '\t')
	case 'u':
		char, size := unescapeRune(text)
		p.strings = utf8.AppendRune(p.strings, char)
		return size
	default:
		return 0
	}
	return 2
}

// unescapeRune reads \uXXXX or a surrogate pair of two. Half a pair is no
// character (size 0): turning it into U+FFFD would make different texts equal.
func unescapeRune(text []byte) (char rune, size int) {
	high, ok := hexRune(text)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(high) {
		return high, 6
	}
	low, ok := hexRune(text[6:])
	if !ok {
		return 0, 0
	}
	if char = utf16.DecodeRune(high, low); char == utf8.RuneError {
		return 0, 0
	}
	return char, 12
}

func hexRune(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var char rune
	for _, c := range text[2:6] {
		digit := bytes.IndexByte([]byte("0123456789abcdef"), c|0x20)
		if digit < 0 || !isHexDigit(c) {
			return 0, false
		}
		char = char<<4 | rune(digit)
	}
	return char, true
}
