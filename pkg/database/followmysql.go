package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/trueup/trueup/pkg/dialect"
)

// statusResolution is by how much Seconds_Behind_Source may be too little: it counts
// whole seconds by the replica's clock, one of which has begun, and takes off how far
// the two servers' clocks were apart when they were connected, also in whole seconds.
const statusResolution = 2 * time.Second

// followMySQL measures by the replica's own status. Its figure counts from the
// events that have arrived: one that its primary has not sent yet is not seen,
// which a heartbeat does.
func followMySQL(ctx context.Context, replica *DB) (*Follower, error) {
	what := subject{op: "ask " + replica.redacted + " whether it is a replica"}
	channels, err := replica.replicaStatus(ctx)
	if err != nil && replica.dialect.Classify(err) == dialect.ClassDenied {
		if replica.neverReplicated(ctx) {
			return nil, nil
		}
		failed := replica.fail(ctx, what, err)
		if e, ok := errors.AsType[*Error](failed); ok {
			e.Hint = "grant the user " + replicaPrivilege(replica.Engine())
		}
		return nil, failed
	}
	if err != nil {
		return nil, replica.fail(ctx, what, err)
	}
	if len(channels) == 0 {
		return nil, nil
	}
	return &Follower{how: "the replica's status", applied: func(ctx context.Context) (time.Time, error) {
		asked := time.Now()
		channels, err := replica.replicaStatus(ctx)
		if err == nil {
			var behind time.Duration
			if behind, err = behindOf(channels); err == nil {
				return asked.Add(-behind), nil
			}
		}
		return time.Time{}, replica.fail(ctx, subject{op: "ask " + replica.redacted + " how far it is behind"}, err)
	}}, nil
}

// replicaPrivilege is what the status of a replica takes (the servers' manuals,
// "SHOW REPLICA STATUS").
func replicaPrivilege(engine string) string {
	if engine == "mariadb" {
		return "REPLICA MONITOR ON *.*"
	}
	return "REPLICATION CLIENT ON *.*"
}

// neverReplicated says whether a MariaDB server has no position of a primary,
// which takes no privilege to know.
func (db *DB) neverReplicated(ctx context.Context) bool {
	if db.Engine() != "mariadb" {
		return false
	}
	line, err := db.readLine(ctx, dialect.Query{SQL: "SELECT @@global.gtid_slave_pos"}, 1)
	return err == nil && line[0] != nil && *line[0] == ""
}

// channel is the state of replication from one primary, by column; NULL is nil.
type channel map[string]*string

// word is a column's value under its newer or its older name.
func (c channel) word(names ...string) string {
	for _, name := range names {
		if v := c[name]; v != nil {
			return *v
		}
	}
	return ""
}

// behind is how far the channel may be behind.
func (c channel) behind() (time.Duration, error) {
	text := c.word("Seconds_Behind_Source", "Seconds_Behind_Master")
	receiving, applying := c.word("Replica_IO_Running", "Slave_IO_Running"), c.word("Replica_SQL_Running", "Slave_SQL_Running")
	if text == "" || receiving != "Yes" || applying != "Yes" {
		state := fmt.Sprintf("replication does not run: receiving %s, applying %s", receiving, applying)
		for _, name := range []string{"Last_IO_Error", "Last_SQL_Error"} {
			if problem := c.word(name); problem != "" {
				state += "; " + name + " tells why"
			}
		}
		return 0, errors.New(state)
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return 0, fmt.Errorf("the replica is %q seconds behind, which is no number", text)
	}
	return time.Duration(seconds)*time.Second + statusResolution, nil
}

// behindOf is how far the slowest of the channels may be behind.
func behindOf(channels []channel) (time.Duration, error) {
	if len(channels) == 0 {
		return 0, errors.New("it is no replica any more")
	}
	var worst time.Duration
	for _, c := range channels {
		behind, err := c.behind()
		if err != nil {
			return 0, err
		}
		worst = max(worst, behind)
	}
	return worst, nil
}

// noSuchStatement is a parser's error: MySQL 8.4 has no SHOW SLAVE STATUS, and
// servers before 8.0.22 no SHOW REPLICA STATUS.
const noSuchStatement = 1064

func (db *DB) replicaStatus(ctx context.Context) ([]channel, error) {
	statements := []string{"SHOW REPLICA STATUS", "SHOW SLAVE STATUS"}
	if db.Engine() == "mariadb" {
		statements = []string{"SHOW ALL SLAVES STATUS"}
	}
	var channels []channel
	var err error
	for _, sql := range statements {
		err = db.session(ctx, func(s session) error {
			var err error
			channels, err = namedRows(ctx, s, sql)
			return err
		})
		if e, ok := errors.AsType[*mysql.MySQLError](err); !ok || e.Number != noSuchStatement {
			break
		}
	}
	return channels, err
}

// namedRows reads a result by the names of its columns: their number and order
// differ from version to version.
func namedRows(ctx context.Context, s session, sql string) ([]channel, error) {
	own, ok := s.(*mysqlSession)
	if !ok {
		return nil, fmt.Errorf("%T names no columns", s)
	}
	rows, err := own.link.query(ctx, dialect.Query{SQL: sql})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names := rows.Columns()
	values := make([]driver.Value, len(names))
	var out []channel
	for {
		err := rows.Next(values)
		if err == io.EOF { //nolint:errorlint // database/sql/driver.Rows: the bare value marks the end
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		c := channel{}
		for i, v := range values {
			var raw dialect.Raw
			if err := rawFromMySQL(&raw, v); err != nil {
				return nil, err
			}
			if raw.Kind != dialect.RawNull {
				text := rawText(raw)
				c[names[i]] = &text
			}
		}
		out = append(out, c)
	}
}
