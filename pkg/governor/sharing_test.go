package governor

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/internal/circletest"
)

// installation is several processes that share one database.
type installation struct {
	t           *testing.T
	server      *server
	coordinator *circletest.Coordinator
	ctx         context.Context
	most        int
	over        int           // the largest number of governed statements at once
	exceeded    time.Duration // in which there were more than most
	processes   []*process
}

type process struct {
	name     string
	governor *Governor
	link     *circletest.Link
	end      context.CancelFunc // of everything
	rest     context.CancelFunc // of its work
	busy     chan struct{}      // closed to give it work without end

	neighbours atomic.Int64 // that it was told of last
}

// install runs an installation on a server with room for everything, and checks
// at each step that no more statements run than the database may be asked for.
func install(t *testing.T, cores float64, load func(time.Duration) float64, most int, d time.Duration, scene func(*installation)) *installation {
	t.Helper()
	i := &installation{t: t, most: most, coordinator: circletest.New(SessionTimeout, RoundTimeout)}
	simulate(t, cores, load, d, func(ctx context.Context, s *server) {
		i.server, i.ctx = s, ctx
		go i.coordinator.Run(ctx)
		go i.watch()
		go scene(i)
	})
	return i
}

func (i *installation) watch() {
	pulse := time.NewTicker(tick)
	defer pulse.Stop()
	for {
		select {
		case <-i.ctx.Done():
			return
		case <-pulse.C:
			n := 0
			i.server.mu.Lock()
			for _, j := range i.server.jobs {
				if j.govern {
					n++
				}
			}
			i.server.mu.Unlock()
			i.over = max(i.over, n)
			if n > i.most {
				i.exceeded += tick
			}
		}
	}
}

// add starts a process that has nothing to do. Its governor goes by the server's
// load if there is a foreground.
func (i *installation) add(name string, adapts bool) *process {
	i.t.Helper()
	ctx, end := context.WithCancel(i.ctx)
	working, rest := context.WithCancel(ctx)
	p := &process{name: name, link: i.coordinator.Link(), end: end, rest: rest, busy: make(chan struct{})}
	g, err := New(Config{Name: "target reads", Use: Reads, Most: i.most, Fixed: !adapts})
	if err != nil {
		i.t.Error(err)
		return nil
	}
	p.governor = g
	sharing := NewSharing(p.link, "; ask Ann", map[string][]*Governor{"target": {g}})
	sharing.Machine, sharing.Neighbours = "one", func(others int) { p.neighbours.Store(int64(others)) }
	go func() {
		var w *Watcher
		if adapts {
			w = NewWatcher(name, nil)
			w.Phase = 1.0 / 3
			for _, err := range []error{
				w.Add(Signal{Name: "canary", Unit: "ms", Limit: 25, Latency: true}, i.server.canary),
				w.AddCount(Signal{Name: "threads", Limit: 2*i.server.cores + 6, Cores: i.server.cores}, i.server.count),
			} {
				if err != nil {
					i.t.Error(err)
				}
			}
			w.Measure(ctx)
		}
		if err := g.Start(w); err != nil {
			i.t.Error(err)
		}
		if w != nil {
			go w.Run(ctx)
		}
		go g.Run(ctx)
		_ = sharing.Run(ctx) // it returns nil
	}()
	for range i.most {
		go func() {
			select {
			case <-p.busy:
				i.server.worker(working, g)
			case <-working.Done():
			}
		}()
	}
	i.processes = append(i.processes, p)
	return p
}

// work gives a process work without end.
func (p *process) work() { close(p.busy) }

// stop ends a process in order: what runs comes to its end first.
func (p *process) stop() {
	p.rest()
	time.Sleep(time.Second)
	p.end()
}

// kill ends a process without a farewell; its statements go on.
func (p *process) kill() {
	p.link.Kill()
	p.end()
}

// parts are what processes may use, as they know it.
func (i *installation) parts(of ...*process) (text string, sum float64) {
	var list []string
	for _, p := range of {
		p.governor.mu.Lock()
		n := p.governor.part.statements
		p.governor.mu.Unlock()
		sum += n
		list = append(list, fmt.Sprintf("%.3g", n))
	}
	return strings.Join(list, " "), sum
}

func (i *installation) expect(when, want string, of ...*process) {
	i.t.Helper()
	if got, _ := i.parts(of...); got != want {
		i.t.Errorf("%s: parts %s, want %s", when, got, want)
	}
}

// shared waits until those processes have the whole budget between them, and no
// round is to be expected.
func (i *installation) shared(when string, budget float64, within time.Duration, of ...*process) {
	i.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(beat) {
		parts, sum := i.parts(of...)
		if sum == budget {
			time.Sleep(lease)
			return
		}
		if time.Now().After(end) {
			i.t.Errorf("%s: %v of %v are used: %s", when, sum, budget, parts)
			return
		}
	}
}

func TestWhoIsAloneHasTheWholeBudgetAtOnce(t *testing.T) {
	i := install(t, 64, steady(0), 6, 40*time.Second, func(i *installation) {
		a := i.add("a", false)
		time.Sleep(time.Second)
		i.expect("idle", "0", a)
		a.work()
		time.Sleep(100 * time.Millisecond)
		i.expect("at work", "6", a)
		if s := a.governor.Status(); s.State != Running || s.Workers != 6 || s.Most != 6 {
			i.t.Errorf("%+v", s)
		}
	})
	if i.over != 6 || i.coordinator.Rounds() != 2 {
		t.Errorf("%d statements at once, %d rounds", i.over, i.coordinator.Rounds())
	}
}

func TestABudgetMovesToThoseThatHaveWork(t *testing.T) {
	i := install(t, 64, steady(0), 6, 3*time.Minute, func(i *installation) {
		validator, one, two := i.add("validator", false), i.add("one", false), i.add("two", false)
		validator.work()
		time.Sleep(5 * time.Second)
		i.expect("only the validator has work", "6 0 0", validator, one, two)
		one.work()
		time.Sleep(5 * time.Second)
		i.expect("a fixer has, too", "3 3 0", validator, one, two)
		two.work()
		time.Sleep(5 * time.Second)
		i.expect("both have", "2 2 2", validator, one, two)
		one.stop()
		time.Sleep(5 * time.Second)
		i.expect("one went", "3 3", validator, two)
	})
	if i.over > 6 {
		t.Errorf("%d statements at once", i.over)
	}
}

// Two that begin together, as a Deployment starts them, take several rounds until both
// have what is theirs: one has it all first.
func TestTwoThatBeginTogetherSoonWorkTogether(t *testing.T) {
	for after := time.Duration(0); after < time.Second; after += 170 * time.Millisecond {
		install(t, 64, steady(0), 6, 10*time.Second, func(i *installation) {
			a, b := i.add("a", false), i.add("b", false)
			time.Sleep(500 * time.Millisecond)
			a.work()
			time.Sleep(after)
			b.work()
			time.Sleep(1500 * time.Millisecond)
			i.expect(fmt.Sprintf("%v apart", after), "3 3", a, b)
		})
	}
}

func TestTheLastWorkIsFollowedByAPauseForBreath(t *testing.T) {
	install(t, 64, steady(0), 6, time.Minute, func(i *installation) {
		a, b := i.add("a", false), i.add("b", false)
		b.work()
		release, err := a.governor.Acquire(i.ctx)
		if err != nil {
			i.t.Error(err)
			return
		}
		time.Sleep(usual - 500*time.Millisecond)
		i.expect("what it will need is not known yet", "3 3", a, b)
		time.Sleep(3 * time.Second)
		i.expect("it needs no more than one", "1 5", a, b)
		release()
		time.Sleep(linger - 2*time.Second)
		i.expect("a moment after", "1 5", a, b)
		time.Sleep(5 * time.Second)
		i.expect("and later", "0 6", a, b)
	})
}

// What one does not use is another's within seconds, and is given back when it is needed.
func TestWhatOneDoesNotUseIsAnothers(t *testing.T) {
	i := install(t, 64, steady(0), 6, 2*time.Minute, func(i *installation) {
		a, b := i.add("a", false), i.add("b", false)
		b.work()
		var held []func()
		take := func() {
			release, err := a.governor.Acquire(i.ctx)
			if err != nil {
				i.t.Error(err)
				return
			}
			held = append(held, release)
		}
		take()
		take()
		time.Sleep(5 * time.Second)
		i.expect("two of six", "2 4", a, b)
		for _, release := range held {
			release()
		}
		time.Sleep(restful + beat + 4*eager)
		i.expect("it rests", "1 5", a, b)
		a.work()
		time.Sleep(time.Second)
		i.expect("it needs all it can have", "3 3", a, b)
		before := i.coordinator.Rounds()
		time.Sleep(30 * time.Second)
		i.expect("later", "3 3", a, b)
		if n := i.coordinator.Rounds() - before; n != 0 {
			i.t.Errorf("%d rounds while nothing changes", n)
		}
	})
	if i.over > 6 {
		t.Errorf("%d statements at once", i.over)
	}
}

func TestEverybodyIsToldHowManyOthersAreAtWorkOnItsMachine(t *testing.T) {
	install(t, 64, steady(0), 6, time.Minute, func(i *installation) {
		a, b := i.add("a", false), i.add("b", false)
		told := func(when string, wantA, wantB int64) {
			i.t.Helper()
			if gotA, gotB := a.neighbours.Load(), b.neighbours.Load(); gotA != wantA || gotB != wantB {
				i.t.Errorf("%s: told of %d and %d, want %d and %d", when, gotA, gotB, wantA, wantB)
			}
		}
		b.work()
		release, err := a.governor.Acquire(i.ctx)
		if err != nil {
			i.t.Error(err)
			return
		}
		time.Sleep(2 * time.Second)
		told("both work", 1, 1)
		release()
		time.Sleep(restful + 4*beat)
		told("one rests", 1, 0)
	})
}

// Two validators and ten fixers come, go, die and lose Kafka.
func TestProcessesThatComeGoAndDieNeverExceedTheBudget(t *testing.T) {
	const most = 24
	i := install(t, 64, steady(0), most, 4*time.Minute, func(i *installation) {
		first := i.add("validator", false)
		first.work()
		time.Sleep(3 * time.Second)
		var fixers []*process
		for n := range 10 {
			f := i.add(fmt.Sprint("fixer ", n), false)
			fixers = append(fixers, f)
			f.work()
			time.Sleep(time.Duration(n%3) * 700 * time.Millisecond)
		}
		second := i.add("another validator", false)
		second.work()
		time.Sleep(10 * time.Second)
		i.expect("twelve", "2 2 2 2 2 2 2 2 2 2 2 2", append(fixers, first, second)...)

		fixers[0].kill()
		time.Sleep(5 * time.Second)
		i.expect("one died", "2 2", fixers[1], first)
		i.shared("after a death", most, SessionTimeout, append(fixers[1:], first, second)...)

		fixers[1].kill() // and somebody comes before that is known
		late := i.add("a late one", false)
		late.work()
		i.shared("after a death and a birth", most, RoundTimeout+3*grace, append(fixers[2:], first, second, late)...)

		fixers[2].link.SetCut(true)
		time.Sleep(lease + grace/10)
		i.expect("without Kafka", "0", fixers[2])
		if s := fixers[2].governor.Status(); s.State != Paused || !strings.HasSuffix(s.Reason, "; ask Ann") {
			i.t.Errorf("%+v", s)
		}
		i.shared("after a cut", most, SessionTimeout, append(fixers[3:], first, second, late)...)
		for _, f := range fixers[3:] {
			f.stop()
		}
		fixers[2].link.SetCut(false)
		time.Sleep(10 * time.Second) // what it asked while it was cut off must time out first
		i.expect("four are left", "6 6 6 6", fixers[2], first, second, late)
	})
	t.Logf("%d rounds, %.0f core seconds of work", i.coordinator.Rounds(), i.server.worked)
	if i.over > most {
		t.Errorf("%d statements at once", i.over)
	}
}

// A cut at whatever moment of a round: before it is known, between joining and
// the parts, after them. The worst is a cut right before a round, of which who is
// cut off learns late by grace.
func TestACutInTheMiddleOfARoundLetsNobodyHaveTooMuch(t *testing.T) {
	for after := time.Duration(0); after < 3*grace; after += 130 * time.Millisecond {
		i := install(t, 64, steady(0), 6, 40*time.Second, func(i *installation) {
			a, b := i.add("a", false), i.add("b", false)
			a.work()
			time.Sleep(3 * time.Second)
			b.work()
			time.Sleep(after)
			a.link.SetCut(true)
			time.Sleep(20 * time.Second)
			i.expect("the other has it all", "0 6", a, b)
		})
		if i.exceeded > grace+300*time.Millisecond { // and what runs then ends
			t.Errorf("cut %v after the other's work began: %d statements at once, too many for %v", after, i.over, i.exceeded)
		}
	}
}

func TestWithoutKafkaNobodyGrows(t *testing.T) {
	i := install(t, 64, steady(0), 6, time.Minute, func(i *installation) {
		a, b := i.add("a", false), i.add("b", false)
		a.work()
		time.Sleep(3 * time.Second)
		for _, p := range i.processes {
			p.link.SetCut(true)
		}
		b.work()
		late := i.add("late", false)
		late.link.SetCut(true)
		late.work()
		time.Sleep(lease - 2*grace)
		i.expect("for the moment", "6 0 0", a, b, late)
		time.Sleep(20 * time.Second)
		i.expect("then", "0 0 0", a, b, late)
		if s := late.governor.Status(); s.State != Paused || !strings.HasPrefix(s.Reason, "this process's part of the budget is not known") {
			i.t.Errorf("%+v", s)
		}
		for _, p := range i.processes {
			p.link.SetCut(false)
		}
		time.Sleep(10 * time.Second)
		i.expect("Kafka is back", "2 2 2", a, b, late)
	})
	if i.over > 6 {
		t.Errorf("%d statements at once", i.over)
	}
}

func TestWhoIsPausedLeavesItsPartToOthers(t *testing.T) {
	install(t, 64, steady(0), 6, 2*time.Minute, func(i *installation) {
		a, b := i.add("a", false), i.add("b", false)
		a.work()
		b.work()
		time.Sleep(5 * time.Second)
		if err := a.governor.Pause("for a release", time.Now().Add(time.Minute)); err != nil {
			i.t.Error(err)
		}
		time.Sleep(linger + 5*time.Second)
		i.expect("paused by hand", "0 6", a, b)
		time.Sleep(50 * time.Second)
		i.expect("over", "3 3", a, b)
	})
}

func TestMoreProcessesThanStatementsTakeTurns(t *testing.T) {
	const d = 2 * time.Minute
	i := install(t, 64, steady(0), 4, d, func(i *installation) {
		for n := range 12 {
			i.add(fmt.Sprint("fixer ", n), false).work()
		}
	})
	if per := i.server.worked / d.Seconds(); per > 4.1 || per < 3.6 {
		t.Errorf("%.2f statements at once on the average", per)
	}
}

// Ten fixers beside a validator are no more load than the validator alone.
func TestAForegroundNoticesTwelveProcessesAsLittleAsOne(t *testing.T) {
	const d, cores = 3 * time.Minute, 16
	load := steady(cores / 2)
	alone := simulate(t, cores, load, d, nil)
	many := install(t, cores, load, 6, d, func(i *installation) {
		for n := range 12 {
			p := i.add(fmt.Sprint("process ", n), true)
			if p == nil {
				return
			}
			p.work()
		}
	})
	before, after := alone.p99(time.Minute, d), many.server.p99(time.Minute, d)
	t.Logf("p99 %v alone, %v with twelve processes that did %.0f core seconds of work", before, after, many.server.worked)
	if float64(after) > 1.25*float64(before) {
		t.Errorf("p99 %v, alone %v", after, before)
	}
	if many.server.worked < 60 {
		t.Errorf("%.0f core seconds of work", many.server.worked)
	}
}

// forgetful is a circle of one that takes it for dead and does not let it back in.
type forgetful struct{ forgot chan struct{} }

func (f *forgetful) Join(ctx context.Context, said []byte) (map[string][]byte, error) {
	select {
	case <-f.forgot:
		<-ctx.Done()
		return nil, ctx.Err()
	default:
		return map[string][]byte{"me": said}, nil
	}
}

func (f *forgetful) Sync(_ context.Context, parts map[string][]byte) ([]byte, error) {
	return parts["me"], nil
}

func (f *forgetful) Beat(context.Context) error {
	select {
	case <-f.forgot:
		return circletest.Eviction
	default:
		return nil
	}
}

func (f *forgetful) Leave(context.Context) error { return nil }

func TestWhoWasTakenForDeadHoldsNothingAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := newGovernor(t, Config{Fixed: true})
		circle := &forgetful{forgot: make(chan struct{})}
		sharing := NewSharing(circle, "; ask Ann", map[string][]*Governor{"target": {g}})
		if s := g.Status(); s.State != Starting {
			t.Errorf("%+v", s)
		}
		if err := g.Start(nil); err != nil {
			t.Fatal(err)
		}
		go func() { _ = sharing.Run(ctx) }() // it returns nil
		release, err := g.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		if s := g.Status(); s.State != Running || s.Workers != 4 {
			t.Errorf("%+v", s)
		}
		close(circle.forgot)
		time.Sleep(beat + beat/10)
		if s := g.Status(); s.State != Paused || s.Workers != 0 || s.Running != 1 ||
			s.Reason != "this process's part of the budget is not known: the coordinator says so; ask Ann" {
			t.Errorf("%+v", s)
		}
		release()
		cancel()
		synctest.Wait()
	})
}

// Work that takes places of two databases takes them in one order, and then
// processes that begin at the same time never wait for each other.
func TestPlacesOfTwoDatabasesAreNeverWaitedForCrosswise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := circletest.New(SessionTimeout, RoundTimeout)
		go c.Run(ctx)
		var done [2]atomic.Int64
		for n := range done {
			budgets := map[string][]*Governor{}
			for _, budget := range []string{"source", "target"} {
				g, err := New(Config{Name: budget + " reads", Use: Reads, Most: 6, Fixed: true})
				if err == nil {
					err = g.Start(nil)
				}
				if err != nil {
					t.Fatal(err)
				}
				budgets[budget] = []*Governor{g}
			}
			sharing := NewSharing(c.Link(), "", budgets)
			go func() { _ = sharing.Run(ctx) }() // it returns nil
			for range 6 {
				go both(ctx, budgets["source"][0], budgets["target"][0], &done[n])
			}
		}
		time.Sleep(time.Minute)
		before := [2]int64{done[0].Load(), done[1].Load()}
		time.Sleep(10 * time.Second)
		for n := range done {
			// Three at a time, a second each.
			if worked := done[n].Load() - before[n]; worked < 27 || worked > 33 {
				t.Errorf("process %d did %d pieces of work in ten seconds", n, worked)
			}
		}
		cancel()
		time.Sleep(leaveTimeout)
	})
}

// both does pieces of work that take a place of each.
func both(ctx context.Context, first, second *Governor, done *atomic.Int64) {
	for {
		leave, err := first.Acquire(ctx)
		if err != nil {
			return
		}
		if done.Load() == 0 { // everybody has the first place before anybody asks for the second
			time.Sleep(5 * grace)
		}
		end, err := second.Acquire(ctx)
		if err != nil {
			leave()
			return
		}
		time.Sleep(time.Second)
		end()
		leave()
		done.Add(1)
	}
}

// counted is a circle of one that counts its rounds.
type counted struct {
	Alone
	rounds int
}

func (c *counted) Join(ctx context.Context, said []byte) (map[string][]byte, error) {
	c.rounds++
	return c.Alone.Join(ctx, said)
}

func TestWhatIsAnnouncedTakesNoRoundOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		source, target := newGovernor(t, Config{Name: "source", Fixed: true}), newGovernor(t, Config{Name: "target", Fixed: true})
		circle := &counted{}
		sharing := NewSharing(circle, "", map[string][]*Governor{"source": {source}, "target": {target}})
		for _, g := range []*Governor{source, target} {
			if err := g.Start(nil); err != nil {
				t.Fatal(err)
			}
		}
		go func() { _ = sharing.Run(ctx) }() // it returns nil
		synctest.Wait()
		target.Announce()
		for _, g := range []*Governor{source, target} {
			if _, err := g.Acquire(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if circle.rounds != 2 {
			t.Errorf("%d rounds, want one to join and one for the work", circle.rounds)
		}
		cancel()
	})
}
