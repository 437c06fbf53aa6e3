package database

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
)

// everyLayout has a column for each form in which MySQL sends values, more
// columns than fit one byte of NULL marks, and rows at the ends of the types.
var everyLayout = []string{
	`CREATE TABLE layouts (id BIGINT PRIMARY KEY,
		t1 TINYINT, t1u TINYINT UNSIGNED, t2 SMALLINT, t2u SMALLINT UNSIGNED, t3 MEDIUMINT, t3u MEDIUMINT UNSIGNED,
		t4 INT, t4u INT UNSIGNED, t8 BIGINT, t8u BIGINT UNSIGNED, zeros INT(9) UNSIGNED ZEROFILL, yes BOOL, y YEAR,
		f FLOAT, d DOUBLE, n DECIMAL(65,30), b BIT(64), day DATE, clock TIME(6), clock0 TIME, clock3 TIME(3),
		moment DATETIME(6), moment0 DATETIME, stamp TIMESTAMP(6) NULL, stamp2 TIMESTAMP(2) NULL,
		c CHAR(9), v VARCHAR(99), e ENUM('one','two'), s SET('a','b'), j JSON, vb VARBINARY(99), fb BINARY(3), long1 LONGTEXT, long2 LONGBLOB)`,
	`INSERT INTO layouts (id) VALUES (0)`,
	`INSERT INTO layouts VALUES (1, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, 7, 0, 1901,
		-1.5, -1.7976931348623157e308, -0.000000000000000000000000000001, 0, '1000-01-01', '-838:59:59', '-00:00:01', '00:00:00.5',
		'1000-01-01', '1000-01-01', '1970-01-03 00:00:01', '1970-01-03 00:00:01', '', '', 'one', '', '{}', '', '', '', '')`,
	`INSERT INTO layouts VALUES (2, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, 18446744073709551615, 123456789, 1, 2155,
		3.4e38, 5e-324, 12345678901234567890123456789012345.678, ~0, '9999-12-31', '838:59:58.999999', '100:00:00', '09:08:07.006',
		'9999-12-31 23:59:59.999999', '9999-12-31 23:59:59', '2038-01-18 03:14:07.999999', '2026-05-04 03:02:01.09',
		'blank ', 'ümläut 🐬', 'two', 'a,b', '{"k": [1, 2]}', x'00ff', x'0102', REPEAT('x', 70000), REPEAT(x'fe', 251))`,
	`SET SESSION sql_mode = ''`,
	`INSERT INTO layouts (id, y, day, clock, clock0, moment, moment0, stamp, long2) VALUES
		(3, 0, '0000-00-00', '00:00:00', '00:00:00', '0000-00-00', '0000-00-00', '0000-00-00', REPEAT('y', 65536)),
		(4, 2000, '2024-00-15', '23:59:59.999999', '24:00:00', '2024-00-15', '2024-00-15 01:02:03', '2024-02-29 00:00:00', REPEAT('z', 250))`,
}

func TestRowsTakenFromTheWireAreThoseTheDriverReads(t *testing.T) {
	dsn := testenv.MySQL(t)
	testenv.Exec(t, dsn, everyLayout...)
	read := func(dsn string, taken bool) []row.Row {
		db := openOn(t, Config{DSN: dsn, ReadOnly: true})
		c, err := db.Rows(t.Context(), viewOf(t, db, "layouts"), row.Range{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if form := c.(row.Undecoded).Form(); (form != "") != taken {
			t.Fatalf("taken from the wire: %v, want %v", form != "", taken)
		}
		var rows []row.Row
		for {
			r, err := c.Next()
			if err == io.EOF { //nolint:errorlint // the bare value is the contract
				return rows
			}
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, r.Clone())
		}
	}
	wire := read(dsn, true)
	driver := read(with(t, dsn, func(u *url.URL) { u.RawQuery = "compress=true" }), false)
	if len(wire) != 5 || len(driver) != 5 {
		t.Fatalf("%d and %d rows", len(wire), len(driver))
	}
	for i := range wire {
		for j := range wire[i] {
			if (wire[i][j] == nil) != (driver[i][j] == nil) || !bytes.Equal(wire[i][j], driver[i][j]) {
				t.Errorf("row %d, column %d: %.60q from the wire, %.60q from the driver", i, j, wire[i][j], driver[i][j])
			}
		}
	}
}

func TestAnErrorBetweenRowsIsNoEnd(t *testing.T) {
	dsn := testenv.MySQL(t)
	testenv.Exec(t, dsn, "CREATE TABLE grows (id INT PRIMARY KEY)", "INSERT INTO grows SELECT seq FROM seq_1_to_1000")
	db := openOn(t, Config{DSN: dsn, ReadOnly: true})
	v := viewOf(t, db, "grows")
	v.Where = "EXP(id) > 0" // beyond the reach of a double from 710 on
	c, err := db.Rows(t.Context(), v, row.Range{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := drain(c); err == nil || n != 709 || !strings.Contains(err.Error(), "out of range") {
		t.Errorf("%d rows, %v", n, err)
	}
	// The connection is as good as before.
	v.Where = ""
	if c, err = db.Rows(t.Context(), v, row.Range{}); err != nil {
		t.Fatal(err)
	}
	if n, err := drain(c); err != nil || n != 1000 {
		t.Errorf("%d rows, %v", n, err)
	}
	idle(t, db)
}

func TestAConnectionLostBetweenRowsIsNoEnd(t *testing.T) {
	dsn := testenv.MySQL(t)
	testenv.Exec(t, dsn, "CREATE TABLE many (id INT PRIMARY KEY, filler VARCHAR(1000))", "INSERT INTO many SELECT seq, REPEAT('x', 1000) FROM seq_1_to_100000")
	db := openOn(t, Config{DSN: dsn, ReadOnly: true, Application: "to-be-killed"})
	c, err := db.Rows(t.Context(), viewOf(t, db, "many"), row.Range{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Next(); err != nil {
		t.Fatal(err)
	}
	testenv.Exec(t, dsn, "BEGIN NOT ATOMIC DECLARE victim BIGINT; "+
		"SELECT id INTO victim FROM information_schema.processlist WHERE info LIKE '/* to-be-killed %'; KILL victim; END")
	if n, err := drain(c); err == nil || n >= 99_999 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// packet is one packet as a server sends it.
func packet(sequence byte, payload []byte) []byte {
	n := len(payload)
	return append([]byte{byte(n), byte(n >> 8), byte(n >> 16), sequence}, payload...)
}

// over is a tap over a connection that brings data in pieces of random sizes,
// and then ends.
func over(t *testing.T, data []byte) *tap {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	go func() {
		defer server.Close()
		random := rand.New(rand.NewPCG(1, uint64(len(data))))
		for len(data) > 0 {
			n := min(len(data), 1+random.IntN(100_000))
			if _, err := server.Write(data[:n]); err != nil {
				return
			}
			data = data[n:]
		}
	}()
	return &tap{Conn: client, buffer: make([]byte, tapBuffer)}
}

func TestTheDriverIsGivenOnePacketAtATime(t *testing.T) {
	first, second := packet(1, bytes.Repeat([]byte("a"), 70_000)), packet(2, []byte("b"))
	wire := over(t, append(bytes.Clone(first), second...))
	for _, want := range [][]byte{first, second} {
		var got []byte
		p := make([]byte, 1<<20)
		for len(got) < len(want) {
			n, err := wire.Read(p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p[:n]...)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("the driver was given %d bytes, want one packet of %d", len(got), len(want))
		}
	}
}

func TestRowsAreTakenUpToWhatIsNone(t *testing.T) {
	rows := [][]byte{[]byte("\x00one"), append([]byte{0}, bytes.Repeat([]byte("x"), 200_000)...), []byte("\x00two")}
	large := append([]byte{0}, bytes.Repeat([]byte("y"), 2*packetFull)...)
	exact := append([]byte{0}, bytes.Repeat([]byte("z"), packetFull-1)...) // followed by an empty packet
	var data []byte
	sequence := byte(250) // it wraps
	add := func(payload []byte) { data = append(data, packet(sequence, payload)...); sequence++ }
	for _, r := range rows {
		add(r)
	}
	for _, r := range [][]byte{large, exact} {
		for len(r) >= packetFull {
			add(r[:packetFull])
			r = r[packetFull:]
		}
		add(r)
	}
	add([]byte("\xfe\x00\x00\x02\x00"))
	wire := over(t, data)
	wire.begin()
	for i, want := range append(rows, large, exact) {
		got, err := wire.row()
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("row %d has %d bytes, want %d: %v", i, len(got), len(want), err)
		}
	}
	if _, err := wire.row(); !errors.Is(err, errNoRow) {
		t.Fatalf("after the last row: %v", err)
	}
	wire.rest()
	p := make([]byte, 100)
	n, err := wire.Read(p)
	if err != nil || !bytes.Equal(p[:n], packet(250, []byte("\xfe\x00\x00\x02\x00"))) {
		t.Errorf("the driver is given %q, %v; want the end with the number of the first row", p[:n], err)
	}
}

func TestARowCutShortIsAnError(t *testing.T) {
	whole := packet(3, append([]byte{0}, bytes.Repeat([]byte("x"), 1000)...))
	for _, n := range []int{0, 3, 4, 5, len(whole) - 1} {
		wire := over(t, whole[:n])
		wire.begin()
		if _, err := wire.row(); err == nil || errors.Is(err, errNoRow) {
			t.Errorf("%d bytes: %v", n, err)
		}
		if given, err := io.ReadAll(wire); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || len(given) > n {
			t.Errorf("%d bytes: the driver is given %d, %v", n, len(given), err)
		}
	}
}

func TestMalformedRowsAreRefused(t *testing.T) {
	fields := []wireField{{layout: layoutInt32, signed: true}, {layout: layoutBytes}, {layout: layoutDateTime}}
	w := &wireStream{fields: fields}
	for name, data := range map[string]string{
		"no marks":                  "\x00",
		"a number cut short":        "\x00\x00\x01\x00",
		"no length":                 "\x00\x00\x01\x00\x00\x00",
		"bytes cut short":           "\x00\x00\x01\x00\x00\x00\x05ab",
		"a length cut short":        "\x00\x00\x01\x00\x00\x00\xfd\x01",
		"a length that is none":     "\x00\x00\x01\x00\x00\x00\xff",
		"a time of another size":    "\x00\x00\x01\x00\x00\x00\x01a\x03\x01\x02\x03",
		"more than the last column": "\x00\x00\x01\x00\x00\x00\x01a\x00more",
		"a length beyond all sizes": "\x00\x00\x01\x00\x00\x00\xfe\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		w.packet = []byte(data)
		if err := w.read(make([]dialect.Raw, len(fields))); err == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
}
