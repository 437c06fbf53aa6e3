package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/standing"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// standings know how the pairs stand: which rows are open, as the topics say, and
// up to when everything else is verified. They go on to say what they knew last
// while Kafka is away, and how old that is.
type standings struct {
	board     *standing.Board
	configs   map[string]string // see configOf, by pair
	findings  *kafka.Follower
	topics    kafka.Topics
	publisher verdictPublisher
	// state is awaited before verdicts are written.
	state   follower
	metrics *telemetry.Standing
	log     zerolog.Logger

	// recent are the newest outcomes, for those who look at the page.
	recent recent

	// generations are the highest that were read of positions, by their key.
	generations map[string]uint64

	mu   sync.Mutex
	said map[string]said
}

// verdictPublisher makes verdicts durable.
type verdictPublisher interface {
	PublishVerdicts(ctx context.Context, v event.Verdicts) error
}

// follower is what is needed of kafka.Follower beside its records.
type follower interface {
	Await(ctx context.Context, moment time.Time) error
}

// lookBack is how far back topics are read when the process starts: as long as
// findings are kept. What is open for longer the runs of that time have found again.
const lookBack = 7 * 24 * time.Hour

func newStandings(file assembly.File, pairs []assembly.Pair, publisher verdictPublisher, metrics *telemetry.Standing, log zerolog.Logger) (*standings, error) {
	s := &standings{
		configs: map[string]string{}, topics: file.Kafka.Topics(), publisher: publisher, metrics: metrics, log: log, said: map[string]said{},
		generations: map[string]uint64{},
	}
	for i := range pairs {
		config, err := configOf(&file, &pairs[i])
		if err != nil {
			return nil, err
		}
		s.configs[pairs[i].Name] = config
	}
	s.board = standing.NewBoard(standing.DefaultRows, s.configs)
	var err error
	s.findings, err = kafka.FollowFindings(file.Kafka, log, time.Now().Add(-lookBack), s.apply)
	return s, err
}

// Snapshot is how the pairs stand now, by name.
func (s *standings) Snapshot() []standing.Pair {
	now := time.Now()
	var asOf time.Time
	if age, known := s.findings.Age(); known {
		asOf = now.Add(-age)
	}
	return s.board.Snapshot(now, asOf)
}

// apply takes note of a record about a finding. One that cannot be understood is
// the fixer's to bury, and opens or closes nothing here.
func (s *standings) apply(r kafka.Followed) error {
	switch r.Topic {
	case s.topics.Outcomes:
		if o, err := event.DecodeOutcome(r.Record); err == nil {
			s.board.Settled(o, spot(r))
			s.recent.note(o, spot(r))
		}
	case s.topics.Dead:
		s.letter(r)
	default:
		f, err := event.DecodeFinding(r.Record)
		switch {
		case err != nil:
		case r.Topic == s.topics.Retry:
			s.board.PutOff(f, r.At)
		default:
			s.board.Found(f, r.At)
		}
	}
	return nil
}

func (s *standings) letter(r kafka.Followed) {
	if mark, before, ok := r.Mark(); ok {
		if mark == kafka.Dropped {
			s.board.Dropped(r.Key, before)
		}
		return
	}
	if f, err := event.DecodeFinding(r.Record); err == nil {
		s.board.Buried(f, spot(r))
	}
}

func spot(r kafka.Followed) standing.Spot {
	return standing.Spot{Partition: r.Partition, Offset: r.Offset, At: r.At}
}

// learn takes note of a record of the state topic: the verdicts of runs, and how
// far those without an end have come, also of other validators. What cannot be
// read forbids nothing.
func (s *standings) learn(r event.Record) error {
	if r.Value == nil {
		return nil
	}
	switch kind, name := event.StateKind(r.Key); kind {
	case event.StateVerdicts:
		v, err := event.DecodeVerdicts(r)
		if err != nil {
			s.log.Warn().Err(err).Msg("verdicts of earlier runs cannot be read")
			return nil
		}
		s.board.Concluded(v)
	case event.StatePosition:
		pair, endless := strings.CutPrefix(name, assembly.IncrementalState)
		state, err := event.DecodePairState(r)
		if err != nil || !endless || state.Generation < s.generations[name] {
			return nil // one that was replaced, and does not know it, says nothing of the present
		}
		s.generations[name] = state.Generation
		if state.Watermark.IsZero() {
			return nil
		}
		s.board.Verified(pair, standing.Watermark{
			Mode: validate.Incremental.String(), Until: state.Watermark, Behind: state.At.Sub(state.Watermark), At: state.At,
		})
	}
	return nil
}

// verified takes note of how far a run without an end has come.
func (s *standings) verified(mode validate.Mode, v validate.Verified) {
	s.board.Verified(v.Pair, standing.Watermark{
		Mode: mode.String(), Since: v.Since, Until: v.Until, Behind: v.Behind, At: v.At, Held: v.Held,
	})
}

// showEvery is how often metrics are brought up to date, and what changed at once
// is looked for that a person should know of; while very many rows are open, less
// often, so that looking takes no more than a showShare-th of the time.
const (
	showEvery = time.Second
	showShare = 50
)

// run reads the topics, and tells how the pairs stand, until ctx ends.
func (s *standings) run(ctx context.Context) error {
	defer assembly.Background(ctx, func(ctx context.Context) { _ = s.findings.Run(ctx) })() // it returns nil
	next := time.NewTimer(showEvery)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-next.C:
			pairs := s.Snapshot()
			s.metrics.Show(pairs, now)
			for i := range pairs {
				s.say(&pairs[i], now)
			}
			next.Reset(max(showEvery, showShare*time.Since(now)))
		}
	}
}

// said is what the log said last of a pair, and when.
type said struct {
	line  string
	phase phase
	at    time.Time
}

// phase is what is worth a line at once when it changes.
type phase struct{ known, verified, stalled bool }

func phaseOf(p *standing.Pair) phase {
	now := phase{known: p.Known, verified: len(p.Verified) > 0 || !p.Whole.IsZero()}
	for _, w := range p.Verified {
		now.stalled = now.stalled || w.Stalled
	}
	return now
}

// sayEvery is the time between two lines about a pair while nothing stands out.
const sayEvery = time.Minute

// say logs how a pair stands: once a minute while that changes, and at once when
// something was verified for the first time, stands still, or moves again.
func (s *standings) say(p *standing.Pair, now time.Time) {
	is := phaseOf(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.said[p.Pair]
	if !is.verified || is == last.phase && (now.Sub(last.at) < sayEvery || p.Line == last.line) {
		return
	}
	s.said[p.Pair] = said{line: p.Line, phase: is, at: now}
	line := s.log.Info()
	if is.stalled {
		line = s.log.Warn()
	}
	line.Str("pair", p.Pair).Int("open", p.Open).Float64("oldest_seconds", p.OldestSeconds).Msg(p.Line)
}

// Verdicts are a pair's last verdicts, the oldest first.
func (s *standings) Verdicts(pair string) []event.Verdict { return s.board.Verdicts(pair) }
