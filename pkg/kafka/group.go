package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"
)

// Handler acts on findings. Handle is called with the messages of one partition
// in their order, one batch after the other; partitions run in parallel. When it
// returns nil, the batch is done and will not come again, but for a crash before
// the next commit. When it returns an error, the same batch comes again for as
// long as the partition is held, and otherwise goes to whoever holds it next.
//
// The context ends DrainTimeout after the partition was revoked or the member
// was told to stop.
type Handler interface {
	Handle(ctx context.Context, batch []Message) error
}

// Group is one member of a consumer group over a topic of findings.
type Group struct {
	config   Config
	group    GroupConfig
	handler  Handler
	log      zerolog.Logger
	observer GroupObserver
	health   *health

	mu     sync.Mutex
	claims map[int32]*claim
	// assigned is how many partitions the present session has, and member what
	// the group calls this member.
	assigned int
	member   string
	// trouble is the last error the client library told since all was well.
	trouble error
}

// membership is the only health key of a group.
const membership = "membership"

// NewGroup returns a member. It joins with Run.
func NewGroup(c Config, g GroupConfig, handler Handler, log zerolog.Logger, observer GroupObserver) (*Group, error) {
	if err := errors.Join(c.Validate(), g.Validate()); err != nil {
		return nil, err
	}
	c = c.WithDefaults()
	g = g.WithDefaults(c.Topics())
	return &Group{
		config: c, group: g, handler: handler, observer: observer,
		log:    log.With().Str("group", g.Group).Str("topic", g.Topic).Logger(),
		health: newHealth("the group was not joined yet", observer.GroupHealthy),
		claims: map[int32]*claim{},
	}, nil
}

// Run joins the group and handles messages until ctx ends; then it finishes
// what is in hand, commits and leaves. Whatever goes wrong meanwhile is logged,
// shown by Healthy, and tried again.
func (g *Group) Run(ctx context.Context) error {
	g.config.rejoin(ctx, g.log, g.health, "left the group, will join again", g.membership)
	g.health.fail(membership, "stopped")
	return nil
}

// membership lasts from one connection to its first error or the end of ctx. A
// session that ends in a rebalance is followed by the next.
func (g *Group) membership(ctx context.Context) error {
	settings, err := g.config.member()
	if err != nil {
		return err
	}
	lines := cuttable(settings)
	client, err := within(ctx, "reach Kafka", func() (sarama.Client, error) {
		return sarama.NewClient(g.config.Brokers, settings)
	})
	if err != nil {
		return err
	}
	defer client.Close()
	member, err := sarama.NewConsumerGroupFromClient(g.group.Group, client)
	if err != nil {
		return fmt.Errorf("prepare group member: %w", err)
	}
	var drained sync.WaitGroup
	drained.Go(func() { g.drain(member.Errors(), lines.cut) })
	defer func() {
		// Close leaves the group, so that the others need not wait for the
		// session to time out, and closes Errors.
		if e := member.Close(); e != nil && !errors.Is(e, sarama.ErrClosedClient) {
			g.log.Warn().Err(e).Msg("leave the group")
		}
		drained.Wait()
		g.config.leave(ctx, g.log, client, g.group.Group, g.memberID())
	}()
	for ctx.Err() == nil {
		if err := g.session(ctx, client, member, lines); err != nil {
			return err
		}
	}
	return nil
}

// session runs from joining to the next rebalance, which is no error.
func (g *Group) session(ctx context.Context, client sarama.Client, member sarama.ConsumerGroup, lines *lines) error {
	s := &session{group: g, client: client}
	if err := consume(ctx, member, []string{g.group.Topic}, s, lines); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	if ctx.Err() != nil || s.rebalanced() {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return errors.Join(s.cause(), g.trouble)
}

// drain takes the errors the client library tells, which come again and again
// for every partition while a broker is away: a few a minute are logged.
//
// A broker that refuses this client ends the membership: the client library would go
// on asking it with the password it was given, and leave its partitions unread,
// whereas a new membership begins with what stands in the files by then.
func (g *Group) drain(errs <-chan error, end func()) {
	log := g.log.Sample(&zerolog.BurstSampler{Burst: 3, Period: time.Minute})
	for err := range errs {
		log.Warn().Err(err).Msg("consuming is disturbed")
		g.mu.Lock()
		g.trouble = err
		g.mu.Unlock()
		if errors.Is(err, sarama.ErrSASLAuthenticationFailed) {
			end()
		}
	}
}

// Healthy says whether the member takes part in the group; if not, why, and in
// both cases since when. A rebalance in progress does not change the answer.
func (g *Group) Healthy() (ok bool, reason string, since time.Time) { return g.health.now() }

// Lag returns, for every partition this member holds, how many messages are not
// finished, as far as the last fetch knows.
func (g *Group) Lag() map[int32]int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	lag := make(map[int32]int64, len(g.claims))
	for partition, c := range g.claims {
		lag[partition] = c.lag()
	}
	return lag
}

func (g *Group) memberID() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.member
}

func (g *Group) assign(member string, partitions int) {
	g.mu.Lock()
	g.assigned, g.member = partitions, member
	g.mu.Unlock()
	g.observer.Rebalanced(g.group.Topic, partitions)
	g.log.Info().Int("partitions", partitions).Msg("joined the group")
	if partitions == 0 {
		// More members than partitions: this one stands by.
		g.health.heal(membership)
	}
}

// hold notes that a partition is being read. The member is healthy when all of
// its partitions are.
func (g *Group) hold(c *claim) {
	g.mu.Lock()
	g.claims[c.Partition()] = c
	all := len(g.claims) == g.assigned
	if all {
		g.trouble = nil
	}
	g.mu.Unlock()
	if all {
		g.health.heal(membership)
	}
}

func (g *Group) drop(c *claim) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.claims, c.Partition())
}
