package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// DescribeKey is a key for a person to read: "id=7, line=2".
func DescribeKey(k event.Key) string {
	text := ""
	for i, c := range k {
		if i > 0 {
			text += ", "
		}
		text += c.Column + "=" + string(c.Value)
		if c.Type.Free() {
			text = text[:len(text)-len(c.Value)] + fmt.Sprintf("%q", c.Value)
		}
	}
	return text
}

var namedValue = regexp.MustCompile(`^\s*[^\s="{]+\s*=`)

// ParseKey reads a key as DescribeKey, or `trueup diff --json`, prints it: values in
// key order. A text that is neither is the one value itself. An error goes on where
// a sentence has named the key: "KEY is empty; …".
func ParseKey(text string) (row.Key, error) {
	switch {
	case strings.HasPrefix(strings.TrimSpace(text), "{"):
		return parseJSONKey(text)
	case namedValue.MatchString(text):
		return parseNamedKey(text)
	case text == "":
		return nil, errors.New(`is empty; write "" in quotes for an empty text`)
	default:
		value, rest, err := parseValue(text)
		if err == nil && rest != "" {
			value = row.Value(text) // a text with commas in it
		}
		return row.Key{value}, err
	}
}

func parseJSONKey(text string) (row.Key, error) {
	wrong := func(err error) error { return fmt.Errorf("%s: %w; write it like {\"id\":7}", text, err) }
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if _, err := decoder.Token(); err != nil {
		return nil, wrong(err)
	}
	var key row.Key
	for decoder.More() {
		if _, err := decoder.Token(); err != nil { // the name
			return nil, wrong(err)
		}
		var value any
		if err := decoder.Decode(&value); err != nil {
			return nil, wrong(err)
		}
		switch v := value.(type) {
		case string:
			key = append(key, row.Value(v))
		case json.Number:
			key = append(key, row.Value(v))
		case bool:
			key = append(key, row.Value(strconv.Itoa(map[bool]int{true: 1}[v])))
		default:
			return nil, wrong(fmt.Errorf("%v is no value of a key", v))
		}
	}
	if _, err := decoder.Token(); err != nil {
		return nil, wrong(err)
	}
	if len(key) == 0 {
		return nil, fmt.Errorf("%s names no column; write it like {\"id\":7}", text)
	}
	return key, nil
}

func parseNamedKey(text string) (row.Key, error) {
	var key row.Key
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "=")
		if !found {
			return nil, fmt.Errorf("%s: %q is not column=value", text, rest)
		}
		value, left, err := parseValue(after)
		if err != nil {
			return nil, err
		}
		if key = append(key, value); left == "" {
			return key, nil
		}
		rest = left
	}
}

// parseValue reads a value up to a comma, or in quotes.
func parseValue(text string) (value row.Value, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		plain, rest, _ := strings.Cut(text, ",")
		return row.Value(strings.TrimSpace(plain)), rest, nil
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return nil, "", fmt.Errorf("%s does not end its quotes", text)
	}
	plain, err := strconv.Unquote(quoted)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", quoted, err)
	}
	rest = strings.TrimPrefix(strings.TrimSpace(text[len(quoted):]), ",")
	return append(row.Value{}, plain...), strings.TrimSpace(rest), nil
}
