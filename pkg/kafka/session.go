package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// session is what the client library calls back while the member has an
// assignment.
type session struct {
	group  *Group
	client sarama.Client
	ctx    atomic.Pointer[context.Context]
}

// Setup is called when the assignment is known, before its partitions are read.
func (s *session) Setup(session sarama.ConsumerGroupSession) error {
	ctx := session.Context()
	s.ctx.Store(&ctx)
	s.group.assign(session.MemberID(), len(session.Claims()[s.group.group.Topic]))
	return nil
}

// Cleanup is called when all partitions are let go, before the last commit.
func (s *session) Cleanup(sarama.ConsumerGroupSession) error { return nil }

// ConsumeClaim is called for every partition, each in a goroutine of its own.
func (s *session) ConsumeClaim(session sarama.ConsumerGroupSession, held sarama.ConsumerGroupClaim) error {
	c := &claim{ConsumerGroupClaim: held, group: s.group, session: session}
	c.next.Store(s.firstOffset(held))
	s.group.hold(c)
	defer s.group.drop(c)
	c.run()
	return nil
}

// firstOffset is where reading begins: the committed offset, or without one the
// oldest message's. It serves the lag alone; if the broker does not say, the lag
// is too high until the first batch is done.
func (s *session) firstOffset(held sarama.ConsumerGroupClaim) int64 {
	if first := held.InitialOffset(); first >= 0 {
		return first
	}
	oldest, err := s.client.GetOffset(held.Topic(), held.Partition(), sarama.OffsetOldest)
	if err != nil {
		return 0
	}
	return oldest
}

func (s *session) joined() bool { return s.ctx.Load() != nil }

// cause is why the session ended.
func (s *session) cause() error {
	ctx := s.ctx.Load()
	if ctx == nil {
		return errors.New("the session ended before it began")
	}
	return fmt.Errorf("the session ended: %w", context.Cause(*ctx))
}

// rebalanced says that the session ended because the group changed.
func (s *session) rebalanced() bool {
	err := s.cause()
	return errors.Is(err, sarama.ErrRebalanceInProgress) || errors.Is(err, sarama.ErrSessionPartitionCountChanged)
}

// claim is one partition while this member holds it.
type claim struct {
	sarama.ConsumerGroupClaim
	group   *Group
	session sarama.ConsumerGroupSession
	// next is the offset after the last finished message.
	next atomic.Int64
	// usual is the size of the last batch, which the next one is likely to have.
	usual int
}

func (c *claim) run() {
	for {
		batch := c.collect()
		if len(batch) == 0 || c.revoked() {
			return
		}
		if !c.finish(batch) {
			return
		}
		c.usual = len(batch)
		last := batch[len(batch)-1]
		c.next.Store(last.Offset + 1)
		// Marking the last offset covers all before it: batches follow each other
		// without gaps, and each is finished as a whole.
		c.session.MarkOffset(last.Topic, last.Partition, last.Offset+1, "")
	}
}

// batchValueBytes ends a batch early when messages are far larger than findings are.
const batchValueBytes = 8 << 20

// collect waits for a message and takes what comes within the linger. It returns
// nothing when the partition is let go.
func (c *claim) collect() []Message {
	var batch []Message
	var linger <-chan time.Time
	size := 0
	for len(batch) < c.group.group.MaxBatch && size < batchValueBytes {
		var m *sarama.ConsumerMessage
		var open bool
		select {
		case m, open = <-c.Messages(): // of a backlog there is one, and to ask for one thing alone is cheap
		default:
			select {
			case m, open = <-c.Messages():
			case <-linger:
				return batch
			case <-c.session.Context().Done():
				return nil
			}
		}
		if !open {
			return batch
		}
		if batch == nil {
			batch = make([]Message, 0, c.usual)
			timer := time.NewTimer(c.group.group.Linger)
			defer timer.Stop()
			linger = timer.C
		}
		batch = append(batch, received(m))
		size += len(m.Key) + len(m.Value)
	}
	return batch
}

// finish hands the batch to the handler until it succeeds. It returns false when
// the partition is let go first.
func (c *claim) finish(batch []Message) bool {
	ctx, cancel := c.drainContext()
	defer cancel()
	wait := newBackOff()
	for attempt := 1; ; attempt++ {
		began := time.Now()
		err := c.group.handler.Handle(ctx, batch)
		if err == nil {
			c.group.observer.Handled(c.Topic(), c.Partition(), len(batch), time.Since(began))
			return true
		}
		if c.revoked() {
			c.group.log.Info().Err(err).Int32("partition", c.Partition()).Int("messages", len(batch)).
				Msg("partition let go before its batch was done, whoever holds it next does it")
			return false
		}
		delay := wait.NextBackOff()
		c.group.observer.HandleRetried(c.Topic(), c.Partition(), len(batch))
		c.group.log.Warn().Err(err).Int32("partition", c.Partition()).Int64("offset", batch[0].Offset).
			Int("messages", len(batch)).Int("attempt", attempt).Dur("wait", delay).Msg("batch not done, will try again")
		if pause(c.session.Context(), delay) != nil {
			return false
		}
	}
}

// drainContext outlives the session by DrainTimeout.
func (c *claim) drainContext() (context.Context, context.CancelFunc) {
	revoked := c.session.Context()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(revoked))
	stop := context.AfterFunc(revoked, func() {
		if pause(ctx, c.group.group.DrainTimeout) == nil {
			cancel(fmt.Errorf("the partition was let go %s ago: %w", c.group.group.DrainTimeout, context.Cause(revoked)))
		}
	})
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}

func (c *claim) revoked() bool { return c.session.Context().Err() != nil }

// lag is the number of messages not finished, as far as the last fetch knows.
func (c *claim) lag() int64 {
	return max(c.HighWaterMarkOffset()-c.next.Load(), 0)
}
