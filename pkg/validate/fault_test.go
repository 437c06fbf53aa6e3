package validate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Every statement and every row of both sides fails once, in one run each. Not
// one of them may turn into a finding that is not there, or hide one that is.
func TestAFailedReadIsTriedAgainAndNeverBecomesAFinding(t *testing.T) {
	for _, method := range allMethods {
		for _, mode := range []Mode{Full, Reverse} {
			for _, side := range []string{"authority", "copy"} {
				for n := range 60 {
					synctest.Test(t, func(t *testing.T) {
						a, c := newTable(orders(1, 40)...), newTable(orders(1, 40)...)
						c.put(order(17, "damaged", 0))
						broken := a
						if side == "copy" {
							broken = c
						}
						fail := func(i int) error {
							if i == n {
								return fmt.Errorf("read: %w", io.EOF) // as drivers report a lost connection
							}
							return nil
						}
						broken.before = func(_ string, i int) error { return fail(i) }
						broken.during = fail
						b := newBench(t, a, c, method).rangesOf(6)
						b.config.DrillRows, b.run.Mode = 2, mode
						v := b.verdict()
						if !v.Complete {
							t.Fatalf("%s %s: read %d of the %s failed once: %+v", method, mode, n, side, v)
						}
						equalSets(t, b.published.list(), []string{"neq 17"})
					})
				}
			}
		}
	}
}

func TestARangeThatStaysUnreadableIsNeitherFoundNorClean(t *testing.T) {
	for _, method := range allMethods {
		synctest.Test(t, func(t *testing.T) {
			a, c := newTable(orders(1, 40)...), newTable(orders(1, 40)...)
			a.before = func(op string, _ int) error {
				if op == "boundary" {
					return nil
				}
				return errReset
			}
			b := newBench(t, a, c, method).rangesOf(10)
			v := b.verdict()
			if v.Complete || v.Clean || v.Unreadable < 5 || len(b.published.list()) != 0 {
				t.Fatalf("%s: verdict %+v, findings %q", method, v, b.published.list())
			}
			if !strings.Contains(v.Reason, "ranges could not be read") || !strings.Contains(v.Reason, errReset.Error()) {
				t.Errorf("%s: reason %q", method, v.Reason)
			}
			if int64(len(v.UnreadableRanges)) != v.Unreadable || !strings.Contains(v.UnreadableRanges[0].Reason, errReset.Error()) {
				t.Errorf("%s: of %d ranges it names %v", method, v.Unreadable, v.UnreadableRanges)
			}
		})
	}
}

func TestAnUnreadableKeyIndexLeavesTheRunIncomplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := newTable(orders(1, 40)...), newTable(orders(1, 10)...)
		a.before = func(op string, n int) error {
			if op == "boundary" && n > 2 {
				return errReset
			}
			return nil
		}
		v := newBench(t, a, c, schema.Merge).rangesOf(10).verdict()
		if v.Complete || v.Clean || v.Unreadable != 1 {
			t.Fatalf("verdict %+v", v)
		}
	})
}

func TestAPermanentErrorStopsTheRunAtOnce(t *testing.T) {
	denied := deniedError{errors.New("SELECT command denied")}
	for _, method := range allMethods {
		for _, op := range []string{"boundary", "digest", "rows", "lookup"} {
			a, c := newTable(orders(1, 40)...), newTable(orders(1, 30)...)
			hit := false
			c.before = func(o string, _ int) error {
				if o == op {
					hit = true
					return fmt.Errorf("read: %w", denied)
				}
				return nil
			}
			b := newBench(t, a, c, method).rangesOf(10)
			b.config.Threads = 1
			v, err := b.validator().Run(t.Context(), b.run)
			if !hit {
				continue
			}
			if !errors.Is(err, denied) || v.Complete || v.Clean || !strings.Contains(v.Reason, "denied") {
				t.Errorf("%s, %s denied: verdict %+v, error %v", method, op, v, err)
			}
			tries := 0
			for _, read := range c.reads {
				if read == op {
					tries++
				}
			}
			if tries != 1 {
				t.Errorf("%s: %s was tried %d times although it is denied", method, op, tries)
			}
		}
	}
}

func TestARangeTheServerWillNotDigestIsReadInstead(t *testing.T) {
	for name, refusal := range map[string]error{
		"too large": limitError{errors.New("raise max_allowed_packet")},
		"too slow":  nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			a, c := newTable(orders(1, 40)...), newTable(orders(1, 40)...)
			c.put(order(17, "damaged", 0))
			c.before = func(op string, _ int) error {
				switch {
				case op != "digest":
					return nil
				case refusal != nil:
					return refusal
				}
				time.Sleep(time.Hour) // of the test's own clock; the read is long given up
				return context.DeadlineExceeded
			}
			b := newBench(t, a, c, schema.Checksum).rangesOf(10)
			if v := b.verdict(); !v.Complete {
				t.Errorf("%s: verdict %+v", name, v)
			}
			equalSets(t, b.published.list(), []string{"neq 17"})
			b.run.Mode = Count
			if refusal != nil {
				if v := b.verdict(); !v.Complete || v.SourceRows != 40 || v.TargetRows != 40 {
					t.Errorf("%s: count %+v", name, v)
				}
			}
		})
	}
}

func TestAServerThatDigestsNoRangeIsReadUnlessDigestsWereAskedFor(t *testing.T) {
	for _, insisted := range []bool{false, true} {
		a, c := newTable(orders(1, 400)...), newTable(orders(1, 400)...)
		c.put(order(17, "damaged", 0))
		digests := 0
		c.before = func(op string, _ int) error {
			if op != "digest" {
				return nil
			}
			digests++
			return fmt.Errorf("read: %w", limitError{errors.New("raise max_allowed_packet")})
		}
		b := newBench(t, a, c, schema.Checksum).rangesOf(10)
		b.config.Threads = 1
		b.run.Pair.Insisted = insisted
		v, err := b.validator().Run(t.Context(), b.run)
		if digests > 3 {
			t.Errorf("insisted %t: it asked for %d digests in vain", insisted, digests)
		}
		if insisted {
			if err == nil || v.Complete || !strings.Contains(v.Reason, "method checksum") || !strings.Contains(v.Reason, "raise max_allowed_packet") {
				t.Errorf("verdict %+v, error %v", v, err)
			}
			continue
		}
		if err != nil || !v.Complete {
			t.Errorf("verdict %+v, error %v", v, err)
		}
		equalSets(t, b.published.list(), []string{"neq 17"})
	}
}

func TestAKeyIndexThatCannotBeReadInOnePlaceIsGoneAroundByTheOtherSides(t *testing.T) {
	for _, method := range []schema.Method{schema.Checksum, schema.Merge} {
		synctest.Test(t, func(t *testing.T) {
			a, c := newTable(orders(1, 100)...), newTable(orders(1, 100)...)
			c.put(order(7, "damaged", 0))
			c.put(order(93, "damaged", 0))
			// Whatever touches the rows 31 to 40 of the authority fails.
			a.touches = func(r row.Range) error {
				after, through := 0, 100
				if r.After != nil {
					after, _ = strconv.Atoi(string(r.After[0]))
				}
				if r.Through != nil {
					through, _ = strconv.Atoi(string(r.Through[0]))
				}
				if after < 40 && through > 30 {
					return errReset
				}
				return nil
			}
			b := newBench(t, a, c, method).rangesOf(10)
			v := b.verdict()
			if v.Complete || v.Unreadable != 1 || v.UnreadableRanges[0].Range.String() != "(30 … 40]" {
				t.Errorf("%s: verdict %+v", method, v)
			}
			equalSets(t, b.published.list(), []string{"neq 7", "neq 93"})
		})
	}
}

func TestRowsDeletedWhileARangeIsCutDoNotLeadOutOfIt(t *testing.T) {
	for keep := 1; keep <= 12; keep++ {
		a, c := newTable(orders(1, 64)...), newTable(orders(1, 64)...)
		c.put(order(1, "damaged", 0))
		c.put(order(40, "damaged", 0))
		var digests atomic.Int64 // the next range may be looked for meanwhile
		a.before = func(op string, _ int) error {
			if op == "digest" {
				digests.Add(1)
			}
			// The first range was counted; before it is cut, most of it goes.
			if op == "boundary" && digests.Load() == 1 {
				for id := keep + 1; id <= 32; id++ {
					a.remove(id)
					c.remove(id)
				}
				digests.Add(1)
			}
			return nil
		}
		b := newBench(t, a, c, schema.Checksum).rangesOf(32)
		b.config.Threads, b.config.DrillRows = 1, 4
		v := b.verdict()
		equalSets(t, b.published.list(), []string{"neq 1", "neq 40"})
		if !v.Complete || v.SourceRows != int64(keep+32) {
			t.Errorf("%d rows left: verdict %+v", keep, v)
		}
	}
}

func TestTheContextsEndLeavesAnIncompleteVerdictAndNoError(t *testing.T) {
	for n := range 40 {
		a, c := newTable(orders(1, 40)...), newTable(orders(1, 35)...)
		ctx, cancel := context.WithCancel(t.Context())
		c.before = func(_ string, i int) error {
			if i == n {
				cancel()
			}
			return nil
		}
		b := newBench(t, a, c, schema.Checksum).rangesOf(4)
		b.run.Confirm = time.Nanosecond
		v, err := b.validator().Run(ctx, b.run)
		if err != nil {
			t.Fatalf("cancelled at read %d: error %v", n, err)
		}
		if ctx.Err() != nil && !v.Complete && (v.Clean || !strings.Contains(v.Reason, "interrupted")) {
			t.Fatalf("cancelled at read %d: verdict %+v", n, v)
		}
		if v.Complete && len(b.published.list()) != 5 {
			t.Fatalf("cancelled at read %d: complete with %q", n, b.published.list())
		}
		cancel()
	}
}
