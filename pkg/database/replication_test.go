package database

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/dialect"
)

// awaitApplied waits until everything committed by a moment has been applied.
func awaitApplied(t *testing.T, f *Follower, moment time.Time) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		applied, err := f.Applied(ctx)
		if err == nil && !applied.Before(moment) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("30s after the change the copy has applied up to %s before it, %v", moment.Sub(applied), err)
		}
		<-time.After(20 * time.Millisecond) // replication gives no sign
	}
}

// lagOf is the signal of how far a server is behind, nil where there is none.
func lagOf(t *testing.T, db *DB) (*Gauge, []Unmeasured) {
	t.Helper()
	gauges, missing, err := db.Gauges(t.Context(), func(figure string) bool { return figure == dialect.ProbeReplicaLag })
	if err != nil {
		t.Fatal(err)
	}
	if len(gauges) == 0 {
		return nil, missing
	}
	return &gauges[0], missing
}

func TestAReplicaOfMariaDBIsFollowed(t *testing.T) {
	if testing.Short() || !testenv.HasPrivate("mysql") {
		t.Skip("needs MariaDB's programs")
	}
	primary := testenv.NewPrivate(t, "mysql", "--server-id=1", "--log-bin=log", "--gtid-domain-id=7")
	replica := testenv.NewPrivate(t, "mysql", "--server-id=2")
	u, _ := url.Parse(primary.URL())
	var position string
	if err := testenv.Open(t, primary.URL()).QueryRowContext(t.Context(), "SELECT @@gtid_binlog_pos").Scan(&position); err != nil {
		t.Fatal(err)
	}
	testenv.Exec(t, replica.URL(), "SET GLOBAL gtid_slave_pos = '"+position+"'",
		fmt.Sprintf("CHANGE MASTER TO master_host = '127.0.0.1', master_port = %s, master_user = 'tester', master_use_gtid = slave_pos", u.Port()),
		"START SLAVE", "CREATE USER blind@'127.0.0.1'")
	from, to := openOn(t, Config{DSN: primary.URL(), ReadOnly: true}), openOn(t, Config{DSN: replica.URL(), ReadOnly: true})
	expectServers(t, "two servers", false, from, to)
	f, err := Follow(t.Context(), from, to, "")
	for wait := time.Now(); err != nil && time.Since(wait) < 20*time.Second; { // until it has connected
		f, err = Follow(t.Context(), from, to, "")
	}
	if err != nil || f == nil {
		t.Fatal(f, err)
	}
	testenv.Exec(t, primary.URL(), "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	awaitApplied(t, f, time.Now())
	if got := ask(t, replica.URL(), "SELECT COUNT(*) FROM t"); got != 1 {
		t.Errorf("the replica has %d rows when it is said to have followed", got)
	}

	lag, missing := lagOf(t, to)
	if lag == nil || !lag.Itself || len(missing) != 0 {
		t.Fatalf("the lag of a replica: %+v, missing %+v", lag, missing)
	}
	if behind, err := lag.Measure(t.Context()); err != nil || behind != 0 {
		t.Errorf("a replica that has followed is %v s behind, %v", behind, err)
	}
	if lag, missing := lagOf(t, from); lag != nil || len(missing) != 0 {
		t.Errorf("the lag of a primary: %+v, missing %+v", lag, missing)
	}

	testenv.Exec(t, replica.URL(), "STOP SLAVE")
	if behind, err := lag.Measure(t.Context()); err == nil {
		t.Errorf("replication is stopped, and %v s behind", behind)
	}
	if applied, err := f.Applied(t.Context()); err == nil {
		t.Errorf("replication is stopped, and has applied up to %s ago", time.Since(applied))
	}
	stranger, _ := url.Parse(replica.URL())
	stranger.User, stranger.Path = url.User("blind"), "/information_schema" // which everyone may read
	blind := openOn(t, Config{DSN: stranger.String(), ReadOnly: true})
	if _, err := Follow(t.Context(), from, blind, ""); ClassOf(err) != dialect.ClassDenied {
		t.Errorf("a user who may not ask gets %v", err)
	}
	if lag, missing := lagOf(t, blind); lag != nil || len(missing) != 1 || !strings.Contains(missing[0].Why, "REPLICA MONITOR") {
		t.Errorf("the lag that a user may not ask for: %+v, missing %+v", lag, missing)
	}

	// An applier that is held up: the row is locked on the replica.
	testenv.Exec(t, replica.URL(), "START SLAVE")
	awaitApplied(t, f, time.Now())
	locker := testenv.Open(t, replica.URL())
	tx, err := locker.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "SELECT * FROM t WHERE id = 1 FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	testenv.Exec(t, primary.URL(), "UPDATE t SET id = 2 WHERE id = 1")
	changed := time.Now()
	await(t, replica.URL(), "SELECT COUNT(*) FROM information_schema.processlist WHERE command = 'Slave_SQL' AND state LIKE '%Update_rows%'")
	<-time.After(2*time.Second - time.Since(changed)) // the figure counts whole seconds
	if applied, err := f.Applied(t.Context()); err == nil && applied.After(changed) {
		t.Errorf("the change waits for a lock, and the copy is said to be past it by %s", applied.Sub(changed))
	}
	_ = tx.Rollback()
	awaitApplied(t, f, changed)
}

func TestASubscriberOfPostgresIsFollowed(t *testing.T) {
	if testing.Short() || !testenv.HasPrivate("postgres") {
		t.Skip("needs PostgreSQL's programs")
	}
	publisher := testenv.NewPrivate(t, "postgres", "-c", "wal_level=logical")
	subscriber := testenv.NewPrivate(t, "postgres", "-c", "wal_retrieve_retry_interval=100ms")
	u, _ := url.Parse(publisher.URL())
	table := "CREATE TABLE t (id int PRIMARY KEY)"
	testenv.Exec(t, publisher.URL(), table, "CREATE PUBLICATION p FOR TABLE t")
	testenv.Exec(t, subscriber.URL(), table,
		fmt.Sprintf("CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=%s user=postgres dbname=postgres' PUBLICATION p", u.Port()))
	from, to := openOn(t, Config{DSN: publisher.URL(), ReadOnly: true}), openOn(t, Config{DSN: subscriber.URL(), ReadOnly: true})
	expectServers(t, "two servers", false, from, to)
	f, err := Follow(t.Context(), from, to, "")
	if err != nil || f == nil {
		t.Fatal(f, err)
	}
	testenv.Exec(t, publisher.URL(), "INSERT INTO t VALUES (1)")
	awaitApplied(t, f, time.Now())
	if got := ask(t, subscriber.URL(), "SELECT COUNT(*) FROM t"); got != 1 {
		t.Errorf("the subscriber has %d rows when it is said to have followed", got)
	}

	// The subscriber cannot apply a row that it has.
	testenv.Exec(t, subscriber.URL(), "INSERT INTO t VALUES (2)")
	testenv.Exec(t, publisher.URL(), "INSERT INTO t VALUES (2)")
	changed := time.Now()
	for range 20 {
		if applied, err := f.Applied(t.Context()); err == nil && applied.After(changed) {
			t.Fatal("the change is not applied, and the copy is said to be past it")
		}
		<-time.After(50 * time.Millisecond)
	}
	testenv.Exec(t, subscriber.URL(), "DELETE FROM t WHERE id = 2")
	awaitApplied(t, f, changed)
}
