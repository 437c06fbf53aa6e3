package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/trueup/trueup/pkg/dialect"
)

// codes are the meanings of SQLSTATEs, the longest prefix first (PostgreSQL
// manual, appendix "PostgreSQL Error Codes").
var codes = []struct {
	prefix string
	class  dialect.Class
}{
	{"23505", dialect.ClassDuplicate},
	{"23503", dialect.ClassReference}, // foreign key
	{"23001", dialect.ClassReference}, // its ON DELETE RESTRICT, since version 18
	{"23P01", dialect.ClassDuplicate}, // an exclusion constraint: another row is in the way
	{"25006", dialect.ClassTransient}, // read-only transaction: a standby, or fail-over
	{"25P03", dialect.ClassTransient}, // idle in transaction for too long
	{"25P04", dialect.ClassTransient}, // transaction_timeout
	{"42501", dialect.ClassDenied},
	{"53400", dialect.ClassLimit},
	{"54000", dialect.ClassRow},        // index row too large
	{"55P03", dialect.ClassContention}, // lock_timeout, NOWAIT
	{"55006", dialect.ClassContention}, // object in use
	{"57014", dialect.ClassTransient},  // cancelled, or past statement_timeout
	{"P0", dialect.ClassRow},           // RAISE, ASSERT and the like in a trigger
	{"0A000", dialect.ClassSchema},     // a plan outlived a change of the table
	{"08", dialect.ClassTransient},     // connection
	{"22", dialect.ClassRow},           // data
	{"23", dialect.ClassRow},           // constraints
	{"27", dialect.ClassRow},           // triggered data change
	{"28", dialect.ClassDenied},        // authentication
	{"3D", dialect.ClassSchema},        // no such database
	{"3F", dialect.ClassSchema},        // no such schema
	{"40", dialect.ClassContention},    // deadlock, serialization
	{"42", dialect.ClassSchema},        // names and types
	{"44", dialect.ClassRow},           // WITH CHECK OPTION
	{"53", dialect.ClassTransient},     // resources
	{"54", dialect.ClassLimit},         // program limits
	{"57", dialect.ClassTransient},     // shutting down
	{"58", dialect.ClassTransient},     // disk and files
}

// longString is where the server refuses a text beyond 1 GB: a range too large to
// digest rather than a row at fault.
const longString = "enlargeStringInfo"

// Classify implements dialect.Dialect.
func (Dialect) Classify(err error) dialect.Class {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if e.Code == "54000" && e.Routine == longString {
			return dialect.ClassLimit
		}
		for _, c := range codes {
			if strings.HasPrefix(e.Code, c.prefix) {
				return c.class
			}
		}
		return dialect.ClassUnknown
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	switch {
	case connecting && !errors.Is(err, context.Canceled):
		return dialect.ClassTransient
	case dialect.ConnectionLost(err), pgconn.SafeToRetry(err) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		return dialect.ClassTransient
	default:
		return dialect.ClassUnknown
	}
}
