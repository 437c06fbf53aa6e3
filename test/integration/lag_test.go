package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/internal/testenv"
)

// lags are messages by partition.
type lags map[int32]int64

func (l lags) total() (n int64) {
	for _, left := range l {
		n += left
	}
	return n
}

// kafkas is a group's lag as Kafka's own command tells it, of the partitions that the
// group has committed.
func (w *world) kafkas(group, topic string) lags {
	w.t.Helper()
	out := lags{}
	for _, line := range testenv.DescribeGroup(w.t, w.kafka.Brokers, group) {
		if line.Topic == topic && line.Lag >= 0 {
			out[line.Partition] = line.Lag
		}
	}
	return out
}

// tells waits until a validator tells of a group what is wanted: as a metric, on the
// page, and by trueup status.
func (w *world) tells(v *service, group, topic string, want lags) {
	w.t.Helper()
	eventually(w.t, func() (bool, string) {
		page, metric, status := onPage(v, group), asMetric(v, group, topic), w.asStatus(v, group)
		for p, n := range page { // which leaves out what it has no need to show
			if want[p] != n {
				return false, fmt.Sprintf("the page says %v, want %v", page, want)
			}
		}
		return page.total() == want.total() && maps.Equal(metric, want) && maps.Equal(status, want),
			fmt.Sprintf("of %s: the page says %v, the metric %v, the status %v, want %v", group, page, metric, status, want)
	})
}

var pagePartition = regexp.MustCompile(`partition (\d+)</span> <b>([\d,]+)</b>`)

func onPage(v *service, group string) lags {
	_, body := v.get("/")
	_, section, _ := strings.Cut(body, `<section id="lag"`)
	section, _, _ = strings.Cut(section, "</section>")
	_, of, _ := strings.Cut(section, "by the group <code>"+group+"</code>")
	of, _, _ = strings.Cut(of, "by the group <code>")
	out := lags{}
	for _, match := range pagePartition.FindAllStringSubmatch(of, -1) {
		p, _ := strconv.Atoi(match[1])
		out[int32(p)], _ = strconv.ParseInt(strings.ReplaceAll(match[2], ",", ""), 10, 64)
	}
	return out
}

func asMetric(v *service, group, topic string) lags {
	_, body := v.get("/metrics")
	out := lags{}
	for _, match := range regexp.MustCompile(`(?m)^trueup_kafka_group_lag\{group="`+regexp.QuoteMeta(group)+`",partition="(\d+)",topic="`+regexp.QuoteMeta(topic)+`"\} (\S+)$`).FindAllStringSubmatch(body, -1) {
		p, _ := strconv.Atoi(match[1])
		n, _ := strconv.ParseFloat(match[2], 64)
		out[int32(p)] = int64(n)
	}
	return out
}

func (w *world) asStatus(v *service, group string) lags {
	w.t.Helper()
	var line struct {
		Group      string
		Lag        int64
		Partitions lags
	}
	decoder := json.NewDecoder(strings.NewReader(w.must(0, "trueup", "status", "--json", "--server", v.url())))
	for decoder.More() {
		if err := decoder.Decode(&line); err != nil {
			w.t.Fatal(err)
		}
		if line.Group == group {
			if line.Lag != line.Partitions.total() {
				w.t.Errorf("a lag of %d is not the sum of %v", line.Lag, line.Partitions)
			}
			return line.Partitions
		}
	}
	return nil
}

// cluster is what only an operator may do.
func (w *world) cluster() sarama.ClusterAdmin {
	w.t.Helper()
	config := sarama.NewConfig()
	config.Version = sarama.V4_0_0_0
	admin, err := sarama.NewClusterAdmin(w.kafka.Brokers, config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = admin.Close() }) // what it did is done
	return admin
}

// finds damages rows of the copy and has them found; it returns how many.
func (w *world) finds(v *service, from, to int) int64 {
	w.t.Helper()
	testenv.Exec(w.t, w.target, fmt.Sprintf("UPDATE orders SET amount = amount + 1 WHERE id BETWEEN %d AND %d", from, to))
	_, before := v.get("/metrics")
	w.must(0, "trueup", "run", "orders", "--server", v.url())
	ended := regexp.MustCompile(`(?m)^trueup_run_last_end_timestamp_seconds\{.*$`)
	eventually(w.t, func() (bool, string) {
		_, now := v.get("/metrics")
		return ended.FindString(now) != ended.FindString(before) && ended.MatchString(now), "the run does not end"
	})
	return int64(to - from + 1)
}

// spans are the messages that the topic has, by partition.
func spans(t *testing.T, admin sarama.ClusterAdmin, topic string, partitions int) (begins, ends lags) {
	t.Helper()
	ask := func(which int64) lags {
		asked, out := map[int32]int64{}, lags{}
		for p := range partitions {
			asked[int32(p)] = which
		}
		answers, err := admin.ListOffsets(map[string]map[int32]int64{topic: asked}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for p, answer := range answers[topic] {
			out[p] = answer.Offset
		}
		return out
	}
	return ask(sarama.OffsetOldest), ask(sarama.OffsetNewest)
}

// TestTheLagIsThatOfKafkasOwnCommand holds every way in which the lag is told against
// kafka-consumer-groups.
func TestTheLagIsThatOfKafkasOwnCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{maria, postgres}, "pairs: [{name: orders}]\nvalidator: {confirm: 0s}\nfixer: {retry_delay: 1s}")
	findings, retries := w.kafka.Topics().Findings, w.kafka.Topics().Retry
	fixers, retriers := w.kafka.Prefix+".fixer", w.kafka.Prefix+".fixer.retry"
	maria.fill(t, w.source, "orders", 1, 120)
	postgres.fill(t, w.target, "orders", 1, 120)
	v := start(t, "validator", "--config", w.config)
	v.readiness(200, `"ready": true`)
	repairing := func() *service { return start(t, "fixer", "--config", w.config) }
	admin := w.cluster()

	w.finds(v, 1, 60)
	if known := w.kafkas(fixers, findings); len(known) != 0 {
		t.Fatalf("Kafka knows of fixers that never were: %v", known)
	}
	_, all := spans(t, admin, findings, w.kafka.Partitions)
	if all.total() != 60 {
		t.Fatalf("%v findings, want 60", all)
	}
	w.tells(v, fixers, findings, all)

	f := repairing()
	w.drained()
	f.stop()
	done := w.kafkas(fixers, findings)
	if len(done) != w.kafka.Partitions || done.total() != 0 {
		t.Fatalf("Kafka has %v left, want nothing in %d partitions", done, w.kafka.Partitions)
	}
	w.tells(v, fixers, findings, done)

	// What is put off waits in a topic of its own, for a group of its own.
	w.finds(v, 61, 63)
	holder, err := testenv.Open(t, w.target).BeginTx(t.Context(), nil)
	if err == nil {
		_, err = holder.ExecContext(context.WithoutCancel(t.Context()), "SELECT id FROM orders WHERE id BETWEEN 61 AND 63 FOR UPDATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	f = repairing()
	w.drained()
	f.stop()
	begins, ends := spans(t, admin, retries, w.kafka.Partitions)
	waiting := lags{}
	for p := range ends {
		waiting[p] = ends[p] - begins[p] // for a partition that was never committed
	}
	theirs := w.kafkas(retriers, retries)
	maps.Copy(waiting, theirs)
	if waiting.total() != 3 {
		t.Fatalf("%v wait to be tried again, want 3; Kafka says %v", waiting, theirs)
	}
	w.tells(v, retriers, retries, waiting)
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	f = repairing()
	eventually(t, func() (bool, string) {
		left := asMetric(v, retriers, retries)
		v.get("/") // has it be measured soon
		return len(left) > 0 && left.total() == 0, fmt.Sprint(left)
	})
	f.stop()
	if left := w.kafkas(retriers, retries); left.total() != 0 || len(left) == 0 {
		t.Errorf("Kafka has %v left to try again", left)
	}

	found := w.finds(v, 64, 103)
	behind := w.kafkas(fixers, findings)
	if behind.total() != found {
		t.Fatalf("Kafka has %v left, want %d in all", behind, found)
	}
	w.tells(v, fixers, findings, behind)

	// A partition whose offset is forgotten counts from its oldest message, where a
	// fixer would begin; one of which retention took some counts what is there.
	_, ends = spans(t, admin, findings, w.kafka.Partitions)
	if err := admin.DeleteConsumerGroupOffset(fixers, findings, 0); err != nil {
		t.Fatal(err)
	}
	if err := admin.DeleteRecords(findings, map[int32]int64{1: ends[1] - 1}); err != nil {
		t.Fatal(err)
	}
	theirs = w.kafkas(fixers, findings)
	if _, there := theirs[0]; there || theirs[1] != behind[1] || behind[1] < 2 {
		t.Errorf("Kafka has %v left, want nothing said of partition 0 and %d in partition 1", theirs, behind[1])
	}
	theirs[0], theirs[1] = ends[0], 1
	w.tells(v, fixers, findings, theirs)
}
