package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// validating is a validator at work, whose governors are watched.
type validating struct {
	*process
	load    *backlog // its configuration and its topics
	address string
	start   time.Time // of the clock that looks and changes are given by
	end     chan error
	watched sync.WaitGroup
	quit    context.CancelFunc
	looks   []look
}

// look is what its metrics said at a moment.
type look struct {
	at time.Duration
	// rows were scanned so far; workers is what the more restrictive of the two
	// governors admits, with its share: 0.5 is one that works half of the time.
	rows, workers float64
}

// How often it is looked at. Writing its metrics takes the validator 2 ms of a processor
// that is the server's here, and the generator some to read them: what is to be measured
// is what the validator takes, and one in a hundred waits is of such moments. So where
// only the sum is of interest the one look is when all is over.
const (
	everySecond = time.Second
	atTheEnd    = time.Duration(0)
)

// scraper looks; a service that takes longer to answer was not seen.
var scraper = http.Client{Timeout: time.Second}

// startValidating starts it, to be looked at so often; looks and changes are given by a
// clock that started then.
func startValidating(ctx context.Context, o options, load *backlog, address string, start time.Time, often time.Duration) (*validating, error) {
	v := &validating{start: start, load: load, address: address, end: make(chan error, 1)}
	log, err := os.Create(v.log())
	if err != nil {
		return nil, err
	}
	defer closeQuietly(log) // the process has its own
	// Not of this context: it is stopped in order, so that its usage is known.
	cmd := exec.Command(filepath.Join(o.bin, "validator"), "--config", load.config) //nolint:noctx // see above
	cmd.Stdout, cmd.Stderr = log, log
	if v.process, err = startProcess(cmd); err != nil {
		return nil, err
	}
	go func() { v.end <- v.wait() }()
	ctx, v.quit = context.WithCancel(ctx)
	if often != atTheEnd {
		v.watched.Go(func() { v.watch(ctx, often) })
	}
	return v, nil
}

func (v *validating) log() string { return filepath.Join(v.load.dir, "validator.log") }

// watch looks until ctx ends. Before the service answers there is nothing to see.
func (v *validating) watch(ctx context.Context, often time.Duration) {
	tick := time.NewTicker(often)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		_ = v.look(ctx) // a service that took too long was not seen
	}
}

// look adds what the metrics say now.
func (v *validating) look(ctx context.Context) error {
	l, err := lookAt(ctx, "http://"+v.address+"/metrics")
	if err != nil {
		return err
	}
	l.at = time.Since(v.start)
	v.looks = append(v.looks, l)
	return nil
}

func lookAt(ctx context.Context, url string) (look, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return look{}, err
	}
	answer, err := scraper.Do(request)
	if err != nil {
		return look{}, err
	}
	defer closeQuietly(answer.Body)
	if answer.StatusCode != http.StatusOK {
		return look{}, errors.New(answer.Status)
	}
	return parseLook(answer.Body)
}

var metricLine = regexp.MustCompile(`^(trueup_\w+)\{(.*)\} (\S+)$`)

// parseLook reads what Prometheus would scrape.
func parseLook(text io.Reader) (look, error) {
	var l look
	limit, share := map[string]float64{}, map[string]float64{}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		m := metricLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return look{}, fmt.Errorf("read the metric %q: %w", lines.Text(), err)
		}
		switch {
		case m[1] == "trueup_rows_scanned_total":
			l.rows += value
		case m[1] == "trueup_governor_statements" && strings.Contains(m[2], `state="limit"`):
			limit[sideLabel(m[2])] = value
		case m[1] == "trueup_governor_share":
			share[sideLabel(m[2])] = value
		}
	}
	for i, side := range []string{"source", "target"} {
		if workers := limit[side] * share[side]; i == 0 || workers < l.workers {
			l.workers = workers
		}
	}
	return l, lines.Err()
}

func sideLabel(labels string) string {
	_, rest, _ := strings.Cut(labels, `side="`)
	side, _, _ := strings.Cut(rest, `"`)
	return side
}

// change is a governor that paused or resumed.
type change struct {
	at       time.Duration
	governor string
	paused   bool
	reason   string
}

// watchedRun is what became known of a validator that was stopped.
type watchedRun struct {
	looks   []look
	changes []change
	cpu     time.Duration
}

// stop looks a last time and ends the validator. One that had ended before is an error.
func (v *validating) stop(ctx context.Context) (watchedRun, error) {
	defer v.load.remove()
	v.quit()
	v.watched.Wait()
	var err error
	select {
	case err = <-v.end:
		err = errors.Join(errors.New("the validator ended before it was asked to"), err)
	default:
		looked := v.look(ctx)
		if err = v.Process.Signal(syscall.SIGTERM); err == nil {
			err = <-v.end
		}
		err = errors.Join(looked, err)
	}
	text, readErr := os.ReadFile(v.log())
	if err = errors.Join(err, readErr); err != nil {
		return watchedRun{}, fmt.Errorf("%w; its log:\n%s", err, tail(string(text)))
	}
	changes, err := changesIn(string(text), v.start)
	return watchedRun{looks: v.looks, changes: changes, cpu: v.cpu()}, err
}

// changesIn finds in a log when governors paused and resumed.
func changesIn(log string, start time.Time) ([]change, error) {
	var out []change
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "{") {
			continue // not of the service's own log
		}
		var entry struct {
			Governor, Reason, Message string
			Time                      time.Time
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			return nil, fmt.Errorf("read the validator's log %q: %w", line, err)
		}
		paused := strings.HasPrefix(entry.Message, "paused")
		if entry.Governor == "" || !paused && !strings.HasPrefix(entry.Message, "resumed") {
			continue
		}
		out = append(out, change{entry.Time.Sub(start), entry.Governor, paused, entry.Reason})
	}
	return out, nil
}
