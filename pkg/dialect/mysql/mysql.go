// Package mysql spells SQL for MySQL 8 and MariaDB, and translates their
// values. It executes nothing.
package mysql

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/schema"
)

// Dialect is MySQL's or MariaDB's; New makes one.
type Dialect struct{ mariadb bool }

var _ dialect.Dialect = Dialect{}

// oldest are the first versions with FOR UPDATE SKIP LOCKED, without which a
// repair would queue behind every other writer.
var oldest = map[bool][3]int{
	false: {8, 0, 1},  // MySQL 8.0.1 release notes
	true:  {10, 6, 0}, // MariaDB 10.6.0 release notes, MDEV-13115
}

var versionNumber = regexp.MustCompile(`^(\d+)\.(\d+)(?:\.(\d+))?`)

// replicationPrefix is what older MariaDB servers put before their version for
// the sake of MySQL clients.
const replicationPrefix = "5.5.5-"

// New returns the dialect of the server whose SELECT VERSION() is version. A
// server that is too old, or not of this family, is an error.
func New(version string) (Dialect, error) {
	d := Dialect{mariadb: strings.Contains(strings.ToLower(version), "mariadb")}
	if strings.Contains(version, "TiDB") {
		return d, fmt.Errorf("the server is TiDB (%s), which is not supported: it has no SKIP LOCKED; use MySQL 8.0 or MariaDB 10.6, or newer", version)
	}
	found := versionNumber.FindStringSubmatch(strings.TrimPrefix(version, replicationPrefix))
	if found == nil {
		return d, fmt.Errorf("the server calls its version %q, which is neither MySQL's nor MariaDB's; use MySQL 8.0 or MariaDB 10.6, or newer", version)
	}
	least := oldest[d.mariadb]
	for i := range least {
		n, _ := strconv.Atoi(found[i+1]) // digits, or empty for a missing part
		if n > least[i] {
			return d, nil
		}
		if n < least[i] {
			return d, fmt.Errorf("the server is %s %s, older than the oldest that can skip locked rows; use MySQL 8.0 or MariaDB 10.6, or newer", d.Engine(), version)
		}
	}
	return d, nil
}

// Engine implements dialect.Dialect.
func (d Dialect) Engine() string {
	if d.mariadb {
		return "mariadb"
	}
	return "mysql"
}

// Quote implements dialect.Dialect.
func (Dialect) Quote(ident string) string {
	return "`" + strings.ReplaceAll(ident, "`", "``") + "`"
}

// TableName implements dialect.Dialect.
func (d Dialect) TableName(name schema.Name) string {
	if name.Schema == "" {
		return d.Quote(name.Table)
	}
	return d.Quote(name.Schema) + "." + d.Quote(name.Table)
}

// sqlMode is strict, so that a value is stored as given or refused. What a
// source already holds can be written as well: zero dates and dates such as
// 2024-02-30 (no NO_ZERO_DATE, but ALLOW_INVALID_DATES), and 0 in an
// AUTO_INCREMENT column. ANSI_QUOTES and PAD_CHAR_TO_FULL_LENGTH must be off.
const sqlMode = "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"

// Setup implements dialect.Dialect.
func (d Dialect) Setup(readOnly bool) []string {
	setup := []string{
		"SET NAMES utf8mb4",
		"SET SESSION sql_mode = '" + sqlMode + "'",
		"SET SESSION time_zone = '+00:00'",
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
		// As much as max_allowed_packet can ever be, which Digest minds as well.
		"SET SESSION group_concat_max_len = 1073741824",
		// A server-wide limit on rows would make rows look missing.
		"SET SESSION sql_select_limit = 9223372036854775807",
		// Seconds without progress while rows are being read: a range may have
		// to wait for the other side.
		"SET SESSION net_write_timeout = 600",
	}
	if !d.mariadb { // or MySQL describes tables, AUTO_INCREMENT among it, as of up to a day ago
		setup = append(setup, "SET SESSION information_schema_stats_expiry = 0")
	}
	if readOnly {
		return append(setup, "SET SESSION TRANSACTION READ ONLY")
	}
	return append(setup,
		// What the table's definition promises holds for repairs as well.
		"SET SESSION foreign_key_checks = 1",
		"SET SESSION unique_checks = 1",
		"SET SESSION innodb_lock_wait_timeout = "+itoa(d.lockWait()),
		"SET SESSION lock_wait_timeout = "+itoa(d.lockWait()),
		d.idleTimeout())
}

// idleTimeout has the server give the rows back of a repair that stands still or
// whose host is gone, which it would wait for by wait_timeout, eight hours. MySQL
// knows none for transactions alone, so there it is longer than connections wait in
// a pool (database.Config). MariaDB's is for those (since its version 10.3).
func (d Dialect) idleTimeout() string {
	if d.mariadb {
		return "SET SESSION idle_transaction_timeout = 60"
	}
	return "SET SESSION wait_timeout = 180"
}

// lockWait is how long, in seconds, a repair waits for rows, and for tables that
// somebody alters: its own, those that foreign keys refer to, those of triggers.
// Rows that others hold are skipped; this is for the rest, such as an insert
// beside another's uncommitted one. Whoever waits for nothing is part of no
// deadlock, so that no application becomes the victim of one, and keeps nobody
// waiting for rows it holds: MariaDB can do that (0 is NOWAIT since its version
// 10.3), MySQL waits for a second at least.
func (d Dialect) lockWait() int {
	if d.mariadb {
		return 0
	}
	return 1
}

// hint names the key's index to the server, which would otherwise now and then
// prefer a scan of the table with a sort; empty when no index has the key's
// order.
func (d Dialect) hint(v *schema.View) string {
	if key, found := v.KeyIndex(); found {
		return " FORCE INDEX (" + d.Quote(key.Name) + ")"
	}
	return ""
}
