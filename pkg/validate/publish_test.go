package validate

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

func TestABlockedPublisherHoldsTheRunAndLosesNothing(t *testing.T) {
	for _, confirm := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			a, c := newTable(orders(1, 2000)...), newTable()
			b := newBench(t, a, c, schema.Merge).rangesOf(10)
			b.run.Confirm, b.config.Suspects = confirm, 50
			back := make(chan struct{})
			b.published.before = func(int) error { <-back; return nil }
			v := b.validator()
			var verdict Verdict
			var err error
			done := make(chan struct{})
			go func() {
				defer close(done)
				verdict, err = v.Run(t.Context(), b.run)
			}()
			time.Sleep(time.Hour)
			read := c.count("rows")
			if read > 20 {
				t.Errorf("confirm %s: %d of 200 ranges were read while nothing could be published", confirm, read)
			}
			time.Sleep(time.Hour)
			if again := c.count("rows"); again != read {
				t.Errorf("confirm %s: the run went on from %d to %d ranges", confirm, read, again)
			}
			close(back)
			<-done
			if err != nil || !verdict.Complete || verdict.TargetMissing != 2000 || len(b.published.set()) != 2000 {
				t.Errorf("confirm %s: verdict %+v, error %v", confirm, verdict, err)
			}
		})
	}
}

func (t *table) count(op string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, r := range t.reads {
		if r == op {
			n++
		}
	}
	return n
}

func TestAPublisherThatGivesUpEndsTheRun(t *testing.T) {
	a, c := newTable(orders(1, 100)...), newTable()
	b := newBench(t, a, c, schema.Merge).rangesOf(10)
	tooLarge := errors.New("the message is larger than the broker takes")
	b.published.before = func(n int) error {
		if n >= 30 {
			return tooLarge
		}
		return nil
	}
	v, err := b.validator().Run(t.Context(), b.run)
	if !errors.Is(err, tooLarge) || v.Complete || v.Clean || !strings.Contains(v.Reason, "publish findings of orders") {
		t.Errorf("verdict %+v, error %v", v, err)
	}
	if int(v.Findings()) != len(b.published.list()) {
		t.Errorf("%d findings in the verdict and %d published", v.Findings(), len(b.published.list()))
	}
}

func TestTheLimitOfFindingsIsMetExactly(t *testing.T) {
	for _, confirm := range []time.Duration{0, time.Second} {
		for _, limit := range []int64{1, 7, 99, 100} {
			synctest.Test(t, func(t *testing.T) {
				a, c := newTable(orders(1, 100)...), newTable()
				b := newBench(t, a, c, schema.Merge).rangesOf(9)
				b.run.MaxFindings, b.run.Confirm = limit, confirm
				v := b.verdict()
				if n := int64(len(b.published.list())); n != limit || v.Findings() != limit {
					t.Errorf("limit %d, confirm %s: %d published, verdict %+v", limit, confirm, n, v)
				}
				if v.Complete && limit < 100 || v.Clean {
					t.Errorf("limit %d: verdict %+v", limit, v)
				}
			})
		}
	}
}

func TestAFindingPublishedTwiceHasOneID(t *testing.T) {
	ids := map[string]bool{}
	for range 2 {
		b := newBench(t, newTable(orders(1, 9)...), newTable(orders(5, 12)...), schema.Checksum)
		b.verdict()
		for _, f := range b.published.findings {
			ids[f.ID] = true
		}
	}
	if len(ids) != 7 {
		t.Errorf("7 findings in two runs of the same name have %d IDs", len(ids))
	}
	b := newBench(t, newTable(orders(1, 9)...), newTable(orders(5, 12)...), schema.Checksum)
	b.run.ID = "another run"
	b.verdict()
	if ids[b.published.findings[0].ID] {
		t.Error("another run's finding has the same ID")
	}
}

func TestTheVerdictsJSON(t *testing.T) {
	v := Verdict{
		Pair: "orders", Mode: "full", Method: "checksum", Complete: true, SourceRows: 10, TargetRows: 9,
		TargetMissing: 1, Seconds: 0.1,
	}
	line, err := v.Line()
	want := `{"verdict":{"pair":"orders","mode":"full","complete":true,"clean":false,"rows":{"source":10,"target":9},` +
		`"findings":{"target_missing":1,"neq":0,"base_missing":0},"unreadable":0,"seconds":0.1,"method":"checksum","open":0}}`
	if err != nil || string(line) != want {
		t.Errorf("Line() = %s, %v; want %s", line, err, want)
	}
	if data, _ := json.Marshal(&v); !strings.Contains(want, string(data)) {
		t.Errorf("a pointer is written as %s", data)
	}
}

// stages remembers what an observer was told.
type stages struct {
	NopObserver
	mu      sync.Mutex
	start   Start
	ranges  []RangeReport
	failed  []Failure
	warning []string
}

func (s *stages) Started(start Start) { s.start = start }

func (s *stages) RangeDone(r RangeReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ranges = append(s.ranges, r)
}

func (s *stages) ReadFailed(f Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, f)
}

func (s *stages) Warn(_, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warning = append(s.warning, message)
}

func TestProgressAddsUpToTheRows(t *testing.T) {
	for _, method := range allMethods {
		for _, authority := range []event.Side{event.Source, event.Target} {
			a, c := newTable(orders(1, 100)...), newTable(orders(1, 90)...)
			b := newBench(t, a, c, method).rangesOf(7)
			b.run.Authority = authority
			seen := &stages{}
			b.ports.Observer = seen
			v := b.verdict()
			var sum RangeReport
			for _, r := range seen.ranges {
				sum.Scanned += r.Scanned
				sum.SourceRows += r.SourceRows
				sum.TargetRows += r.TargetRows
				sum.Differences += r.Differences
			}
			scanned := int64(100)
			if method == schema.Lookup {
				scanned = 190
			}
			if sum.Scanned != scanned || sum.SourceRows != v.SourceRows || sum.TargetRows != v.TargetRows || sum.Differences != 10 {
				t.Errorf("%s: reports add up to %+v, verdict %+v", method, sum, v)
			}
			if seen.start.Pair != "orders" || seen.start.Method != method.String() || seen.start.Resumed {
				t.Errorf("start %+v", seen.start)
			}
		}
	}
}

// placed remembers where findings lie, and what the ranges there held.
type placed struct {
	NopObserver
	mu       sync.Mutex
	rows     map[Place]int64
	findings map[Placed]int
}

func (p *placed) RangeDone(r RangeReport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows[r.Place] += r.Scanned
}

func (p *placed) Suspects(r SuspectReport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range r.Placed {
		p.findings[f]++
	}
}

func TestFindingsArePlacedInTheRangesTheyLieIn(t *testing.T) {
	for _, method := range allMethods {
		a, c := newTable(orders(1, 40)...), newTable(orders(1, 40)...)
		c.put(order(1, "damaged", 0))
		c.put(order(39, "damaged", 0))
		c.remove(17)
		c.put(order(60, "too much", 0))
		b := newBench(t, a, c, method).rangesOf(10)
		seen := &placed{rows: map[Place]int64{}, findings: map[Placed]int{}}
		b.ports.Observer = seen
		v := b.verdict()
		if v.Findings() != 4 {
			t.Fatalf("%s: %+v", method, v)
		}
		want := map[Placed]int{{event.NotEqual, Place{}}: 1, {event.TargetMissing, Place{Number: 1}}: 1, {event.NotEqual, Place{Number: 3}}: 1}
		for f, n := range want {
			if seen.findings[f] != n {
				t.Errorf("%s: %+v is not among %+v", method, f, seen.findings)
			}
		}
		for f := range seen.findings {
			if f.Kind == event.BaseMissing && (f.Place.Pass == 1) != (method == schema.Lookup) {
				t.Errorf("%s: the row too much lies in %+v", method, f.Place)
			}
		}
		if seen.rows[Place{}] != 10 || seen.rows[Place{Number: 1}] != 10 {
			t.Errorf("%s: ranges held %+v", method, seen.rows)
		}
	}
}
