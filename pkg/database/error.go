package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/trueup/trueup/pkg/dialect"
)

// Error is every error this package returns. It never holds a password.
type Error struct {
	// Op is what was being done: "read rows of".
	Op string
	// Table and Detail say to what: "orders", "(5 … 900]". Empty where it was
	// not one table's rows.
	Table  string
	Detail string
	// Class says what the error means, whatever the engine.
	Class dialect.Class
	// Hint is the way out, where one is known.
	Hint string
	// Err is the cause; a cancelled context is found in it with errors.Is.
	Err error
}

// Error is one line: what was being done, the cause, the way out.
func (e *Error) Error() string {
	text := subject{e.Op, e.Table, e.Detail}.String() + ": " + oneLine(e.Err)
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf says what an error of this package means. Other errors, a cancelled
// context among them, are of ClassUnknown.
func ClassOf(err error) dialect.Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return dialect.ClassUnknown
}

// subject is what an operation is about.
type subject struct{ op, table, detail string }

// String is the subject for a message.
func (s subject) String() string {
	out := s.op
	if s.table != "" {
		out += " " + s.table
	}
	if s.detail != "" {
		out += " " + s.detail
	}
	return out
}

// valueError is a value that its column's type cannot hold.
type valueError struct{ error }

// Unwrap returns the dialect's error.
func (e *valueError) Unwrap() error { return e.error }

// tooLargeError is a range whose rows the server would have to cut to digest.
type tooLargeError struct {
	rows   int64
	packet int64 // the server's max_allowed_packet in bytes
}

// Error says how much was to be digested.
func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the server cannot hold the texts of %d rows at once, its max_allowed_packet is %d bytes", e.rows, e.packet)
}

// fail wraps what went wrong. ctx is that of the operation: once it has ended,
// what the driver reports is only the echo.
func (db *DB) fail(ctx context.Context, what subject, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	out := &Error{Op: what.op, Table: what.table, Detail: what.detail, Err: err}
	if ended := ctx.Err(); ended != nil {
		if !errors.Is(err, ended) {
			out.Err = fmt.Errorf("%w (%w)", ended, err)
		}
		return out
	}
	out.Class = db.classify(err)
	out.Hint = hint(what.op, err)
	return out
}

// classify asks the dialect, and knows by itself what is the driver's or the
// network's rather than the engine's.
func (db *DB) classify(err error) dialect.Class {
	switch {
	case db.renews && (isLogin(err) || isTLS(err) || isType[*secretError](err)):
		// The server, or the file, was renewed first; the other will follow.
		return dialect.ClassTransient
	case isType[*valueError](err):
		return dialect.ClassRow
	case isType[*tooLargeError](err), isPacket(err):
		return dialect.ClassLimit
	case isTLS(err):
		return dialect.ClassUnknown
	}
	class := db.dialect.Classify(err)
	if class == dialect.ClassUnknown && serverCode(err) == "" && isNetwork(err) {
		return dialect.ClassTransient
	}
	return class
}

// serverCode is the server's own code: a number from MySQL, five characters
// from PostgreSQL; empty when the error is not the server's.
func serverCode(err error) string {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return fmt.Sprint(e.Number)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// isNetwork says whether err lies between here and the server. A deadline is
// the time-out for connecting: the caller's own context is looked at before.
func isNetwork(err error) bool {
	return dialect.ConnectionLost(err) || isType[*pgconn.ConnectError](err) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, context.DeadlineExceeded)
}

// isPacket says whether a statement, row or value is past max_allowed_packet.
// MySQL numbers a value that is 1105, like everything it has no number for.
func isPacket(err error) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	return errors.Is(err, mysql.ErrPktTooLarge) ||
		ok && (e.Number == 1153 || e.Number == 1301 || e.Number == 1105 && strings.Contains(e.Message, "max_allowed_packet"))
}

// isLogin says whether the server refuses who this client says it is.
func isLogin(err error) bool {
	switch serverCode(err) {
	case "1045", "1698", "28P01", "28000":
		return true
	default:
		return false
	}
}

// isReadOnly says whether the server, or the session, takes no writes.
func isReadOnly(err error) bool {
	switch serverCode(err) {
	case "1290", "1792", "1836", "1874", "25006":
		return true
	default:
		return false
	}
}

// isTLS says whether encryption is what failed. Trying again does not help. pgx
// has no type for a server without TLS, and may have gone on without.
func isTLS(err error) bool {
	if serverCode(err) != "" {
		return false
	}
	if isType[*pgconn.ConnectError](err) && strings.Contains(err.Error(), "refused TLS") {
		return true
	}
	return isType[*tls.CertificateVerificationError](err) || isAlert(err) || isType[tls.RecordHeaderError](err) ||
		isType[x509.UnknownAuthorityError](err) || isType[x509.HostnameError](err) || isType[x509.CertificateInvalidError](err) ||
		errors.Is(err, mysql.ErrNoTLS)
}

// isAlert says whether the other side ended a handshake, by one of the alerts or any.
// The type that crypto/tls gives them is its own; their texts are those of AlertError.
func isAlert(err error, alerts ...tls.AlertError) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error" && (len(alerts) == 0 || slices.ContainsFunc(alerts, func(alert tls.AlertError) bool {
		return op.Err.Error() == alert.Error()
	}))
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// oneLine is an error's text on one line. pgx lists each address it tried on a
// line of its own, the same one twice when it tries with and without TLS; where
// the server has answered, that says it all.
func oneLine(err error) string {
	if e, ok := errors.AsType[*pgconn.ConnectError](err); ok && e.Unwrap() != nil {
		err = e.Unwrap()
		if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
			err = answer
		}
	}
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}
