package sqlsink

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/schema"
)

func my(number uint16, state, message string) error {
	e := &mysql.MySQLError{Number: number, Message: message}
	copy(e.SQLState[:], state)
	return e
}

func pg(code, message string) error {
	return &pgconn.PgError{Severity: "ERROR", Code: code, Message: message, Detail: "Key (email)=(s3cret) already exists."}
}

func TestReasonsNameConstraintsAndColumnsAndNeverValues(t *testing.T) {
	view := &schema.View{Table: &schema.Table{
		Name: schema.Name{Table: "orders"}, Columns: []schema.Column{{Name: "email"}, {Name: "amount"}},
	}}
	cases := []struct {
		class dialect.Class
		err   error
		want  string
	}{
		{dialect.ClassDuplicate, my(1062, "23000", "Duplicate entry 's3cret' for key 'orders.one_email'"), "unique key orders.one_email;"},
		{dialect.ClassDuplicate, my(1062, "23000", "Duplicate entry 's3cret' for key 's3cret'\n' for key 'one_email'"), "unique key one_email;"},
		{dialect.ClassDuplicate, pg("23505", `duplicate key value violates unique constraint "one_email"`), "unique key one_email;"},
		{dialect.ClassDuplicate, pg("23505", `une autre langue`), "a unique key;"},
		{dialect.ClassRow, my(1048, "23000", "Column 'email' cannot be null"), "because of column email (server error 1048)"},
		{dialect.ClassRow, my(1406, "22001", "Data too long for column 'email' at row 1"), "because of column email (server error 1406)"},
		{dialect.ClassRow, my(1366, "22007", "Incorrect string value: 's3cret column 's3cret'' for column `shop`.`orders`.`amount` at row 1"), "refuses the row (server error 1366)"},
		{dialect.ClassReference, my(1452, "23000", "Cannot add or update a child row: a foreign key constraint fails (`shop`.`orders`, CONSTRAINT `buyer` FOREIGN KEY (`b`) REFERENCES `c` (`id`))"), "constraint buyer (server error 1452)"},
		{dialect.ClassRow, my(4025, "23000", "CONSTRAINT `positive` failed for `shop`.`orders`"), "constraint positive (server error 4025)"},
		{dialect.ClassRow, my(3819, "HY000", "Check constraint 'positive' is violated."), "constraint positive (server error 3819)"},
		{dialect.ClassRow, pg("23514", `new row for relation "orders" violates check constraint "positive"`), "constraint positive (SQLSTATE 23514)"},
		{dialect.ClassReference, pg("23503", `update or delete on table "p" violates foreign key constraint "buyer" on table "c"`), "constraint buyer (SQLSTATE 23503)"},
		{dialect.ClassRow, pg("23502", `null value in column "email" of relation "orders" violates not-null constraint`), "column email (SQLSTATE 23502)"},
		{dialect.ClassRow, pg("22P02", `invalid input syntax for type integer: "column 's3cret'"`), "refuses the row (SQLSTATE 22P02)"},
	}
	for _, c := range cases {
		err := classified(view, refused, fmt.Errorf("outer: %w", &database.Error{Op: "insert", Class: c.class, Err: c.err}))
		reason := fix.ReasonOf(err)
		if !strings.Contains(reason, c.want) || strings.Contains(reason, "s3cret") || !strings.Contains(reason, "orders") {
			t.Errorf("%v\n gives %q\n want … %s", c.err, reason, c.want)
		}
	}
}

func TestClassesBecomeFaults(t *testing.T) {
	wants := map[dialect.Class]fix.Fault{
		dialect.ClassUnknown: fix.Permanent, dialect.ClassDenied: fix.Permanent, dialect.ClassSchema: fix.Permanent,
		dialect.ClassTransient: fix.Transient, dialect.ClassContention: fix.Contention, dialect.ClassLimit: fix.Limit,
		dialect.ClassRow: fix.RowRefused, dialect.ClassDuplicate: fix.Duplicate,
	}
	view := &schema.View{Table: &schema.Table{}}
	for class, want := range wants {
		err := classified(view, refused, &database.Error{Class: class, Err: fmt.Errorf("cause")})
		if got := fix.FaultOf(err); got != want {
			t.Errorf("class %d becomes fault %d, want %d", class, got, want)
		}
	}
	if classified(view, refused, nil) != nil {
		t.Error("no error became one")
	}
}
