package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/internal/debezium"
	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/cdc"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

var recordEvents = flag.String("record-events", "", "write the connectors' events to this `directory`, for pkg/cdc/testdata")

// connector returns the settings of a Debezium connector for all tables of a
// database, with or without the schema in each record.
func connector(t *testing.T, dsn, prefix string, schemas bool, more map[string]string) map[string]string {
	t.Helper()
	settings, err := debezium.Settings(dsn, prefix, t.TempDir(), schemas, more)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

// changeable starts a private server that change events can be taken from.
func changeable(t *testing.T, engine string) string {
	t.Helper()
	if !testenv.HasPrivate(engine) || !testenv.HasConnect() {
		t.Skipf("the programs of %s, Java or Maven are not installed here", engine)
	}
	if engine == "postgres" {
		return testenv.NewPrivate(t, engine, "-c", "wal_level=logical").URL()
	}
	return testenv.NewPrivate(t, engine, "--log-bin=binlog", "--binlog-format=ROW", "--server-id=4711").URL()
}

// keyCase is a table with one column as its key, and values for it as SQL.
type keyCase struct {
	table, column string
	values        []string
}

var mariaKeys = []keyCase{
	{"k_int", "INT", []string{"-5", "0", "2147483647"}},
	{"k_big", "BIGINT", []string{"-9223372036854775808", "9223372036854775807"}},
	{"k_ubig", "BIGINT UNSIGNED", []string{"1", "9223372036854775807", "9223372036854775808", "18446744073709551615"}},
	{"k_uint", "INT UNSIGNED", []string{"4294967295"}},
	{"k_tiny", "TINYINT(1)", []string{"0", "1", "-7"}},
	{"k_year", "YEAR", []string{"1999"}},
	{"k_dec", "DECIMAL(30,6)", []string{"-0.5", "123456789012345678901234.123456", "0", "12"}},
	{"k_char", "CHAR(8) CHARACTER SET utf8mb4", []string{"'a'", "'naïve ☃'", "''"}},
	{"k_text", "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", []string{"'a b'", "'\"q\"'", "'🚚'"}},
	{"k_bin", "BINARY(16)", []string{"X'00112233445566778899aabbccddeeff'", "X'01'"}},
	{"k_vbin", "VARBINARY(20)", []string{"X'ff00'", "X'01'"}},
	{"k_date", "DATE", []string{"'2026-02-28'", "'1000-01-01'", "'9999-12-31'"}},
	{"k_time", "TIME(6)", []string{"'-838:59:59.000000'", "'12:34:56.000001'", "'100:00:00'"}},
	{"k_dt0", "DATETIME", []string{"'2026-03-04 05:06:07'", "'1000-01-01 00:00:00'"}},
	{"k_dt3", "DATETIME(3)", []string{"'2026-03-04 05:06:07.123'"}},
	{"k_dt6", "DATETIME(6)", []string{"'2026-03-04 05:06:07.123456'", "'9999-12-31 23:59:59.999999'"}},
	{"k_ts", "TIMESTAMP(6)", []string{"'2026-03-04 05:06:07.5'"}},
	{"k_bit", "BIT(12)", []string{"b'101000000001'", "b'0'"}},
	{"k_bit1", "BIT(1)", []string{"b'1'", "b'0'"}},
	{"k_enum", "ENUM('new','old one')", []string{"'old one'"}},
	{"k_uuid", "UUID", []string{"'123e4567-e89b-12d3-a456-426655440000'", "'123e4567-e89b-12d3-a456-426655440001'", "'00000000-0000-0000-0000-000000000000'"}},
}

var postgresKeys = []keyCase{
	{"k_int", "integer", []string{"-5", "2147483647"}},
	{"k_big", "bigint", []string{"-9223372036854775808", "9223372036854775807"}},
	{"k_bool", "boolean", []string{"true", "false"}},
	{"k_num", "numeric(30,6)", []string{"-0.5", "123456789012345678901234.123456", "12"}},
	{"k_vnum", "numeric", []string{"-0.05", "1e20", "123.4500"}},
	{"k_char", "char(8)", []string{"'a'", "'naïve ☃'"}},
	{"k_text", "text", []string{"'a b '", "'\"q\"'", "'🚚'"}},
	{"k_bytea", "bytea", []string{`'\xff00'`, `'\x'`}},
	{"k_uuid", "uuid", []string{"'123E4567-e89b-12d3-a456-426655440000'"}},
	{"k_date", "date", []string{"'2026-02-28'", "'1000-01-01'"}},
	{"k_time", "time", []string{"'12:34:56.000001'", "'00:00:00'"}},
	{"k_time0", "time(0)", []string{"'12:34:56'"}},
	{"k_ts", "timestamp", []string{"'2026-03-04 05:06:07.123456'", "'1700-01-01 00:00:00'"}},
	{"k_ts3", "timestamp(3)", []string{"'2026-03-04 05:06:07.123'"}},
	{"k_tz", "timestamptz", []string{"'2026-03-04 05:06:07.5+02'"}},
	{"k_bit", "bit(12)", []string{"B'101000000001'"}},
	{"k_inet", "inet", []string{"'192.168.0.1/24'", "'2001:db8::1'"}},
	{"k_mac", "macaddr", []string{"'08:00:2b:01:02:03'"}},
	{"k_real", "real", []string{"1.5", "0.1"}},
	{"k_dbl", "double precision", []string{"1e300", "0.1"}},
}

// recorded is a record as it stands in pkg/cdc/testdata.
type recorded struct {
	Engine, Table, Column string
	Schemas               bool
	Key, Value            string   `json:",omitempty"`
	Want                  []string `json:",omitempty"` // each a row's key
	Kind                  cdc.Kind
}

// TestTheConnectorsKeysAreReadExactly inserts, changes and deletes a row of
// every key type, and wants each event's key to be the one that the database
// itself reads.
func TestTheConnectorsKeysAreReadExactly(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs Kafka Connect")
	}
	for _, e := range []struct {
		engine string
		keys   []keyCase
	}{{"mysql", mariaKeys}, {"postgres", postgresKeys}} {
		t.Run(e.engine, func(t *testing.T) { keysAreRead(t, e.engine, e.keys) })
	}
}

func keysAreRead(t *testing.T, engine string, cases []keyCase) {
	dsn := changeable(t, engine)
	prefix := testenv.Prefix(t)
	for _, c := range cases {
		testenv.Exec(t, dsn, fmt.Sprintf("CREATE TABLE %s (id %s NOT NULL PRIMARY KEY, note INT)", c.table, c.column))
		for _, v := range c.values {
			testenv.Exec(t, dsn, fmt.Sprintf("INSERT INTO %s VALUES (%s, 1)", c.table, v))
		}
	}
	with, without := prefix+"-with", prefix+"-bare"
	testenv.NewConnect(t, connector(t, dsn, with, true, nil), connector(t, dsn, without, false, nil))
	db, err := database.Open(t.Context(), database.Config{DSN: dsn, MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	place := strings.TrimPrefix(mustParse(t, dsn).Path, "/")
	if engine == "postgres" {
		place = "public"
	}
	views, want := map[string]*schema.View{}, map[string][]string{}
	snapshot, all := map[string]int{}, map[string]int{}
	for _, c := range cases {
		table, err := db.Table(t.Context(), schema.Name{Schema: place, Table: c.table})
		if err != nil {
			t.Fatal(err)
		}
		column, _ := table.Column("id")
		view := &schema.View{Table: table, Columns: []schema.ViewColumn{{Column: column, As: column.Type}}, Key: []int{0}}
		views[c.table], want[c.table] = view, tableKeys(t, db, view)
		for _, name := range []string{with, without} {
			snapshot[name+"."+place+"."+c.table] = len(want[c.table])
			all[name+"."+place+"."+c.table] = 3 * len(want[c.table]) // update, delete, tombstone
		}
	}
	events := newTopics(t, snapshot)
	read := events.read(snapshot)
	for _, c := range cases {
		testenv.Exec(t, dsn, fmt.Sprintf("UPDATE %s SET note = 2", c.table))
		testenv.Exec(t, dsn, fmt.Sprintf("DELETE FROM %s", c.table))
	}
	for topic, messages := range events.read(all) {
		read[topic] = append(read[topic], messages...)
	}
	var recording []recorded
	for _, c := range cases {
		for _, schemas := range []bool{true, false} {
			name := map[bool]string{true: with, false: without}[schemas]
			view, got := views[c.table], map[string]int{}
			for _, m := range read[name+"."+place+"."+c.table] {
				event, err := cdc.Table{Name: view.Table.Name, Key: view.KeyColumns()}.Read(m.Record.Key, m.Record.Value)
				if err != nil {
					t.Errorf("%s %s: %v", c.table, m.Record.Key, err)
				}
				var keys []string
				for _, key := range event.Keys {
					got[key.String()]++
					keys = append(keys, key.String())
				}
				if !slices.ContainsFunc(keys, func(k string) bool { return slices.Contains(want[c.table], k) }) {
					t.Errorf("%s: key %s is read as %q, want one of %q", c.table, m.Record.Key, keys, want[c.table])
				}
				if certain := c.table != "k_bit" && c.table != "k_uuid"; schemas && certain && len(keys) != 1 {
					t.Errorf("%s: key %s with its schema is read as %q", c.table, m.Record.Key, keys)
				}
				recording = append(recording, recorded{engine, c.table, c.column, schemas, string(m.Record.Key), string(m.Record.Value), keys, event.Kind})
			}
			for _, key := range want[c.table] {
				if got[key] < 4 {
					t.Errorf("%s: key %s was named %d times, want 4; all: %v", c.table, key, got[key], got)
				}
			}
		}
	}
	if *recordEvents != "" {
		saveRecording(t, engine, recording)
	}
}

func mustParse(t *testing.T, dsn string) *url.URL {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func tableKeys(t *testing.T, db *database.DB, view *schema.View) []string {
	t.Helper()
	cursor, err := db.Rows(t.Context(), view, row.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer cursor.Close()
	var out []string
	for {
		r, err := cursor.Next()
		if err != nil {
			return out
		}
		out = append(out, row.Key(r).String())
	}
}

// topics reads topics that connectors write.
type topics struct {
	t       *testing.T
	changes *kafka.Changes
}

func newTopics(t *testing.T, of map[string]int) topics {
	t.Helper()
	changes, err := kafka.NewChanges(kafka.Config{Brokers: testenv.Kafka(t)}, kafka.ChangesConfig{Group: testenv.Prefix(t), Topics: slices.Sorted(maps.Keys(of))}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = changes.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return topics{t, changes}
}

// read reads as many messages of each topic as are wanted.
func (r topics) read(want map[string]int) map[string][]kafka.Message {
	r.t.Helper()
	out, left := map[string][]kafka.Message{}, maps.Clone(want)
	deadline := time.After(patience)
	for len(left) > 0 {
		select {
		case m := <-r.changes.Messages():
			out[m.Topic] = append(out[m.Topic], m)
			if left[m.Topic]--; left[m.Topic] <= 0 {
				delete(left, m.Topic)
			}
		case <-deadline:
			_, reason, _ := r.changes.Healthy()
			r.t.Fatalf("these messages did not come: %v; %s", left, reason)
		}
	}
	return out
}

func saveRecording(t *testing.T, engine string, events []recorded) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	for _, e := range events {
		if err := encoder.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(*recordEvents, engine+".jsonl"), text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
