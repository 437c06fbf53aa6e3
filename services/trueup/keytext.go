package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/row"
)

// keyHelp says how KEY is written.
const keyHelp = `KEY is the key as trueup prints it: 7, id=7, "shop=1, id=7" or
{"shop":1,"id":7}, with the columns in the order of the pair's key. A text that
holds = or , is written in quotes, as in JSON.`

var namedValue = regexp.MustCompile(`^\s*[^\s="{]+\s*=`)

// parseKey reads a key as describeKey and jsonKey print it: values in key order.
func parseKey(text string) (row.Key, error) {
	switch {
	case strings.HasPrefix(strings.TrimSpace(text), "{"):
		return parseJSONKey(text)
	case namedValue.MatchString(text):
		return parseNamedKey(text)
	case text == "":
		return nil, usage("KEY is empty; write \"\" in quotes for an empty text: '\"\"'")
	default:
		value, rest, err := parseValue(text)
		if err == nil && rest != "" {
			value = row.Value(text) // a text with commas in it
		}
		return row.Key{value}, err
	}
}

func parseJSONKey(text string) (row.Key, error) {
	wrong := func(err error) error { return usage("KEY %s: %w; write it like {\"id\":7}", text, err) }
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
		return nil, usage("KEY %s names no column; write it like {\"id\":7}", text)
	}
	return key, nil
}

func parseNamedKey(text string) (row.Key, error) {
	var key row.Key
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "=")
		if !found {
			return nil, usage("KEY %s: %q is not column=value", text, rest)
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
		return nil, "", usage("KEY: %s does not end its quotes", text)
	}
	plain, err := strconv.Unquote(quoted)
	if err != nil {
		return nil, "", usage("KEY: %s: %w", quoted, err)
	}
	rest = strings.TrimPrefix(strings.TrimSpace(text[len(quoted):]), ",")
	return append(row.Value{}, plain...), strings.TrimSpace(rest), nil
}
