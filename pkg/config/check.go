package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// check finds the values the YAML library would take with a shrug or refuse
// without a line: a fraction where a whole number belongs (it would be cut), a
// quoted number, a text that is no duration. Whatever is not judged here is
// left to the decoder, which refuses on its own.
func check(file string, node ast.Node, want reflect.Type) error {
	if want.Kind() == reflect.Pointer {
		return check(file, node, want.Elem())
	}
	switch n := node.(type) {
	case *ast.AnchorNode:
		return check(file, n.Value, want)
	case *ast.MappingNode:
		return checkMapping(file, n.Values, want)
	case *ast.MappingValueNode: // a mapping of one key
		return checkMapping(file, []*ast.MappingValueNode{n}, want)
	case *ast.SequenceNode:
		if want.Kind() != reflect.Slice {
			return nil
		}
		for _, value := range n.Values {
			if err := check(file, value, want.Elem()); err != nil {
				return err
			}
		}
		return nil
	default:
		return checkScalar(file, node, want)
	}
}

func checkMapping(file string, values []*ast.MappingValueNode, want reflect.Type) error {
	for _, entry := range values {
		var inner reflect.Type
		switch want.Kind() {
		case reflect.Map:
			inner = want.Elem()
		case reflect.Struct:
			key := entry.Key.GetToken()
			if key == nil {
				continue
			}
			field, ok := fieldOf(want, key.Value)
			if !ok {
				continue // an unknown key, which the decoder refuses
			}
			inner = field
		default:
			return nil
		}
		if err := check(file, entry.Value, inner); err != nil {
			return err
		}
	}
	return nil
}

// fieldOf finds the type of the struct field with the given YAML name, in
// inlined structs too.
func fieldOf(in reflect.Type, name string) (reflect.Type, bool) {
	for i := range in.NumField() {
		field := in.Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if options == "inline" && field.Type.Kind() == reflect.Struct {
			if found, ok := fieldOf(field.Type, name); ok {
				return found, true
			}
		}
		if tag == name {
			return field.Type, true
		}
	}
	return nil, false
}

func checkScalar(file string, node ast.Node, want reflect.Type) error {
	token := node.GetToken()
	if token == nil || token.Position == nil {
		return nil
	}
	fault := func(found string) error {
		return &Error{
			File: file, Line: token.Position.Line,
			Message: fieldPath(node) + ": want " + noun(want) + ", found " + found,
		}
	}
	if want == reflect.TypeFor[time.Duration]() {
		if text, ok := node.(*ast.StringNode); ok {
			if _, err := time.ParseDuration(text.Value); err != nil {
				return fault("a text that is none")
			}
			return nil
		}
		if _, ok := node.(*ast.NullNode); ok {
			return nil
		}
		return fault("a number without unit")
	}
	switch want.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		switch node.(type) {
		case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
			return fault("a fraction")
		case *ast.StringNode, *ast.LiteralNode:
			return fault("a text")
		}
	case reflect.Float32, reflect.Float64:
		// The library reads 1e-9 as a text, and converts it afterwards.
		if text, ok := node.(*ast.StringNode); ok {
			if _, err := strconv.ParseFloat(text.Value, 64); err != nil {
				return fault("a text")
			}
		}
	}
	return nil
}
