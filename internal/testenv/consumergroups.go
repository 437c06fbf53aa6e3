package testenv

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// GroupOffsets is a line of Kafka's kafka-consumer-groups --describe. What it does not
// know, and shows as a dash, is -1.
type GroupOffsets struct {
	Topic               string
	Partition           int32
	Committed, End, Lag int64
}

// DescribeGroup asks Kafka's own kafka-consumer-groups about a group; nothing for a
// group that does not exist. The test is skipped where the command is not there:
// where a Docker engine has the broker, and the jars with it.
func DescribeGroup(t testing.TB, brokers []string, group string) []GroupOffsets {
	t.Helper()
	jars := brokerJars()
	if tools, _ := filepath.Glob(filepath.Join(jars, "kafka-tools-*.jar")); !HasBroker() || len(tools) == 0 {
		t.Skip("needs Java and Kafka's tools, which make services-up fetches where there is no Docker engine")
	}
	cmd := exec.CommandContext(t.Context(), "java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(jars, "*"),
		"org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", strings.Join(brokers, ","), "--describe", "--group", group)
	out, err := cmd.CombinedOutput()
	if noGroup := strings.Contains(string(out), "GroupIdNotFoundException"); noGroup || strings.Contains(string(out), "does not exist") {
		return nil
	}
	if err != nil {
		t.Fatalf("kafka-consumer-groups: %v\n%s", err, out)
	}
	return groupOffsets(t, string(out))
}

// groupOffsets reads the table that the command prints, by the names of its columns.
func groupOffsets(t testing.TB, text string) []GroupOffsets {
	t.Helper()
	var names []string
	var lines []GroupOffsets
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if slices.Contains(fields, "CURRENT-OFFSET") {
			names = fields
			continue
		}
		if names == nil || len(fields) < len(names) {
			continue
		}
		number := func(name string) int64 {
			value := fields[slices.Index(names, name)]
			if value == "-" {
				return -1
			}
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				t.Fatalf("kafka-consumer-groups: %s is %q in\n%s", name, value, text)
			}
			return n
		}
		lines = append(lines, GroupOffsets{
			Topic: fields[slices.Index(names, "TOPIC")], Partition: int32(number("PARTITION")),
			Committed: number("CURRENT-OFFSET"), End: number("LOG-END-OFFSET"), Lag: number("LAG"),
		})
	}
	if names == nil {
		t.Fatalf("kafka-consumer-groups prints no table:\n%s", text)
	}
	return lines
}
