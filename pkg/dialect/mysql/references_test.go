package mysql_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/schema"
)

// TestWhatAUserMayNotSeeIsUnknownAndNotAbsent inspects a parent as users with
// fewer and fewer privileges.
func TestWhatAUserMayNotSeeIsUnknownAndNotAbsent(t *testing.T) {
	dsn := testenv.MySQL(t)
	testenv.Exec(t, dsn, "CREATE TABLE p (id int PRIMARY KEY)",
		"CREATE TABLE c (id int PRIMARY KEY, p int, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)")
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name, admin := address.Path[1:], testenv.Open(t, dsn)
	for i, c := range []struct {
		grant string
		keys  int
		all   bool
		rule  schema.Action // only where it is hidden or not on every server
	}{
		{"SELECT, DELETE ON `" + name + "`.*", 1, true, schema.Cascade},
		{"SELECT ON `" + name + "`.*", 1, true, ""},
		{"SELECT, DELETE ON p", 0, false, ""},
	} {
		user := name + string(rune('a'+i))
		user = user[max(0, len(user)-30):]
		testenv.Exec(t, dsn, "CREATE USER '"+user+"'@'%' IDENTIFIED BY 'may-see'", "GRANT "+c.grant+" TO '"+user+"'@'%'")
		t.Cleanup(func() {
			if _, err := admin.ExecContext(context.Background(), "DROP USER '"+user+"'@'%'"); err != nil {
				t.Errorf("drop the test's user: %v", err)
			}
		})
		own := *address
		own.User = url.UserPassword(user, "may-see")
		db, err := database.Open(t.Context(), database.Config{DSN: own.String()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		table, err := db.Table(t.Context(), schema.Name{Table: "p"})
		if err != nil {
			t.Fatal(err)
		}
		if len(table.ReferencedBy) != c.keys || table.AllReferences != c.all {
			t.Errorf("with %s: %+v (all: %t)", c.grant, table.ReferencedBy, table.AllReferences)
		}
		// MySQL shows the action to a user who may only read; MariaDB does not.
		if c.keys > 0 && table.ReferencedBy[0].OnDelete != c.rule && (c.rule != "" || db.Engine() == "mariadb") {
			t.Errorf("with %s the action is %q, want %q", c.grant, table.ReferencedBy[0].OnDelete, c.rule)
		}
	}
}
