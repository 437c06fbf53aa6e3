package database

import (
	"context"
	"fmt"
	"io"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// arenaSize is the first size of the memory a decoder keeps a row in; it grows
// to the largest row it meets.
const arenaSize = 4096

// decoder turns driver values into canonical texts, all values of a row in one
// reused block of memory.
type decoder struct {
	dialect dialect.Dialect
	columns []schema.ViewColumn
	own     []schema.ViewColumn // the columns before any translation
	raw     []dialect.Raw
	arena   []byte
	ends    []int
	row     row.Row
}

func newDecoder(d dialect.Dialect, columns []schema.ViewColumn) *decoder {
	return &decoder{
		dialect: d,
		columns: columns,
		own:     owned(columns),
		raw:     make([]dialect.Raw, len(columns)),
		arena:   make([]byte, 0, arenaSize),
		ends:    make([]int, len(columns)),
		row:     make(row.Row, len(columns)),
	}
}

// owned are the columns as AppendValue has to see them.
func owned(columns []schema.ViewColumn) []schema.ViewColumn {
	out := make([]schema.ViewColumn, len(columns))
	for i, c := range columns {
		out[i] = c.Own()
	}
	return out
}

// decode reads the row a stream is at; it is valid until the following call.
func (d *decoder) decode(s stream) (row.Row, error) {
	if s.width() != len(d.raw) {
		return nil, fmt.Errorf("the statement returns %d columns where %d are expected", s.width(), len(d.raw))
	}
	if err := s.read(d.raw); err != nil {
		return nil, err
	}
	arena := d.arena[:0]
	var err error
	for i := range d.raw {
		if d.raw[i].Kind != dialect.RawNull {
			start := len(arena)
			if arena, err = d.dialect.AppendValue(arena, &d.own[i], &d.raw[i]); err != nil {
				return nil, &valueError{err}
			}
			if t := d.columns[i].Translation; t != nil {
				arena = append(arena[:start], t.Compared(arena[start:])...)
			}
		}
		d.ends[i] = len(arena)
	}
	d.arena = arena
	// Only now, because growing moves the arena.
	start := 0
	for i, end := range d.ends {
		d.row[i] = nil
		if d.raw[i].Kind != dialect.RawNull {
			d.row[i] = row.Value(arena[start:end:end])
		}
		start = end
	}
	return d.row, nil
}

// cursor is a row.Cursor over a session of its own.
type cursor struct {
	db      *DB
	ctx     context.Context // of the statement, to tell a cancelled read from a broken one
	what    subject
	session session
	stream  stream
	decoder *decoder
	err     error // what every further Next returns
}

// Next implements row.Cursor. After an error or io.EOF it returns the same
// again: drivers report a broken stream once and an ordinary end from then on.
func (c *cursor) Next() (row.Row, error) {
	if err := c.Advance(); err != nil {
		return nil, err
	}
	return c.Row()
}

// Advance implements row.Undecoded.
func (c *cursor) Advance() error {
	if c.err != nil {
		return c.err
	}
	return c.end(c.stream.advance())
}

// Row implements row.Undecoded.
func (c *cursor) Row() (row.Row, error) {
	r, err := c.decoder.decode(c.stream)
	return r, c.end(err)
}

// Wire implements row.Undecoded.
func (c *cursor) Wire() [][]byte { return c.stream.wire() }

// Form implements row.Undecoded: how values are sent, and what decoding them
// depends on.
func (c *cursor) Form() string {
	if c.stream == nil || c.stream.form() == "" {
		return ""
	}
	form := []byte(c.db.Engine() + " " + c.stream.form())
	for _, column := range c.decoder.columns {
		if column.Translation != nil { // the same bytes mean something else at the other side
			return ""
		}
		// What says nothing about values may differ. Whatever else a column
		// comes to hold counts until it is shown not to.
		column.Name, column.Collation = "", ""
		column.Nullable, column.HasDefault, column.Generated, column.OnUpdate = false, false, false, false
		column.Identity, column.AlwaysIdentity = false, false
		form = fmt.Appendf(form, " %+v", column)
	}
	return string(form)
}

// end keeps what every further call returns once err is not nil.
func (c *cursor) end(err error) error {
	if err == nil {
		return nil
	}
	c.err = io.EOF
	if err != io.EOF { //nolint:errorlint // only the bare value is the end; a wrapped one is a lost connection
		c.err = c.db.fail(c.ctx, c.what, err)
	}
	c.giveBack()
	return c.err
}

// Close implements row.Cursor.
func (c *cursor) Close() error {
	if c.err == nil {
		c.err = fmt.Errorf("%s: the cursor is closed", c.what)
	}
	c.giveBack()
	return nil
}

func (c *cursor) giveBack() {
	if c.session == nil {
		return
	}
	c.stream.close()
	c.session.release()
	c.session, c.stream = nil, nil
}

// collect clones all rows of a stream and closes it.
func collect(d *decoder, s stream, into []row.Row) ([]row.Row, error) {
	defer s.close()
	for {
		err := s.advance()
		if err == io.EOF { //nolint:errorlint // only the bare value is the end; a wrapped one is a lost connection
			return into, nil
		}
		if err != nil {
			return nil, err
		}
		r, err := d.decode(s)
		if err != nil {
			return nil, err
		}
		into = append(into, r.Clone())
	}
}

// texts reads all rows of a stream as texts, NULL as nil, and closes it.
func texts(s stream) ([][]*string, error) {
	defer s.close()
	raw := make([]dialect.Raw, s.width())
	var out [][]*string
	for {
		err := s.advance()
		if err == io.EOF { //nolint:errorlint // only the bare value is the end; a wrapped one is a lost connection
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if err := s.read(raw); err != nil {
			return nil, err
		}
		line := make([]*string, len(raw))
		for i := range raw {
			if raw[i].Kind != dialect.RawNull {
				text := rawText(raw[i])
				line[i] = &text
			}
		}
		out = append(out, line)
	}
}
