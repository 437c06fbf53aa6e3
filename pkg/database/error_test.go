package database

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	gomysql "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/dialect/mysql"
	"github.com/trueup/trueup/pkg/dialect/postgres"
)

func TestAnErrorSaysWhatWasDoneWhyAndTheWayOut(t *testing.T) {
	err := &Error{Op: "read rows of", Table: "orders", Detail: "(5 … 900]", Err: errors.New("gone\n\taway"), Hint: "come back"}
	if got, want := err.Error(), "read rows of orders (5 … 900]: gone; away; come back"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestErrorsInConnectingHaveAClassAndAHint(t *testing.T) {
	cases := []struct {
		err   error
		class dialect.Class
		hint  string
	}{
		{&gomysql.MySQLError{Number: 1045}, dialect.ClassDenied, "password"},
		{&gomysql.MySQLError{Number: 1049}, dialect.ClassSchema, "create the database"},
		{&gomysql.MySQLError{Number: 1040}, dialect.ClassTransient, "max_connections"},
		{&gomysql.MySQLError{Number: 1142}, dialect.ClassDenied, "SELECT on the table"},
		{&pgconn.PgError{Code: "28P01"}, dialect.ClassDenied, "password"},
		{&pgconn.PgError{Code: "3D000"}, dialect.ClassSchema, "create the database"},
		{&pgconn.PgError{Code: "57P03"}, dialect.ClassTransient, ""},
		{&pgconn.PgError{Code: "25006"}, dialect.ClassTransient, "primary"},
		{gomysql.ErrPktTooLarge, dialect.ClassLimit, "max_allowed_packet"},
		{&tooLargeError{rows: 5}, dialect.ClassLimit, "max_allowed_packet"},
		{gomysql.ErrInvalidConn, dialect.ClassTransient, ""},
		{driver.ErrBadConn, dialect.ClassTransient, ""},
		{io.ErrUnexpectedEOF, dialect.ClassTransient, ""},
		{context.DeadlineExceeded, dialect.ClassTransient, ""},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, dialect.ClassTransient, "host and port"},
		{&net.DNSError{Err: "no such host"}, dialect.ClassTransient, "host and port"},
		{&tls.CertificateVerificationError{Err: errors.New("expired")}, dialect.ClassUnknown, "tls="},
		{gomysql.ErrNoTLS, dialect.ClassUnknown, "tls="},
		{errors.New("anything else"), dialect.ClassUnknown, ""},
	}
	for _, c := range cases {
		db := &DB{dialect: mysql.Dialect{}}
		if isType[*pgconn.PgError](c.err) {
			db.dialect = postgres.Dialect{}
		}
		err := db.fail(t.Context(), subject{op: "read rows of"}, fmt.Errorf("wrapped: %w", c.err))
		e, ok := errors.AsType[*Error](err)
		if !ok || !errors.Is(err, c.err) || e.Class != c.class || (c.hint == "") != (e.Hint == "") || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%v: class %d, hint %q; want class %d, hint … %s …", c.err, e.Class, e.Hint, c.class, c.hint)
		}
	}
}

func TestACancelledContextIsNotTransient(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := (&DB{}).fail(ctx, subject{op: "read rows of"}, gomysql.ErrInvalidConn)
	if !errors.Is(err, context.Canceled) || ClassOf(err) != dialect.ClassUnknown {
		t.Errorf("%v, of class %d", err, ClassOf(err))
	}
}

func TestADigestTheServerCouldNotHoldIsALimit(t *testing.T) {
	one, sum, bytes := "3", strings.Repeat("AB", 16), "120"
	if d, err := digest([]*string{&one, &sum, &bytes}); err != nil || d.Rows != 3 || d.Bytes != 120 || d.Sum != strings.ToLower(sum) {
		t.Errorf("digest = %+v, %v", d, err)
	}
	_, err := digest([]*string{&one, nil, &bytes})
	if ClassOf((&DB{dialect: mysql.Dialect{}}).fail(t.Context(), subject{}, err)) != dialect.ClassLimit {
		t.Errorf("NULL for three rows: %v", err)
	}
	short := "ab"
	if _, err := digest([]*string{&one, &short, &bytes}); err == nil {
		t.Error("a sum of two digits is taken")
	}
	if _, err := digest([]*string{nil, nil, nil}); err == nil {
		t.Error("an unknown number of rows is taken")
	}
	zero := "0"
	if d, err := digest([]*string{&zero, nil, nil}); err != nil || d.Sum != "" {
		t.Errorf("no rows: %+v, %v", d, err)
	}
}
