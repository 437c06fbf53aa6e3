// Package config reads configuration files strictly: a key nobody asked for, a
// key given twice and a value of the wrong type are errors that name the key
// and its line. It knows no settings itself: each package defines the struct
// of its own, and whoever composes them asks for the composition.
package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Error is what is wrong with a configuration file. It never shows a value of
// the file, since that may be a password.
type Error struct {
	// File is the file as the user named it.
	File string
	// Line counts from 1; 0 when the error belongs to no line.
	Line int
	// Message says what is wrong and, where it is not plain, what to do.
	Message string
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
	}
	return e.File + ": " + e.Message
}

// Load reads the YAML file at path into a T. When *T has a Validate method,
// its error is returned with the file's name, and with the line of the field
// where the error tells it (see At).
func Load[T any](path string) (T, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		var none T
		return none, fmt.Errorf("read configuration: %w", err)
	}
	return decode[T](path, text)
}

func decode[T any](path string, text []byte) (T, error) {
	var value, none T
	document, err := parse(path, text)
	if err != nil {
		return none, err
	}
	if err := check(path, document, reflect.TypeFor[T]()); err != nil {
		return none, err
	}
	if err := yaml.NodeToValue(document, &value, yaml.Strict()); err != nil {
		return none, plain(path, document, err)
	}
	if v, ok := any(&value).(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return none, &Error{File: path, Line: lineOf(document, err), Message: err.Error()}
		}
	}
	return value, nil
}

// parse returns the only document of the text.
func parse(path string, text []byte) (ast.Node, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, plain(path, nil, err)
	}
	var documents []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			documents = append(documents, d.Body)
		}
	}
	switch {
	case len(documents) == 0:
		return nil, &Error{File: path, Message: "the file is empty; see README.md for an example to start from"}
	case len(documents) > 1:
		return nil, &Error{
			File: path, Line: documents[1].GetToken().Position.Line,
			Message: "a second document begins here; one file holds one document",
		}
	}
	return documents[0], nil
}

// plain turns the YAML library's error into one without the source around it,
// which may hold a password, and without the names of Go types.
func plain(path string, document ast.Node, err error) error {
	cause, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return &Error{File: path, Message: "a value does not fit its key"}
	}
	out := &Error{File: path}
	token := cause.GetToken()
	if token != nil && token.Position != nil {
		out.Line = token.Position.Line
	}
	field := pathOf(document, token)
	switch cause.(type) {
	case *yaml.UnknownFieldError:
		out.Message = fmt.Sprintf("unknown key %q", field)
	case *yaml.SyntaxError:
		out.Message = "not valid YAML: " + cause.GetMessage()
		if strings.Contains(cause.GetMessage(), "alias") { // its name may be a password that begins with *
			out.Message = "not valid YAML: no anchor for this alias; quote a value that begins with *"
		}
	default:
		out.Message = mismatch(field, cause)
	}
	return out
}

// Expand replaces every ${NAME} of text by the environment variable NAME. It
// is meant for single values after the file was parsed, so that what a
// variable holds can never be read as YAML. A variable that is not set is an
// error that names it. There is no escape: a password with "${" in
// it comes from a variable itself.
func Expand(text string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", errors.New(`"${" without "}"; write ${NAME} for the environment variable NAME`)
		}
		value, set := os.LookupEnv(name)
		if !set {
			return "", fmt.Errorf("environment variable %q is not set; export it", name)
		}
		out.WriteString(value)
		text = after
	}
}
