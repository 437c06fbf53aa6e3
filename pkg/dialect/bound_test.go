package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"
)

// terms numbers the placeholders as they are asked for.
func terms(fits ...Fit) []Term {
	n := 0
	out := make([]Term, len(fits))
	for i, fit := range fits {
		out[i] = Term{Column: string(rune('a' + i)), Fit: fit, Value: func() string {
			n++
			return "?" + strconv.Itoa(n)
		}}
	}
	return out
}

func TestBoundsAreSpelledColumnByColumn(t *testing.T) {
	for _, c := range []struct {
		fits                []Fit
		greater, notGreater string
	}{
		{[]Fit{Fits}, "a > ?1", "a <= ?1"},
		{[]Fit{Fits, Fits}, "a >= ?1 AND (a > ?2 OR a = ?3 AND (b > ?4))", "a <= ?1 AND (a < ?2 OR a = ?3 AND (b <= ?4))"},
		{[]Fit{Below, Fits}, "TRUE", "FALSE"},
		{[]Fit{Above, Fits}, "FALSE", "TRUE"},
		{[]Fit{Between, Fits}, "a > ?1", "a <= ?1"},
		{[]Fit{Fits, Below}, "a >= ?1 AND (a > ?2 OR a = ?3 AND (TRUE))", "a <= ?1 AND (a < ?2 OR a = ?3 AND (FALSE))"},
		{[]Fit{Fits, Between, Fits}, "a >= ?1 AND (a > ?2 OR a = ?3 AND (b > ?4))", "a <= ?1 AND (a < ?2 OR a = ?3 AND (b <= ?4))"},
	} {
		if got := Greater(terms(c.fits...)); got != c.greater {
			t.Errorf("%v: greater is %s, want %s", c.fits, got, c.greater)
		}
		if got := NotGreater(terms(c.fits...)); got != c.notGreater {
			t.Errorf("%v: not greater is %s, want %s", c.fits, got, c.notGreater)
		}
	}
}

func TestALostConnectionIsToldFromTheCallersWill(t *testing.T) {
	for err, want := range map[error]bool{
		io.EOF:              true,
		driver.ErrBadConn:   true,
		io.ErrUnexpectedEOF: true,
		&net.OpError{Op: "dial", Err: errors.New("no route to host")}: true,
		context.Canceled:           false,
		context.DeadlineExceeded:   false,
		errors.New("syntax error"): false,
	} {
		if got := ConnectionLost(fmt.Errorf("read rows: %w", err)); got != want {
			t.Errorf("%v: lost is %v, want %v", err, got, want)
		}
	}
}
