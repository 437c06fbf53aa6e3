package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

func TestTheVersionDecides(t *testing.T) {
	for _, version := range []string{"13.22", "15.18 (Debian 15.18-0+deb12u1)", "16beta1", "17.2", "PostgreSQL 15.18 on x86_64-pc-linux-gnu"} {
		if _, err := New(version); err != nil {
			t.Errorf("%s: %v", version, err)
		}
	}
	for _, version := range []string{"12.22", "9.6.24", "", "CockroachDB CCL v23.1.0"} {
		_, err := New(version)
		if err == nil || !strings.Contains(err.Error(), version) || !strings.Contains(err.Error(), "PostgreSQL 13") {
			t.Errorf("%q gives %v, want a refusal that says what to use", version, err)
		}
	}
}

func TestLiteralsAreSafeUnderEverySetting(t *testing.T) {
	for _, c := range []struct {
		kind        canonical.Kind
		value, want string
	}{
		{canonical.Text, `'; DROP TABLE t; -- `, `'''; DROP TABLE t; -- '`},
		{canonical.Text, `\'`, `E'\\'''`},
		{canonical.Text, "a\x01b", `E'a\x01b'`},
		{canonical.Text, "", `''`},
		{canonical.Int, "-5", "-5"},
		{canonical.Int, "1 OR 1=1", "'1 OR 1=1'"},
		{canonical.Decimal, "NaN", "'NaN'"},
		{canonical.Bool, "1", "'1'"},
		{canonical.Bytes, "00ff", "decode('00ff', 'hex')"},
		{canonical.Bits, "101", "B'101'"},
		{canonical.Bits, "'", "B''''"},
		{canonical.Bytes, "'); --", "decode('''); --', 'hex')"},
		{canonical.Instant, "2024-01-01 00:00:00.000000", "'2024-01-01 00:00:00.000000+00'"},
		{canonical.Instant, "0044-03-15 00:00:00.000000 BC", "'0044-03-15 00:00:00.000000+00 BC'"},
		{canonical.Instant, "-infinity", "'-infinity'"},
	} {
		column := schema.ViewColumn{Column: schema.Column{Type: canonical.Type{Kind: c.kind}}, As: canonical.Type{Kind: c.kind}}
		if got := (Dialect{}).Literal(column, row.Value(c.value)); got != c.want {
			t.Errorf("%s %q is %s, want %s", c.kind, c.value, got, c.want)
		}
	}
}

func TestArraysQuoteEveryValue(t *testing.T) {
	got := array([]row.Value{row.Value("a"), nil, row.Value(""), row.Value("NULL"), row.Value(`{"x\y",}`)})
	if want := `{"a",NULL,"","NULL","{\"x\\y\",}"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestErrorsAreClassified(t *testing.T) {
	server := func(code string) error { return &pgconn.PgError{Code: code} }
	for _, c := range []struct {
		err  error
		want dialect.Class
	}{
		{server("23505"), dialect.ClassDuplicate},
		{server("40P01"), dialect.ClassContention},
		{server("40001"), dialect.ClassContention},
		{server("55P03"), dialect.ClassContention},
		{server("25006"), dialect.ClassTransient},
		{server("25P04"), dialect.ClassTransient},
		{server("57P01"), dialect.ClassTransient},
		{server("53300"), dialect.ClassTransient},
		{server("42501"), dialect.ClassDenied},
		{server("28P01"), dialect.ClassDenied},
		{server("42P01"), dialect.ClassSchema},
		{server("42703"), dialect.ClassSchema},
		{server("22001"), dialect.ClassRow},
		{server("23503"), dialect.ClassReference},
		{server("23001"), dialect.ClassReference},
		{server("23514"), dialect.ClassRow},
		{server("54000"), dialect.ClassRow},
		{server("P0001"), dialect.ClassRow}, // RAISE
		{server("P0004"), dialect.ClassRow}, // ASSERT
		{server("54001"), dialect.ClassLimit},
		{&pgconn.PgError{Code: "54000", Routine: "enlargeStringInfo"}, dialect.ClassLimit},
		{server("XX000"), dialect.ClassUnknown},
		{io.EOF, dialect.ClassTransient},
		{context.Canceled, dialect.ClassUnknown},
		{context.DeadlineExceeded, dialect.ClassUnknown},
		{errors.New("x"), dialect.ClassUnknown},
	} {
		if got := (Dialect{}).Classify(fmt.Errorf("insert rows: %w", c.err)); got != c.want {
			t.Errorf("%v is of class %d, want %d", c.err, got, c.want)
		}
	}
}

func TestAValueOfAnUnexpectedFormIsAnError(t *testing.T) {
	for kind, text := range map[canonical.Kind]string{
		canonical.Bool: "yes", canonical.Bytes: "octal", canonical.Int: "1x", canonical.Timestamp: "yesterday",
		canonical.Instant: "2024-01-01 00:00:00+02", canonical.Unsupported: "x",
	} {
		column := schema.ViewColumn{Column: schema.Column{Name: "the column", Type: canonical.Type{Kind: kind}}, As: canonical.Type{Kind: kind}}
		out, err := (Dialect{}).AppendValue([]byte("kept"), &column, &dialect.Raw{Kind: dialect.RawBytes, Bytes: []byte(text)})
		if err == nil || !strings.Contains(err.Error(), "the column") || string(out) != "kept" {
			t.Errorf("%s: %q, %v", kind, out, err)
		}
	}
}
