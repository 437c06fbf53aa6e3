package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/kafka"
)

// load is how hard the fixers may work; the zero value leaves it to their
// defaults.
type load struct {
	adapt       bool          // whether the governor follows the servers' load
	concurrency int           // statements at once on each side
	lockBudget  time.Duration // how long a transaction aims to hold rows
}

// yaml is the load as lines of the configuration file.
func (l load) yaml() string {
	// Unless it is asked for: what is measured is not to depend on what else the
	// machine does.
	side := fmt.Sprintf("adapt: %t", l.adapt)
	if l.concurrency > 0 {
		side += fmt.Sprintf(", concurrency: %d", l.concurrency)
	}
	text := fmt.Sprintf("governor: {source: {%s}, target: {%s}}\n", side, side)
	if l.lockBudget > 0 {
		text += fmt.Sprintf("fixer: {lock_budget: %s}\n", l.lockBudget)
	}
	return text
}

// backlog is findings that wait in Kafka under a prefix of their own.
type backlog struct {
	dir    string // holds the configuration and the services' logs
	config string
	broker string
	prefix string
	admin  *kafka.Admin
	count  int64
}

// fromKafka measures n fixers over a backlog of damaged findings.
func fromKafka(o options, env services, source, target side, damaged, n int) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sample, error) {
		b, err := publishFindings(ctx, o, env, source, target, damaged, load{})
		if err != nil {
			return sample{}, err
		}
		defer b.remove()
		return b.repair(ctx, o, n)
	}
}

// publishFindings has the validator find the damage and publish it.
func publishFindings(ctx context.Context, o options, env services, source, target side, damaged int, l load) (*backlog, error) {
	dir, err := os.MkdirTemp("", "trueup-bench-")
	if err != nil {
		return nil, err
	}
	b := &backlog{dir: dir, config: filepath.Join(dir, "trueup.yaml"), broker: env.kafka, prefix: fmt.Sprintf("bench-%d", time.Now().UnixNano())}
	if err := b.publish(ctx, o, env, source, target, damaged, l); err != nil {
		b.remove()
		return nil, err
	}
	return b, nil
}

func (b *backlog) publish(ctx context.Context, o options, env services, source, target side, damaged int, l load) error {
	text := fmt.Sprintf(`source: {dsn: %q}
target: {dsn: %q}
kafka: {brokers: [%q], prefix: %s, partitions: 12, replication: 1}
pairs:
  - {name: orders, source: orders, target: orders, breaker: {share: "off", deletes: "off", per_minute: "off"}}
validator: {confirm: 0s, max_mismatch_share: 1}
http: {listen: "off"}
%s`, source.dsn, target.dsn, env.kafka, b.prefix, l.yaml())
	if err := os.WriteFile(b.config, []byte(text), 0o600); err != nil {
		return err
	}
	for _, c := range []command{
		{"trueup topics create", []string{filepath.Join(o.bin, "trueup"), "topics", "create", "--config", b.config}, []int{0}},
		{"validator --once", []string{filepath.Join(o.bin, "validator"), "--config", b.config, "--once"}, []int{1}},
	} {
		if _, err := c.run(ctx); err != nil {
			return err
		}
	}
	var err error
	if b.admin, err = kafka.NewAdmin(kafka.Config{Brokers: []string{env.kafka}, Prefix: b.prefix, Partitions: 12}); err != nil {
		return err
	}
	if b.count, err = b.lag(ctx, ".fixer", ".findings"); err != nil {
		return err
	}
	if b.count != int64(damaged) {
		return fmt.Errorf("the validator published %d findings over %d damaged rows", b.count, damaged)
	}
	return nil
}

// remove deletes the configuration and the topics: hundreds of partitions that
// nobody reads would weigh on the broker and on what is measured next.
func (b *backlog) remove() {
	if err := errors.Join(os.RemoveAll(b.dir), b.deleteTopics()); err != nil {
		progress("tidy up: %v", err)
	}
}

func (b *backlog) deleteTopics() (err error) {
	admin, err := sarama.NewClusterAdmin([]string{b.broker}, sarama.NewConfig())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	topics, err := admin.ListTopics()
	if err != nil {
		return err
	}
	for name := range topics {
		if strings.HasPrefix(name, b.prefix+".") {
			err = errors.Join(err, admin.DeleteTopic(name))
		}
	}
	return err
}

// lag is how many messages of a topic a group has before it: all of them, if
// it has never read any.
func (b *backlog) lag(ctx context.Context, group, topic string) (int64, error) {
	lag, err := b.admin.GroupLag(ctx, b.prefix+group, b.prefix+topic)
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for _, n := range lag {
		total += n
	}
	return total, nil
}

// repair runs n fixers. The time ends when as many outcomes are in Kafka as
// there were findings; then the fixers may commit their offsets and are stopped.
// The memory is the largest of theirs, the processor time that of all.
func (b *backlog) repair(ctx context.Context, o options, n int) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	var fixers []*process
	start := time.Now()
	var err error
	for i := range n {
		var fixer *process
		if fixer, err = b.startFixer(o, i); err != nil {
			break
		}
		fixers = append(fixers, fixer)
	}
	var s sample
	if err == nil {
		outcomes := func(wanted int64) func() (bool, error) {
			return func() (bool, error) {
				done, err := b.lag(ctx, ".bench", ".outcomes")
				return done >= wanted, err
			}
		}
		// Asking takes the broker and this program some time, so often only near the end.
		if err = await(ctx, usually, outcomes(b.count*19/20)); err == nil {
			err = await(ctx, closely, outcomes(b.count))
		}
		s.wall = time.Since(start)
	}
	if err == nil {
		err = await(ctx, usually, func() (bool, error) {
			left, err := b.lag(ctx, ".fixer", ".findings")
			return left == 0, err
		})
	}
	for _, fixer := range fixers {
		err = errors.Join(err, b.stop(fixer))
		s.cpu += fixer.cpu()
		s.maxRSS = max(s.maxRSS, fixer.peak)
	}
	return s, err
}

func (b *backlog) startFixer(o options, number int) (*process, error) {
	log, err := os.Create(filepath.Join(b.dir, fmt.Sprintf("fixer%d.log", number)))
	if err != nil {
		return nil, err
	}
	defer closeQuietly(log) // the process has its own
	// Not of this context: a fixer is stopped in order, so that its usage is known.
	fixer := exec.Command(filepath.Join(o.bin, "fixer"), "--config", b.config) //nolint:noctx // see above
	fixer.Stdout, fixer.Stderr = log, log
	return startProcess(fixer)
}

// stop ends a fixer; the error of one that could not end in order has the end
// of its log.
func (b *backlog) stop(fixer *process) error {
	if err := fixer.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := fixer.wait()
	if err == nil {
		return nil
	}
	log, readErr := os.ReadFile(filepath.Join(b.dir, "fixer0.log"))
	return errors.Join(fmt.Errorf("the fixer ended with %w; the first one's log:\n%s", err, tail(string(log))), readErr)
}

// How often it is asked whether fixers are done: what a time of some seconds is exact to,
// and what is not to be seen in it.
const (
	closely = 20 * time.Millisecond
	usually = 100 * time.Millisecond
)

// await asks so often, until the answer is yes.
func await(ctx context.Context, often time.Duration, ask func() (bool, error)) error {
	tick := time.NewTicker(often)
	defer tick.Stop()
	for {
		done, err := ask()
		if err != nil || done {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the fixers: %w", ctx.Err())
		}
	}
}
