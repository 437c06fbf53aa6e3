package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	_ "github.com/go-sql-driver/mysql" // the driver of the demo's own connections

	"github.com/trueup/trueup/pkg/kafka"
)

// workshop is where trueup's programs run: two databases and a Kafka, and one
// configuration file for all programs.
type workshop struct {
	bin     string // the directory of the programs
	config  string // the configuration file
	source  string // the address of the source
	target  string
	brokers []string

	running  context.Context // ends with close, and the programs with it
	end      context.CancelFunc
	services []*service
	closers  []func() // called last to first
}

// openWorkshop starts the servers and writes the configuration. Close it, also
// after an error.
func openWorkshop(ctx context.Context, bin string) (*workshop, error) {
	w := &workshop{}
	w.running, w.end = context.WithCancel(ctx)
	if err := w.findPrograms(bin); err != nil {
		return w, err
	}
	if err := w.startServers(); err != nil {
		return w, err
	}
	return w, w.writeConfig()
}

func (w *workshop) findPrograms(bin string) (err error) {
	if w.bin, err = filepath.Abs(bin); err != nil {
		return err
	}
	for _, name := range []string{"trueup", "validator", "fixer"} {
		if _, err := os.Stat(w.program(name)); err != nil {
			return fmt.Errorf("the program %s is not built; run `make demo`, or `make build` first: %w", name, err)
		}
	}
	return nil
}

func (w *workshop) startServers() error {
	brokers, stop, err := startKafka()
	if err != nil {
		return err
	}
	w.brokers, w.closers = brokers, append(w.closers, stop)
	for _, address := range []*string{&w.source, &w.target} {
		if *address, stop, err = startMySQL("shop"); err != nil {
			return err
		}
		w.closers = append(w.closers, stop)
	}
	return nil
}

func (w *workshop) writeConfig() error {
	dir, err := os.MkdirTemp("", "trueup-demo-")
	if err != nil {
		return err
	}
	w.closers = append(w.closers, func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, "demo:", err)
		}
	})
	w.config = filepath.Join(dir, "trueup.yaml")
	return os.WriteFile(w.config, []byte(w.yaml()), 0o600)
}

// close ends what still runs, the programs before the servers they need.
func (w *workshop) close() {
	w.end()
	for _, s := range w.services {
		<-s.done
	}
	for _, stop := range slices.Backward(w.closers) {
		stop()
	}
}

func (w *workshop) program(name string) string { return filepath.Join(w.bin, name) }
func (w *workshop) sourceURL() string          { return "mysql://root@" + w.source + "/shop" }
func (w *workshop) targetURL() string          { return "mysql://root@" + w.target + "/shop" }

func (w *workshop) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "source: {dsn: %q}\ntarget: {dsn: %q}\n", w.sourceURL(), w.targetURL())
	fmt.Fprintf(&b, "kafka: {brokers: [\"%s\"], partitions: %d, replication: 1}\n", strings.Join(w.brokers, `", "`), partitions)
	b.WriteString("pairs:\n")
	for _, t := range shop {
		fmt.Fprintf(&b, "  - {name: %s}\n", t.name)
	}
	b.WriteString("governor: {source: {adapt: false}, target: {adapt: false}}\n") // embedded servers know nothing of their load
	// Ranges of 2000 rows are small; they let the demo's progress be seen.
	b.WriteString("validator: {confirm: 1s, range: {max_rows: 2000}}\nhttp: {listen: \"127.0.0.1:0\"}\n")
	return b.String()
}

// databases connects to both databases, to fill, to damage and to audit them.
func (w *workshop) databases() (source, target *sql.DB, err error) {
	if source, err = w.connect(w.source); err != nil {
		return nil, nil, err
	}
	target, err = w.connect(w.target)
	return source, target, err
}

func (w *workshop) connect(address string) (*sql.DB, error) {
	db, err := sql.Open("mysql", "root@tcp("+address+")/shop")
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, func() { _ = db.Close() }) // the server goes away with it
	return db, nil
}

func (w *workshop) createTopics(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, w.program("trueup"), "topics", "create", "--config", w.config).CombinedOutput()
	if err != nil {
		return fmt.Errorf("create the topics: %w\n%s", err, out)
	}
	return nil
}

// lag is the number of findings that the fixers' group has not committed.
func (w *workshop) lag(ctx context.Context) (int64, error) {
	config := kafka.Config{Brokers: w.brokers, Partitions: partitions}.WithDefaults()
	admin, err := kafka.NewAdmin(config)
	if err != nil {
		return 0, err
	}
	lags, err := admin.GroupLag(ctx, config.Prefix+".fixer", config.Topics().Findings)
	total := int64(0)
	for _, n := range lags {
		total += n
	}
	return total, err
}
