package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/trueup/trueup/pkg/audit"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/statuspage"
	"github.com/trueup/trueup/services/assembly"
)

const (
	// mostEntries of a row's story are shown, the newest.
	mostEntries = 100
	// mostSearches go on at once: each reads a partition of two topics.
	mostSearches = 2
	// searchPatience is below the time that the server gives an answer.
	searchPatience = 20 * time.Second
)

// history answers with the story of a row.
func (p *statusPage) history(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query()
	s := statuspage.Search{
		Version: assembly.Version(), Now: time.Now(), Names: p.names(), Rows: p.showsRows(r),
		Pair: asked.Get("pair"), Key: asked.Get("key"), Since: asked.Get("since"), Asked: asked.Has("key"),
	}
	status := http.StatusOK
	if s.Asked {
		ctx, cancel := context.WithTimeoutCause(r.Context(), searchPatience, fmt.Errorf("it took longer than %s; look less far back, or use trueup history", searchPatience))
		defer cancel()
		status = p.search(ctx, &s)
	}
	s.Serve(w, status)
}

// search fills in the story, or the problem, and returns the HTTP status.
func (p *statusPage) search(ctx context.Context, s *statuspage.Search) (status int) {
	if s.Since == "" {
		s.Since = statuspage.SinceChoices[0].Value
	}
	key, err := assembly.ParseKey(s.Key)
	if err != nil {
		s.Problem = "The key " + err.Error()
		return http.StatusBadRequest
	}
	reach, known := statuspage.Reach(s.Since)
	if !known {
		s.Problem = fmt.Sprintf("%q is no time to look back; choose one of the list.", s.Since)
		return http.StatusBadRequest
	}
	pairs := p.meant(s.Pair)
	if len(pairs) == 0 {
		s.Problem = fmt.Sprintf("No pair is named %q; %s.", s.Pair, assembly.Nearest(s.Pair, s.Names))
		return http.StatusNotFound
	}
	select {
	case p.searching <- struct{}{}:
		defer func() { <-p.searching }()
	default:
		s.Problem = "Others are searching; try again in a moment."
		return http.StatusServiceUnavailable
	}
	log, closed, err := p.past(ctx)
	if err == nil {
		defer closed()
		since := time.Time{}
		if reach > 0 {
			since = s.Now.Add(-reach)
		}
		for _, pair := range pairs {
			var story []audit.Entry
			if story, err = log.Story(ctx, event.RowKey(pair, key), since, mostEntries+1); err != nil {
				break
			}
			s.More = s.More || len(story) > mostEntries
			for _, e := range story[max(len(story)-mostEntries, 0):] {
				s.Story = append(s.Story, shownEntry(pair, e, s.Rows))
			}
		}
	}
	if err != nil {
		s.Story, s.Problem = nil, "The topics cannot be read: "+err.Error()
		return http.StatusBadGateway
	}
	return http.StatusOK
}

// meant are the pairs that a name means.
func (p *statusPage) meant(name string) []string {
	var out []string
	for _, pair := range p.pairs {
		if pair.Is(name) {
			out = append(out, pair.Name)
		}
	}
	return out
}

func shownEntry(pair string, e audit.Entry, rows bool) statuspage.Entry {
	if f := e.Finding; f != nil {
		return statuspage.Entry{At: e.At, Pair: pair, Event: "found", Kind: f.Kind.String(), Columns: f.Columns, Run: f.Run, Epoch: f.Epoch}
	}
	o := shownOutcome(*e.Outcome, "")
	out := statuspage.Entry{
		At: e.At, Pair: pair, Event: o.Result, Kind: o.Kind, Action: o.Action, Columns: e.Outcome.Columns, DryRun: o.DryRun, Class: o.Class,
		Reason: tellable(o.Result, o.Reason, rows), Took: o.Took, Attempts: e.Outcome.Attempts, Run: e.Outcome.Run, Epoch: e.Outcome.Epoch,
	}
	if !rows {
		return out
	}
	for _, w := range e.Outcome.Writes {
		for _, c := range w.Columns {
			out.Values = append(out.Values, statuspage.Value{Column: c.Column, Before: shownContent(c.Before), After: shownContent(c.After)})
		}
	}
	return out
}

// mostShown bounds what is shown of one value, in bytes.
const mostShown = 160

// shownContent is what a column held.
func shownContent(c *event.Content) string {
	switch {
	case c == nil:
		return "–"
	case c.Masked != "":
		return "masked " + c.Masked
	case c.Value.IsNull():
		return "NULL"
	case len(c.Value) > mostShown:
		return fmt.Sprintf("%q… (%d bytes)", c.Value[:mostShown], len(c.Value))
	case c.Type.Free():
		return fmt.Sprintf("%q", c.Value)
	default:
		return string(c.Value)
	}
}
