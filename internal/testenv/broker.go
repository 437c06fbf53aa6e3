package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

// Broker is a Kafka broker of one test's own.
type Broker struct {
	t    testing.TB
	jars string
	dir  string
	// settings are those of server.properties.
	settings map[string]string
	// Admin is the address at which everybody may do everything, without TLS or a login.
	Admin string

	addresses map[string]string
	cmd       *exec.Cmd
	ended     chan struct{} // closed when cmd has
}

// Listener is a port of a broker.
type Listener struct {
	// Name is in capital letters and digits.
	Name string
	// Protocol is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
	Protocol string
	// Settings are those of this listener alone, as they stand behind
	// "listener.name.NAME.".
	Settings map[string]string
}

// HasBroker says whether a broker can be started here: it takes Java, and the jars
// that `make services-up` fetches.
func HasBroker() bool {
	_, java := program("java")
	return java && brokerJars() != ""
}

func brokerJars() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	found, _ := filepath.Glob(filepath.Join(cache, "trueup", "kafka-*", "jars"))
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// NewBroker starts a broker with listeners and settings of the test's; it is
// killed when the test ends.
func NewBroker(t testing.TB, settings map[string]string, listeners ...Listener) *Broker {
	t.Helper()
	b := &Broker{t: t, jars: brokerJars(), dir: t.TempDir(), addresses: map[string]string{}}
	b.configure(settings, append(listeners, Listener{Name: "ADMIN", Protocol: "PLAINTEXT"}))
	b.Admin = b.Address("ADMIN")
	t.Cleanup(func() {
		b.Kill()
		if t.Failed() {
			const most = 6000
			text, _ := os.ReadFile(b.file("broker.log"))
			t.Logf("the private broker:\n%s", text[max(0, len(text)-most):])
		}
	})
	b.write("server.properties", b.settings)
	format := b.java("kafka.tools.StorageTool", "format", "--cluster-id", "dHJ1ZXVwLXRlc3QtMDAwMQ", "--config", b.file("server.properties"))
	if out, err := format.CombinedOutput(); err != nil {
		t.Fatalf("format the broker's directory: %v\n%s", err, out)
	}
	b.Start()
	return b
}

// Address is host:port of a listener.
func (b *Broker) Address(listener string) string { return b.addresses[listener] }

func (b *Broker) file(name string) string { return filepath.Join(b.dir, name) }

func (b *Broker) configure(own map[string]string, listeners []Listener) {
	b.t.Helper()
	controller := fmt.Sprintf("127.0.0.1:%d", freePort(b.t))
	var clients []string
	protocols := []string{"CONTROLLER:PLAINTEXT"}
	settings := map[string]string{}
	for _, l := range listeners {
		b.addresses[l.Name] = fmt.Sprintf("127.0.0.1:%d", freePort(b.t))
		clients = append(clients, l.Name+"://"+b.addresses[l.Name])
		protocols = append(protocols, l.Name+":"+l.Protocol)
		for name, value := range l.Settings {
			settings["listener.name."+strings.ToLower(l.Name)+"."+name] = value
		}
	}
	for name, value := range map[string]string{
		"process.roles": "broker,controller", "node.id": "1",
		"controller.quorum.voters": "1@" + controller, "controller.listener.names": "CONTROLLER",
		"listeners":                      strings.Join(append(clients, "CONTROLLER://"+controller), ","),
		"advertised.listeners":           strings.Join(clients, ","),
		"listener.security.protocol.map": strings.Join(protocols, ","),
		"inter.broker.listener.name":     "ADMIN",
		"log.dirs":                       b.file("log"),
		"auto.create.topics.enable":      "false",
		"default.replication.factor":     "1", "offsets.topic.replication.factor": "1", "offsets.topic.num.partitions": "1",
		"transaction.state.log.replication.factor": "1", "transaction.state.log.min.isr": "1", "transaction.state.log.num.partitions": "1",
		"share.coordinator.state.topic.replication.factor": "1", "share.coordinator.state.topic.min.isr": "1",
		"group.initial.rebalance.delay.ms": "0", "log.cleaner.dedupe.buffer.size": "16777216", "log.index.size.max.bytes": "1048576",
	} {
		settings[name] = value
	}
	for name, value := range own {
		settings[name] = value
	}
	b.settings = settings
	b.write("log4j2.properties", map[string]string{
		"appender.out.type": "Console", "appender.out.name": "out", "appender.out.layout.type": "PatternLayout",
		"appender.out.layout.pattern": "%p %c: %m%n", "rootLogger.level": "WARN", "rootLogger.appenderRef.out.ref": "out",
	})
}

func (b *Broker) write(name string, settings map[string]string) {
	b.t.Helper()
	var text strings.Builder
	for k, v := range settings {
		fmt.Fprintf(&text, "%s=%s\n", k, v)
	}
	write(b.t, b.file(name), 0o600, []byte(text.String()))
}

func (b *Broker) java(args ...string) *exec.Cmd {
	args = append([]string{
		"-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.configurationFile=" + b.file("log4j2.properties"), "-cp", b.jars + "/*",
	}, args...)
	return exec.CommandContext(context.WithoutCancel(b.t.Context()), "java", args...)
}

// Restart ends the broker and starts it with another value of a setting.
func (b *Broker) Restart(name, value string) {
	b.t.Helper()
	b.Kill()
	b.settings[name] = value
	b.write("server.properties", b.settings)
	b.Start()
}

// Start starts the broker and returns once it answers.
func (b *Broker) Start() {
	b.t.Helper()
	b.cmd = b.java("kafka.Kafka", b.file("server.properties"))
	log, err := os.OpenFile(b.file("broker.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		b.cmd.Stdout, b.cmd.Stderr = log, log
		err = b.cmd.Start()
		_ = log.Close() // the process has its own
	}
	if err != nil {
		b.t.Fatalf("start a broker: %v", err)
	}
	cmd, ended := b.cmd, make(chan struct{})
	b.ended = ended
	go func() {
		_ = cmd.Wait() // the log says why
		close(ended)
	}()
	const patience = 90 * time.Second
	for began := time.Now(); ; {
		err := b.answers()
		if err == nil {
			return
		}
		if time.Since(began) > patience {
			b.t.Fatalf("the private broker does not come up: %v", err)
		}
		select {
		case <-ended:
			b.t.Fatalf("the private broker ended while it started: %v", cmd.ProcessState)
		case <-time.After(100 * time.Millisecond): // a process that starts gives no sign
		}
	}
}

func (b *Broker) answers() error {
	admin, err := b.connect()
	if err != nil {
		return err
	}
	_, _, err = admin.DescribeCluster()
	_ = admin.Close() // the answer is what counts
	return err
}

func (b *Broker) connect() (sarama.ClusterAdmin, error) {
	config := sarama.NewConfig()
	config.Version = sarama.V4_0_0_0
	config.Metadata.Retry.Max = 0
	return sarama.NewClusterAdmin([]string{b.Admin}, config)
}

// Do runs f with a connection that may do everything.
func (b *Broker) Do(f func(sarama.ClusterAdmin) error) {
	b.t.Helper()
	admin, err := b.connect()
	if err == nil {
		err = f(admin)
		_ = admin.Close() // what f did is done
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// User gives a user a password for SCRAM-SHA-256 and SCRAM-SHA-512.
func (b *Broker) User(name, password string) {
	b.t.Helper()
	for _, mechanism := range []sarama.ScramMechanismType{sarama.SCRAM_MECHANISM_SHA_256, sarama.SCRAM_MECHANISM_SHA_512} {
		b.Do(func(admin sarama.ClusterAdmin) error {
			results, err := admin.UpsertUserScramCredentials([]sarama.AlterUserScramCredentialsUpsert{{
				Name: name, Mechanism: mechanism, Iterations: 4096, Salt: []byte(name), Password: []byte(password),
			}})
			for _, r := range results {
				if r.ErrorCode != sarama.ErrNoError {
					return r.ErrorCode
				}
			}
			return err
		})
	}
}

// Kill ends the broker as a power cut does.
func (b *Broker) Kill() {
	if b.ended == nil {
		return
	}
	_ = b.cmd.Process.Kill() // an error says that it has ended already
	<-b.ended
	b.cmd, b.ended = nil, nil
}
