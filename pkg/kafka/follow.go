package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/trueup/trueup/pkg/event"
)

// Follower reads topics and goes on as they grow, without a group. Everybody in a
// process who wants to know of state records is told by one follower.
//
// What it has read is always known to be complete up to some moment: it asks the
// broker again and again how far the topics reach, and once it has come that
// far, every record that was acknowledged before the question was read. Whoever
// must not act on old knowledge asks Age.
type Follower struct {
	config Config
	topics []string
	// since is when the records were produced that are of interest; the zero
	// time is from the oldest on.
	since time.Time
	// except is the instance whose records are passed over unread.
	except string
	// ordered has what stands in the topics be read by its time, see catchUp.
	ordered bool
	apply   []func(Followed) error
	log     zerolog.Logger
	health  *health

	mu sync.Mutex
	// next is the offset after the last applied record, by partition.
	next map[Place]int64
	// question is what the broker was asked last and is not reached yet.
	question *question
	// asOf is the moment up to which everything was read; zero at first.
	asOf time.Time
	// advanced is closed, and made anew, when asOf moves.
	advanced chan struct{}
	// hurry has the broker be asked at once.
	hurry chan struct{}
}

// question is how far the partitions reached when the broker was asked.
type question struct {
	asked time.Time
	ends  map[Place]int64
}

// Followed is a record and where it stands.
type Followed struct {
	event.Record
	Place
	Offset int64
	// At is when it was produced, as its topic has it: by the publisher's clock,
	// unless the topic was told to use the broker's.
	At time.Time
}

// askEvery is how often the broker is asked how far the topic reaches: a few
// times within the shortest time that anybody trusts what was read.
const askEvery = time.Second

// FollowState returns a follower; Run makes it read. Each of the functions is
// called for every record, one call at a time, in the order of the partition,
// beginning with the oldest; a record without a value says that its key is gone.
// They pass over records whose key is none of theirs (event.StateKind), and bear
// to be told again what they know. Until one returns nil the record counts as
// not read, and with it all that follow: it may be the one that forbids.
func FollowState(c Config, log zerolog.Logger, apply ...func(event.Record) error) (*Follower, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.WithDefaults()
	return newFollower(c, log, plainly(apply...), c.Topics().State), nil
}

// FollowOutcomes returns a follower of the topic of outcomes, from those on that
// were produced at the given moment, without those of one publisher
// (Publisher.Instance). It is otherwise like that of FollowState.
func FollowOutcomes(c Config, log zerolog.Logger, since time.Time, except string, apply func(event.Record) error) (*Follower, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.WithDefaults()
	f := newFollower(c, log, plainly(apply), c.Topics().Outcomes)
	f.since, f.except = since, except
	return f, nil
}

// FollowFindings returns a follower of all topics that tell of findings: those of
// findings, retries, dead letters and outcomes, from the records on that were
// produced at the given moment. What stands there already it reads in the order of
// time, so that little has to be kept of findings whose outcome comes much later
// in its topic.
func FollowFindings(c Config, log zerolog.Logger, since time.Time, apply func(Followed) error) (*Follower, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.WithDefaults()
	t := c.Topics()
	f := newFollower(c, log, []func(Followed) error{apply}, t.Findings, t.Retry, t.Dead, t.Outcomes)
	f.since, f.ordered = since, true
	return f, nil
}

// plainly has functions be told of records that need not know where they stand.
func plainly(apply ...func(event.Record) error) []func(Followed) error {
	var out []func(Followed) error
	for _, apply := range apply {
		out = append(out, func(r Followed) error { return apply(r.Record) })
	}
	return out
}

func newFollower(c Config, log zerolog.Logger, apply []func(Followed) error, topics ...string) *Follower {
	return &Follower{
		config: c, topics: topics, apply: apply, log: log.With().Strs("topics", topics).Logger(),
		health: newHealth(strings.Join(topics, ", ")+" was not read yet", func(bool) {}),
		next:   map[Place]int64{}, advanced: make(chan struct{}), hurry: make(chan struct{}, 1),
	}
}

func (f *Follower) name() string { return strings.Join(f.topics, ", ") }

// Await returns nil once everything that was acknowledged before the given
// moment has been read; with the zero time, once the topic has been read to its
// end for the first time.
func (f *Follower) Await(ctx context.Context, moment time.Time) error {
	for {
		f.mu.Lock()
		asOf, advanced := f.asOf, f.advanced
		f.mu.Unlock()
		if !asOf.IsZero() && !asOf.Before(moment) {
			return nil
		}
		select {
		case f.hurry <- struct{}{}:
		default: // it is hurrying
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			_, reason, _ := f.Healthy()
			return fmt.Errorf("read %s: %w (%s)", f.name(), context.Cause(ctx), reason)
		}
	}
}

// Age is how old the knowledge is: everything acknowledged longer ago than that
// has been read. ok is false before the topic was read to its end.
func (f *Follower) Age() (age time.Duration, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.asOf), !f.asOf.IsZero()
}

// Healthy says whether the topic is being read; if not, why, and in both cases
// since when.
func (f *Follower) Healthy() (ok bool, reason string, since time.Time) { return f.health.now() }

// Run follows the topic until ctx ends. What goes wrong is logged, shown by
// Healthy, and tried again from where reading stopped.
func (f *Follower) Run(ctx context.Context) error {
	wait := newBackOff()
	for {
		before := f.known()
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if f.known().After(before) {
			wait.Reset()
		}
		reason, delay := explain(err), wait.NextBackOff()
		f.health.fail(membership, f.name()+": "+reason.Error())
		f.log.Warn().Err(reason).Dur("wait", delay).Msg("topics are not read, will try again")
		if pause(ctx, delay) != nil {
			return nil
		}
	}
}

func (f *Follower) known() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asOf
}

// follow lasts from one connection to its first error or the end of ctx.
func (f *Follower) follow(ctx context.Context) error {
	client, err := f.connect(ctx, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	ends, err := f.ask(ctx, client, sarama.OffsetNewest)
	if err != nil {
		return err
	}
	begins, err := f.firsts(ctx, client, ends)
	if err != nil {
		return err
	}
	f.begin(begins, ends)
	// A broker answers one connection's requests in order, and what is asked
	// would wait behind a fetch that waits for records.
	fetching, err := f.connect(ctx, nil)
	if err != nil {
		return err
	}
	consumer, err := sarama.NewConsumerFromClient(fetching)
	if err != nil {
		return errors.Join(err, fetching.Close())
	}
	var readers sync.WaitGroup
	// Closing waits for fetches that wait for records, and nobody needs to wait for that.
	defer func() {
		go func() {
			readers.Wait()
			_, _ = consumer.Close(), fetching.Close() // they only read
		}()
	}()
	if f.ordered {
		if err := f.catchUp(ctx, ends); err != nil {
			return err
		}
	}
	var all errgroup.Group
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	run := func(part func() error) {
		all.Go(func() error {
			err := part()
			stop(err)
			return err
		})
	}
	for place := range ends {
		run(func() error { return f.read(ctx, consumer, place, &readers) })
	}
	run(func() error { return f.keepAsking(ctx, client) })
	return all.Wait()
}

func (f *Follower) connect(ctx context.Context, adjust func(*sarama.Config)) (sarama.Client, error) {
	settings, err := f.config.client()
	if err != nil {
		return nil, err
	}
	settings.Consumer.Return.Errors = true
	settings.Consumer.Fetch.MaxBytes, settings.Consumer.Fetch.Default = fetchBytes, partitionBytes
	settings.ChannelBufferSize = aheadOfBatch
	if adjust != nil {
		adjust(settings)
	}
	return within(ctx, "reach Kafka", func() (sarama.Client, error) {
		return sarama.NewClient(f.config.Brokers, settings)
	})
}

// firsts are the offsets of the oldest records of interest.
func (f *Follower) firsts(ctx context.Context, client sarama.Client, ends map[Place]int64) (map[Place]int64, error) {
	if f.since.IsZero() {
		return f.ask(ctx, client, sarama.OffsetOldest)
	}
	begins, err := f.ask(ctx, client, f.since.UnixMilli())
	for partition, first := range begins {
		if end := ends[partition]; first < 0 || first > end { // none was produced since
			begins[partition] = end
		}
	}
	return begins, err
}

// begin sets where reading goes on: where it stopped before, or at the oldest
// record. A topic that does not reach as far as that was made anew.
func (f *Follower) begin(begins, ends map[Place]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.question = nil
	for partition, first := range begins {
		if next, known := f.next[partition]; !known || next < first || next > ends[partition] {
			f.next[partition] = first
		}
	}
}

// read applies the records of a partition. Its reader is closed among readers, in its own time.
func (f *Follower) read(ctx context.Context, consumer sarama.Consumer, place Place, readers *sync.WaitGroup) error {
	reader, err := f.open(consumer, place)
	if err != nil {
		return err
	}
	defer readers.Go(func() { _ = reader.Close() }) // what it still gets is read again, or by nobody
	for {
		select {
		case m, ok := <-reader.Messages():
			if !ok {
				return fmt.Errorf("%s: reading ended", place)
			}
			if err := f.take(m); err != nil {
				return err
			}
		case err := <-reader.Errors():
			return fmt.Errorf("%s: %w", place, err)
		case <-ctx.Done():
			return nil
		}
	}
}

// open reads a partition from where it was read to.
func (f *Follower) open(consumer sarama.Consumer, place Place) (sarama.PartitionConsumer, error) {
	f.mu.Lock()
	next := f.next[place]
	f.mu.Unlock()
	reader, err := consumer.ConsumePartition(place.Topic, place.Partition, next)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	return reader, nil
}

func (f *Follower) take(m *sarama.ConsumerMessage) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	place := Place{Topic: m.Topic, Partition: m.Partition}
	if f.except == "" || instanceOf(m) != f.except {
		r := Followed{Record: record(m), Place: place, Offset: m.Offset, At: m.Timestamp}
		for _, apply := range f.apply {
			if err := apply(r); err != nil {
				return fmt.Errorf("%s, offset %d: record %q: %w", place, m.Offset, r.Key, err)
			}
		}
	}
	f.next[place] = m.Offset + 1
	f.answer()
	return nil
}

// keepAsking asks how far the topic reaches, and asks the next time only when
// that was reached.
func (f *Follower) keepAsking(ctx context.Context, client sarama.Client) error {
	asked := time.Now()
	for {
		if f.reached() {
			asked = time.Now()
			ends, err := f.ask(ctx, client, sarama.OffsetNewest)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			f.mu.Lock()
			f.question = &question{asked, ends}
			f.answer()
			f.mu.Unlock()
		} else if time.Since(asked) > readStall {
			return errors.New("records that the broker counts did not come for " + readStall.String() + "; if it goes on, start a run, whose position is a new record")
		}
		select {
		case <-time.After(askEvery):
		case <-f.hurry:
		case <-ctx.Done():
			return nil
		}
	}
}

func (f *Follower) reached() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.question == nil
}

// answer notes that the question is reached, if it is. The lock is held.
func (f *Follower) answer() {
	if f.question == nil {
		return
	}
	for place, end := range f.question.ends {
		if f.next[place] < end {
			return
		}
	}
	f.asOf, f.question = f.question.asked, nil
	close(f.advanced)
	f.advanced = make(chan struct{})
	f.health.heal(membership)
}

// ask returns an offset of every partition: that of its oldest record, or the
// one that its next record will have.
func (f *Follower) ask(ctx context.Context, client sarama.Client, which int64) (map[Place]int64, error) {
	return within(ctx, "ask how far "+f.name()+" reaches", func() (map[Place]int64, error) {
		offsets, err := offsetsOf(client, which, f.topics...)
		if err == nil {
			return offsets, nil
		}
		// Perhaps another broker leads a partition now.
		if err := client.RefreshMetadata(f.topics...); err != nil {
			return nil, err
		}
		return offsetsOf(client, which, f.topics...)
	})
}
