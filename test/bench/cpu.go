package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// serverCPU is the processor time, user and system, of the two servers.
type serverCPU struct{ mysql, postgres time.Duration }

func (c serverCPU) minus(earlier serverCPU) serverCPU {
	return serverCPU{c.mysql - earlier.mysql, c.postgres - earlier.postgres}
}

// cpuMeter reads it from /proc. A process of 0 is not on this machine.
type cpuMeter struct{ mysql, postmaster int }

// findServers finds the servers' processes by what the servers say of
// themselves. Servers in containers, or elsewhere, stay unknown.
func findServers(ctx context.Context, env services) (cpuMeter, error) {
	var m cpuMeter
	db, err := env.openMySQL("")
	if err != nil {
		return m, err
	}
	defer closeQuietly(db)
	var pidFile, directory string
	if err := db.QueryRowContext(ctx, "SELECT @@pid_file, @@datadir").Scan(&pidFile, &directory); err != nil {
		return m, fmt.Errorf("ask MariaDB for its process: %w", err)
	}
	if !filepath.IsAbs(pidFile) {
		pidFile = filepath.Join(directory, pidFile)
	}
	if text, err := os.ReadFile(pidFile); err == nil {
		m.mysql = processNamed(strings.TrimSpace(string(text)), "mariadbd", "mysqld")
	}
	conn, err := pgx.Connect(ctx, env.postgres)
	if err != nil {
		return m, err
	}
	defer closePostgres(ctx, conn)
	var backend int
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return m, fmt.Errorf("ask PostgreSQL for its process: %w", err)
	}
	if stat, err := readStat(strconv.Itoa(backend)); err == nil && stat.name == "postgres" {
		m.postmaster = stat.parent
	}
	return m, nil
}

// processNamed is the number of a process if it bears one of the names, else 0.
func processNamed(pid string, names ...string) int {
	stat, err := readStat(pid)
	if err != nil {
		return 0
	}
	for _, name := range names {
		if stat.name == name {
			n, err := strconv.Atoi(pid)
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// read is what the servers have used so far.
func (m cpuMeter) read() (serverCPU, error) {
	var c serverCPU
	if m.mysql != 0 {
		stat, err := readStat(strconv.Itoa(m.mysql))
		if err != nil {
			return c, err
		}
		c.mysql = stat.own
	}
	if m.postmaster == 0 {
		return c, nil
	}
	postgres, err := treeCPU(m.postmaster)
	c.postgres = postgres
	return c, err
}

// treeCPU is the time of a process, of its living children and of those it has
// buried: PostgreSQL's backends come and go.
func treeCPU(root int) (time.Duration, error) {
	stat, err := readStat(strconv.Itoa(root))
	if err != nil {
		return 0, err
	}
	total := stat.own + stat.buried
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		child, err := readStat(entry.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has ended meanwhile
		}
		if err == nil && child.parent == root {
			total += child.own
		}
	}
	return total, nil
}

// procStat is what /proc/<pid>/stat says, see proc(5).
type procStat struct {
	name        string
	parent      int
	own, buried time.Duration
}

func readStat(pid string) (procStat, error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return procStat{}, err
	}
	return parseStat(string(text))
}

// tick is the unit of times in /proc: USER_HZ is 100 on every Linux.
const tick = 10 * time.Millisecond

// parseStat reads a stat line. The name stands in parentheses and may hold
// blanks and parentheses itself.
func parseStat(line string) (procStat, error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return procStat{}, fmt.Errorf("no process name in %q", line)
	}
	fields := strings.Fields(line[end+1:]) // from the third field of proc(5) on
	if len(fields) < 15 {
		return procStat{}, fmt.Errorf("too few fields in %q", line)
	}
	var n [5]int64
	for i, at := range [...]int{1, 11, 12, 13, 14} { // ppid, utime, stime, cutime, cstime
		var err error
		if n[i], err = strconv.ParseInt(fields[at], 10, 64); err != nil {
			return procStat{}, fmt.Errorf("read %q: %w", line, err)
		}
	}
	return procStat{
		name:   line[open+1 : end],
		parent: int(n[0]),
		own:    time.Duration(n[1]+n[2]) * tick,
		buried: time.Duration(n[3]+n[4]) * tick,
	}, nil
}
