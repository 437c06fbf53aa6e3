package leader

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/internal/circletest"
)

const session = 6 * time.Second

// town is a few processes of which one leads.
type town struct {
	t           *testing.T
	ctx         context.Context
	coordinator *circletest.Coordinator

	mu      sync.Mutex
	leading []string // who is in lead at the moment
	most    int      // at the same time
	terms   int
}

func (w *town) begins(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.terms++
	w.leading = append(w.leading, name)
	w.most = max(w.most, len(w.leading))
}

func (w *town) ends(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leading = slices.DeleteFunc(w.leading, func(one string) bool { return one == name })
}

// in runs a story among processes in the time of the test.
func in(t *testing.T, story func(w *town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := &town{t: t, ctx: ctx, coordinator: circletest.New(session, session)}
		go w.coordinator.Run(ctx)
		story(w)
		cancel()
		time.Sleep(2 * session)
	})
}

// candidate is a process.
type candidate struct {
	*Election
	link *circletest.Link
	stop context.CancelFunc
	done chan error
}

// add starts a process; after is how long it takes to put things away when its
// term is over.
func (w *town) add(name string, after time.Duration) *candidate {
	ctx, stop := context.WithCancel(w.ctx)
	c := &candidate{link: w.coordinator.Link(), stop: stop, done: make(chan error, 1)}
	c.Election = New(c.link, name, session)
	go func() {
		c.done <- c.Run(ctx, func(ctx context.Context) error {
			w.begins(name)
			<-ctx.Done()
			w.ends(name)
			time.Sleep(after)
			return ctx.Err()
		})
	}()
	return c
}

// told is how many led at once, at most, and how many terms there were.
func (w *town) told() (most, terms int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.most, w.terms
}

// last is the one that leads.
func (w *town) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.leading) == 0 {
		return ""
	}
	return w.leading[0]
}

func (w *town) leads(want string) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := strings.Join(w.leading, " "); got != want {
		w.t.Errorf("%q leads, want %q", got, want)
	}
}

func TestOneLeadsAndGoesOnWhenOthersCome(t *testing.T) {
	in(t, func(w *town) {
		a := w.add("a", 0)
		time.Sleep(time.Second)
		w.leads("a")
		b, c := w.add("b", 0), w.add("c", 0)
		time.Sleep(time.Minute)
		w.leads("a")
		if _, terms := w.told(); terms != 1 || a.Leads() != nil {
			t.Errorf("%d terms, %v", terms, a.Leads())
		}
		for _, other := range []*candidate{b, c} {
			if err := other.Leads(); !other.StandsBy() || !strings.Contains(err.Error(), "another process leads: a") {
				t.Errorf("it stands by: %t, %v", other.StandsBy(), err)
			}
		}
	})
}

func TestTheNextOneLeadsWithinASessionOfAKillAndAtOnceAfterAFarewell(t *testing.T) {
	in(t, func(w *town) {
		a := w.add("a", 0)
		time.Sleep(time.Second)
		b := w.add("b", 0)
		time.Sleep(10 * time.Second)
		a.link.Kill()
		a.stop()
		time.Sleep(session - 2*beat)
		w.leads("")
		time.Sleep(3*beat + beat/2)
		w.leads("b")
		w.add("c", 0)
		time.Sleep(5 * time.Second)
		w.leads("b")
		b.stop()
		time.Sleep(beat + beat/2)
		w.leads("c")
	})
}

// A process that is cut off gives up before the others can have its place, and
// joins them when it is back.
func TestWhoIsCutOffGivesUpBeforeAnotherLeads(t *testing.T) {
	in(t, func(w *town) {
		a := w.add("a", 0)
		time.Sleep(time.Second)
		w.add("b", 0)
		time.Sleep(10 * time.Second)
		a.link.SetCut(true)
		time.Sleep(session - 3*beat)
		w.leads("a")
		time.Sleep(5 * beat)
		w.leads("b")
		if err := a.Leads(); err == nil || a.StandsBy() {
			t.Errorf("it stands by: %t, %v", a.StandsBy(), err)
		}
		a.link.SetCut(false)
		time.Sleep(2 * session)
		w.leads("b")
		if most, _ := w.told(); !a.StandsBy() || most != 1 {
			t.Errorf("%v; %d at once", a.Leads(), most)
		}
	})
}

// A coordinator that was away, and not the others, takes nobody's place away: the
// same process begins again.
func TestWhoeverIsAloneLeadsAgainWhenTheCoordinatorIsBack(t *testing.T) {
	in(t, func(w *town) {
		a := w.add("a", 0)
		time.Sleep(time.Second)
		a.link.SetCut(true)
		time.Sleep(time.Minute)
		w.leads("")
		a.link.SetCut(false)
		time.Sleep(2 * session)
		w.leads("a")
		if _, terms := w.told(); terms != 2 {
			t.Errorf("%d terms", terms)
		}
	})
}

func TestThePlaceIsKeptWhileTheOneThatStopsPutsThingsAway(t *testing.T) {
	in(t, func(w *town) {
		a := w.add("a", 3*session)
		time.Sleep(time.Second)
		b := w.add("b", 0)
		time.Sleep(time.Second)
		a.stop()
		time.Sleep(2 * session)
		if a.Leads() != nil || b.Leads() == nil {
			t.Errorf("a: %v, b: %v", a.Leads(), b.Leads())
		}
		time.Sleep(session + 2*beat)
		w.leads("b")
		if err := <-a.done; err != nil {
			t.Error(err)
		}
	})
}

func TestWhatEndsByItselfEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := circletest.New(session, session)
		go c.Run(ctx)
		broken := errors.New("broken")
		if err := New(c.Link(), "a", session).Run(ctx, func(context.Context) error { return broken }); !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
		cancel()
		synctest.Wait()
	})
}

// Whatever befalls them, two never lead at once, and when all is well one does.
func TestNeverTwoLeadAtOnce(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			in(t, func(w *town) {
				var all []*candidate
				name := 0
				for range 60 {
					if len(all) < 3 {
						all = append(all, w.add(fmt.Sprint(name), time.Duration(random.IntN(3000))*time.Millisecond))
						name++
					}
					i := random.IntN(len(all))
					switch random.IntN(6) {
					case 0:
						all[i].link.SetCut(true)
					case 1, 2:
						all[i].link.SetCut(false)
					case 3:
						all[i].stop()
						all = append(all[:i], all[i+1:]...)
					case 4:
						all[i].link.Kill()
						all[i].stop()
						all = append(all[:i], all[i+1:]...)
					}
					time.Sleep(time.Duration(random.IntN(5000)) * time.Millisecond)
				}
				for _, c := range all {
					c.link.SetCut(false)
				}
				w.add("last", 0)
				time.Sleep(10 * session)
				w.leads(w.last())
				if most, _ := w.told(); most != 1 || w.last() == "" {
					t.Errorf("%d led at once, and in the end %q", most, w.last())
				}
			})
		})
	}
}
