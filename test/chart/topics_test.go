package chart

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/IBM/sarama"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/kafka"
)

// topic is what decides how Kafka keeps messages.
type topic struct {
	partitions int
	config     map[string]string
}

// The Topic Operator makes of the chart's KafkaTopics what `trueup topics create`
// makes on a broker.
func TestKafkaTopicsAreThoseTheCommandCreates(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Kafka")
	}
	brokers, prefix := testenv.Kafka(t), testenv.Prefix(t)
	settings := kafka.Config{Brokers: brokers, Prefix: prefix, Partitions: 3}
	admin, err := kafka.NewAdmin(settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := mustRender(t, base(t, `{config: {kafka: {prefix: `+prefix+`, partitions: 3}}, topics: {manage: strimzi, strimzi: {cluster: main}}}`))
	want, got := onBroker(t, brokers, prefix), rendersTopics(t, r)
	if len(want) == 0 || !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Fatalf("topics %v, the command creates %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	for name := range want {
		if got[name].partitions != want[name].partitions || !maps.Equal(got[name].config, want[name].config) {
			t.Errorf("%s: %+v, the command creates %+v", name, got[name], want[name])
		}
	}
}

// onBroker are the topics with the settings that were given to them.
func onBroker(t *testing.T, brokers []string, prefix string) map[string]topic {
	t.Helper()
	config := sarama.NewConfig()
	config.Version = sarama.V3_6_0_0
	admin, err := sarama.NewClusterAdmin(brokers, config)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	listed, err := admin.ListTopics()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]topic{}
	for name, detail := range listed {
		if len(name) <= len(prefix) || name[:len(prefix)+1] != prefix+"." {
			continue
		}
		one := topic{partitions: int(detail.NumPartitions), config: map[string]string{}}
		resource := &sarama.ConfigResource{Type: sarama.TopicResource, Name: name}
		described, err := admin.DescribeConfigs([]*sarama.ConfigResource{resource}, sarama.DescribeConfigsOptions{})
		if err != nil || len(described) != 1 || described[0].ErrorCode != sarama.ErrNoError {
			t.Fatalf("describe %s: %v %v", name, described, err)
		}
		for _, entry := range described[0].Configs {
			if entry.Source == sarama.SourceTopic { // the others are the broker's
				one.config[entry.Name] = entry.Value
			}
		}
		found[name] = one
	}
	return found
}

func rendersTopics(t *testing.T, r *rendered) map[string]topic {
	t.Helper()
	found := map[string]topic{}
	for _, object := range r.strimzi {
		name, _, err := unstructured.NestedString(object.Object, "spec", "topicName")
		if err != nil || object.GetKind() != "KafkaTopic" {
			t.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
		partitions, _, _ := unstructured.NestedFieldNoCopy(object.Object, "spec", "partitions")
		count, err := strconv.Atoi(fmt.Sprint(partitions))
		if err != nil {
			t.Fatal(err)
		}
		config, _, err := unstructured.NestedStringMap(object.Object, "spec", "config")
		if err != nil {
			t.Fatal(err)
		}
		found[name] = topic{partitions: count, config: config}
	}
	return found
}

// The right to more than is done is not asked for.
func TestTheKafkaUserMayDoWhatTheServicesDo(t *testing.T) {
	user := func(overlay string) map[string][]string {
		r := mustRender(t, base(t, overlay))
		for _, object := range r.strimzi {
			if object.GetKind() == "KafkaUser" {
				return rights(t, object)
			}
		}
		t.Fatal("no KafkaUser")
		return nil
	}
	want := map[string][]string{"group s.fixer": {"Read"}, "group s.fixer.retry": {"Read"}, "group s.governor": {"Read"}, "group s.validator": {"Read"}}
	for suffix, operations := range documentedRights(t, "validator", "fixer") {
		want["topic s."+suffix] = operations
	}
	if got := user(`{config: {kafka: {prefix: s}}, kafkaUser: {enabled: true, cluster: main}}`); !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	follows := user(`{config: {kafka: {prefix: s}, pairs: [
		{name: orders, source: orders, target: orders, changes: {source: cdc.shop.orders, target: cdc.copy.orders}},
		{name: items, source: items, target: items, changes: {source: cdc.shop.orders}, canary: {key: {id: 1}}}]}, kafkaUser: {enabled: true, cluster: main}}`)
	want["topic cdc.shop.orders"], want["topic cdc.copy.orders"] = []string{"Describe", "Read"}, []string{"Describe", "Read"}
	want["topic s.tasks"] = []string{"Describe", "Read"}
	want["group s.validator."], want["group s.tasks."] = []string{"Read"}, []string{"Read"}
	if !maps.EqualFunc(follows, want, slices.Equal) {
		t.Errorf("with changes and canaries\ngot  %v\nwant %v", follows, want)
	}
	creates := user(`{config: {kafka: {prefix: s}}, topics: {manage: job}, kafkaUser: {enabled: true, cluster: main}}`)
	if got := creates["topic s.tasks"]; !slices.Contains(got, "Create") {
		t.Errorf("the Job could not create: %v", got)
	}
	other := user(`{topics: {manage: job, job: {secretEnv: {KAFKA_PASSWORD: {name: admin, key: password}}}}, kafkaUser: {enabled: true, cluster: main}}`)
	if got := other["topic trueup.tasks"]; slices.Contains(got, "Create") {
		t.Errorf("the services may create although the Job is somebody else: %v", got)
	}
}

// documentedRights are the operations by topic that the table of the README gives
// to the services, all together.
func documentedRights(t *testing.T, services ...string) map[string][]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(top, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	topics := []string{"findings", "findings.retry", "findings.dead", "outcomes", "tasks", "state"}
	words := map[string]string{"READ": "Read", "WRITE": "Write", "DESCRIBE": "Describe", "DESCRIBE_CONFIGS": "DescribeConfigs"}
	found := map[string][]string{}
	for _, service := range services {
		_, rest, there := strings.Cut(string(content), "\n| "+service+" | ")
		cell, _, _ := strings.Cut(rest, " |")
		if !there {
			t.Fatalf("the README has no row of rights for %s", service)
		}
		for part := range strings.SplitSeq(cell, ";") {
			for _, name := range topics {
				if !strings.Contains(part, "`"+name+"`") && !strings.HasSuffix(strings.TrimSpace(part), " all") {
					continue
				}
				for word := range strings.FieldsFuncSeq(part, func(r rune) bool { return r == ' ' || r == ',' }) {
					if operation := words[word]; operation != "" && !slices.Contains(found[name], operation) {
						found[name] = append(found[name], operation)
					}
				}
			}
		}
	}
	for _, operations := range found {
		slices.Sort(operations)
	}
	return found
}

// rights are a user's operations by "kind name".
func rights(t *testing.T, user *unstructured.Unstructured) map[string][]string {
	t.Helper()
	acls, _, err := unstructured.NestedSlice(user.Object, "spec", "authorization", "acls")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, acl := range acls {
		one := acl.(map[string]any)
		resource := one["resource"].(map[string]any)
		var operations []string
		for _, operation := range one["operations"].([]any) {
			operations = append(operations, operation.(string))
		}
		found[resource["type"].(string)+" "+resource["name"].(string)] = operations
	}
	return found
}
