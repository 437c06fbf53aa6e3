package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	// followWriters share the changes; each has rows of its own, so that the copy
	// gets a row's changes in order.
	followWriters = 16
	// replicaDelay is how long after its commit a change is brought to the copy.
	replicaDelay = 100 * time.Millisecond
)

// changeLoad is writers at the source, and a replicator of each.
type changeLoad struct {
	began time.Time
	rows  int
	every time.Duration // between two changes of one writer
	ends  context.CancelFunc
	all   sync.WaitGroup

	mu       sync.Mutex
	times    []time.Time // of commits
	failures []error
}

// followed is a change as it is to be brought to the copy.
type followed struct {
	id, qty int
	at      time.Time // of its commit
}

func startLoad(ctx context.Context, o options, env services, source, target string) (*changeLoad, error) {
	from, err := env.openMySQL(source)
	if err != nil {
		return nil, err
	}
	to, err := env.openMySQL(target)
	if err != nil {
		return nil, errors.Join(err, from.Close())
	}
	from.SetMaxIdleConns(followWriters)
	to.SetMaxIdleConns(followWriters)
	ctx, ends := context.WithTimeout(ctx, o.follow)
	l := &changeLoad{began: time.Now(), rows: o.rows, every: time.Second * followWriters / time.Duration(o.changes), ends: ends}
	var pairs sync.WaitGroup
	for n := range followWriters {
		stream := make(chan followed, 1<<16)
		pairs.Go(func() {
			defer close(stream)
			l.note(l.write(ctx, from, n, stream))
		})
		pairs.Go(func() { l.note(l.replicate(context.WithoutCancel(ctx), to, stream)) })
	}
	l.all.Go(func() {
		pairs.Wait()
		closeQuietly(from)
		closeQuietly(to)
	})
	return l, nil
}

func (l *changeLoad) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failures = append(l.failures, err)
		l.ends()
	}
}

// stop ends the writers and waits until the copy has everything.
func (l *changeLoad) stop() {
	l.ends()
	l.all.Wait()
}

// write changes a row at its time, or as soon after as the server lets it.
func (l *changeLoad) write(ctx context.Context, db *sql.DB, number int, out chan<- followed) error {
	whole := context.WithoutCancel(ctx)
	statement, err := db.PrepareContext(whole, "UPDATE orders SET qty = ?, updated_at = UTC_TIMESTAMP(6) WHERE id = ?")
	if err != nil {
		return err
	}
	defer statement.Close()
	random := rand.New(rand.NewPCG(uint64(number), 1)) // any fixed seed
	due := l.began.Add(l.every * time.Duration(number) / followWriters)
	for n := 1; ; n++ {
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
			return nil
		}
		c := followed{id: 1 + number + followWriters*random.IntN(l.rows/followWriters), qty: n}
		if _, err := statement.ExecContext(whole, c.qty, c.id); err != nil {
			return fmt.Errorf("write row %d of the source: %w", c.id, err)
		}
		c.at = time.Now()
		l.mu.Lock()
		l.times = append(l.times, c.at)
		l.mu.Unlock()
		out <- c
		due = due.Add(l.every)
	}
}

// replicate brings changes in order, those that wait in one transaction.
func (l *changeLoad) replicate(ctx context.Context, db *sql.DB, in <-chan followed) error {
	for c := range in {
		<-time.After(time.Until(c.at.Add(replicaDelay)))
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for {
			if _, err := tx.ExecContext(ctx, "UPDATE orders SET qty = ? WHERE id = ?", c.qty, c.id); err != nil {
				_ = tx.Rollback() // the statement's error matters
				return fmt.Errorf("write row %d of the copy: %w", c.id, err)
			}
			if len(in) == 0 {
				break
			}
			c = <-in // nobody else takes from it
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// over is when the last change is written.
func (l *changeLoad) over(o options) time.Time { return l.began.Add(o.follow) }

func (l *changeLoad) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.failures...)
}

// counted are the commits that count, in order.
func (l *changeLoad) counted(o options) []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.DeleteFunc(slices.Clone(l.times), func(t time.Time) bool {
		return t.Before(l.began.Add(followWarm)) || t.After(l.over(o).Add(-followRest))
	})
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// rate is how many changes a second were written meanwhile.
func (l *changeLoad) rate(o options) float64 {
	return float64(len(l.counted(o))) / (o.follow - followWarm - followRest).Seconds()
}

// said is what the validator said at a moment: up to when all is verified.
type said struct{ at, until time.Time }

// listenEvery is the time between two looks at what it says, and so how much
// later than it said it a change may count.
const listenEvery = 100 * time.Millisecond

// listen notes what the validator says until the last change is written, and what
// share of a processor it takes while changes count.
func (f *following) listen(ctx context.Context, o options, mode string, l *changeLoad) (list []said, share float64, err error) {
	until := regexp.MustCompile(`(?m)^trueup_verified_until_timestamp_seconds\{mode="` + mode + `",pair="orders"\} (\S+)$`)
	var meter shareMeter
	tick := time.NewTicker(listenEvery)
	defer tick.Stop()
	for time.Now().Before(l.over(o)) {
		select {
		case <-tick.C:
		case <-f.ended:
			return nil, 0, errors.New("the validator has ended")
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
		if m := until.FindStringSubmatch(f.metrics(ctx)); m != nil {
			at, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				return nil, 0, fmt.Errorf("read the validator's metrics: %w", err)
			}
			list = append(list, said{time.Now(), time.UnixMilli(int64(at * 1000))})
		}
		if now := time.Now(); now.After(l.began.Add(followWarm)) && now.Before(l.over(o).Add(-followRest)) {
			if err := meter.look(f.Process.Pid); err != nil {
				return nil, 0, err
			}
		}
	}
	if len(list) == 0 {
		log, _ := os.ReadFile(f.log())
		return nil, 0, fmt.Errorf("the validator said nothing of what is verified; its log:\n%s", tail(string(log)))
	}
	return list, meter.share(), l.failed()
}

// metrics are what the validator's say; nothing while it starts.
func (f *following) metrics(ctx context.Context) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, (&url.URL{Scheme: "http", Host: f.address, Path: "/metrics"}).String(), nil)
	if err != nil {
		return ""
	}
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return ""
	}
	defer closeQuietly(response.Body)
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

// shareMeter is how much of one processor a process takes between the first look
// at it and the last.
type shareMeter struct {
	first, last time.Time
	used        time.Duration
	before      time.Duration
}

func (m *shareMeter) look(pid int) error {
	stat, err := readStat(strconv.Itoa(pid))
	if err != nil {
		return err
	}
	m.last = time.Now()
	if m.first.IsZero() {
		m.first, m.before = m.last, stat.own
	}
	m.used = stat.own - m.before
	return nil
}

func (m *shareMeter) share() float64 { return m.used.Seconds() / m.last.Sub(m.first).Seconds() }
