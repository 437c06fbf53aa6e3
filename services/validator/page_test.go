package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/audit"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/standing"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// topicsOfRow are topics of one partition, by name.
type topicsOfRow map[string][]event.Record

func (r topicsOfRow) Partitions(string) ([]int32, error)        { return []int32{0}, nil }
func (r topicsOfRow) PartitionOf(string, []byte) (int32, error) { return 0, nil }
func (r topicsOfRow) Span(_ context.Context, topic string, _ int32, _ time.Time) (from, to int64, err error) {
	return 0, int64(len(r[topic])), nil
}

func (r topicsOfRow) Read(_ context.Context, topic string, _ int32, from, to int64, apply func(event.Record) error) error {
	for _, record := range r[topic][from:to] {
		if err := apply(record); err != nil {
			return err
		}
	}
	return nil
}

const secretOfRow = "ann@example.org"

// outcomeOf is an outcome about the row with an id whose values nobody may see.
func outcomeOf(id string, result event.Result, at time.Time) event.Outcome {
	content := func(text string) *event.Content {
		return &event.Content{Type: canonical.Type{Kind: canonical.Text}, Value: row.Value(text)}
	}
	return event.Outcome{
		FindingID: "f" + id, Pair: "orders", Key: event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Text}, Value: row.Value(id)}}, Kind: event.NotEqual,
		Run: "r", Epoch: 1, Result: result, Class: "refused", Reason: "Duplicate entry '" + secretOfRow + "'", Attempts: 1, At: at, DetectedAt: at.Add(-time.Second), Took: time.Second,
		Writes: []event.Write{{Side: event.Target, Action: event.Update, Columns: []event.WrittenColumn{{Column: "mail", Before: content("<b>old</b>"), After: content(secretOfRow)}}}},
	}
}

// unmeasured is a lag that nobody has measured.
func unmeasured() *lag {
	return newLag(assembly.File{}, func(context.Context, string, string) (map[int32]int64, error) { return nil, errors.New("unused") })
}

// newPage is the page of a validator with the pair orders, one of whose rows has a story.
func newPage(t *testing.T) *statusPage {
	t.Helper()
	o := outcomeOf("7", event.Dead, time.Now())
	record, err := event.Encoder{ContentType: event.Protobuf}.Outcome(o)
	if err != nil {
		t.Fatal(err)
	}
	pairs := []assembly.Pair{orders}
	states := newStates(new(topic), nil)
	conductors := []*conductor{newConductor(orders, states, zerolog.Nop(), nil)}
	p := &statusPage{
		control:   &control{log: zerolog.Nop(), governors: &work{reason: "<i>busy</i>"}, history: past{}, lag: unmeasured(), runs: func() []*conductor { return conductors }},
		readiness: telemetry.NewReadiness(), recent: &recent{}, pairs: pairs, searching: make(chan struct{}, mostSearches),
		lag: unmeasured(),
		past: func(context.Context) (audit.Log, func(), error) {
			return audit.Log{Source: topicsOfRow{"o": {record}}, Findings: "f", Outcomes: "o"}, func() {}, nil
		},
	}
	p.recent.note(o, standing.Spot{})
	return p
}

// get asks the page as somebody on the same machine does.
func (p *statusPage) get(t *testing.T, address string) (status int, body string) {
	t.Helper()
	mux := http.NewServeMux()
	for _, m := range p.mounted() {
		mux.Handle(m.Pattern, m.Handler)
	}
	w := httptest.NewRecorder()
	ctx := assembly.WithCaller(t.Context(), assembly.Caller{Name: "loopback"})
	mux.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody))
	return w.Code, w.Body.String()
}

func TestThePageShowsPairsGovernorsAndOutcomes(t *testing.T) {
	p := newPage(t)
	p.readiness.Set("kafka", false, "no route <to> host")
	status, body := p.get(t, "/")
	for _, want := range []string{
		"orders", "all is well", ">3</b><span>open rows", "1 held", "last full run", "last count run", "source reads", "&lt;i&gt;busy&lt;/i&gt;", "no route &lt;to&gt; host",
		"is being measured", `href="history?key=id%3D%227%22&amp;pair=orders"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if status != http.StatusOK || t.Failed() {
		t.Errorf("%d %s", status, body)
	}
}

// counted counts how often somebody asks how pairs stand.
type counted struct {
	past
	asked *int
}

func (c counted) Snapshot() []standing.Pair {
	*c.asked++
	return c.past.Snapshot()
}

func TestHoweverManyLookThePageIsMadeNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, asked := newPage(t), 0
		p.control.history = counted{asked: &asked}
		for range 100 {
			p.get(t, "/")
			time.Sleep(pageFresh / 10)
		}
		if asked != 10 {
			t.Errorf("made %d times", asked)
		}
	})
}

func TestThePageShowsHowFarARunIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPage(t)
		var one *conductor
		one = newConductor(orders, newStates(new(topic), nil), zerolog.Nop(), func(ctx context.Context, _ performance) {
			one.started(validate.Start{Rows: 2000})
			time.Sleep(10 * time.Second)
			one.scanned(500)
			<-ctx.Done()
		})
		p.control.runs = func() []*conductor { return []*conductor{one} }
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- one.start(ctx, validate.Full, false) }()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		_, body := p.get(t, "/")
		for _, want := range []string{"500 of about 2,000 rows (25 %), about 30 s left", `value="250"`, "begun 10 s ago", "trueup stop"} {
			if !strings.Contains(body, want) {
				t.Errorf("the page lacks %s", want)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		time.Sleep(pageFresh)
		if _, body := p.get(t, "/"); strings.Contains(body, "<progress") {
			t.Error("a run that is over goes on")
		}
	})
}

func TestThePageOfAValidatorThatStartsSaysSo(t *testing.T) {
	p := newPage(t)
	p.control.runs = func() []*conductor { return nil }
	if status, body := p.get(t, "/"); status != http.StatusOK || !strings.Contains(body, "have not been reached yet") || !strings.Contains(body, "<option>orders</option>") {
		t.Errorf("%d %s", status, body)
	}
}

// TestWhatARowHeldIsShownToWhoMaySeeIt alone: neither its values nor what a server
// said of it.
func TestWhatARowHeldIsShownToWhoMaySeeIt(t *testing.T) {
	for _, address := range []string{"/", "/history?pair=orders&key=7"} {
		for _, allowed := range []bool{false, true} {
			p := newPage(t)
			p.rows = allowed
			status, body := p.get(t, address)
			if status != http.StatusOK || strings.Contains(body, secretOfRow) != allowed || !strings.Contains(body, "refused") {
				t.Errorf("%s, allowed %t: %d %s", address, allowed, status, body)
			}
		}
	}
	p := newPage(t)
	p.rows = true
	w := httptest.NewRecorder() // with no caller known, as from elsewhere without a token
	p.history(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/history?pair=orders&key=7", http.NoBody))
	if strings.Contains(w.Body.String(), secretOfRow) {
		t.Error("anybody sees the row")
	}
}

func TestTheStoryOfARowIsFoundByItsKey(t *testing.T) {
	markup := `<script>alert("x")</script>`
	for query, want := range map[string]struct {
		status int
		text   string
	}{
		"":                             {200, "Show its story"},
		"pair=orders&key=7":            {200, ">dead</span>"},
		`pair=orders&key=id="7"`:       {200, ">dead</span>"},
		`pair=orders&key={"id":"7"}`:   {200, ">dead</span>"},
		"pair=orders&key=8":            {200, "say nothing about that row"},
		"pair=orders&key=":             {400, "The key is empty"},
		`pair=orders&key={"id":`:       {400, "write it like"},
		"pair=orders&key=7&since=soon": {400, "choose one of the list"},
		"pair=order&key=7":             {404, `did you mean "orders"`},
		"pair=" + markup + "&key=7":    {404, markup},
		"pair=orders&key=" + markup:    {200, markup},
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		status, body := newPage(t).get(t, "/history?"+values.Encode())
		if status != want.status || !strings.Contains(html.UnescapeString(body), want.text) || strings.Contains(body, "<script") {
			t.Errorf("%s: %d, want %d %q\n%s", query, status, want.status, want.text, body)
		}
	}
}

func TestASearchThatFailsSaysWhy(t *testing.T) {
	p := newPage(t)
	p.past = func(context.Context) (audit.Log, func(), error) { return audit.Log{}, nil, errors.New("no broker <b>") }
	if status, body := p.get(t, "/history?pair=orders&key=7"); status != http.StatusBadGateway || !strings.Contains(body, "no broker &lt;b&gt;") {
		t.Errorf("%d %s", status, body)
	}
	for range mostSearches {
		p.searching <- struct{}{}
	}
	if status, body := p.get(t, "/history?pair=orders&key=7"); status != http.StatusServiceUnavailable || !strings.Contains(body, "try again") {
		t.Errorf("%d %s", status, body)
	}
}

func TestTheNewestOutcomesAreKeptInWhateverOrderTheyAreRead(t *testing.T) {
	var r recent
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, i := range []int{30, 2, 29, 1, 28, 3, 27, 4, 26, 5, 25, 6, 24, 7, 23, 8, 22, 9, 21, 10, 20, 11, 19, 12, 18, 13, 17, 14, 16, 15, 30} {
		r.note(outcomeOf(fmt.Sprint(i), event.Repaired, noon.Add(time.Duration(i)*time.Second)), standing.Spot{Offset: int64(i)})
	}
	shown := r.show(false)
	for i, o := range shown {
		if want := fmt.Sprintf("id=%q", fmt.Sprint(30-i)); o.Key != want {
			t.Errorf("%d: %s, want %s", i, o.Key, want)
		}
	}
	if len(shown) != mostRecent {
		t.Errorf("%d are kept", len(shown))
	}
}

func TestTheLagIsMeasuredNowAndThenAndSoonWhileSomebodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		var away atomic.Bool
		l := newLag(assembly.File{Kafka: kafka.Config{Prefix: "t"}}, func(_ context.Context, group, topic string) (map[int32]int64, error) {
			switch {
			case away.Load():
				return nil, errors.New("no broker")
			case topic == "t.findings.retry" && group == "t.fixer.retry":
				return nil, errors.New("not authorised")
			case topic == "t.findings" && group == "t.fixer":
				return map[int32]int64{1: 5, 0: asked.Add(1)}, nil
			}
			return nil, fmt.Errorf("nobody should ask for %s of %s", topic, group)
		})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go l.run(ctx)
		time.Sleep(10*lagEvery + time.Second) // never when the lag is measured
		if n := asked.Load(); n != 11 {
			t.Fatalf("asked %d times for the metrics", n)
		}
		for range 100 {
			l.look()
			time.Sleep(lagLooked / 10)
		}
		groups, n := shownGroups(l.look()), asked.Load()-11
		if g := groups[0]; n < 9 || n > 11 || g.Name != "t.fixer" || g.Total() != 16+n || g.Lag[0].Number != 0 || g.Err != "" || g.Retries {
			t.Errorf("asked %d times: %+v", n, g)
		}
		if g := groups[1]; g.Name != "t.fixer.retry" || !g.Retries || g.Err != "not authorised" || !g.At.IsZero() {
			t.Errorf("what one may not be asked of: %+v", g)
		}
		if shown := l.shown(); len(shown) != 1 || shown[0].Group != "t.fixer" || shown[0].Topic != "t.findings" {
			t.Errorf("as metrics: %+v", shown)
		}
		away.Store(true)
		time.Sleep(lagFresh + lagEvery)
		if g := shownGroups(l.look())[0]; g.Err != "no broker" || len(g.Lag) != 2 {
			t.Errorf("what was known is gone: %+v", g)
		}
		if shown := l.shown(); len(shown) != 0 {
			t.Errorf("a metric tells what nobody knows any more: %+v", shown)
		}
	})
}

func TestTheGovernorsTracksReachBackAsFarAsTheWindow(t *testing.T) {
	var l lately
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	status := func(state string, value float64, stale bool) []governor.Status {
		return []governor.Status{{Name: "source reads", State: state, Workers: 3, Most: 6, Share: 0.5, Signals: []governor.Reading{
			{Signal: governor.Signal{Name: "canary", Unit: "ms", Limit: 20}, Value: 20 * value, Utilisation: value, Stale: stale},
		}}}
	}
	for i := range 1000 {
		l.note(noon.Add(time.Duration(i-1000)*loadEvery), status(governor.Running, 0.5, i > 990))
	}
	shown := l.show(noon, status(governor.Paused, 1.2, false))
	g := shown[0]
	if most := int(loadWindow/loadEvery) + 2; len(shown) != 1 || len(g.Track) > most || len(g.Track) < most-3 || g.Track[0].Part != 0.25 || g.Track[len(g.Track)-1].State != governor.Paused {
		t.Errorf("%d bands: %+v", len(g.Track), g.Track[0])
	}
	if s := g.Signals[0]; len(s.Track) != len(g.Track)-9 || s.Value != "24 ms" || s.Limit != "20 ms" {
		t.Errorf("%d points of %d: %s of %s", len(s.Track), len(g.Track), s.Value, s.Limit)
	}
}
