package canonical

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/row"
)

// BoolWords are the words of Rule.Bool. The first of each is the one that is
// written.
type BoolWords struct {
	True  []string `yaml:"true"`
	False []string `yaml:"false"`
}

// UnmarshalYAML reads {true: [Y, yes], false: [N, no]}, whose keys YAML takes for
// booleans rather than for names.
func (b *BoolWords) UnmarshalYAML(unmarshal func(any) error) error {
	lists := map[string][]string{}
	if err := unmarshal(&lists); err != nil {
		return err
	}
	for key, list := range lists {
		switch key {
		case "true":
			b.True = list
		case "false":
			b.False = list
		default:
			return fmt.Errorf("rule bool: %q is unknown; say true or false", key)
		}
	}
	return nil
}

// words translates a column's own words into those of the other side.
type words struct {
	compared map[string][]byte
	own      map[string]row.Value
	// twice says which words have the same counterpart and none of them first;
	// empty when each value can be written.
	twice string
}

// Compared implements Translation.
func (w *words) Compared(own []byte) []byte {
	if word, known := w.compared[string(own)]; known {
		return word
	}
	return marked(foreign, own)
}

// Own implements Translation.
func (w *words) Own(compared row.Value) (row.Value, error) {
	if word, known := w.own[string(compared)]; known {
		return word, nil
	}
	return nil, errForeign
}

// Writable implements Translation.
func (w *words) Writable() error {
	if w.twice == "" {
		return nil
	}
	return fmt.Errorf("rule enum: %s, so it is open which of them to write; give each word of the target one of the source", w.twice)
}

// enumWords are the words of Rule.Enum, which the source's column holds.
func (r Rule) enumWords(source, target Type) (*words, error) {
	out := &words{compared: map[string][]byte{}, own: map[string]row.Value{}}
	if len(r.Enum) == 0 {
		return nil, errors.New("rule enum: has no word; write it as {source's word: target's word}")
	}
	from := map[string]string{} // the words as the user wrote them
	for _, word := range slices.Sorted(maps.Keys(r.Enum)) {
		own, err := wordOf(source, word)
		if err != nil {
			return nil, fmt.Errorf("rule enum: source: %w", err)
		}
		compared, err := wordOf(target, r.Enum[word])
		if err != nil {
			return nil, fmt.Errorf("rule enum: target: %w", err)
		}
		if _, again := out.compared[own]; again {
			return nil, fmt.Errorf("rule enum: the source's word %q is given twice; leave one of them out", own)
		}
		if first, again := from[compared]; again && out.twice == "" {
			out.twice = fmt.Sprintf("%q and %q both mean %q", first, word, r.Enum[word])
		}
		from[compared] = word
		out.compared[own], out.own[compared] = []byte(compared), row.Value(own)
	}
	return out, nil
}

// boolWordsAtSource says which side holds the words of Rule.Bool: the one that
// is less of a boolean.
func (r Rule) boolWordsAtSource(source, target Type) bool {
	return wordiness(source) > wordiness(target)
}

// wordiness is 0 for a boolean, 1 for a number that may stand for one, and 2
// for texts; -1 for a type that is none of these.
func wordiness(t Type) int {
	switch {
	case t.Kind == Bool || t == Type{Kind: Bits, Width: 1}:
		return 0
	case t.Kind == Int:
		return 1
	case t.Kind == Text:
		return 2
	default:
		return -1
	}
}

// words are those of a column of type own, against 1 and 0 on the other side.
func (b *BoolWords) words(own Type) (*words, error) {
	if len(b.True) == 0 || len(b.False) == 0 {
		return nil, errors.New("rule bool: needs words for both; write it as {true: [Y], false: [N]}")
	}
	out := &words{compared: map[string][]byte{}, own: map[string]row.Value{}}
	for _, side := range []struct {
		truth string
		words []string
	}{{"1", b.True}, {"0", b.False}} {
		for i, text := range side.words {
			word, err := wordOf(own, text)
			if err != nil {
				return nil, fmt.Errorf("rule bool: %w", err)
			}
			if _, again := out.compared[word]; again {
				return nil, fmt.Errorf("rule bool: the word %q is given twice; leave one of them out", text)
			}
			out.compared[word] = []byte(side.truth)
			if i == 0 {
				out.own[side.truth] = row.Value(word)
			}
		}
	}
	return out, nil
}

// unifyWords is the type in which a column with words is compared: that of the
// side they are translated for.
func (r Rule) unifyWords(source, target Type) (Type, error) {
	if r.Enum != nil {
		for _, t := range []Type{source, target} {
			if wordiness(t) < 0 {
				return Type{}, fmt.Errorf("rule enum: is for texts, whole numbers and booleans, and a side is %s; leave the rule out", t)
			}
		}
		return target, nil
	}
	a, b := wordiness(source), wordiness(target)
	switch {
	case a < 0 || b < 0 || a == b:
		return Type{}, fmt.Errorf("rule bool: is for words on one side and a boolean on the other, and they are %s and %s; for words on both sides use the rule enum", source, target)
	case a > b:
		return target, nil
	default:
		return source, nil
	}
}

// wordOf is the canonical text of a word of a rule.
func wordOf(t Type, word string) (string, error) {
	switch wordiness(t) {
	case 0:
		switch strings.ToLower(word) {
		case "true", "1":
			return "1", nil
		case "false", "0":
			return "0", nil
		}
		return "", fmt.Errorf("%q is no boolean; say true or false", word)
	case 1:
		text, err := AppendIntText(nil, []byte(word))
		if err != nil {
			return "", fmt.Errorf("%q is no whole number, which the column holds; give numbers", word)
		}
		return string(text), nil
	default:
		return word, nil
	}
}
