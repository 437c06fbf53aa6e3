package integration

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

func findingOf(pair string, id int) event.Finding {
	return event.Finding{
		ID: fmt.Sprintf("%s%d", pair, id), Kind: event.TargetMissing, Pair: pair, Run: "retry", Epoch: 1, DetectedAt: time.Now(),
		Key: event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(strconv.Itoa(id))}},
	}
}

// TestAChildWaitsForItsParentAndOthersDoNotWaitForTheChild has the findings of
// children arrive before those of their parents. They go round by the retry
// topic, also over the end of a fixer, until the parent is there or the time is up.
func TestAChildWaitsForItsParentAndOthersDoNotWaitForTheChild(t *testing.T) {
	t.Parallel()
	for _, d := range []direction{{postgres, maria}, {maria, postgres}} {
		t.Run(d.String(), func(t *testing.T) {
			w := newWorld(t, d, "pairs: [{name: parent}, {name: child}]\nfixer: {retry_delay: 400ms, retry_for: 8s}")
			for _, dsn := range []string{w.source, w.target} {
				testenv.Exec(t, dsn, "CREATE TABLE parent (id INT PRIMARY KEY, v INT)",
					"CREATE TABLE child (id INT PRIMARY KEY, parent INT, CONSTRAINT kin FOREIGN KEY (parent) REFERENCES parent (id))")
			}
			testenv.Exec(t, w.source, "INSERT INTO parent VALUES (1, 1), (2, 2)", "INSERT INTO child VALUES (1, 1), (2, 2), (3, NULL)")
			copied := testenv.Open(t, w.target)
			children := func(where string) (n int) {
				if err := copied.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM child WHERE "+where).Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n
			}
			first := start(t, "fixer", "--config", w.config)
			w.publish([]event.Finding{findingOf("child", 1), findingOf("child", 2), findingOf("child", 3)})
			eventually(t, func() (bool, string) {
				_, body := first.get("/metrics")
				for _, line := range strings.Split(body, "\n") {
					if strings.HasPrefix(line, "trueup_kafka_handled_total") && strings.Contains(line, "findings.retry") && !strings.HasSuffix(line, " 0") {
						return children("id = 3") == 1, "the child without a parent is not there"
					}
				}
				return false, "nothing came round by the retry topic"
			})
			first.stop()
			second := start(t, "fixer", "--config", w.config)
			w.publish([]event.Finding{findingOf("parent", 1)})
			eventually(t, func() (bool, string) {
				return children("id = 1") == 1, "child 1 is not there"
			})
			second.logged("finding not repaired", "child2", "reference", "kin")
			if n := children("id = 2"); n != 0 {
				t.Error("child 2 is there without its parent")
			}
		})
	}
}
