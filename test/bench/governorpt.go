package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// ptChecksumming is pt-table-checksum at work on the source's table, again and
// again. It looks at one side only: the other would be a replica's.
type ptChecksumming struct {
	o         options
	env       services
	source    side
	directory string
	database  string // of its own table
	quit      chan struct{}
	ended     chan error
	// passes over the table that were finished, and their processor time.
	passes int
	cpu    time.Duration
}

// maxThreads is the limit it is given, that of trueup on two cores: two for each
// and six.
const maxThreads = "Threads_running=10"

func startChecksumming(ctx context.Context, o options, env services, source side) (*ptChecksumming, error) {
	p := &ptChecksumming{
		o: o, env: env, source: source, database: o.prefix + "_pt",
		quit: make(chan struct{}), ended: make(chan error, 1),
	}
	var err error
	if p.directory, err = os.MkdirTemp("", "trueup-bench-"); err != nil {
		return nil, err
	}
	if err := env.execMySQL(ctx, "", "DROP DATABASE IF EXISTS "+p.database, "CREATE DATABASE "+p.database); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.repeat() }()
	return p, nil
}

// repeat runs it until it is to stop; the last pass is interrupted.
func (p *ptChecksumming) repeat() error {
	for {
		whole, err := p.pass()
		if err != nil || !whole {
			return err
		}
		p.passes++
	}
}

// pass is one run; false if it was interrupted.
func (p *ptChecksumming) pass() (whole bool, err error) {
	output, err := os.Create(filepath.Join(p.directory, "output"))
	if err != nil {
		return false, err
	}
	defer closeQuietly(output)
	// Not of a context: a signal lets it end after the range in hand.
	cmd := exec.Command(p.o.ptChecksum, //nolint:noctx // see above
		"--databases", databaseOf(p.source.dsn), "--tables", "orders",
		"--replicate", p.database+".checksums", "--max-load", maxThreads,
		"--recursion-method", "none", "--no-check-binlog-format", "--no-check-replication-filters", "--no-check-plan", "--no-version-check", "--quiet",
		p.source.pt)
	cmd.Stdout, cmd.Stderr = output, output
	process, err := startProcess(cmd)
	if err != nil {
		return false, fmt.Errorf("start pt-table-checksum: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- process.wait() }()
	defer func() { p.cpu += process.cpu() }()
	select {
	case err = <-done:
	case <-p.quit:
		if err := process.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return false, err
		}
		if err := <-done; err != nil && !isExit(err) { // its status tells of the signal
			return false, fmt.Errorf("stop pt-table-checksum: %w", err)
		}
		return false, nil
	}
	if err != nil {
		text, _ := os.ReadFile(output.Name()) // without it the error stands alone
		return false, fmt.Errorf("pt-table-checksum: %w\n%s", err, tail(string(text)))
	}
	return true, nil
}

// stop ends it and says how many rows it has read. Its own table tells of the
// pass that was interrupted.
func (p *ptChecksumming) stop(ctx context.Context) (rows float64, err error) {
	close(p.quit)
	if err := <-p.ended; err != nil {
		return 0, err
	}
	defer func() {
		drop := p.env.execMySQL(ctx, "", "DROP DATABASE IF EXISTS "+p.database)
		err = errors.Join(err, drop, os.RemoveAll(p.directory))
	}()
	db, err := p.env.openMySQL(p.database)
	if err != nil {
		return 0, err
	}
	defer closeQuietly(db)
	var partial float64
	if err := db.QueryRowContext(ctx, "SELECT COALESCE(SUM(this_cnt), 0) FROM checksums").Scan(&partial); err != nil {
		return 0, fmt.Errorf("ask how far pt-table-checksum came: %w", err)
	}
	return float64(p.passes*p.o.rows) + partial, nil
}
