package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// fielded is implemented by validation errors that know which field they are
// about, as a path such as "pairs[0].schedule.full".
type fielded interface{ Field() string }

// At returns err with the path of the field it is about, so that Load can name
// the line. The message becomes "field: err".
func At(field string, err error) error {
	if err == nil {
		return nil
	}
	inner, ok := errors.AsType[*fieldError](err)
	if ok {
		return &fieldError{field: join(field, inner.field), err: inner.err}
	}
	return &fieldError{field: field, err: err}
}

type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }
func (e *fieldError) Field() string { return e.field }

func join(outer, inner string) string {
	if strings.HasPrefix(inner, "[") {
		return outer + inner
	}
	return outer + "." + inner
}

// lineOf finds the line of the field a validation error is about: that of the
// field itself, or of the nearest part around it that stands in the file. It
// returns 0 when the error does not say.
func lineOf(document ast.Node, err error) int {
	var at fielded
	if !errors.As(err, &at) {
		return 0
	}
	lines := map[string]int{}
	ast.Walk(visitor(func(n ast.Node) {
		path := fieldPath(n)
		if t := n.GetToken(); t != nil && t.Position != nil && (lines[path] == 0 || t.Position.Line < lines[path]) {
			lines[path] = t.Position.Line
		}
	}), document)
	for path := at.Field(); path != ""; path = parent(path) {
		if line := lines[path]; line > 0 {
			return line
		}
	}
	return 0
}

func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// pathOf names the field a token belongs to: "kafka.partitions".
func pathOf(document ast.Node, at *token.Token) string {
	if document == nil || at == nil {
		return ""
	}
	found := ""
	ast.Walk(visitor(func(n ast.Node) {
		if found == "" && n.GetToken() == at {
			found = fieldPath(n)
		}
	}), document)
	return found
}

// fieldPath is the node's path in the words of this package: no leading "$.".
func fieldPath(n ast.Node) string {
	return strings.TrimPrefix(strings.TrimPrefix(n.GetPath(), "$"), ".")
}

type visitor func(ast.Node)

func (v visitor) Visit(n ast.Node) ast.Visitor {
	v(n)
	return v
}

// mismatch words an error about a value that does not fit its field.
func mismatch(field string, cause yaml.Error) string {
	if field == "" {
		field = "the file"
	}
	switch e := cause.(type) {
	case *yaml.TypeError:
		return fmt.Sprintf("%s: want %s, found %s", field, noun(e.DstType), noun(e.SrcType))
	case *yaml.OverflowError:
		return fmt.Sprintf("%s: the number is too large or too small for %s", field, noun(e.DstType))
	case *yaml.UnexpectedNodeTypeError:
		return fmt.Sprintf("%s: want a %s, found a %s", field, e.Expected.YAMLName(), e.Actual.YAMLName())
	default:
		return fmt.Sprintf("%s: the value does not fit", field)
	}
}

// noun names a Go type to somebody who writes YAML.
func noun(t reflect.Type) string {
	if t == nil {
		return "nothing"
	}
	if t.PkgPath() == "time" && t.Name() == "Duration" {
		return "a duration such as 30s"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number of 0 or more"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a mapping of keys to values"
	case reflect.Pointer:
		return noun(t.Elem())
	default:
		return "another kind of value"
	}
}
