package kafka

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"
)

// fakeSession is a session that ends when the test says so.
type fakeSession struct {
	sarama.ConsumerGroupSession
	ctx    context.Context
	marked int64
}

func (s *fakeSession) Context() context.Context { return s.ctx }

func (s *fakeSession) MarkOffset(_ string, _ int32, offset int64, _ string) { s.marked = offset }

// fakeClaim is a partition whose messages the test sends.
type fakeClaim struct {
	sarama.ConsumerGroupClaim
	messages chan *sarama.ConsumerMessage
	end      int64
}

func (c *fakeClaim) Topic() string                            { return "t" }
func (c *fakeClaim) Partition() int32                         { return 3 }
func (c *fakeClaim) Messages() <-chan *sarama.ConsumerMessage { return c.messages }
func (c *fakeClaim) HighWaterMarkOffset() int64               { return c.end }

type handlerFunc func(ctx context.Context, batch []Message) error

func (f handlerFunc) Handle(ctx context.Context, batch []Message) error { return f(ctx, batch) }

// claimed returns a claim with messages at offsets 0 to n-1, its session, and
// the function that revokes it.
func claimed(t *testing.T, n int, handle handlerFunc) (*claim, *fakeSession, context.CancelFunc) {
	t.Helper()
	ctx, revoke := context.WithCancel(t.Context())
	session := &fakeSession{ctx: ctx}
	held := &fakeClaim{messages: make(chan *sarama.ConsumerMessage, 100), end: int64(n)}
	for i := range n {
		held.messages <- &sarama.ConsumerMessage{Topic: "t", Partition: 3, Offset: int64(i), Value: []byte("x")}
	}
	g := &Group{
		group:   GroupConfig{MaxBatch: 4, Linger: 50 * time.Millisecond, DrainTimeout: 20 * time.Second},
		handler: handle, log: zerolog.Nop(), observer: Unobserved{},
	}
	return &claim{ConsumerGroupClaim: held, group: g, session: session}, session, revoke
}

func TestBatchesAreBoundedAndLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		var at []time.Duration
		began := time.Now()
		c, session, revoke := claimed(t, 10, func(_ context.Context, batch []Message) error {
			sizes = append(sizes, len(batch))
			at = append(at, time.Since(began))
			return nil
		})
		done := make(chan struct{})
		go func() { c.run(); close(done) }()
		time.Sleep(time.Second)
		revoke()
		<-done
		if !slices.Equal(sizes, []int{4, 4, 2}) || !slices.Equal(at, []time.Duration{0, 0, 50 * time.Millisecond}) {
			t.Errorf("batches of %v at %v", sizes, at)
		}
		if session.marked != 10 || c.lag() != 0 {
			t.Errorf("marked %d, lag %d", session.marked, c.lag())
		}
	})
}

func TestABatchIsMarkedOnlyOnceItIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		var c *claim
		var session *fakeSession
		c, session, revoke := claimed(t, 4, func(_ context.Context, batch []Message) error {
			tries++
			if session.marked != 0 {
				t.Errorf("offset %d is marked although the batch is not done", session.marked)
			}
			if len(batch) != 4 || batch[0].Offset != 0 {
				t.Errorf("try %d got %d messages from offset %d", tries, len(batch), batch[0].Offset)
			}
			if tries < 5 {
				return errors.New("not yet")
			}
			return nil
		})
		done := make(chan struct{})
		go func() { c.run(); close(done) }()
		time.Sleep(time.Minute)
		revoke()
		<-done
		if tries != 5 || session.marked != 4 {
			t.Errorf("%d tries, marked %d", tries, session.marked)
		}
	})
}

func TestARevokedPartitionFinishesWhatIsInHandAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		batches := 0
		c, session, revoke := claimed(t, 8, func(ctx context.Context, _ []Message) error {
			batches++
			select {
			case <-time.After(10 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		done := make(chan struct{})
		go func() { c.run(); close(done) }()
		synctest.Wait()
		revoke()
		<-done
		if batches != 1 || session.marked != 4 {
			t.Errorf("%d batches, marked %d: want the first finished and marked, the second not begun", batches, session.marked)
		}
	})
}

func TestABatchThatOutlastsTheDrainIsStoppedAndNotMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		c, session, revoke := claimed(t, 4, func(ctx context.Context, _ []Message) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		})
		done := make(chan struct{})
		go func() { c.run(); close(done) }()
		synctest.Wait()
		began := time.Now()
		revoke()
		<-done
		if took := time.Since(began); took != 20*time.Second {
			t.Errorf("drained for %s", took)
		}
		if session.marked != 0 || cause == nil {
			t.Errorf("marked %d, cause %v", session.marked, cause)
		}
	})
}

func TestARevokedPartitionDoesNotTryAFailedBatchAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		c, session, revoke := claimed(t, 4, func(context.Context, []Message) error { tries++; return errors.New("no") })
		done := make(chan struct{})
		go func() { c.run(); close(done) }()
		synctest.Wait()
		revoke()
		<-done
		if tries != 1 || session.marked != 0 {
			t.Errorf("%d tries, marked %d", tries, session.marked)
		}
	})
}

func TestAMessageThatCannotBeReadIsHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []Message
		c, session, _ := claimed(t, 1, func(_ context.Context, batch []Message) error { got = batch; return nil })
		close(c.ConsumerGroupClaim.(*fakeClaim).messages)
		c.run()
		if len(got) != 1 || got[0].DecodeErr == nil || string(got[0].Record.Value) != "x" || session.marked != 1 {
			t.Errorf("got %+v, marked %d", got, session.marked)
		}
	})
}
