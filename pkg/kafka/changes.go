package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"
)

// ChangesConfig says where change events are read.
type ChangesConfig struct {
	// Group is the consumer group that remembers how far they were read.
	Group string
	// Topics are the topics to read, each table's.
	Topics []string
	// Newest begins with what comes from now on where the group has read
	// nothing yet; else it begins with the oldest event there is.
	Newest bool
}

// Place is a partition of a topic.
type Place struct {
	Topic     string
	Partition int32
}

// String is the place as logs name it.
func (p Place) String() string { return fmt.Sprintf("%s/%d", p.Topic, p.Partition) }

// Changes reads topics that somebody else writes. What is done with a message,
// and when it is done, is the reader's business: a message counts as read once
// Done says so, and comes again otherwise.
type Changes struct {
	config  Config
	changes ChangesConfig
	log     zerolog.Logger
	health  *health
	out     chan Message

	mu         sync.Mutex
	session    sarama.ConsumerGroupSession // nil between two assignments
	partitions map[string]int
}

// aheadOfChanges is how many messages wait for their reader.
const aheadOfChanges = 256

// NewChanges returns a reader. It joins its group with Run.
func NewChanges(c Config, changes ChangesConfig, log zerolog.Logger) (*Changes, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if !namePattern.MatchString(changes.Group) {
		return nil, fmt.Errorf("group %q: use 1 to 200 of the characters a-z A-Z 0-9 . _ -", changes.Group)
	}
	if len(changes.Topics) == 0 {
		return nil, errors.New("read change events: no topic is named")
	}
	return &Changes{
		config: c.WithDefaults(), changes: changes, log: log.With().Str("group", changes.Group).Logger(),
		health: newHealth("the group was not joined yet", func(bool) {}), out: make(chan Message, aheadOfChanges), partitions: map[string]int{},
	}, nil
}

// Messages hands out what was read, each partition's in order.
func (c *Changes) Messages() <-chan Message { return c.out }

// Partitions is how many a topic has, whoever of the group reads them. It is known
// before the first message is handed out.
func (c *Changes) Partitions(topic string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.partitions[topic]
}

// Healthy says whether events are being read; if not, why, and since when.
func (c *Changes) Healthy() (ok bool, reason string, since time.Time) { return c.health.now() }

// Done says that everything before these offsets is dealt with. Those of
// partitions that were let go are left to whoever holds them now.
func (c *Changes) Done(next map[Place]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		return
	}
	for _, topic := range c.changes.Topics {
		for _, partition := range c.session.Claims()[topic] {
			if offset, known := next[Place{topic, partition}]; known {
				c.session.MarkOffset(topic, partition, offset, "")
			}
		}
	}
}

// Run reads until ctx ends. Whatever goes wrong is logged, shown by Healthy,
// and tried again.
func (c *Changes) Run(ctx context.Context) error {
	c.config.rejoin(ctx, c.log, c.health, "change events are not read, will try again", c.member)
	return nil
}

func (c *Changes) member(ctx context.Context) error {
	settings, err := c.config.member()
	if err != nil {
		return err
	}
	if c.changes.Newest {
		settings.Consumer.Offsets.Initial = sarama.OffsetNewest
	}
	lines := cuttable(settings)
	client, err := within(ctx, "reach Kafka", func() (sarama.Client, error) {
		return sarama.NewClient(c.config.Brokers, settings)
	})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := c.count(client); err != nil {
		return err
	}
	member, err := sarama.NewConsumerGroupFromClient(c.changes.Group, client)
	if err != nil {
		return fmt.Errorf("prepare group member: %w", err)
	}
	var trouble error
	var drained sync.WaitGroup
	drained.Go(func() {
		for err := range member.Errors() {
			trouble = err
		}
	})
	id := ""
	for err == nil && ctx.Err() == nil {
		s := &changesSession{changes: c}
		if err = consume(ctx, member, c.changes.Topics, s, lines); err == nil && !s.rebalanced() {
			err = s.cause()
		}
		if err == nil {
			err = c.count(client) // a topic may have grown
		}
		id = cmp.Or(s.id, id)
	}
	_ = member.Close() // leaves the group, unless it has a name there, and closes Errors
	drained.Wait()
	c.config.leave(ctx, c.log, client, c.changes.Group, id)
	return errors.Join(err, trouble)
}

// count finds out how many partitions the topics have.
func (c *Changes) count(client sarama.Client) error {
	for _, topic := range c.changes.Topics {
		partitions, err := client.Partitions(topic)
		if err != nil {
			return fmt.Errorf("topic %s: %w", topic, err)
		}
		c.mu.Lock()
		c.partitions[topic] = len(partitions)
		c.mu.Unlock()
	}
	return nil
}

// changesSession is what the client library calls back.
type changesSession struct {
	changes *Changes
	ctx     context.Context
	id      string // what the group calls the member
}

// Setup is called when the assignment is known, before its partitions are read.
func (s *changesSession) Setup(session sarama.ConsumerGroupSession) error {
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	s.ctx, s.id, s.changes.session = session.Context(), session.MemberID(), session
	s.changes.health.heal(membership)
	s.changes.log.Info().Interface("partitions", session.Claims()).Msg("reading change events")
	return nil
}

// Cleanup is called when all partitions are let go, before the last commit.
func (s *changesSession) Cleanup(sarama.ConsumerGroupSession) error {
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	s.changes.session = nil
	return nil
}

// ConsumeClaim is called for every partition, each in a goroutine of its own.
func (s *changesSession) ConsumeClaim(session sarama.ConsumerGroupSession, held sarama.ConsumerGroupClaim) error {
	for {
		select {
		case m, ok := <-held.Messages():
			if !ok {
				return nil
			}
			out := Message{Record: record(m), Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Timestamp: m.Timestamp}
			select {
			case s.changes.out <- out:
			case <-session.Context().Done():
				return nil
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

func (s *changesSession) joined() bool {
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	return s.ctx != nil
}

func (s *changesSession) cause() error {
	if s.ctx == nil {
		return errors.New("the session ended before it began")
	}
	return fmt.Errorf("the session ended: %w", context.Cause(s.ctx))
}

func (s *changesSession) rebalanced() bool {
	if s.ctx == nil {
		return false
	}
	err := context.Cause(s.ctx)
	return errors.Is(err, sarama.ErrRebalanceInProgress) || errors.Is(err, sarama.ErrSessionPartitionCountChanged)
}
