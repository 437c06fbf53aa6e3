package assembly

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/rs/zerolog"

	"github.com/trueup/trueup/internal/manual"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/lifecycle"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/pkg/tracing"
)

// Exit statuses of the services.
const (
	StatusClean       = 0 // stopped in order, or --once found nothing
	StatusDifferences = 1 // --once found differences
	StatusTrouble     = 2 // bad usage or configuration, or --once could not look
)

// Service is what both services have: a log, metrics, conditions of readiness,
// an HTTP server that shows them, and a group of parts that run together.
type Service struct {
	Name      string
	Log       zerolog.Logger
	Metrics   *telemetry.Metrics
	Readiness *telemetry.Readiness
	Parts     lifecycle.Group
	// Tracing is nil where nothing is traced.
	Tracing *tracing.Tracing
}

// NewService returns a service that logs to stderr, one JSON object a line.
func NewService(name string, stderr io.Writer) *Service {
	zerolog.TimeFieldFormat = time.RFC3339Nano
	return &Service{
		Name:      name,
		Log:       zerolog.New(stderr).With().Timestamp().Str("service", name).Logger(),
		Metrics:   telemetry.NewMetrics(name, ReadBuild().Version, ReadBuild().Commit),
		Readiness: telemetry.NewReadiness(),
	}
}

// Flags are the command-line flags both services have.
type Flags struct {
	Config  string
	Listen  string
	Version bool
	// Manual asks for the manual page.
	Manual bool
	// About is what --help and the manual page say besides the flags.
	About manual.Page
}

// Register adds the flags to a set.
func (f *Flags) Register(set *flag.FlagSet) {
	set.StringVar(&f.Config, "config", "", "configuration `FILE`; one file serves validator and fixer")
	set.StringVar(&f.Listen, "listen", "", "`host:port` for /healthz, /readyz and /metrics, instead of http.listen; off for none")
	set.BoolVar(&f.Version, "version", false, "print the version and exit")
	set.BoolVar(&f.Manual, "man", false, "print the manual page, for man(1), and exit")
}

// page is what the service says of itself.
func (f *Flags) page(set *flag.FlagSet) manual.Page {
	build := ReadBuild()
	page := f.About
	page.Name, page.Version = set.Name(), build.Version
	page.Date, _, _ = strings.Cut(build.Date, "T")
	set.VisitAll(func(one *flag.Flag) {
		placeholder, text := flag.UnquoteUsage(one)
		page.Flags = append(page.Flags, manual.Entry{Name: strings.TrimSpace("--" + one.Name + " " + placeholder), Text: text})
	})
	return page
}

// Load reads and checks the file the flags name.
func (f *Flags) Load() (File, error) {
	if f.Config == "" {
		return File{}, errors.New("--config is missing; name the configuration file, e.g. --config trueup.yaml")
	}
	file, err := Load(f.Config)
	if err != nil {
		return File{}, err
	}
	if err := file.ForServices(); err != nil {
		return File{}, fmt.Errorf("%s: %w", f.Config, err)
	}
	return file, nil
}

// off as an address means no HTTP server.
const off = "off"

// ServeHTTP adds the HTTP server to the service's parts. An address given on
// the command line must be free. One from the file, or the default, may be
// taken by another service that reads the same file on the same machine: then
// a free port of 127.0.0.1 is used instead, and the log says so. What is mounted
// answers only those that the file lets in, see HTTP.
func (s *Service) ServeHTTP(ctx context.Context, flag string, file HTTP, otherwise string, mounted ...telemetry.Mounted) error {
	address := flag
	for _, next := range []string{file.Listen, otherwise} {
		if address == "" {
			address = next
		}
	}
	if address == off {
		return nil
	}
	if err := file.check(len(mounted) > 0); err != nil {
		return err
	}
	listener, err := telemetry.Listen(ctx, address)
	if err != nil {
		if flag != "" {
			return err
		}
		s.Log.Warn().Err(err).Msg("another process has the address of http.listen; taking a free port, use --listen to choose one")
		if listener, err = telemetry.Listen(ctx, net.JoinHostPort("127.0.0.1", "0")); err != nil {
			return err
		}
	}
	if file.TLS.CertFile != "" {
		s.Readiness.Watch("certificate", file.TLS.trusted)
	}
	guard := &guard{http: file, local: loopback(listener.Addr()), log: s.Log}
	for i, m := range mounted {
		mounted[i].Handler = guard.around(m.Handler)
	}
	s.Log.Info().Str("address", listener.Addr().String()).Bool("tls", file.TLS.CertFile != "").Msg("serving http")
	s.Parts.Add("http", func(ctx context.Context) error {
		return telemetry.Serve(ctx, file.TLS.listener(listener), telemetry.Handler(s.Metrics, s.Readiness, mounted...))
	})
	return nil
}

// Attempt does what the service needs before its work: it tries again, with
// growing pauses of up to 30 seconds, until it succeeds, and shows the reason
// on /readyz meanwhile. It returns an error when ctx ends, or when trying again
// cannot help because the configuration itself is wrong.
func (s *Service) Attempt(ctx context.Context, condition string, do func(context.Context) error) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = time.Second, 30*time.Second
	s.Readiness.Set(condition, false, "starting")
	for {
		err := do(ctx)
		switch {
		case err == nil:
			s.Readiness.Set(condition, true, "")
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case hopeless(err):
			return err
		}
		delay := pause.NextBackOff()
		s.Readiness.Set(condition, false, err.Error())
		s.Log.Error().Err(err).Str("condition", condition).Dur("retry_in_ms", delay).Msg("not ready")
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// hopeless says whether the reason is one that only another configuration
// changes. What a server says (no such database, wrong password, too many
// connections) may be put right there, and so may certificates and the files of
// secrets; a DSN may not, nor an epoch under which the other side is the authority.
func hopeless(err error) bool {
	if _, disputed := errors.AsType[*event.DisputedError](err); disputed {
		return true
	}
	e, ok := errors.AsType[*database.Error](err)
	return ok && e.Class == dialect.ClassUnknown && !e.Untrusted() || errors.Is(err, errBlind)
}

// Fail prints an error that ends a service before it runs, and returns the
// exit status.
func Fail(stderr io.Writer, service string, err error) int {
	fmt.Fprintf(stderr, "%s: %v\n", service, err)
	return StatusTrouble
}

// ParseFlags parses the command line of a service. done says that the process
// is to end with the status, because of an error or since --help, --man or
// --version was asked for.
func ParseFlags(set *flag.FlagSet, f *Flags, args []string, stdout, stderr io.Writer) (status int, done bool) {
	set.SetOutput(io.Discard) // what is to be said is said below
	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, f.page(set).Help())
		return StatusClean, true
	case err != nil:
		return Fail(stderr, set.Name(), fmt.Errorf("%w; run `%s --help` for the flags there are", err, set.Name())), true
	case set.NArg() > 0:
		return Fail(stderr, set.Name(), fmt.Errorf("unexpected argument %q; run `%s --help` for how to use it", set.Arg(0), set.Name())), true
	case f.Version:
		fmt.Fprintf(stdout, "%s %s\n", set.Name(), ReadBuild())
		return StatusClean, true
	case f.Manual:
		fmt.Fprint(stdout, f.page(set).Roff())
		return StatusClean, true
	}
	return StatusClean, false
}
