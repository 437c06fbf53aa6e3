package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/audit"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/statuspage"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/services/assembly"
)

// statusPage is the validator's page for people. It only shows.
type statusPage struct {
	control   *control
	readiness *telemetry.Readiness
	recent    *recent
	pairs     []assembly.Pair
	load      lately
	lag       *lag
	// rows says that contents of rows may be shown to those who may see them.
	rows bool
	// past opens what stories are read from; what it returns second closes it.
	past      func(ctx context.Context) (audit.Log, func(), error)
	searching chan struct{}

	mu   sync.Mutex
	last statuspage.Page
	// fresh is until when the page is shown again as it is, however many look.
	fresh time.Time
}

// page is the status page of a validator.
func (v *validator) page(c *control) *statusPage {
	topics := v.file.Kafka.Topics()
	return &statusPage{
		control: c, readiness: v.service.Readiness, recent: &v.standing.recent, pairs: v.pairs, rows: v.file.HTTP.ShowRows,
		lag: c.lag,
		past: func(ctx context.Context) (audit.Log, func(), error) {
			scanner, err := kafka.NewScanner(ctx, v.file.Kafka)
			if err != nil {
				return audit.Log{}, nil, err
			}
			log := audit.Log{Source: scanner, Findings: topics.Findings, Outcomes: topics.Outcomes}
			return log, func() { _ = scanner.Close() }, nil // nothing was left to be written
		},
		searching: make(chan struct{}, mostSearches),
	}
}

// mounted are the page and the one about a row.
func (p *statusPage) mounted() []telemetry.Mounted {
	return []telemetry.Mounted{
		{Pattern: "GET /{$}", Handler: http.HandlerFunc(p.status)},
		{Pattern: "GET /history", Handler: http.HandlerFunc(p.history)},
	}
}

// run notes what the page shows of the last minutes until ctx ends.
func (p *statusPage) run(ctx context.Context) error {
	defer assembly.Background(ctx, p.lag.run)()
	pulse := time.NewTicker(loadEvery)
	defer pulse.Stop()
	for {
		select {
		case now := <-pulse.C:
			p.load.note(now, p.control.governors.Status())
		case <-ctx.Done():
			return nil
		}
	}
}

func (p *statusPage) status(w http.ResponseWriter, r *http.Request) {
	page := p.current()
	page.Outcomes = p.recent.show(p.showsRows(r))
	page.Serve(w)
}

// showsRows says whether contents of rows may be shown to whoever asks.
func (p *statusPage) showsRows(r *http.Request) bool {
	return p.rows && assembly.CallerOf(r.Context()).Proved()
}

// How long a page is shown again as it is: a moment, and longer where making it
// takes long, so that it takes no more than a pageShare-th of the time.
const (
	pageFresh = 500 * time.Millisecond
	pageShare = 20
)

// current is the page as it was at most moments ago.
func (p *statusPage) current() statuspage.Page {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.fresh) {
		return p.last
	}
	p.last = p.make(now)
	p.fresh = time.Now().Add(max(pageFresh, pageShare*time.Since(now)))
	return p.last
}

func (p *statusPage) make(now time.Time) statuspage.Page {
	page := statuspage.Page{
		Version: assembly.Version(), Now: now, Names: p.names(), Pairs: p.control.shown(now),
		Governors: p.load.show(now, p.control.governors.Status()), Window: loadWindow, Groups: shownGroups(p.lag.look()),
	}
	_, conditions := p.readiness.Conditions()
	for _, c := range conditions {
		switch {
		case !c.Ready:
			page.Unmet = append(page.Unmet, statuspage.Condition{Name: c.Name, Detail: c.Detail})
		case c.Detail != "":
			page.Noted = append(page.Noted, statuspage.Condition{Name: c.Name, Detail: c.Detail})
		}
	}
	return page
}

func (p *statusPage) names() []string {
	return assembly.PairNames(p.pairs)
}
