package database

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/schema"
)

// script is a stream of prepared answers.
type script struct {
	columns int
	rows    [][]dialect.Raw
	row     []dialect.Raw
	err     error // after the rows
	closed  int
}

func (s *script) width() int { return s.columns }

func (s *script) advance() error {
	if len(s.rows) == 0 {
		err := s.err
		s.err = io.EOF // as drivers do: an error once, then the end
		return err
	}
	s.row, s.rows = s.rows[0], s.rows[1:]
	return nil
}

func (s *script) read(dest []dialect.Raw) error {
	copy(dest, s.row)
	return nil
}

func (s *script) wire() [][]byte { return nil }

func (s *script) form() string { return "" }

func (s *script) close() { s.closed++ }

// plain is a dialect whose texts are those of the driver.
type plain struct{ dialect.Dialect }

var errValue = errors.New("column c1: no such text")

func (plain) AppendValue(dst []byte, _ *schema.ViewColumn, raw *dialect.Raw) ([]byte, error) {
	if string(raw.Bytes) == "bad" {
		return dst, errValue
	}
	return append(dst, raw.Bytes...), nil
}

func (plain) Classify(error) dialect.Class { return dialect.ClassUnknown }

func text(s string) dialect.Raw { return dialect.Raw{Kind: dialect.RawBytes, Bytes: []byte(s)} }

func cursorOver(t *testing.T, s *script) *cursor {
	t.Helper()
	db := &DB{dialect: plain{}}
	return &cursor{
		db: db, ctx: t.Context(), what: subject{op: "read rows of", table: "orders"},
		session: nowhere{}, stream: s, decoder: newDecoder(plain{}, make([]schema.ViewColumn, s.columns)),
	}
}

type nowhere struct{ session }

func (nowhere) release() {}

func TestACursorKeepsItsErrorInsteadOfAnEnd(t *testing.T) {
	lost := errors.New("connection reset")
	s := &script{columns: 1, rows: [][]dialect.Raw{{text("1")}}, err: lost}
	c := cursorOver(t, s)
	if _, err := c.Next(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := c.Next(); !errors.Is(err, lost) {
			t.Fatalf("Next = %v, want the lost connection again and again", err)
		}
	}
	if err := c.Close(); err != nil || s.closed != 1 {
		t.Errorf("closed %d times: %v", s.closed, err)
	}
}

func TestACursorEndsOnce(t *testing.T) {
	s := &script{columns: 1, err: io.EOF}
	c := cursorOver(t, s)
	for range 2 {
		if _, err := c.Next(); err != io.EOF { //nolint:errorlint // the bare value is the contract
			t.Fatalf("Next = %v", err)
		}
	}
	_ = c.Close()
	_ = c.Close()
	if s.closed != 1 {
		t.Errorf("closed %d times", s.closed)
	}
}

func TestAClosedCursorDoesNotLookEmpty(t *testing.T) {
	c := cursorOver(t, &script{columns: 1, rows: [][]dialect.Raw{{text("1")}}})
	_ = c.Close()
	if _, err := c.Next(); err == nil || err == io.EOF { //nolint:errorlint // the bare value is the contract
		t.Errorf("Next = %v", err)
	}
}

func TestAnUnreadableValueIsAnErrorOfTheRow(t *testing.T) {
	c := cursorOver(t, &script{columns: 2, rows: [][]dialect.Raw{{text("1"), text("bad")}}, err: io.EOF})
	_, err := c.Next()
	if !errors.Is(err, errValue) || ClassOf(err) != dialect.ClassRow {
		t.Errorf("Next = %v, of class %d", err, ClassOf(err))
	}
}

func TestAResultOfAnotherWidthIsRefused(t *testing.T) {
	c := cursorOver(t, &script{columns: 2, rows: [][]dialect.Raw{{text("1"), text("2")}}})
	c.decoder = newDecoder(plain{}, make([]schema.ViewColumn, 3))
	if _, err := c.Next(); err == nil || !strings.Contains(err.Error(), "2 columns where 3") {
		t.Errorf("Next = %v", err)
	}
}

func TestRowsSurviveAGrowingArena(t *testing.T) {
	large := strings.Repeat("x", 10*arenaSize)
	c := cursorOver(t, &script{columns: 4, rows: [][]dialect.Raw{
		{text("first"), text(large), {}, text("")},
		{{}, text("second"), text(large), text("end")},
	}, err: io.EOF})
	r, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	if string(r[0]) != "first" || string(r[1]) != large || r[2] != nil || r[3] == nil || len(r[3]) != 0 {
		t.Errorf("first row is wrong: %.20q", r)
	}
	if r, err = c.Next(); err != nil || r[0] != nil || string(r[1]) != "second" || string(r[3]) != "end" {
		t.Errorf("second row is wrong: %.20q, %v", r, err)
	}
}

func TestReadingARowAllocatesNothing(t *testing.T) {
	one := []dialect.Raw{text("1"), {}, text("some text")}
	c := cursorOver(t, &script{columns: 3})
	rows := [][]dialect.Raw{one}
	allocations := testing.AllocsPerRun(100, func() {
		c.stream.(*script).rows = rows
		if _, err := c.Next(); err != nil {
			t.Fatal(err)
		}
	})
	if allocations != 0 {
		t.Errorf("%.0f allocations a row", allocations)
	}
}
