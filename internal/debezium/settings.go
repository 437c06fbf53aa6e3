package debezium

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"net/url"
	"path/filepath"
	"strings"
)

// Settings are those of a Debezium connector for all tables of a database, by
// its mysql:// (for MariaDB's connector) or postgres:// URL. Its topics are
// <prefix>.<database or schema>.<table>; dir is where it keeps the history of
// MariaDB's tables. With schemas each record holds its schema. more goes last.
func Settings(dsn, prefix, dir string, schemas bool, more map[string]string) (map[string]string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New("the address of a database is not a URL") // the error would show its password
	}
	password, _ := u.User.Password()
	settings := map[string]string{
		"name": prefix, "topic.prefix": prefix, "tasks.max": "1",
		"database.hostname": u.Hostname(), "database.port": u.Port(), "database.user": u.User.Username(), "database.password": password,
		"key.converter": converter, "value.converter": converter,
		"key.converter.schemas.enable": fmt.Sprint(schemas), "value.converter.schemas.enable": fmt.Sprint(schemas),
		"topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "1",
		"skipped.operations": "none", // or truncated tables are not told of
		"poll.interval.ms":   "50", "heartbeat.interval.ms": "0",
	}
	name := strings.TrimPrefix(u.Path, "/")
	if u.Scheme == "postgres" {
		settings["connector.class"] = "io.debezium.connector.postgresql.PostgresConnector"
		settings["database.dbname"], settings["plugin.name"] = name, "pgoutput"
		settings["slot.name"], settings["publication.name"] = Slot(prefix), Slot(prefix)
	} else {
		settings["connector.class"] = "io.debezium.connector.mariadb.MariaDbConnector"
		settings["database.include.list"], settings["database.server.id"] = name, serverID(prefix)
		// The server may be others' as well, who make and drop tables, some of them in
		// SQL that the connector's parser does not know.
		settings["schema.history.internal.skip.unparseable.ddl"] = "true"
		settings["schema.history.internal.store.only.captured.tables.ddl"] = "true"
		settings["schema.history.internal.store.only.captured.databases.ddl"] = "true"
		settings["schema.history.internal"] = "io.debezium.storage.file.history.FileSchemaHistory"
		settings["schema.history.internal.file.filename"] = filepath.Join(dir, prefix+".history")
	}
	maps.Copy(settings, more)
	return settings, nil
}

// Slot is the name of a connector's replication slot in PostgreSQL, and of its
// publication.
func Slot(prefix string) string {
	const longest = 60 // of PostgreSQL's 63
	slot := strings.NewReplacer("-", "_", ".", "_").Replace(prefix)
	return slot[max(0, len(slot)-longest):]
}

// serverID tells the connectors of a MariaDB apart, as it does replicas.
func serverID(prefix string) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(prefix)) // it never fails, by its documentation
	return fmt.Sprint(1<<16 + hash.Sum32()>>2)
}
