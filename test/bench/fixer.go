package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/trueup/trueup/pkg/kafka"
)

// damage changes a tenth of the rows: 6 % updated, 2 % deleted, 2 % extra.
var damage = []string{
	"UPDATE orders SET status = 'damaged' WHERE id % 50 IN (1, 11, 21)",
	"DELETE FROM orders WHERE id % 50 = 31",
	"INSERT INTO orders SELECT id + 1000000000, customer, status, qty, amount, weight, paid, attrs, created_at, updated_at FROM orders WHERE id % 50 = 41",
}

// measureFixer repairs 10 % damaged rows three ways: the fixer with all
// findings waiting in Kafka, `trueup fix` with its own comparison, and
// pt-table-sync.
func measureFixer(ctx context.Context, o options, env services) error {
	if !o.keep {
		if err := loadDiffTables(ctx, o, env); err != nil {
			return err
		}
	}
	source, err := openMySQL(ctx, env, "trueup_bench_a", true)
	if err != nil {
		return err
	}
	defer closeQuietly(source)

	damaged := o.rows / 10
	fmt.Printf("## Repair of %d damaged rows of %d, MariaDB to MariaDB\n\n| command | wall s | rows a second | client peak MiB |\n|---|---|---|---|\n", damaged, o.rows)
	report := func(name string, wall time.Duration, rss int64) {
		fmt.Printf("| %s | %.1f | %.0f | %.1f |\n", name, wall.Seconds(), float64(damaged)/wall.Seconds(), float64(rss)/1024)
	}

	if err := damageCopy(ctx, source); err != nil {
		return err
	}
	wall, rss, err := repairFromKafka(ctx, o, env, damaged)
	if err != nil {
		return err
	}
	report("fixer, findings waiting in Kafka", wall, rss)

	dsns := []string{env.mysqlDSN("trueup_bench_a"), env.mysqlDSN("trueup_bench_damaged"), "orders"}
	clean := command{"trueup diff", append([]string{filepath.Join(o.bin, "trueup"), "diff", "--json"}, dsns...), nil, []int{0}}
	if _, err := clean.run(ctx); err != nil {
		return fmt.Errorf("the fixer left differences: %w", err)
	}

	if err := damageCopy(ctx, source); err != nil {
		return err
	}
	s, err := command{"trueup fix", append([]string{filepath.Join(o.bin, "trueup"), "fix", "--json", "--confirm", "0"}, dsns...), nil, []int{0}}.run(ctx)
	if err != nil {
		return err
	}
	report("trueup fix, comparison included", s.wall, s.maxRSS)

	if o.ptSync != "" {
		if err := damageCopy(ctx, source); err != nil {
			return err
		}
		s, err := command{"pt-table-sync", []string{
			o.ptSync, "--execute", "--no-check-slave", "--no-bin-log", "--charset=utf8mb4",
			env.ptDSN("trueup_bench_a", "orders"), env.ptDSN("trueup_bench_damaged", "orders"),
		}, nil, []int{0, 2}}.run(ctx)
		if err != nil {
			return err
		}
		report("pt-table-sync --execute, comparison included", s.wall, s.maxRSS)
	}
	fmt.Println()
	return nil
}

// damageCopy makes trueup_bench_damaged a damaged copy of the source.
func damageCopy(ctx context.Context, db *sql.DB) error {
	statements := []string{
		"DROP DATABASE IF EXISTS trueup_bench_damaged",
		"CREATE DATABASE trueup_bench_damaged CHARACTER SET utf8mb4",
		"CREATE TABLE trueup_bench_damaged.orders LIKE trueup_bench_a.orders",
		"INSERT INTO trueup_bench_damaged.orders SELECT * FROM trueup_bench_a.orders",
		"USE trueup_bench_damaged",
	}
	statements = append(statements, damage...)
	statements = append(statements, "ANALYZE TABLE orders")
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer closeQuietly(conn)
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("damage the copy: %w", err)
		}
	}
	return nil
}

// repairFromKafka lets the validator publish all findings, then measures one
// fixer from its start until the group's lag is zero.
func repairFromKafka(ctx context.Context, o options, env services, damaged int) (time.Duration, int64, error) {
	dir, err := os.MkdirTemp("", "trueup-bench-")
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}()
	prefix := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	path := filepath.Join(dir, "trueup.yaml")
	text := fmt.Sprintf(`source: {dsn: %q}
target: {dsn: %q}
kafka: {brokers: [%q], prefix: %s, partitions: 12, replication: 1}
pairs:
  - {name: orders, source: orders, target: orders}
validator: {confirm: 0s}
http: {listen: "127.0.0.1:0"}
`, env.mysqlDSN("trueup_bench_a"), env.mysqlDSN("trueup_bench_damaged"), env.kafka, prefix)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return 0, 0, err
	}
	for _, c := range []command{
		{"trueup topics create", []string{filepath.Join(o.bin, "trueup"), "topics", "create", "--config", path}, nil, []int{0}},
		{"validator --once", []string{filepath.Join(o.bin, "validator"), "--config", path, "--once"}, nil, []int{1}},
	} {
		if _, err := c.run(ctx); err != nil {
			return 0, 0, err
		}
	}
	admin, err := kafka.NewAdmin(kafka.Config{Brokers: []string{env.kafka}, Prefix: prefix, Partitions: 12})
	if err != nil {
		return 0, 0, err
	}
	waiting, err := totalLag(ctx, admin, prefix)
	if err != nil {
		return 0, 0, err
	}
	if waiting < int64(damaged)*9/10 {
		return 0, 0, fmt.Errorf("the validator published %d findings over %d damaged rows", waiting, damaged)
	}

	fixer := exec.CommandContext(ctx, filepath.Join(o.bin, "fixer"), "--config", path)
	log, err := os.Create(filepath.Join(dir, "fixer.log"))
	if err != nil {
		return 0, 0, err
	}
	defer closeQuietly(log)
	fixer.Stdout, fixer.Stderr = log, log
	start := time.Now()
	if err := fixer.Start(); err != nil {
		return 0, 0, err
	}
	err = awaitNoLag(ctx, admin, prefix)
	wall := time.Since(start)
	if err := fixer.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, 0, err
	}
	if waitErr := fixer.Wait(); err == nil && waitErr != nil {
		err = fmt.Errorf("stop the fixer: %w", waitErr)
	}
	usage, ok := fixer.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return wall, 0, err
	}
	return wall, usage.Maxrss, err
}

// awaitNoLag polls the group's lag; offsets are committed once a second, so
// the measured time is up to a second too long.
func awaitNoLag(ctx context.Context, admin *kafka.Admin, prefix string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		lag, err := totalLag(ctx, admin, prefix)
		if err != nil {
			return err
		}
		if lag == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d findings are still waiting: %w", lag, ctx.Err())
		}
	}
}

func totalLag(ctx context.Context, admin *kafka.Admin, prefix string) (int64, error) {
	lag, err := admin.GroupLag(ctx, prefix+".fixer", prefix+".findings")
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for _, n := range lag {
		total += n
	}
	return total, nil
}

// ptDSN is the server in the form of percona-toolkit.
func (s services) ptDSN(database, table string) string {
	u := s.mysqlURL()
	password, _ := u.User.Password()
	return fmt.Sprintf("h=%s,P=%s,u=%s,p=%s,D=%s,t=%s", u.Hostname(), u.Port(), u.User.Username(), password, database, table)
}
