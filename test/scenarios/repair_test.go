package scenarios

import (
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/schema"
)

// repairs has the findings of a run repaired, and looks again: everything
// agrees then but the rows that the copy refuses.
func (c *comparison) repairs(t *testing.T) {
	_, found, err := c.look(t, c.auto, 1000, look{})
	if err != nil {
		t.Fatal(err)
	}
	repairer, err := fix.New(fix.Config{
		Pair: c.auto, Side: event.Source, Epoch: 1, BatchKeys: 4, MaxRefusals: 2,
		Authority: sqlsink.NewReader(c.databases.Source), Sink: sqlsink.New(c.target.writer, &c.auto.Target),
	})
	if c.unrepairable != "" {
		if got := c.sentence(err); got != c.unrepairable {
			t.Errorf("the repair was refused with\n%s\nwant\n%s", got, c.unrepairable)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := repairer.Repair(t.Context(), found)
	if err != nil {
		t.Fatal(err)
	}
	left := c.settled(t, outcomes)
	for _, method := range []schema.Method{schema.Merge, schema.Lookup} {
		if !slices.Contains(c.methods, method.String()) {
			continue
		}
		pair, err := c.as(method)
		if err != nil {
			t.Fatal(err)
		}
		c.check(t, pair, 1000, look{repaired: true}, left)
	}
}

// settled holds outcomes against the expected ones, and returns the lines of
// the findings that are left.
func (c *comparison) settled(t *testing.T, outcomes []event.Outcome) []string {
	t.Helper()
	if len(outcomes) != len(c.findings) {
		t.Errorf("%d outcomes of %d findings", len(outcomes), len(c.findings))
	}
	var dead, left []string
	for _, o := range outcomes {
		key := keyText(o.Key)
		if o.Result == event.Repaired {
			continue
		}
		if o.Result != event.Dead {
			t.Errorf("the repair of %s: %s (%s)", key, o.Result, o.Reason)
			continue
		}
		dead = append(dead, key+" "+o.Class)
		t.Logf("%s is not repairable: %s", key, o.Reason)
		for _, line := range c.findings {
			if fields := strings.SplitN(line, " ", 2); fields[1] == key || strings.HasPrefix(fields[1], key+" ") {
				left = append(left, line)
			}
		}
	}
	slices.Sort(dead)
	slices.Sort(left)
	if !slices.Equal(dead, c.dead) {
		t.Errorf("not repairable:\n%s\nwant\n%s", strings.Join(dead, "\n"), strings.Join(c.dead, "\n"))
	}
	return left
}
