package kafka

import (
	"context"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"
)

// rejoin takes part in a group until ctx ends. Whatever ends a membership before
// is logged as what it means, shown by health, and followed by the next.
func rejoin(ctx context.Context, log zerolog.Logger, h *health, meaning string, member func(context.Context) error) {
	wait := newBackOff()
	for ctx.Err() == nil {
		began := time.Now()
		err := member(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > sessionTimeout {
			wait.Reset()
		}
		delay := wait.NextBackOff()
		reason := explainGroup(err)
		h.fail(membership, reason.Error())
		log.Warn().Err(reason).Dur("wait", delay).Msg(meaning)
		_ = pause(ctx, delay) // the loop looks at ctx
	}
}

// leaveTimeout is how long a member that is to stop goes on joining: joining is
// over in less unless the group waits for one that died, and only who has joined
// can leave in good order.
const leaveTimeout = 5 * time.Second

// handler is what the client library calls back; joined says whether it has.
type handler interface {
	sarama.ConsumerGroupHandler
	joined() bool
}

// consume runs one session. When ctx ends it does not wait for a rebalance.
func consume(ctx context.Context, member sarama.ConsumerGroup, topics []string, h handler, lines *lines) error {
	over := make(chan struct{})
	defer close(over)
	defer context.AfterFunc(ctx, func() {
		select {
		case <-over:
		case <-time.After(leaveTimeout):
			if !h.joined() {
				lines.cut()
			}
		}
	})()
	return member.Consume(ctx, topics, h)
}
