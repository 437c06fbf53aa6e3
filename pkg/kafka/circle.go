package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// Circle is a group of processes whose members are kept by Kafka's group
// coordinator, as for consumers, and that divide among themselves what they like:
// it reads no topic and commits nothing. One process uses it, with one call at a
// time.
type Circle struct {
	config CircleConfig
	kafka  Config
	client sarama.Client
	broker *sarama.Broker
	member string
	round  int32
}

// CircleConfig says which group it is.
type CircleConfig struct {
	// Group is its name, Protocol what its members speak: those that share no
	// protocol are never in one group.
	Group, Protocol string
	// SessionTimeout is how long a member may be silent before it is taken for
	// dead; brokers allow 6 s to 30 min unless told otherwise
	// (group.min.session.timeout.ms). RoundTimeout is how long a round waits for
	// members that were there before it.
	SessionTimeout, RoundTimeout time.Duration
}

// circleProtocol is the type of group. Groups of consumers are "consumer", those
// of Kafka Connect "connect"; Kafka keeps types apart and does not look inside.
const circleProtocol = "trueup"

// Versions of requests from Kafka 2.1 on, the oldest that Config allows; newer
// ones add nothing that a circle needs.
const circleVersion = 2

// NewCircle returns a circle that this process is not in.
func NewCircle(c Config, circle CircleConfig) (*Circle, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if !namePattern.MatchString(circle.Group) {
		return nil, fmt.Errorf("group %q: use 1 to 200 of the characters a-z A-Z 0-9 . _ -", circle.Group)
	}
	return &Circle{kafka: c.WithDefaults(), config: circle}, nil
}

// circleError is what the coordinator says about a member.
type circleError struct {
	error
	again, evicted bool
}

// Unwrap returns what the coordinator said.
func (e circleError) Unwrap() error { return e.error }

// Again says that the members change and this one is to join anew.
func (e circleError) Again() bool { return e.again }

// Evicted says that this process was taken for dead.
func (e circleError) Evicted() bool { return e.evicted }

// Join enters the group, or begins a round of joining in it, with what this
// process says of itself. It returns when all members have joined, or the round
// has timed out. One of them gets what everybody said, by member; others get nil.
func (c *Circle) Join(ctx context.Context, said []byte) (map[string][]byte, error) {
	joined, err := c.join(ctx, said)
	if err == nil && joined.Err == sarama.ErrMemberIdRequired { // it says which
		c.member = joined.MemberId
		joined, err = c.join(ctx, said)
	}
	if err == nil {
		err = c.judge(joined.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("join group %s: %w", c.config.Group, err)
	}
	c.member, c.round = joined.MemberId, joined.GenerationId
	if joined.LeaderId != joined.MemberId {
		return nil, nil
	}
	everyone := map[string][]byte{}
	for _, m := range joined.Members {
		everyone[m.MemberId] = m.Metadata
	}
	return everyone, nil
}

func (c *Circle) join(ctx context.Context, said []byte) (*sarama.JoinGroupResponse, error) {
	member := c.member
	return ask(ctx, c, func(client sarama.Client, b *sarama.Broker) (*sarama.JoinGroupResponse, error) {
		request := sarama.NewJoinGroupRequest(client.Config().Version)
		request.GroupId, request.MemberId, request.ProtocolType = c.config.Group, member, circleProtocol
		request.SessionTimeout = int32(c.config.SessionTimeout.Milliseconds())
		request.RebalanceTimeout = int32(c.config.RoundTimeout.Milliseconds())
		request.AddGroupProtocol(c.config.Protocol, said)
		return b.JoinGroup(request)
	})
}

// Sync hands out parts, by member, where Join returned what everybody said, and
// nil elsewhere. It returns this process's part.
func (c *Circle) Sync(ctx context.Context, parts map[string][]byte) ([]byte, error) {
	request := &sarama.SyncGroupRequest{Version: circleVersion, GroupId: c.config.Group, MemberId: c.member, GenerationId: c.round}
	for member, part := range parts {
		request.AddGroupAssignment(member, part)
	}
	answer, err := ask(ctx, c, func(_ sarama.Client, b *sarama.Broker) (*sarama.SyncGroupResponse, error) {
		return b.SyncGroup(request)
	})
	if err == nil {
		err = c.judge(answer.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("take a part in group %s: %w", c.config.Group, err)
	}
	return answer.MemberAssignment, nil
}

// Beat tells the coordinator that this process lives.
func (c *Circle) Beat(ctx context.Context) error {
	request := &sarama.HeartbeatRequest{Version: circleVersion, GroupId: c.config.Group, MemberId: c.member, GenerationId: c.round}
	answer, err := ask(ctx, c, func(_ sarama.Client, b *sarama.Broker) (*sarama.HeartbeatResponse, error) {
		return b.Heartbeat(request)
	})
	if err == nil {
		err = c.judge(answer.Err)
	}
	if err != nil {
		return fmt.Errorf("stay in group %s: %w", c.config.Group, err)
	}
	return nil
}

// Leave leaves the group, if this process is in it, and closes the connection.
func (c *Circle) Leave(ctx context.Context) error {
	defer c.drop()
	if c.member == "" {
		return nil
	}
	request := &sarama.LeaveGroupRequest{Version: circleVersion, GroupId: c.config.Group, MemberId: c.member}
	c.member = ""
	answer, err := ask(ctx, c, func(_ sarama.Client, b *sarama.Broker) (*sarama.LeaveGroupResponse, error) {
		return b.LeaveGroup(request)
	})
	if err == nil && answer.Err != sarama.ErrUnknownMemberId { // which is out already
		err = c.judge(answer.Err)
	}
	if err != nil {
		return fmt.Errorf("leave group %s: %w", c.config.Group, err)
	}
	return nil
}

// judge says what an answer of the coordinator means for this member.
func (c *Circle) judge(code sarama.KError) error {
	switch {
	case code == sarama.ErrNoError:
		return nil
	case code == sarama.ErrRebalanceInProgress:
		return circleError{error: code, again: true}
	case code == sarama.ErrUnknownMemberId:
		c.member = ""
		return circleError{error: code, evicted: true}
	case code == sarama.ErrIllegalGeneration: // a round ended without this member, which may join the next
		return circleError{error: code, evicted: true}
	case code == sarama.ErrNotCoordinatorForConsumer || code == sarama.ErrConsumerCoordinatorNotAvailable:
		c.drop() // another broker is, or will be
	}
	return explain(code)
}

// ask asks the coordinator, over a connection that lasts until something goes
// wrong with it.
func ask[T any](ctx context.Context, c *Circle, question func(sarama.Client, *sarama.Broker) (T, error)) (answer T, err error) {
	if c.client == nil {
		if err := c.connect(ctx); err != nil {
			return answer, err
		}
	}
	client, broker := c.client, c.broker
	answer, err = within(ctx, "ask the coordinator", func() (T, error) { return question(client, broker) })
	if err != nil {
		c.drop()
	}
	return answer, err
}

func (c *Circle) connect(ctx context.Context) error {
	type connection struct {
		client sarama.Client
		broker *sarama.Broker
	}
	opened, err := within(ctx, "find the coordinator", func() (none connection, err error) {
		settings, err := c.kafka.client()
		if err != nil {
			return none, err
		}
		// The answer to joining comes when all have joined.
		settings.Net.ReadTimeout = max(requestTimeout, 2*c.config.RoundTimeout)
		client, err := sarama.NewClient(c.kafka.Brokers, settings)
		if err != nil {
			return none, err
		}
		broker, err := client.Coordinator(c.config.Group)
		if err == nil {
			err = ctx.Err() // nobody waits for it any more
		}
		if err != nil {
			return none, errors.Join(err, client.Close())
		}
		return connection{client, broker}, nil
	})
	c.client, c.broker = opened.client, opened.broker
	return err
}

// drop closes the connection; closing waits for what is being asked, and nobody
// needs to wait for that.
func (c *Circle) drop() {
	if client := c.client; client != nil {
		go func() { _ = client.Close() }() // there is nothing in it that could be lost
	}
	c.client, c.broker = nil, nil
}
