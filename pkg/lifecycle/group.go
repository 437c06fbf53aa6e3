// Package lifecycle starts and stops the long-lived parts of a process. Every
// part has one shape, a function that runs until its context ends, and one
// Group decides when that is.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// DefaultStopTimeout is how long a Group waits for its parts to stop. It stays
// below the 30 seconds Kubernetes waits by default before it kills a process,
// and above the 20 seconds a fixer gives the batch in its hands.
const DefaultStopTimeout = 25 * time.Second

// ErrAborted is returned when a second signal came while the parts were stopping.
var ErrAborted = errors.New("stopped by a second signal before everything was put away; nothing is lost, the next start repeats the rest")

// A Group runs parts together. It stops all of them when the first returns,
// when its context ends, or at SIGINT or SIGTERM. Parts stop one after the
// other, the last added first, so that a part may rely on those added before
// it until its own end. The zero Group is ready to use.
type Group struct {
	// StopTimeout is how long the parts have to stop, all together;
	// DefaultStopTimeout when zero.
	StopTimeout time.Duration

	parts []*part
}

type part struct {
	name string
	run  func(context.Context) error
	stop context.CancelFunc
	done chan struct{}
	err  error // valid once done is closed
}

// Add adds a part. Run runs it until its context ends; returning before that
// stops the group, with an error or without. An error that only says that the
// context ended is none.
func (g *Group) Add(name string, run func(context.Context) error) {
	g.parts = append(g.parts, &part{name: name, run: run, done: make(chan struct{})})
}

// Run starts the parts in the order they were added and returns when all have
// stopped, with the first error first. It returns nil after an orderly stop,
// ErrAborted after a second signal, and names the parts that are still running
// when StopTimeout has passed.
func (g *Group) Run(ctx context.Context) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	return g.run(ctx, signals)
}

func (g *Group) run(ctx context.Context, signals <-chan os.Signal) error {
	if len(g.parts) == 0 {
		return nil
	}
	returned := make(chan *part, len(g.parts))
	for _, p := range g.parts {
		// Cut off from ctx's end: the group passes it on, in order.
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		p.stop = stop
		go func() {
			p.err = p.run(own)
			close(p.done)
			returned <- p
		}()
	}
	var first *part
	select {
	case <-ctx.Done():
	case <-signals:
	case first = <-returned:
	}
	return g.stopAll(first, signals)
}

func (g *Group) stopAll(first *part, signals <-chan os.Signal) error {
	defer func() {
		for _, p := range g.parts {
			p.stop()
		}
	}()
	timeout := g.StopTimeout
	if timeout == 0 {
		timeout = DefaultStopTimeout
	}
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for i := len(g.parts) - 1; i >= 0; i-- {
		g.parts[i].stop()
		select {
		case <-g.parts[i].done:
		case <-signals:
			return g.errors(first, ErrAborted)
		case <-deadline.C:
			return g.errors(first, fmt.Errorf("still running %v after the signal to stop: %s", timeout, g.running()))
		}
	}
	return g.errors(first, nil)
}

// errors joins the errors of the parts that have stopped: the one that made
// the group stop first, the cause of an unorderly stop last.
func (g *Group) errors(first *part, cause error) error {
	var all []error
	if first != nil {
		all = append(all, first.failure())
	}
	for _, p := range g.parts {
		select {
		case <-p.done:
			if p != first {
				all = append(all, p.failure())
			}
		default:
		}
	}
	return errors.Join(append(all, cause)...)
}

func (p *part) failure() error {
	if p.err == nil || errors.Is(p.err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("%s: %w", p.name, p.err)
}

func (g *Group) running() string {
	var names []string
	for _, p := range g.parts {
		select {
		case <-p.done:
		default:
			names = append(names, p.name)
		}
	}
	return strings.Join(names, ", ")
}
