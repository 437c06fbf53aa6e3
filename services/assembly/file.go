// Package assembly is the configuration file that the services and the command
// line share, and the parts they all put together in the same way: databases
// opened with the right privileges, pairs resolved against both tables.
package assembly

import (
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/config"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/validate"
)

// File is the whole configuration. Every field but source, target and pairs
// may be left out; the services need kafka as well.
type File struct {
	Source    Database     `yaml:"source"`
	Target    Database     `yaml:"target"`
	Kafka     kafka.Config `yaml:"kafka"`
	Pairs     []Pair       `yaml:"pairs"`
	Governor  Governor     `yaml:"governor"`
	Validator Validator    `yaml:"validator"`
	// Replication says how the copy's delay is measured.
	Replication Replication `yaml:"replication"`
	Fixer       Fixer       `yaml:"fixer"`
	HTTP        HTTP        `yaml:"http"`
}

// Database says how to reach one side.
type Database struct {
	// DSN is mysql://, mariadb://, postgres:// or postgresql://; ${NAME} in it
	// stands for an environment variable.
	DSN string `yaml:"dsn"`
	// PasswordFile holds the password, instead of the DSN. It is read for every
	// connection: a new password needs no restart.
	PasswordFile string `yaml:"password_file"`
	// TLS says how to encrypt, instead of parameters of the DSN.
	TLS database.TLS `yaml:"tls"`
	// ConnectTimeout bounds one attempt to connect; 10s when left out.
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	// StatementTimeout has the server give up a statement that takes longer;
	// the server's own setting when left out.
	StatementTimeout time.Duration `yaml:"statement_timeout"`
}

// Validator are the settings of runs.
type Validator struct {
	validate.Config `yaml:",inline"`
	// Confirm is how long a difference must stand before it is looked at again
	// and reported; 0s reports what the first look saw. DefaultConfirm when left out.
	Confirm *time.Duration `yaml:"confirm"`
	// MaxFindings ends a run, incomplete, after so many; no limit when 0.
	MaxFindings int64 `yaml:"max_findings"`
	// MaxMismatchShare ends a run, incomplete, when more than this share of the
	// rows compared so far differ, once enough were compared to tell
	// (validate.Run.MaxShare); DefaultMaxMismatchShare when left out, 1 for no limit.
	MaxMismatchShare float64 `yaml:"max_mismatch_share"`
	// MaxClockSkew is the difference between a database's clock and this
	// machine's that is reported as a warning; DefaultMaxClockSkew when left out.
	MaxClockSkew time.Duration `yaml:"max_clock_skew"`
	// Takeover is how long the validator that runs the pairs may be silent before
	// another takes its place; DefaultTakeover when left out. Brokers allow 6s to
	// 30m unless told otherwise (group.min.session.timeout.ms).
	Takeover time.Duration `yaml:"takeover"`
	// Continuous are the settings of incremental and triggered runs.
	Continuous Continuous `yaml:"continuous"`
}

// FixerGroup is the consumer group of the fixers.
func FixerGroup(file File) string {
	if file.Fixer.Group != "" {
		return file.Fixer.Group
	}
	return file.Kafka.WithDefaults().Prefix + ".fixer"
}

// RetryGroup is the consumer group in which the fixers take up what was put off.
func RetryGroup(file File) string { return FixerGroup(file) + ".retry" }

// Fixer are the settings of repairs.
type Fixer struct {
	// Group is the consumer group; "<kafka.prefix>.fixer" when empty.
	Group string `yaml:"group"`
	// BatchKeys is the number of rows repaired in one transaction, 1 to 10000;
	// package fix's default when left out.
	BatchKeys int `yaml:"batch_keys"`
	// DrainTimeout is how long the batch in hand may take when the service
	// stops or loses a partition, below 25s; 20s when left out.
	DrainTimeout time.Duration `yaml:"drain_timeout"`
	// LockBudget is how long a transaction aims to hold rows of the copy, and
	// MaxChain how many rows that nobody reported it may take in because they
	// stand in the way of others; package fix's defaults when left out.
	LockBudget time.Duration `yaml:"lock_budget"`
	MaxChain   int           `yaml:"max_chain"`
	// RetryDelay is how long a finding waits in the retry topic each time, below
	// 15s; DefaultRetryDelay when left out. RetryFor is how long a row waits for one that
	// it refers to by a foreign key; DefaultRetryFor when left out.
	RetryDelay time.Duration `yaml:"retry_delay"`
	RetryFor   time.Duration `yaml:"retry_for"`
	// DigestKey is the secret that keys the digests of rows and masked values in
	// outcomes; ${NAME} in it stands for an environment variable.
	DigestKey kafka.Secret `yaml:"digest_key"`
	// DryRun has outcomes say what would be done; nothing is written.
	DryRun bool `yaml:"dry_run"`
}

// Defaults and bounds.
const (
	maxThreads = 64
	// DefaultConcurrency lets the 4 ranges of a run, a confirmation and the
	// search for the next range's end proceed at once.
	DefaultConcurrency = 6
	// DefaultConfirm is longer than the lag of a replicator that is well.
	DefaultConfirm = 2 * time.Second
	maxConfirm     = 24 * time.Hour
	// DefaultMaxMismatchShare is the share at which breakers stop repairs too: two
	// tables of which a fifth differs are hardly the two that were meant, or in a
	// mapping, filter or direction that is wrong.
	DefaultMaxMismatchShare = 0.2
	// DefaultTakeover bears a broker that is restarted in order, and is Kafka's own
	// default for the members of a group (session.timeout.ms before 3.0).
	DefaultTakeover = 10 * time.Second
	minTakeover     = 3 * time.Second // less than a few signs of life
	maxTakeover     = 30 * time.Minute
	// DefaultMaxClockSkew is far above what NTP leaves and below what makes
	// the times of an audit hard to read.
	DefaultMaxClockSkew = 5 * time.Second
	maxDrain            = 24 * time.Second
	// DefaultRetryDelay is long beside the transactions that a row is waited for,
	// and short beside what a person waits for a repair.
	DefaultRetryDelay = 5 * time.Second
	maxRetryDelay     = 15 * time.Second
	// DefaultRetryFor gives a backlog time to bring the rows that others refer to.
	DefaultRetryFor = 10 * time.Minute
	maxLockBudget   = time.Second
)

// Load reads the file at path, checks it and fills in what it leaves out.
func Load(path string) (File, error) { return config.Load[File](path) }

// Validate normalises and checks the file. An error names the field, its value
// and the limit.
func (f *File) Validate() error {
	if err := f.expandShards(); err != nil {
		return err
	}
	f.addShadows()
	names := map[string]string{}
	for i := range f.Pairs {
		p := &f.Pairs[i]
		p.normalise()
		if err := p.validate(); err != nil {
			return config.At(p.place, err)
		}
		if err := f.validateKeep(p); err != nil {
			return config.At(p.place, err)
		}
		if first, taken := names[p.Name]; taken {
			return config.At(p.place, config.At("name", fmt.Errorf("%q is already the name of %s; findings could not be told apart", p.Name, first)))
		}
		names[p.Name] = p.place
	}
	for _, check := range []func() error{
		f.Source.validate("source"), f.Target.validate("target"),
		f.Governor.validate, f.Validator.validate, f.Fixer.validate, f.Replication.validate, f.HTTP.validate,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return f.expand()
}

// expand fills environment variables into the secrets of kafka and fixer, and into
// the name of the process; those of DSNs are filled in by package database, which
// knows what needs escaping.
func (f *File) expand() error {
	sasl := &f.Kafka.SASL
	var err error
	if f.Kafka.Instance, err = config.Expand(f.Kafka.Instance); err != nil {
		return config.At("kafka.instance", err)
	}
	if sasl.Username, err = config.Expand(sasl.Username); err != nil {
		return config.At("kafka.sasl.username", err)
	}
	password, err := config.Expand(string(sasl.Password))
	if err != nil {
		return config.At("kafka.sasl.password", err)
	}
	sasl.Password = kafka.Secret(password)
	secret, err := config.Expand(string(sasl.OAuth.ClientSecret))
	if err != nil {
		return config.At("kafka.sasl.oauth.client_secret", err)
	}
	sasl.OAuth.ClientSecret = kafka.Secret(secret)
	key, err := config.Expand(string(f.Fixer.DigestKey))
	if err != nil {
		return config.At("fixer.digest_key", err)
	}
	f.Fixer.DigestKey = kafka.Secret(key)
	return f.HTTP.expand()
}

func (d *Database) validate(side string) func() error {
	return func() error {
		if d.ConnectTimeout < 0 || d.StatementTimeout < 0 {
			return config.At(side, errors.New("a time limit is positive; leave it out for none"))
		}
		if err := d.TLS.Validate(); err != nil {
			return config.At(side+".tls", err)
		}
		return nil
	}
}

func (v *Validator) validate() error {
	v.Config = v.Config.WithDefaults()
	if v.Confirm == nil {
		confirm := DefaultConfirm
		v.Confirm = &confirm
	}
	if v.MaxMismatchShare == 0 {
		v.MaxMismatchShare = DefaultMaxMismatchShare
	}
	if v.MaxClockSkew == 0 {
		v.MaxClockSkew = DefaultMaxClockSkew
	}
	if v.Takeover == 0 {
		v.Takeover = DefaultTakeover
	}
	switch {
	case v.Takeover < minTakeover || v.Takeover > maxTakeover:
		return config.At("validator.takeover", fmt.Errorf("%v is outside %v to %v", v.Takeover, minTakeover, maxTakeover))
	case *v.Confirm < 0 || *v.Confirm > maxConfirm:
		return config.At("validator.confirm", fmt.Errorf("%v is outside 0 to %v", *v.Confirm, maxConfirm))
	case v.MaxFindings < 0:
		return config.At("validator.max_findings", fmt.Errorf("%d is less than 0; 0 means no limit", v.MaxFindings))
	case !(v.MaxMismatchShare >= 0 && v.MaxMismatchShare <= 1): // which NaN is not, either
		return config.At("validator.max_mismatch_share", fmt.Errorf("%v is outside 0 to 1; 1 means no limit", v.MaxMismatchShare))
	case v.MaxClockSkew < 0:
		return config.At("validator.max_clock_skew", fmt.Errorf("%v is less than 0", v.MaxClockSkew))
	}
	if err := within("validator.threads", v.Threads, 1, maxThreads); err != nil {
		return err
	}
	if err := v.Config.Validate(); err != nil {
		return config.At("validator", err)
	}
	return v.Continuous.validate()
}

func (f *Fixer) validate() error {
	if f.DrainTimeout < 0 || f.DrainTimeout > maxDrain {
		return config.At("fixer.drain_timeout", fmt.Errorf("%v is outside 0 to %v: the whole process has 25s to stop", f.DrainTimeout, maxDrain))
	}
	if f.RetryDelay == 0 {
		f.RetryDelay = DefaultRetryDelay
	}
	if f.RetryFor == 0 {
		f.RetryFor = DefaultRetryFor
	}
	switch {
	case f.RetryDelay < 0 || f.RetryDelay > maxRetryDelay:
		return config.At("fixer.retry_delay", fmt.Errorf("%v is outside 0 to %v: a fixer that stops waits for it", f.RetryDelay, maxRetryDelay))
	case f.RetryFor < 0:
		return config.At("fixer.retry_for", fmt.Errorf("%v is no time to wait", f.RetryFor))
	case f.LockBudget < 0 || f.LockBudget > maxLockBudget:
		return config.At("fixer.lock_budget", fmt.Errorf("%v is outside 0 to %v: whoever waits for a row longer may take it for a deadlock", f.LockBudget, maxLockBudget))
	case f.MaxChain != 0:
		if err := within("fixer.max_chain", f.MaxChain, 1, 10_000); err != nil {
			return err
		}
	}
	if f.BatchKeys == 0 {
		return nil
	}
	return within("fixer.batch_keys", f.BatchKeys, 1, 10_000)
}

func within(field string, value, low, high int) error {
	if value < low || value > high {
		return config.At(field, fmt.Errorf("%d is outside %d to %d", value, low, high))
	}
	return nil
}

// ForServices checks what the services need beyond Validate.
func (f *File) ForServices() error {
	switch {
	case f.Source.DSN == "":
		return errors.New(`source.dsn is missing; give the URL of the source database`)
	case f.Target.DSN == "":
		return errors.New(`target.dsn is missing; give the URL of the target database`)
	case len(f.Pairs) == 0:
		return errors.New(`pairs is empty; name at least one table to compare, e.g. pairs: [{name: orders}]`)
	case len(f.Kafka.Brokers) == 0:
		return errors.New(`kafka.brokers is missing; name at least one broker, host:port`)
	}
	return f.Kafka.Validate()
}
