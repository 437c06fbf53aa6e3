package validate

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// damage changes the copy at random and returns the findings it must cause.
func damage(random *rand.Rand, authority, replica *table, ids int) []string {
	want := []string{}
	for id := 1; id <= ids; id++ {
		original := order(id, "name "+strconv.Itoa(id%13), id*3)
		switch random.IntN(20) {
		case 0:
			authority.put(original)
			want = append(want, fmt.Sprintf("target_missing %d", id))
		case 1:
			replica.put(original)
			want = append(want, fmt.Sprintf("base_missing %d", id))
		case 2:
			authority.put(original)
			changed := original.Clone()
			changed[2] = nil
			replica.put(changed)
			want = append(want, fmt.Sprintf("neq %d", id))
		case 3: // on neither side
		default:
			authority.put(original)
			replica.put(original)
		}
	}
	return want
}

func TestFindsExactlyTheDamagedRows(t *testing.T) {
	for _, method := range allMethods {
		for _, size := range []int{1, 7, 1000, 100_000} {
			for _, confirm := range []time.Duration{0, time.Minute} {
				for _, authority := range []event.Side{event.Source, event.Target} {
					t.Run(fmt.Sprint(method, "/", size, "/", confirm, "/", authority), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							random := rand.New(rand.NewPCG(uint64(size), uint64(method)))
							for range 3 {
								a, c := newTable(), newTable()
								if method == schema.Lookup {
									c.order = backwards
								}
								want := damage(random, a, c, 1+random.IntN(900))
								b := newBench(t, a, c, method).rangesOf(size)
								b.run.Authority, b.run.Confirm = authority, confirm
								b.config.DrillRows = int64(1 + random.IntN(50))
								v := b.verdict()
								equalSets(t, b.published.list(), want)
								checkVerdict(t, v, b, want)
							}
						})
					})
				}
			}
		}
	}
}

func checkVerdict(t *testing.T, v Verdict, b *bench, want []string) {
	t.Helper()
	source, target := len(b.authority.rows), len(b.replica.rows)
	if b.run.Authority == event.Target {
		source, target = target, source
	}
	if !v.Complete || v.Clean != (len(want) == 0) || v.Findings() != int64(len(want)) ||
		v.SourceRows != int64(source) || v.TargetRows != int64(target) {
		t.Fatalf("verdict %+v for %d findings in %d and %d rows", v, len(want), source, target)
	}
}

func TestReverseModeFindsWhatTheCopyHasTooMuchAndWhatDiffers(t *testing.T) {
	for _, size := range []int{1, 7, 1000} {
		a, c := newTable(orders(1, 50)...), newTable(orders(3, 60)...)
		c.order = backwards
		c.put(order(20, "changed", 1))
		b := newBench(t, a, c, schema.Checksum).rangesOf(size)
		b.run.Mode = Reverse
		v := b.verdict()
		want := []string{"neq 20"}
		for id := 51; id <= 60; id++ {
			want = append(want, fmt.Sprintf("base_missing %d", id))
		}
		equalSets(t, b.published.list(), want)
		if !v.Complete || v.Clean || v.SourceRows != 48 || v.TargetRows != 58 {
			t.Errorf("size %d: verdict %+v", size, v)
		}
	}
}

func TestCountModeNeverGivesACleanVerdict(t *testing.T) {
	for _, method := range allMethods {
		b := newBench(t, newTable(orders(1, 100)...), newTable(orders(1, 100)...), method).rangesOf(7)
		b.run.Mode = Count
		v := b.verdict()
		if !v.Complete || v.Clean || v.SourceRows != 100 || v.TargetRows != 100 || v.Reason == "" {
			t.Errorf("%s: verdict %+v", method, v)
		}
		if n := len(b.published.list()); n != 0 {
			t.Errorf("%s: counting published %d findings", method, n)
		}
	}
}

func TestRowsOutsideTheAuthoritysSpanAreFound(t *testing.T) {
	for _, method := range allMethods {
		a, c := newTable(orders(500, 510)...), newTable(orders(490, 530)...)
		b := newBench(t, a, c, method).rangesOf(4)
		b.verdict()
		var want []string
		for id := 490; id <= 530; id++ {
			if id < 500 || id > 510 {
				want = append(want, fmt.Sprintf("base_missing %d", id))
			}
		}
		equalSets(t, b.published.list(), want)
	}
}

func TestAnEmptySide(t *testing.T) {
	for _, method := range allMethods {
		for _, kind := range []string{"target_missing", "base_missing", ""} {
			a, c := newTable(), newTable()
			want := []string{}
			for _, r := range orders(1, 40) {
				switch kind {
				case "target_missing":
					a.put(r)
				case "base_missing":
					c.put(r)
				default:
					continue
				}
				want = append(want, kind+" "+string(r[0]))
			}
			b := newBench(t, a, c, method).rangesOf(9)
			v := b.verdict()
			equalSets(t, b.published.list(), want)
			checkVerdict(t, v, b, want)
		}
	}
}

func TestTheBoundaryRowOfEveryRangeIsCompared(t *testing.T) {
	for _, method := range allMethods {
		for damaged := 1; damaged <= 30; damaged++ {
			a, c := newTable(orders(1, 30)...), newTable(orders(1, 30)...)
			c.put(order(damaged, "damaged", 0))
			b := newBench(t, a, c, method).rangesOf(5)
			b.verdict()
			equalSets(t, b.published.list(), []string{fmt.Sprintf("neq %d", damaged)})
		}
	}
}

// Linear digests do not see the same change in an even number of rows, nor
// values that moved from one row to another.
func TestChangesThatCancelOutAreFound(t *testing.T) {
	a, c := newTable(orders(1, 100)...), newTable(orders(1, 100)...)
	c.put(order(10, "name 10", 33)) // 10 and 11 have swapped their amounts
	c.put(order(11, "name 11", 30))
	c.put(order(20, "Name 7", 60)) // the same bit flipped in two rows
	c.put(order(33, "Name 7", 99))
	b := newBench(t, a, c, schema.Checksum)
	b.verdict()
	equalSets(t, b.published.list(), []string{"neq 10", "neq 11", "neq 20", "neq 33"})
}

func TestFindingsNameTheKeyAndTheColumnsAndCarryNoData(t *testing.T) {
	a, c := newTable(orders(1, 5)...), newTable(orders(1, 5)...)
	c.put(row.Row{row.Value("3"), nil, row.Value("8")})
	b := newBench(t, a, c, schema.Checksum)
	b.verdict()
	f := b.published.findings[0]
	if f.Kind != event.NotEqual || f.Pair != "orders" || f.Run != "run" || f.Epoch != 4 || f.ID == "" || f.DetectedAt.IsZero() {
		t.Errorf("finding %+v", f)
	}
	if len(f.Key) != 1 || f.Key[0].Column != "id" || f.Key[0].Type != testColumns[0].As || string(f.Key[0].Value) != "3" {
		t.Errorf("key %+v", f.Key)
	}
	if fmt.Sprint(f.Columns) != "[name amount]" {
		t.Errorf("columns %v", f.Columns)
	}
}

func TestMemoryLimitsSplitRangesAndChangeNoFinding(t *testing.T) {
	for _, method := range allMethods {
		a, c := newTable(orders(1, 300)...), newTable(orders(250, 900)...)
		b := newBench(t, a, c, method).rangesOf(100_000)
		b.config.MemoryRows, b.config.BatchRows = 10, 4
		var most atomic.Int64
		b.ports.Observer = &watch{suspects: func(r SuspectReport) { most.Store(max(most.Load(), int64(r.Seen))) }}
		v := b.verdict()
		if most.Load() > 14 {
			t.Errorf("%s: %d differences were kept at a time, 10 and a batch are allowed", method, most.Load())
		}
		var want []string
		for id := 1; id < 250; id++ {
			want = append(want, fmt.Sprintf("target_missing %d", id))
		}
		for id := 301; id <= 900; id++ {
			want = append(want, fmt.Sprintf("base_missing %d", id))
		}
		equalSets(t, b.published.list(), want)
		checkVerdict(t, v, b, want)
	}
}

type watch struct {
	NopObserver
	suspects func(SuspectReport)
}

func (w *watch) Suspects(r SuspectReport) { w.suspects(r) }

func TestARunThatCannotStartSaysWhy(t *testing.T) {
	b := newBench(t, newTable(), newTable(), schema.Checksum)
	for name, change := range map[string]func(*Run){
		"no pair":           func(r *Run) { r.Pair = nil },
		"no authority":      func(r *Run) { r.Authority = event.SideUnknown },
		"negative confirm":  func(r *Run) { r.Confirm = -1 },
		"negative limit":    func(r *Run) { r.MaxFindings = -1 },
		"share above 1":     func(r *Run) { r.MaxShare = 1.5 },
		"no method":         func(r *Run) { r.Pair = testPair(schema.Auto) },
		"mode out of range": func(r *Run) { r.Mode = 9 },
	} {
		run := b.run
		change(&run)
		v, err := b.validator().Run(t.Context(), run)
		if err == nil || v.Complete || v.Clean || v.Reason == "" {
			t.Errorf("%s: verdict %+v, error %v", name, v, err)
		}
	}
}

func TestConfigurationNamesTheFieldThatIsWrong(t *testing.T) {
	b := newBench(t, newTable(), newTable(), schema.Checksum)
	for want, config := range map[string]Config{
		"validate: threads is -1; it must be at least 1":      {Threads: -1},
		"validate: backoff is -1s; it must be more than 0":    {Backoff: -time.Second},
		"validate: drill_rows is -5; it must be at least 1":   {DrillRows: -5},
		"validate: memory_bytes is -5; it must be at least 1": {MemoryBytes: -5},
	} {
		if _, err := New(config, Ports{Source: b.authority, Target: b.replica}); err == nil || err.Error() != want {
			t.Errorf("New(%+v): %v, want %s", config, err, want)
		}
	}
}
