package kafka

import (
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// GroupConfig says how a member of a consumer group takes its messages.
type GroupConfig struct {
	// Group is the name of the group; its members share the partitions.
	Group string `yaml:"group"`
	// Topic holds findings: Topics.Findings by default.
	Topic string `yaml:"topic"`
	// MaxBatch is the greatest number of messages handed over at once; 500 by default.
	MaxBatch int `yaml:"max_batch"`
	// Linger is how long a batch waits for more after its first message; 50 ms by default.
	Linger time.Duration `yaml:"linger"`
	// DrainTimeout is how long a batch may go on after its partition was revoked
	// or the member is to stop; 20 s by default. Give the process more than that
	// to end.
	DrainTimeout time.Duration `yaml:"drain_timeout"`
}

// Times of the group protocol. Members that are silent for sessionTimeout are
// taken for dead. A rebalance waits rebalanceTimeout for members to finish what
// they have in hand, so that DrainTimeout must stay below it.
const (
	sessionTimeout = 30 * time.Second
	// heartbeatInterval is how late a member learns that another one joins, which
	// has no work until all have learned it.
	heartbeatInterval = 300 * time.Millisecond
	rebalanceTimeout  = 45 * time.Second
	// joinTimeout is how long a member waits for an answer. The answer to joining
	// comes when all members have, or when the rebalance has timed out: giving up
	// sooner would begin the rebalance again.
	joinTimeout = rebalanceTimeout + 5*time.Second
	// maxDrain leaves the last commit time before the rebalance ends.
	maxDrain = rebalanceTimeout - 10*time.Second
	// rejoinWait is how long a member waits to join again when it could not join,
	// rejoins how often it does before that counts as trouble: about as long as the
	// client library would by itself, which waits 4 times 2 s.
	rejoinWait = 200 * time.Millisecond
	rejoins    = 20
	maxBatch   = 100_000
	// maxLinger keeps findings from growing old for the sake of full batches.
	maxLinger = 10 * time.Second
)

// WithDefaults returns the configuration with every empty field but Group filled.
func (g GroupConfig) WithDefaults(topics Topics) GroupConfig {
	fill(&g.Topic, topics.Findings)
	fill(&g.MaxBatch, 500)
	fill(&g.Linger, 50*time.Millisecond)
	fill(&g.DrainTimeout, 20*time.Second)
	return g
}

// Validate names every field that is wrong, its value and its limit.
func (g GroupConfig) Validate() error {
	g = g.WithDefaults(Topics{})
	var errs []error
	if !namePattern.MatchString(g.Group) {
		errs = append(errs, fmt.Errorf("group %q: use 1 to 200 of the characters a-z A-Z 0-9 . _ -", g.Group))
	}
	if g.MaxBatch < 1 || g.MaxBatch > maxBatch {
		errs = append(errs, fmt.Errorf("max_batch %d is not between 1 and %d", g.MaxBatch, maxBatch))
	}
	if g.Linger < 0 || g.Linger > maxLinger {
		errs = append(errs, fmt.Errorf("linger %s is not between 0s and %s", g.Linger, maxLinger))
	}
	if g.DrainTimeout < 0 || g.DrainTimeout > maxDrain {
		errs = append(errs, fmt.Errorf("drain_timeout %s is not between 0s and %s", g.DrainTimeout, maxDrain))
	}
	return errors.Join(errs...)
}

func (c Config) member() (*sarama.Config, error) {
	s, err := c.client()
	if err != nil {
		return nil, err
	}
	s.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategySticky()}
	s.Consumer.Group.Rebalance.Timeout = rebalanceTimeout
	// A rebalance that others join before it is over begins again, which is no
	// trouble: two members that start together always do that.
	s.Consumer.Group.Rebalance.Retry.Backoff = rejoinWait
	s.Consumer.Group.Rebalance.Retry.Max = rejoins
	s.Net.ReadTimeout = joinTimeout
	s.Consumer.Group.InstanceId = c.Instance
	s.Consumer.Group.Session.Timeout = sessionTimeout
	s.Consumer.Group.Heartbeat.Interval = heartbeatInterval
	// Findings that lie there before the first member comes are to be repaired.
	s.Consumer.Offsets.Initial = sarama.OffsetOldest
	// An offset out of range means that findings are gone. Starting anywhere
	// would hide that.
	s.Consumer.Group.ResetInvalidOffsets = false
	s.Consumer.Offsets.AutoCommit.Enable = true
	s.Consumer.Offsets.AutoCommit.Interval = time.Second
	s.Consumer.Return.Errors = true
	s.Consumer.Fetch.MaxBytes = fetchBytes
	s.Consumer.Fetch.Default = partitionBytes
	s.Consumer.MaxProcessingTime = slowestTake
	s.ChannelBufferSize = aheadOfBatch
	return s, nil
}

const (
	// fetchBytes bounds what one fetch holds in memory, over all partitions.
	fetchBytes = 8 << 20
	// partitionBytes is what one fetch asks of one partition: a few hundred
	// findings, enough for two batches. Decoded, messages take several times
	// their size, and a backlog would fill that for every partition. The client
	// asks for more by itself when a single message is larger.
	partitionBytes = 24 << 10
	// aheadOfBatch is how many decoded messages of a partition wait for the next
	// batch; the linger collects the others.
	aheadOfBatch = 64
	// slowestTake is how long (up to twice that) the partitions that one broker
	// leads wait for one of them to take a message before the next fetch leaves it
	// out. Leaving out and taking in again has the client library stop fetching for
	// 100 ms, so that no ordinary batch may last so long.
	slowestTake = time.Second
)
