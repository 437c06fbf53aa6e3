// Package kafka carries events over Kafka: a publisher that returns only when
// everything is acknowledged, a consumer group that marks only what its handler
// finished, and what is needed to create, check and read the topics. It is the
// only package that knows the Kafka client.
package kafka

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
)

// Config says how to reach Kafka and which topics are ours. It is the `kafka`
// part of the configuration file.
type Config struct {
	// Brokers are the addresses (host:port) asked first; the cluster names the others.
	Brokers []string `yaml:"brokers"`
	// Prefix stands before the name of every topic; "trueup" by default.
	Prefix string `yaml:"prefix"`
	// ClientID names this service to the brokers and in ce_source; "trueup" by default.
	ClientID string `yaml:"client_id"`
	// Instance is a name that this process has in consumer groups, and keeps when it
	// is started again, such as a pod's; none by default. One that died and comes
	// back under its name has its partitions at once; without a name they wait
	// until its session has timed out, 30 s. No two processes may have the same.
	Instance string `yaml:"instance"`
	// Version is the oldest Kafka version among the brokers; "3.6.0" by default.
	// Newer brokers speak the protocol of older ones.
	Version string `yaml:"version"`
	// Partitions is how many partitions the topics have, 12 by default. It bounds
	// how many fixers share the work. Check refuses topics with another number.
	Partitions int `yaml:"partitions"`
	// Replication is the replication factor of topics that Create creates; 0 is
	// the brokers' default.
	Replication int `yaml:"replication"`
	// Encoding of events: "protobuf" (default) or "json".
	Encoding string `yaml:"encoding"`
	// BufferBytes bounds the memory of events that wait for their acknowledgement;
	// 8 MiB by default. Publishing blocks while it is used up.
	BufferBytes int  `yaml:"buffer_bytes"`
	TLS         TLS  `yaml:"tls"`
	SASL        SASL `yaml:"sasl"`

	// dialer stands between tests and the brokers; nil is the network.
	dialer dialer
	// tokens are those of OAUTHBEARER, shared by the connections of one user of
	// this configuration.
	tokens *tokens
}

type dialer interface {
	Dial(network, address string) (net.Conn, error)
}

// Encodings of events.
const (
	EncodingProtobuf = "protobuf"
	EncodingJSON     = "json"
)

// Bounds of Config.
const (
	// maxPartitions is no limit of Kafka: a typing error should not cost a cluster.
	maxPartitions  = 10_000
	maxReplication = 32
	// minBufferBytes holds a few messages of the greatest size.
	minBufferBytes = 4 << 20
)

// WithDefaults returns the configuration with every empty field filled.
func (c Config) WithDefaults() Config {
	fill(&c.Prefix, "trueup")
	fill(&c.ClientID, "trueup")
	fill(&c.Version, "3.6.0")
	fill(&c.Partitions, 12)
	fill(&c.Encoding, EncodingProtobuf)
	fill(&c.BufferBytes, 8<<20)
	if c.tokens == nil && c.SASL.Mechanism == OAuthBearer {
		c.tokens = &tokens{sasl: c.SASL}
	}
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Kafka allows these in names of topics and clients; 200 leaves room for our suffixes
// below its 249.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)

// Validate names every field that is wrong, its value and its limit. Empty
// fields count as their defaults.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Brokers) == 0 {
		wrong("kafka.brokers is empty: list at least one address, such as kafka:9092")
	}
	for i, b := range c.Brokers {
		if host, port, err := net.SplitHostPort(b); err != nil || host == "" || port == "" {
			wrong("kafka.brokers[%d] %q is not host:port", i, b)
		}
	}
	if !namePattern.MatchString(c.Prefix) {
		wrong("kafka.prefix %q: use 1 to 200 of the characters a-z A-Z 0-9 . _ -", c.Prefix)
	}
	if !namePattern.MatchString(c.ClientID) {
		wrong("kafka.client_id %q: use 1 to 200 of the characters a-z A-Z 0-9 . _ -", c.ClientID)
	}
	if c.Instance != "" && (!namePattern.MatchString(c.Instance) || c.Instance == "." || c.Instance == "..") {
		wrong("kafka.instance %q: use 1 to 200 of the characters a-z A-Z 0-9 . _ -", c.Instance)
	}
	if v, err := sarama.ParseKafkaVersion(c.Version); err != nil {
		wrong("kafka.version %q is not a version such as 3.6.0", c.Version)
	} else if !v.IsAtLeast(sarama.V2_1_0_0) || !sarama.MaxVersion.IsAtLeast(v) {
		wrong("kafka.version %q is not between %s and %s", c.Version, sarama.V2_1_0_0, sarama.MaxVersion)
	} else if c.Instance != "" && !v.IsAtLeast(sarama.V2_4_0_0) {
		wrong("kafka.instance needs kafka.version %s or newer, and it is %s", sarama.V2_4_0_0, c.Version)
	}
	if c.Partitions < 1 || c.Partitions > maxPartitions {
		wrong("kafka.partitions %d is not between 1 and %d", c.Partitions, maxPartitions)
	}
	if c.Replication < 0 || c.Replication > maxReplication {
		wrong("kafka.replication %d is not between 0 and %d", c.Replication, maxReplication)
	}
	if c.Encoding != EncodingProtobuf && c.Encoding != EncodingJSON {
		wrong("kafka.encoding %q is neither %q nor %q", c.Encoding, EncodingProtobuf, EncodingJSON)
	}
	if c.BufferBytes < minBufferBytes {
		wrong("kafka.buffer_bytes %d is below %d", c.BufferBytes, minBufferBytes)
	}
	return errors.Join(append(errs, c.TLS.validate(), c.SASL.validate())...)
}

// String names the brokers and the prefix, and no secret.
func (c Config) String() string {
	return fmt.Sprintf("kafka %v, prefix %s, tls %t, sasl %s", c.Brokers, c.Prefix, c.TLS.Enabled, c.SASL)
}

// MarshalZerologObject logs the configuration without its secrets.
func (c Config) MarshalZerologObject(e *zerolog.Event) {
	e.Strs("brokers", c.Brokers).Str("prefix", c.Prefix).Str("client_id", c.ClientID).Str("instance", c.Instance).
		Str("version", c.Version).Int("partitions", c.Partitions).Str("encoding", c.Encoding).
		Bool("tls", c.TLS.Enabled).Str("sasl", c.SASL.String())
}

func (c Config) encoder() event.Encoder {
	e := event.Encoder{ContentType: event.Protobuf, Source: "/trueup/" + c.ClientID}
	if c.Encoding == EncodingJSON {
		e.ContentType = event.JSON
	}
	return e
}

// Time-outs of a connection. A broker that hangs must be noticed well before a
// session of a consumer group ends (30 s), and a request must be allowed to
// take as long as the broker may wait for its replicas (10 s).
const (
	dialTimeout    = 5 * time.Second
	requestTimeout = 15 * time.Second
	replicaTimeout = 10 * time.Second
)

// client builds the settings that producers and consumers share. Each client
// gets its own: strategies and registries hold state.
func (c Config) client() (*sarama.Config, error) {
	version, err := sarama.ParseKafkaVersion(c.Version)
	if err != nil {
		return nil, fmt.Errorf("kafka.version: %w", err)
	}
	s := sarama.NewConfig()
	s.ClientID = c.ClientID
	s.Version = version
	s.Net.DialTimeout = dialTimeout
	s.Net.ReadTimeout = requestTimeout
	s.Net.WriteTimeout = requestTimeout
	// A topic that a typing error made into being would swallow findings.
	s.Metadata.AllowAutoTopicCreation = false
	s.Metadata.Full = false
	s.Metadata.Timeout = requestTimeout
	s.Admin.Timeout = requestTimeout
	if c.dialer != nil {
		s.Net.Proxy.Enable = true
		s.Net.Proxy.Dialer = c.dialer
	}
	c.TLS.apply(s)
	return s, c.SASL.apply(s, c.tokens)
}
