// Command soak holds the whole product to its promise for minutes: writers,
// a replicator behind them, damage, services that are killed, connections that
// are cut, a broker that is restarted. Then writers stop, and a comparison that
// shares no code with the product must find both sides equal, while trueup says
// clean. It is started by `make soak`.
//
// It needs a MariaDB and a PostgreSQL, on which it drops and creates databases
// named soak_*, and brings a Kafka of its own.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are how long a soak takes and how rough it is.
type options struct {
	minutes float64
	seed    uint64
	prefix  string // of databases and topics
	// continuous has trueup follow changes instead of running by schedules, with
	// Kafka Connect's jars from the directory connect.
	continuous bool
	connect    string
	pairs      string
	cutOver    bool
	fixers     int
	writers    int
	rows       int
	rate       float64
	damage     float64
	mishaps    time.Duration
	broker     time.Duration
	settle     time.Duration
	bin        string
	jars       string
	report     string
	dir        string
	servers    map[engine]string
}

// What -continuous does not ask otherwise for: both kinds of sources, rows enough
// that few change again before they are looked at, and mishaps far enough apart
// for something to be found between them.
const continuousPairs = "mariadb-postgres,postgres-mariadb"

const allPairs = "mariadb-mariadb,mariadb-postgres,postgres-mariadb,postgres-postgres"

func main() {
	var o options
	flag.Float64Var(&o.minutes, "minutes", 5, "how long writers, damage and mishaps go on")
	flag.Uint64Var(&o.seed, "seed", 0, "what all random choices follow from; 0 chooses one")
	flag.BoolVar(&o.continuous, "continuous", false, "follow changes, by a column and by Debezium's events, and run nothing else; says how soon damage is found")
	flag.StringVar(&o.connect, "connect", "", "directory that holds the jars of Kafka Connect and Debezium")
	flag.StringVar(&o.prefix, "prefix", "soak", "what the names of databases and topics begin with; two soaks on the same servers need two")
	flag.StringVar(&o.pairs, "pairs", "", "the `engines` of authority and copy, joined by a hyphen; several side by side ("+allPairs+"; "+continuousPairs+" with -continuous)")
	flag.BoolVar(&o.cutOver, "cut-over", false, "the authority is trueup's target, as after a cut-over")
	flag.IntVar(&o.fixers, "fixers", 2, "fixers of each pair of engines")
	flag.IntVar(&o.writers, "writers", 4, fmt.Sprintf("writers of each pair of engines, up to %d", maxWriters))
	flag.IntVar(&o.rows, "rows", 0, "keys of each writer in each table (300; 1000 with -continuous)")
	flag.Float64Var(&o.rate, "rate", 40, "transactions a second by all writers of a pair of engines")
	flag.Float64Var(&o.damage, "damage", 2, "damages a second to each copy")
	flag.DurationVar(&o.mishaps, "mishaps", 0, "time between two mishaps of a pair of engines (10s; 1m, of all of them, with -continuous)")
	flag.DurationVar(&o.broker, "broker", 15*time.Second, "time between two mishaps of Kafka")
	flag.DurationVar(&o.settle, "settle", 5*time.Minute, "within what time trueup has to say clean in the end")
	flag.StringVar(&o.bin, "bin", "bin", "directory that holds trueup, validator and fixer")
	flag.StringVar(&o.jars, "kafka", "", "directory that holds Kafka's jars")
	flag.StringVar(&o.report, "report", "", "file that the summary is added to")
	flag.StringVar(&o.dir, "dir", "", "directory for logs, kept; a temporary one, kept when something is wrong, when empty")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	clean, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
	}
	if err != nil || !clean {
		os.Exit(1)
	}
}

// run prints the summary and says whether everything was as it must be.
func run(ctx context.Context, o options) (bool, error) {
	directions, err := o.check()
	if err != nil {
		return false, err
	}
	kept := o.dir != ""
	if !kept {
		if o.dir, err = os.MkdirTemp("", "trueup-soak-"); err != nil {
			return false, err
		}
	}
	s, err := soak(ctx, o, directions)
	if err != nil {
		return false, fmt.Errorf("%w; logs are in %s", err, o.dir)
	}
	text, found := s.markdown(), s.violations()
	fmt.Print(text)
	if o.report != "" {
		if err := appendTo(o.report, text); err != nil {
			return false, err
		}
	}
	if len(found) > 0 {
		return false, fmt.Errorf("%d violations; logs are in %s, and the databases named %s_* are kept", len(found), o.dir, o.prefix)
	}
	err = s.remove(ctx)
	if !kept {
		err = errors.Join(err, os.RemoveAll(o.dir))
	}
	return true, err
}

// fill gives what was left out, which depends on the kind of soak.
func (o *options) fill() {
	pairs, rows, mishaps := allPairs, 300, 10*time.Second
	if o.continuous {
		pairs, rows, mishaps = continuousPairs, 1000, time.Minute
	}
	o.pairs, o.rows, o.mishaps = cmp.Or(o.pairs, pairs), cmp.Or(o.rows, rows), cmp.Or(o.mishaps, mishaps)
}

// check fills in what was left out, and reads the pairs of engines.
func (o *options) check() ([][2]engine, error) {
	o.fill()
	if o.seed == 0 {
		o.seed = rand.Uint64()>>32 + 1
	}
	if o.writers < 1 || o.writers > maxWriters || o.rows < 24 || o.fixers < 1 || o.rate <= 0 || o.damage <= 0 || o.minutes <= 0 {
		return nil, fmt.Errorf("-writers 1 to %d, -rows at least 24, -fixers at least 1, -rate, -damage and -minutes above 0", maxWriters)
	}
	for _, program := range []string{"trueup", "validator", "fixer"} {
		if _, err := exec.LookPath(filepath.Join(o.bin, program)); err != nil {
			return nil, fmt.Errorf("%w: build the programs with `make build`, or say with -bin where they are", err)
		}
	}
	o.servers = map[engine]string{mariadb: os.Getenv("TRUEUP_TEST_MYSQL"), postgres: os.Getenv("TRUEUP_TEST_POSTGRES")}
	var out [][2]engine
	for name := range strings.SplitSeq(o.pairs, ",") {
		from, to, _ := strings.Cut(name, "-")
		if !slices.Contains(strings.Split(allPairs, ","), name) {
			return nil, fmt.Errorf("-pairs %q: choose from %s", name, allPairs)
		}
		for _, e := range []string{from, to} {
			if o.servers[engine(e)] == "" {
				return nil, fmt.Errorf("no %s is known: start the soak with `make soak`, or export TRUEUP_TEST_MYSQL and TRUEUP_TEST_POSTGRES", e)
			}
		}
		out = append(out, [2]engine{engine(from), engine(to)})
	}
	return out, nil
}

// random is a source of random numbers for one purpose.
func (o options) random(purpose string, number int) *rand.Rand {
	hash := fnv.New64a()
	_, _ = fmt.Fprint(hash, purpose, number) // it never fails, by its documentation
	return rand.New(rand.NewPCG(o.seed, hash.Sum64()))
}

// result is what a soak did and found.
type result interface {
	markdown() string
	violations() []string
	// remove drops the databases.
	remove(ctx context.Context) error
}

// soak brings a Kafka and runs all pairs of engines over it.
func soak(ctx context.Context, o options, pairs [][2]engine) (result, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	kafka := filepath.Join(o.dir, "kafka")
	if err := os.MkdirAll(kafka, 0o700); err != nil {
		return nil, err
	}
	progress("starting Kafka")
	b, err := newBroker(ctx, o.jars, kafka)
	if err != nil {
		return nil, err
	}
	defer func() { b.stop(syscall.SIGKILL) }()
	if o.continuous {
		return soakContinuously(ctx, o, b, pairs)
	}
	return under(ctx, o, b, pairs)
}

// under runs all directions side by side over a broker.
func under(ctx context.Context, o options, b *broker, pairs [][2]engine) (*summary, error) {
	s := &summary{options: o, began: time.Now()}
	var found violations
	for _, p := range pairs {
		progress("filling %s to %s", p[0], p[1])
		d, err := newDirection(ctx, o, b, filepath.Join(o.dir, string(p[0])+"-"+string(p[1])), p[0], p[1], &found)
		if err != nil {
			return nil, err
		}
		s.directions = append(s.directions, d)
	}
	if err := s.run(ctx, b); err != nil {
		return nil, err
	}
	s.found = found.all()
	return s, nil
}

// remove drops the databases of all directions.
func (s *summary) remove(ctx context.Context) error {
	for _, d := range s.directions {
		if err := d.remove(ctx); err != nil {
			return err
		}
	}
	return nil
}

// run has all directions work at once, and the broker fail under them.
func (s *summary) run(ctx context.Context, b *broker) error {
	progress("%.1f minutes of writers, damage and mishaps, seed %d, logs in %s", s.options.minutes, s.options.seed, s.options.dir)
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	busy, rest := context.WithTimeout(ctx, time.Duration(s.options.minutes*float64(time.Minute)))
	defer rest()
	everybody := crew{giveUp: giveUp}
	for _, d := range s.directions {
		d.giveUp = giveUp
		everybody.do(func() error {
			if err := d.run(ctx, busy); err != nil {
				return fmt.Errorf("%s: %w", d.name, err)
			}
			progress("%s: clean %.1f s after the last write, %d differences in %d rows", d.name, d.toClean.Seconds(), len(d.different), d.compared)
			return nil
		})
	}
	everybody.do(func() error {
		if b.proxied == nil {
			return nil // somebody else's
		}
		return b.mishaps(busy, s.options.random("broker", 0), s.options.broker, &s.broker)
	})
	return everybody.wait()
}

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// progress tells the person who waits what happens now.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "soak: "+format+"\n", args...)
}

// machine is what the figures depend on.
func machine() string {
	return fmt.Sprintf("%d cores, %s, %s/%s", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
