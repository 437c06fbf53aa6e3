package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/kafka"
)

// known is what a validator says about a pair over HTTP.
type known struct {
	Line     string
	Open     string // protobuf writes 64 bits as a text
	Verified []struct {
		Mode  string
		Until time.Time
	}
}

func (s *service) knows() (k known, ok bool) {
	s.t.Helper()
	status, body := s.get("/api/v1/status")
	var answer struct{ Pairs []struct{ Standing known } }
	if status != 200 || json.Unmarshal([]byte(body), &answer) != nil || len(answer.Pairs) != 1 {
		return k, false
	}
	return answer.Pairs[0].Standing, true
}

func (k known) until() (last time.Time) {
	for _, v := range k.Verified {
		if v.Until.After(last) {
			last = v.Until
		}
	}
	return last
}

// TestKnowledgeAgesWhileTheBrokerIsAway: the metric, the line, the page and readiness
// say so, nothing that is not known is called verified, and everything is made up for
// when the broker is back.
func TestKnowledgeAgesWhileTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	if testing.Short() || !testenv.HasBroker() {
		t.Skip("needs a broker of its own")
	}
	broker := testenv.NewBroker(t, nil)
	w := &world{t: t, direction: direction{maria, postgres}, source: maria.fresh(t), target: postgres.fresh(t)}
	w.kafka = kafka.Config{Brokers: []string{broker.Admin}, Prefix: "away", Partitions: 1, Replication: 1}
	w.configure(w.source, w.target, strings.Replace(incrementalPair, "settle: 1s", "settle: 1s, margin: 1s", 1))
	testenv.Exec(t, w.source, watchedTable(maria))
	testenv.Exec(t, w.target, watchedTable(postgres))
	w.must(0, "trueup", "topics", "create", "--config", w.config)
	v := start(t, "validator", "--config", w.config)
	v.logged("this validator leads")
	insert := func(id int) (before time.Time) {
		before = time.Now()
		testenv.Exec(t, w.source, fmt.Sprintf("INSERT INTO orders (id, state) VALUES (%d, 'only here')", id))
		return before
	}
	insert(1)
	stands(v, map[string]int{"open_rows target_missing": 1})
	eventually(t, func() (bool, string) {
		age := gauge(t, v, "trueup_standing_age_seconds")
		return age < 5, fmt.Sprint(age)
	})

	broker.Kill()
	missed := insert(2) // differs, and nobody can be told
	var said known
	eventually(t, func() (bool, string) {
		var ok bool
		said, ok = v.knows()
		_, page := v.get("/")
		status, ready := v.get("/readyz")
		age, behind := gauge(t, v, "trueup_standing_age_seconds"), verifiedBehind(v)
		if ok && said.until().After(missed) {
			t.Fatalf("verified until %v, and a row of %v differs that no finding tells of", said.until(), missed)
		}
		state := fmt.Sprintf("%+v\nage %v, %v behind\n%d %s", said, age, behind, status, ready)
		return ok && age > 16 && behind > 10 && said.Open == "1" &&
			strings.Contains(said.Line, ", as known ") && strings.Contains(page, ", as known ") &&
			status == 503 && strings.Contains(ready, `"kafka"`) && strings.Contains(ready, `"leader"`) && gauge(t, v, "trueup_validator_leads") == 0, state
	})
	t.Logf("while it was away: %s", said.Line)

	broker.Start()
	stands(v, map[string]int{"open_rows target_missing": 2})
	v.readiness(200, `"ready": true`)
	eventually(t, func() (bool, string) {
		said, _ := v.knows()
		age := gauge(t, v, "trueup_standing_age_seconds")
		return age < 5 && said.until().After(missed) && !strings.Contains(said.Line, "as known"), fmt.Sprintf("%+v, age %v", said, age)
	})
}

// gauge is a metric without labels, -1 where there is none.
func gauge(t *testing.T, s *service, name string) float64 {
	t.Helper()
	_, body := s.get("/metrics")
	for line := range strings.Lines(body) {
		var value float64
		if _, err := fmt.Sscanf(line, name+" %g", &value); err == nil {
			return value
		}
	}
	return -1
}
