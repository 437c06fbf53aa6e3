// Package cdc reads change events as Debezium's connectors for MySQL, MariaDB
// and PostgreSQL write them to Kafka in JSON: which rows of a table may have
// changed. Only keys are taken from an event; what a row holds is read from the
// databases.
//
// A key that no row has does no harm, it only costs a look. So where an event
// leaves open what a value means, because it comes without its schema or the
// connector is known to be wrong about it, all that it may mean are returned.
//
// Not read are the timestamps before 1582 of PostgreSQL's snapshots, which the
// connector moves by the days between two calendars, and keys that its own
// parser refuses, such as MariaDB's INET6.
//
//	event.go   an event and its parts
//	value.go   one value of a key, by the column's type
//	moment.go  times, whose unit is in the name of their schema
package cdc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Kind is what an event says.
type Kind uint8

// The kinds.
const (
	// Nothing changed no row: a message of the application.
	Nothing Kind = iota
	// Rows names rows that may have changed.
	Rows
	// All is a truncated table: every row may have gone.
	All
	// Other is an event of another table.
	Other
)

// Event is what a record says about a table.
type Event struct {
	Kind Kind
	Keys []row.Key
	// Table is the table an event of kind Other belongs to.
	Table string
	// At is when the server committed the change; zero where it is not said.
	At time.Time
	// Snapshot marks a row that was read rather than changed.
	Snapshot bool
}

// Table is the table whose events are read.
type Table struct {
	// Name is compared with the events'; an empty Schema matches any.
	Name schema.Name
	// Key are the columns of the pair's key on this side, by this side's names.
	Key []schema.ViewColumn
}

// envelope is the value of a change event, of which these parts are read.
type envelope struct {
	Op     string          `json:"op"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
	Source *source         `json:"source"`
}

type source struct {
	DB       string `json:"db"`
	Schema   string `json:"schema"`
	Table    string `json:"table"`
	Ms       int64  `json:"ts_ms"`
	Snapshot any    `json:"snapshot"` // a text in newer versions, a truth value in older ones
}

// Read reads a record. An error says that it cannot be understood, now or
// later.
func (t Table) Read(key, value []byte) (Event, error) {
	if len(value) == 0 && len(key) == 0 {
		return Event{}, nil
	}
	keys, err := open(key)
	if err != nil {
		return Event{}, fmt.Errorf("the key: %w", err)
	}
	if len(value) == 0 { // a tombstone follows a delete, for compaction
		return t.rows(Event{}, keys)
	}
	values, err := open(value)
	if err != nil {
		return Event{}, fmt.Errorf("the value: %w", err)
	}
	var e envelope
	if err := json.Unmarshal(values.payload, &e); err != nil {
		return Event{}, fmt.Errorf("the value is no change event: %w", err)
	}
	out := Event{}
	if s := e.Source; s != nil {
		out.Snapshot = s.Snapshot != nil && s.Snapshot != "false" && s.Snapshot != false
		if s.Ms > 0 {
			out.At = time.UnixMilli(s.Ms)
		}
		if s.Table != "" && !t.is(*s) {
			out.Kind, out.Table = Other, s.name().String()
			return out, nil
		}
	}
	switch e.Op {
	case "t":
		out.Kind = All
		return out, nil
	case "c", "u", "d", "r":
		return t.change(out, keys, values, e)
	case "m":
		return out, nil
	case "": // the row alone, as ExtractNewRecordState leaves it
		return t.rows(out, keys)
	default:
		return Event{}, fmt.Errorf("the operation %q is not known", e.Op)
	}
}

// change takes the key from the record's key or, where the connector has
// another one than the pair, from the row before and after.
func (t Table) change(out Event, keys, values part, e envelope) (Event, error) {
	if keys.has(t.Key) {
		return t.rows(out, keys)
	}
	for _, side := range []struct {
		name string
		row  json.RawMessage
	}{{"before", e.Before}, {"after", e.After}} {
		if len(side.row) == 0 || bytes.Equal(side.row, null) {
			continue
		}
		image := part{payload: side.row, schema: values.schema.field(side.name)}
		if !image.has(t.Key) {
			continue
		}
		next, err := t.rows(out, image)
		if err != nil {
			return Event{}, err
		}
		out.Kind, out.Keys = Rows, append(out.Keys, next.Keys...)
	}
	if out.Kind != Rows {
		return Event{}, fmt.Errorf("the event does not have the pair's key columns %v; set the connector's message.key.columns to them", t.columns())
	}
	return out, nil
}

// rows reads the keys that a part may mean.
func (t Table) rows(out Event, p part) (Event, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(p.payload, &fields); err != nil {
		return Event{}, fmt.Errorf("the key is no object: %w", err)
	}
	candidates := []row.Key{{}}
	for _, c := range t.Key {
		raw, found := fields[c.Name]
		if !found {
			return Event{}, fmt.Errorf("the key has no column %s, as the pair's has; set the connector's message.key.columns to %v", c.Name, t.columns())
		}
		values, err := decode(c, p.schema.field(c.Name), raw)
		if err != nil {
			return Event{}, fmt.Errorf("column %s (%s): %w", c.Name, c.Native, err)
		}
		var grown []row.Key
		for _, candidate := range candidates {
			for _, v := range values {
				grown = append(grown, append(candidate[:len(candidate):len(candidate)], v))
			}
		}
		candidates = grown
	}
	out.Kind, out.Keys = Rows, candidates
	return out, nil
}

func (t Table) columns() []string {
	var names []string
	for _, c := range t.Key {
		names = append(names, c.Name)
	}
	return names
}

// is says whether an event's source is the table. A connector names MySQL's
// databases db, and PostgreSQL's schemas schema.
func (t Table) is(s source) bool {
	name := s.name()
	return name.Table == t.Name.Table && (t.Name.Schema == "" || name.Schema == t.Name.Schema)
}

func (s source) name() schema.Name {
	if s.Schema != "" {
		return schema.Name{Schema: s.Schema, Table: s.Table}
	}
	return schema.Name{Schema: s.DB, Table: s.Table}
}

// part is a key, a value or a row: its payload and, where it was sent along,
// its schema.
type part struct {
	schema  *field
	payload json.RawMessage
}

// field is a schema of Kafka Connect in JSON.
type field struct {
	Type       string            `json:"type"`
	Field      string            `json:"field"`
	Name       string            `json:"name"`
	Parameters map[string]string `json:"parameters"`
	Fields     []field           `json:"fields"`
}

var null = []byte("null")

// open takes off the envelope of JsonConverter, which has it with
// schemas.enable=true.
func open(data []byte) (part, error) {
	if len(data) == 0 {
		return part{payload: null}, nil
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		if len(data) > 0 && data[0] == 0 {
			return part{}, errors.New("it is binary, as Avro with a schema registry is; use JsonConverter")
		}
		return part{}, fmt.Errorf("it is no JSON object: %w", err)
	}
	text, hasSchema := whole["schema"]
	payload, hasPayload := whole["payload"]
	if len(whole) != 2 || !hasSchema || !hasPayload {
		return part{payload: data}, nil
	}
	var s *field
	if json.Unmarshal(text, &s) != nil || s != nil && s.Type != "struct" {
		return part{payload: data}, nil // two columns of these names
	}
	return part{schema: s, payload: payload}, nil
}

// field finds the schema of a field; nil where there is none.
func (f *field) field(name string) *field {
	if f == nil {
		return nil
	}
	for i := range f.Fields {
		if f.Fields[i].Field == name {
			return &f.Fields[i]
		}
	}
	return nil
}

func (p part) holds(name string) bool {
	var fields map[string]json.RawMessage
	return json.Unmarshal(p.payload, &fields) == nil && fields[name] != nil
}

// has says whether all columns are there.
func (p part) has(columns []schema.ViewColumn) bool {
	for _, c := range columns {
		if !p.holds(c.Name) {
			return false
		}
	}
	return true
}
