package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/trueup/trueup/pkg/kafka"
)

// breakableKafka is an embedded Kafka that hangs up on whoever publishes while
// it is away.
func breakableKafka(t *testing.T) (brokers []string, away *atomic.Bool) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	away = &atomic.Bool{}
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		if !away.Load() {
			return nil, nil, false
		}
		cluster.KeepControl()
		return nil, errors.New("the broker is away"), true
	})
	return cluster.ListenAddrs(), away
}

func TestWhileKafkaIsAwayTheValidatorStandsStillAndSaysSo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the services")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	s, _ := newTestStory(t, build(t))
	brokers, away := breakableKafka(t)
	s.brokers = brokers
	for _, prepare := range []func() error{
		s.writeConfig,
		func() error { return s.fill(ctx) },
		func() error { return s.damage(ctx) },
		func() error { return s.createTopics(ctx) },
	} {
		if err := prepare(); err != nil {
			t.Fatal(err)
		}
	}

	away.Store(true)
	validator, err := s.start("validator", "--once")
	if err != nil {
		t.Fatal(err)
	}
	// Not ready, with the reason, and a metric that says the same.
	err = poll(ctx, func() (bool, error) {
		status, reason := readiness(t, ctx, validator, "kafka")
		healthy, err := validator.metric(ctx, "trueup_kafka_publisher_healthy")
		return status == http.StatusServiceUnavailable && reason != "" && healthy == 0, err
	})
	if err != nil {
		t.Fatalf("the validator does not say that Kafka is away: %v\n%s", err, validator.log.tail())
	}
	select {
	case <-validator.done:
		t.Fatalf("the validator ended without Kafka: %v\n%s", validator.err, validator.log.tail())
	default:
	}
	if verdicts := validator.log.verdicts(); len(verdicts) > 0 {
		t.Fatalf("a run ended before its findings arrived: %+v", verdicts)
	}
	if found := messages(t, ctx, brokers); found != 0 {
		t.Fatalf("%d findings arrived at a Kafka that is away", found)
	}

	away.Store(false)
	if err := s.watch(ctx, validator); err != nil {
		t.Fatal(err)
	}
	if status, err := validator.status(); status != 1 || err != nil {
		t.Fatalf("the validator ended with status %d, %v\n%s", status, err, validator.log.tail())
	}
	var found harm
	for _, v := range validator.log.verdicts() {
		if !v.Complete {
			t.Errorf("the comparison of %s is not complete", v.Pair)
		}
		found.missing += v.Findings.Missing
		found.changed += v.Findings.Changed
		found.extra += v.Findings.Extra
	}
	if found != s.done {
		t.Errorf("the damage was %s; the validator found %s", s.done, found)
	}
	if arrived := messages(t, ctx, brokers); arrived < found.total() {
		t.Errorf("%d findings arrived of %d", arrived, found.total())
	}
}

// readiness asks /readyz and returns its status and the reason of a condition
// that is not met.
func readiness(t *testing.T, ctx context.Context, s *service, condition string) (status int, reason string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.log.address()+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatalf("ask /readyz: %v\n%s", err, s.log.tail())
	}
	defer response.Body.Close()
	var answer struct {
		Conditions []struct {
			Name   string `json:"name"`
			Ready  bool   `json:"ready"`
			Detail string `json:"detail"`
		} `json:"conditions"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	for _, c := range answer.Conditions {
		if c.Name == condition && !c.Ready {
			reason = c.Detail
		}
	}
	return response.StatusCode, reason
}

// messages counts the messages of the findings topic; no group has read any.
func messages(t *testing.T, ctx context.Context, brokers []string) int64 {
	t.Helper()
	config := kafka.Config{Brokers: brokers, Partitions: partitions}
	admin, err := kafka.NewAdmin(config)
	if err != nil {
		t.Fatal(err)
	}
	lag, err := admin.GroupLag(ctx, "nobody", config.WithDefaults().Topics().Findings)
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, n := range lag {
		total += n
	}
	return total
}
