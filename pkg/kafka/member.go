package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"
)

// rejoin takes part in a group until ctx ends. Whatever ends a membership before
// is logged as what it means, shown by health, and followed by the next.
func (c Config) rejoin(ctx context.Context, log zerolog.Logger, h *health, meaning string, member func(context.Context) error) {
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
		if errors.Is(err, sarama.ErrFencedInstancedId) {
			// Or two processes of one name would take the partitions from each
			// other all the time.
			delay = max(delay, sessionTimeout)
		}
		reason := c.explainGroup(err)
		h.fail(membership, reason.Error())
		log.Warn().Err(reason).Dur("wait", delay).Msg(meaning)
		_ = pause(ctx, delay) // the loop looks at ctx
	}
}

// leaveTimeout is how long a member that is to stop goes on joining: joining is
// over in less unless the group waits for one that died, and only who has joined
// can leave in good order.
const leaveTimeout = 5 * time.Second

// leave has a member with a name (Config.Instance) leave its group when ctx has
// ended, so that the others need not wait for its session to time out. The client
// library does that for those without one only: a name keeps its place for
// whoever comes back. id is what the group calls the member: another process
// that has the name by now stays.
func (c Config) leave(ctx context.Context, log zerolog.Logger, client sarama.Client, group, id string) {
	if ctx.Err() == nil || c.Instance == "" || id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	_, err := within(ctx, "leave the group", func() (struct{}, error) {
		coordinator, err := client.Coordinator(group)
		if err != nil {
			return struct{}{}, err
		}
		answer, err := coordinator.LeaveGroup(&sarama.LeaveGroupRequest{
			Version: 3, // the first that knows names
			GroupId: group, Members: []sarama.MemberIdentity{{MemberId: id, GroupInstanceId: &c.Instance}},
		})
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, stillThere(answer)
	})
	if err != nil {
		log.Warn().Err(err).Msg("could not leave the group; its other members get the partitions when the session has timed out")
	}
}

// stillThere is why a member could not leave; nil when it is in the group no more.
func stillThere(answer *sarama.LeaveGroupResponse) error {
	answers := []sarama.KError{answer.Err}
	for _, m := range answer.Members {
		answers = append(answers, m.Err)
	}
	for _, err := range answers {
		gone := errors.Is(err, sarama.ErrUnknownMemberId) || errors.Is(err, sarama.ErrFencedInstancedId)
		if !gone && !errors.Is(err, sarama.ErrNoError) {
			return err
		}
	}
	return nil
}

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

// explainGroup adds the way out to errors whose text alone does not show it.
func (c Config) explainGroup(err error) error {
	switch {
	case errors.Is(err, sarama.ErrOffsetOutOfRange):
		return fmt.Errorf("messages that this group had not read were deleted by the topic's retention, or the topic was made anew; "+
			"stop the group, run kafka-consumer-groups.sh --reset-offsets --to-earliest for it, then start a full run to find what was lost: %w", err)
	case errors.Is(err, sarama.ErrFencedInstancedId):
		return fmt.Errorf("another process has joined the group as kafka.instance %q and has the partitions of this one now; give every process a name of its own: %w", c.Instance, err)
	default:
		return explain(err)
	}
}
