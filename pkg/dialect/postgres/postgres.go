// Package postgres spells SQL for PostgreSQL 13 and newer, and translates its
// values. It executes nothing.
//
// Arguments and results travel as PostgreSQL's own texts; the statements cast
// every argument, so that nothing depends on what a driver takes a Go value for.
package postgres

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/schema"
)

// Dialect is PostgreSQL's; New makes one.
type Dialect struct{}

var _ dialect.Dialect = Dialect{}

// oldest is the first version with trim_scale.
const oldest = 13

var versionNumber = regexp.MustCompile(`^(?:PostgreSQL )?(\d+)`)

// New returns the dialect of the server whose server_version (or version()) is
// version. A server that is too old, or another product, is an error.
func New(version string) (Dialect, error) {
	found := versionNumber.FindStringSubmatch(version)
	if found == nil {
		return Dialect{}, fmt.Errorf("the server calls its version %q, which is not PostgreSQL's; use PostgreSQL %d or newer", version, oldest)
	}
	major, err := strconv.Atoi(found[1])
	if err != nil || major < oldest {
		return Dialect{}, fmt.Errorf("the server is PostgreSQL %s, which lacks functions that comparing needs; use PostgreSQL %d or newer", version, oldest)
	}
	return Dialect{}, nil
}

// Engine implements dialect.Dialect.
func (Dialect) Engine() string { return "postgres" }

// Quote implements dialect.Dialect.
func (Dialect) Quote(ident string) string {
	return `"` + strings.ReplaceAll(ident, `"`, `""`) + `"`
}

// TableName implements dialect.Dialect.
func (d Dialect) TableName(name schema.Name) string {
	if name.Schema == "" {
		return d.Quote(name.Table)
	}
	return d.Quote(name.Schema) + "." + d.Quote(name.Table)
}

// Setup implements dialect.Dialect.
func (Dialect) Setup(readOnly bool) []string {
	setup := []string{
		"SET client_encoding = 'UTF8'",
		"SET TimeZone = 'UTC'",
		"SET DateStyle = 'ISO, YMD'",
		"SET IntervalStyle = 'iso_8601'",
		"SET extra_float_digits = 3",
		"SET bytea_output = 'hex'",
		"SET standard_conforming_strings = on",
		"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
		// A row that a policy hides would look missing; now it is an error.
		"SET row_security = off",
		// One connection is one unit of load, and rows come in the order of the
		// plan's scan. Compiling a statement costs more than it saves here.
		"SET max_parallel_workers_per_gather = 0",
		"SET jit = off",
	}
	if readOnly {
		return append(setup, "SET default_transaction_read_only = on")
	}
	return append(setup,
		// Rows held by others are skipped; this is for the rest: an insert
		// beside another's uncommitted one, and a table being altered. It is
		// far shorter than deadlock_timeout (a second by default), after which
		// whoever waits looks for a deadlock, once, and gives up its own
		// transaction: the repair has given up by then, and no application
		// needs to, but for one whose look falls into just this time.
		"SELECT set_config('lock_timeout', greatest(1, least(50, 250 * extract(epoch FROM current_setting('deadlock_timeout')::interval)))::int || 'ms', false)",
		// What the table's definition promises holds for repairs as well. A role may
		// be set to pass over foreign keys and triggers; most may not set it back,
		// and are refused.
		"SELECT set_config('session_replication_role', 'origin', false) WHERE current_setting('session_replication_role') <> 'origin'",
		// A repair reads the other side while it holds row locks here.
		"SET idle_in_transaction_session_timeout = '60s'")
}
