package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

func TestTheVersionDecides(t *testing.T) {
	for version, want := range map[string]string{
		"8.0.36": "mysql", "8.4.2": "mysql", "9.1.0": "mysql", "8.0.36-28": "mysql", "8.0.1-dmr": "mysql",
		"10.6.0-MariaDB": "mariadb", "10.11.19-MariaDB-0+deb12u1-log": "mariadb", "11.4.2-MariaDB": "mariadb",
		"5.5.5-10.6.12-MariaDB-log": "mariadb",
	} {
		if d, err := New(version); err != nil || d.Engine() != want {
			t.Errorf("%s is %s, %v", version, d.Engine(), err)
		}
	}
	for _, version := range []string{"5.7.44", "8.0.0", "10.5.29-MariaDB", "5.5.5-10.3.39-MariaDB", "8.0.11-TiDB-v7.5.0", "", "CockroachDB"} {
		_, err := New(version)
		if err == nil || !strings.Contains(err.Error(), version) || !strings.Contains(err.Error(), "MariaDB 10.6") {
			t.Errorf("%q gives %v, want a refusal that says what to use", version, err)
		}
	}
}

func TestLiteralsAreSafeInEveryMode(t *testing.T) {
	for _, c := range []struct {
		kind        canonical.Kind
		value, want string
	}{
		{canonical.Text, `'; DROP TABLE t; -- `, `'''; DROP TABLE t; -- '`},
		{canonical.Text, `\'`, `_utf8mb4 X'5c27'`},
		{canonical.Text, "a\x00b", `_utf8mb4 X'610062'`},
		{canonical.Text, "", `''`},
		{canonical.Int, "18446744073709551615", "18446744073709551615"},
		{canonical.Int, "1 OR 1=1", "'1 OR 1=1'"},
		{canonical.Decimal, "1.5", "'1.5'"},
		{canonical.Float64, "NaN", "'NaN'"},
		{canonical.Float64, "1e+22", "1e+22"},
		{canonical.Bytes, "00ff", "X'00ff'"},
		{canonical.Bytes, "'", "''''"},
		{canonical.Bits, "101", "b'101'"},
		{canonical.Bits, "'", "18446744073709551615"}, // more than the column has, and so refused
		{canonical.Bits, "0101", "18446744073709551615"},
		{canonical.JSON, `{"a": "\u0027"}`, `_utf8mb4 X'7b2261223a20225c7530303237227d'`},
	} {
		column := schema.ViewColumn{Column: schema.Column{Type: canonical.Type{Kind: c.kind, Width: 3}}, As: canonical.Type{Kind: c.kind}}
		if got := (Dialect{}).Literal(column, row.Value(c.value)); got != c.want {
			t.Errorf("%s %q is %s, want %s", c.kind, c.value, got, c.want)
		}
	}
}

func TestErrorsAreClassified(t *testing.T) {
	server := func(number uint16) error { return &driver.MySQLError{Number: number, Message: "x"} }
	for _, c := range []struct {
		err  error
		want dialect.Class
	}{
		{server(1062), dialect.ClassDuplicate},
		{server(1213), dialect.ClassContention},
		{server(1205), dialect.ClassContention},
		{server(1615), dialect.ClassContention},
		{server(4031), dialect.ClassTransient},
		{server(1290), dialect.ClassTransient},
		{server(1792), dialect.ClassTransient},
		{server(1836), dialect.ClassTransient},
		{server(1040), dialect.ClassTransient},
		{server(1142), dialect.ClassDenied},
		{server(1045), dialect.ClassDenied},
		{server(1146), dialect.ClassSchema},
		{server(1054), dialect.ClassSchema},
		{server(1153), dialect.ClassLimit},
		{server(1451), dialect.ClassReference},
		{server(1452), dialect.ClassReference},
		{server(1406), dialect.ClassRow},
		{server(4025), dialect.ClassRow},
		{server(1064), dialect.ClassUnknown},
		{driver.ErrInvalidConn, dialect.ClassTransient},
		{driver.ErrPktTooLarge, dialect.ClassLimit},
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

func TestNoErrorNumberHasTwoClasses(t *testing.T) {
	count := 0
	for _, numbers := range classes {
		count += len(numbers)
	}
	if len(classOf) != count {
		t.Errorf("%d numbers, %d of them different", count, len(classOf))
	}
}

func TestAValueOfAnUnexpectedFormIsAnError(t *testing.T) {
	for _, c := range []struct {
		kind canonical.Kind
		raw  dialect.Raw
	}{
		{canonical.Text, dialect.Raw{Kind: dialect.RawInt, Int: 1}},
		{canonical.Date, dialect.Raw{Kind: dialect.RawFloat64, Float: 1}},
		{canonical.Int, dialect.Raw{Kind: dialect.RawBytes, Bytes: []byte("1x")}},
		{canonical.Timestamp, dialect.Raw{Kind: dialect.RawBytes, Bytes: []byte("yesterday")}},
		{canonical.Int, dialect.Raw{}},
	} {
		column := schema.ViewColumn{Column: schema.Column{Name: "the column", Type: canonical.Type{Kind: c.kind}}, As: canonical.Type{Kind: c.kind}}
		out, err := (Dialect{}).AppendValue([]byte("kept"), &column, &c.raw)
		if err == nil || !strings.Contains(err.Error(), "the column") || string(out) != "kept" {
			t.Errorf("%s: %q, %v", c.kind, out, err)
		}
	}
}

// In one expression with numbers a text would make texts of them all, which a
// BIT or YEAR reads differently.
func TestAnUpdateOfManyRowsNeverMixesTextsAndNumbers(t *testing.T) {
	v := &schema.View{Table: &schema.Table{Name: schema.Name{Table: "t"}}, Key: []int{0}}
	for _, name := range []string{"id", "v"} {
		c := schema.Column{Name: name, Type: canonical.Type{Kind: canonical.Int}}
		v.Columns = append(v.Columns, schema.ViewColumn{Column: c, As: c.Type})
	}
	d := Dialect{mariadb: true}
	one, two := row.Row{row.Value("1"), row.Value("5")}, row.Row{row.Value("2"), row.Value("6")}
	if q := d.Update(v, []row.Row{one, two}, []int{1}); !strings.Contains(q.SQL, "CASE WHEN") {
		t.Errorf("two numbers: %s", q.SQL)
	}
	two[1] = row.Value("1e99")
	if q := d.Update(v, []row.Row{one, two}, []int{1}); !strings.HasSuffix(q.SQL, " WHERE 1 = 0") || len(q.Args) != 0 {
		t.Errorf("a number and a text are written together: %s with %v", q.SQL, q.Args)
	}
	if q := d.Update(v, []row.Row{two}, []int{1}); !strings.HasPrefix(q.SQL, "UPDATE `t` SET `v` = ? WHERE") || q.Args[0] != "1e99" {
		t.Errorf("a text alone: %s with %v", q.SQL, q.Args)
	}
	if n := (Dialect{}).UpdateRows(); n != 1 {
		t.Errorf("MySQL is given %d rows at once", n)
	}
}
