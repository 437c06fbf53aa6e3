package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/internal/freeport"
)

// broker is a Kafka of the soak's own, which it may restart: one node, broker
// and controller in one process. It tells its clients the address of the proxy
// before it; the soak itself reads past that.
type broker struct {
	jars, dir string
	direct    string // address that leads past the proxy
	clients   string // and the one that its clients are told
	proxied   *proxy
	settings  string
	cmd       *exec.Cmd
}

// newBroker prepares a broker with the jars in a directory, and starts it.
func newBroker(ctx context.Context, jars, dir string) (*broker, error) {
	if found, _ := filepath.Glob(filepath.Join(jars, "kafka_2.13-*.jar")); len(found) == 0 {
		return nil, fmt.Errorf("no Kafka in %q: start the soak with `make soak`, which fetches it", jars)
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	b := &broker{jars: jars, dir: dir, direct: ports[0]}
	if b.proxied, err = newProxy(ctx, ports[1]); err != nil {
		return nil, err
	}
	b.clients = b.proxied.address()
	b.settings = filepath.Join(dir, "server.properties")
	text := fmt.Sprintf(`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@%[3]s
listeners=DIRECT://%[1]s,CLIENTS://%[2]s,CONTROLLER://%[3]s
advertised.listeners=DIRECT://%[1]s,CLIENTS://%[4]s
inter.broker.listener.name=DIRECT
controller.listener.names=CONTROLLER
listener.security.protocol.map=DIRECT:PLAINTEXT,CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=%[5]s
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.segment.bytes=16777216
log.index.size.max.bytes=1048576
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
`, ports[0], ports[1], ports[2], b.clients, filepath.Join(dir, "log"))
	logging := "appender.out.type=Console\nappender.out.name=out\nappender.out.layout.type=PatternLayout\nappender.out.layout.pattern=%d{ISO8601} %p %c: %m%n\nrootLogger.level=WARN\nrootLogger.appenderRef.out.ref=out\n"
	if err := errors.Join(os.WriteFile(b.settings, []byte(text), 0o600), os.WriteFile(b.logging(), []byte(logging), 0o600)); err != nil {
		return nil, err
	}
	identity := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 16))
	if out, err := b.java(ctx, "kafka.tools.StorageTool", "format", "--cluster-id", identity, "--config", b.settings).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("format Kafka's directory: %w\n%s", err, out)
	}
	return b, b.start(ctx)
}

func (b *broker) logging() string { return filepath.Join(b.dir, "log4j2.properties") }

func (b *broker) java(ctx context.Context, class string, args ...string) *exec.Cmd {
	args = append([]string{"-Xms128m", "-Xmx512m", "-Dlog4j2.configurationFile=" + b.logging(), "-cp", b.jars + "/*", class}, args...)
	return exec.CommandContext(ctx, "java", args...)
}

// start starts the broker and returns when it answers.
func (b *broker) start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(b.dir, "kafka.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()                                                     // the process has its own
	b.cmd = b.java(context.WithoutCancel(ctx), "kafka.Kafka", b.settings) // it is stopped last, when ctx has ended
	b.cmd.Stdout, b.cmd.Stderr = log, log
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := b.cmd.Start(); err != nil {
		return fmt.Errorf("start Kafka: %w", err)
	}
	for deadline := time.Now().Add(startTime); ; {
		if err = b.answers(); err == nil {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("Kafka does not come up, its log is in %s: %w", b.dir, err)
		}
		pause(ctx, 200*time.Millisecond)
	}
}

func (b *broker) answers() error {
	client, err := sarama.NewClient([]string{b.direct}, sarama.NewConfig())
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Controller()
	return err
}

// stop ends the broker by a signal and waits for its end.
func (b *broker) stop(signal syscall.Signal) {
	if b.cmd == nil || b.cmd.Process == nil {
		return
	}
	_ = b.cmd.Process.Signal(signal) // an error says that it has ended already
	_ = b.cmd.Wait()
	b.cmd = nil
}

// freePorts are addresses on which nobody listened a moment ago.
func freePorts(n int) ([]string, error) {
	var out []string
	for range n {
		port, err := freeport.Find()
		if err != nil {
			return nil, err
		}
		out = append(out, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	return out, nil
}
