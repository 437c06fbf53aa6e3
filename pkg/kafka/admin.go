package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

// Admin checks, creates and measures topics. Every call connects anew, so an
// Admin needs no closing.
type Admin struct {
	config Config
}

// NewAdmin returns an Admin. It does not connect.
func NewAdmin(c Config) (*Admin, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Admin{c.WithDefaults()}, nil
}

// Check returns an error that says, for every topic that is missing or unlike
// the configuration, what to do. It changes nothing.
func (a *Admin) Check(ctx context.Context) error {
	_, err := connected(ctx, a.config, "check topics", func(_ sarama.Client, admin sarama.ClusterAdmin) (struct{}, error) {
		wanted := a.config.wanted()
		found, err := describe(admin, wanted)
		if err != nil {
			return struct{}{}, err
		}
		var missing, wrong []string
		for _, w := range wanted {
			if found[w.name] == nil {
				missing = append(missing, w.name)
			} else if err := w.check(admin, found[w.name]); err != nil {
				wrong = append(wrong, err.Error())
			}
		}
		return struct{}{}, topicsError(missing, wrong)
	})
	return err
}

// CheckSettings is Check, and looks besides at settings that the services need no
// right to see: none of the topics that keep everything for a time may be compacted,
// which would leave only the last outcome, or letter, of a row.
func (a *Admin) CheckSettings(ctx context.Context) error {
	if err := a.Check(ctx); err != nil {
		return err
	}
	_, err := connected(ctx, a.config, "check settings of topics", func(_ sarama.Client, admin sarama.ClusterAdmin) (struct{}, error) {
		var wrong []string
		for _, w := range a.config.wanted() {
			policy, err := policyOf(admin, w.name)
			if err != nil {
				return struct{}{}, err
			}
			if !w.compacted && policy != "delete" {
				wrong = append(wrong, fmt.Sprintf("topic %s has cleanup.policy %q and would keep only the last message about a row: set cleanup.policy=delete on it", w.name, policy))
			}
		}
		return struct{}{}, topicsError(nil, wrong)
	})
	return err
}

// topicsError is one sentence about all topics that are not as they should be.
func topicsError(missing, wrong []string) error {
	if len(missing) > 0 {
		others := ""
		if len(missing) > 1 {
			others = " (nor do " + strings.Join(missing[1:], ", ") + ")"
		}
		wrong = append([]string{fmt.Sprintf("topic %s does not exist%s: run `trueup topics create`, or set kafka.prefix to that of the topics you have", missing[0], others)}, wrong...)
	}
	if len(wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(wrong, "; "))
}

// Created is what Create did about a topic.
type Created struct {
	Topic string
	// Partitions is the number it was created with; 0 for a topic that was there.
	Partitions int
}

// String is a line for a person.
func (c Created) String() string {
	if c.Partitions == 0 {
		return c.Topic + " exists, left as it is"
	}
	return fmt.Sprintf("%s created with %d partitions", c.Topic, c.Partitions)
}

// Create creates the topics that do not exist, waits until the cluster shows
// them, and says what it did about each. It never changes a topic that exists.
func (a *Admin) Create(ctx context.Context) ([]Created, error) {
	return connected(ctx, a.config, "create topics", func(_ sarama.Client, admin sarama.ClusterAdmin) ([]Created, error) {
		wanted := a.config.wanted()
		found, err := describe(admin, wanted)
		if err != nil {
			return nil, err
		}
		var done []Created
		for _, w := range wanted {
			one := Created{Topic: w.name}
			if found[w.name] == nil {
				if one, err = w.create(admin, a.config.Replication); err != nil {
					return done, err
				}
			}
			done = append(done, one)
		}
		return done, awaitTopics(ctx, admin, wanted)
	})
}

// awaitTopics bridges the moment in which a cluster has created topics and its
// brokers do not know them yet.
func awaitTopics(ctx context.Context, admin sarama.ClusterAdmin, wanted []topic) error {
	const every, limit = 50 * time.Millisecond, 30 * time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the created topics are not visible after %s", limit))
	defer cancel()
	for {
		found, err := describe(admin, wanted)
		if err != nil || len(found) == len(wanted) {
			return err
		}
		if err := pause(ctx, every); err != nil {
			return err
		}
	}
}

func (w topic) create(admin sarama.ClusterAdmin, replication int) (Created, error) {
	detail := &sarama.TopicDetail{
		NumPartitions:     int32(w.partitions),
		ReplicationFactor: -1, // the brokers' default, KIP-464
		ConfigEntries:     map[string]*string{},
	}
	for name, value := range w.settings {
		detail.ConfigEntries[name] = &value
	}
	if replication > 0 {
		detail.ReplicationFactor = int16(replication)
	}
	if replication >= 3 {
		// acks=all waits for the replicas in sync; with one of them left it would
		// wait for a single disk.
		two := "2"
		detail.ConfigEntries["min.insync.replicas"] = &two
	}
	err := admin.CreateTopic(w.name, detail, false)
	if errors.Is(err, sarama.ErrTopicAlreadyExists) {
		return Created{Topic: w.name}, nil
	}
	if err != nil {
		return Created{}, fmt.Errorf("create topic %s: %w", w.name, err)
	}
	return Created{w.name, w.partitions}, nil
}

// describe returns the topics that exist.
func describe(admin sarama.ClusterAdmin, wanted []topic) (map[string]*sarama.TopicMetadata, error) {
	names := make([]string, len(wanted))
	for i, w := range wanted {
		names[i] = w.name
	}
	answers, err := admin.DescribeTopics(names)
	if err != nil {
		return nil, err
	}
	found := map[string]*sarama.TopicMetadata{}
	for _, m := range answers {
		switch {
		case errors.Is(m.Err, sarama.ErrUnknownTopicOrPartition):
		case errors.Is(m.Err, sarama.ErrNoError), errors.Is(m.Err, sarama.ErrLeaderNotAvailable):
			// A topic without a leader exists; it may just have been created.
			found[m.Name] = m
		default:
			return nil, fmt.Errorf("describe topic %s: %w", m.Name, m.Err)
		}
	}
	return found, nil
}

func (w topic) check(admin sarama.ClusterAdmin, found *sarama.TopicMetadata) error {
	if w.compacted {
		return w.checkCompacted(admin)
	}
	if n := len(found.Partitions); n != w.partitions {
		return fmt.Errorf("topic %s has %d partitions and kafka.partitions is %d: set kafka.partitions to %d, or delete the topic and run `trueup topics create`",
			w.name, n, w.partitions, n)
	}
	return nil
}

func policyOf(admin sarama.ClusterAdmin, topic string) (string, error) {
	results, err := admin.DescribeConfigs([]*sarama.ConfigResource{{
		Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"cleanup.policy"},
	}}, sarama.DescribeConfigsOptions{})
	if err != nil {
		return "", fmt.Errorf("read settings of topic %s: %w", topic, err)
	}
	policy := ""
	for _, r := range results {
		if !errors.Is(r.ErrorCode, sarama.ErrNoError) {
			return "", fmt.Errorf("read settings of topic %s: %w", topic, r.ErrorCode)
		}
		for _, e := range r.Configs {
			policy = e.Value // the only one asked for
		}
	}
	return policy, nil
}

func (w topic) checkCompacted(admin sarama.ClusterAdmin) error {
	policy, err := policyOf(admin, w.name)
	if err != nil {
		return err
	}
	if policy != "compact" {
		return fmt.Errorf("topic %s has cleanup.policy %q and would forget where pairs stand: set cleanup.policy=compact on it", w.name, policy)
	}
	return nil
}
