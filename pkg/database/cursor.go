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
	raw     []dialect.Raw
	arena   []byte
	ends    []int
	row     row.Row
}

func newDecoder(d dialect.Dialect, columns []schema.ViewColumn) *decoder {
	return &decoder{
		dialect: d,
		columns: columns,
		raw:     make([]dialect.Raw, len(columns)),
		arena:   make([]byte, 0, arenaSize),
		ends:    make([]int, len(columns)),
		row:     make(row.Row, len(columns)),
	}
}

// next reads one row; it is valid until the following call.
func (d *decoder) next(s stream) (row.Row, error) {
	if s.width() != len(d.raw) {
		return nil, fmt.Errorf("the statement returns %d columns where %d are expected", s.width(), len(d.raw))
	}
	if err := s.next(d.raw); err != nil {
		return nil, err
	}
	arena := d.arena[:0]
	var err error
	for i := range d.raw {
		if d.raw[i].Kind != dialect.RawNull {
			if arena, err = d.dialect.AppendValue(arena, &d.columns[i], &d.raw[i]); err != nil {
				return nil, &valueError{err}
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
	if c.err != nil {
		return nil, c.err
	}
	r, err := c.decoder.next(c.stream)
	if err == nil {
		return r, nil
	}
	c.err = io.EOF
	if err != io.EOF { //nolint:errorlint // only the bare value is the end; a wrapped one is a lost connection
		c.err = c.db.fail(c.ctx, c.what, err)
	}
	c.giveBack()
	return nil, c.err
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
		r, err := d.next(s)
		if err == io.EOF { //nolint:errorlint // only the bare value is the end; a wrapped one is a lost connection
			return into, nil
		}
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
		err := s.next(raw)
		if err == io.EOF { //nolint:errorlint // only the bare value is the end; a wrapped one is a lost connection
			return out, nil
		}
		if err != nil {
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
