package kafka

import (
	"strings"
	"testing"
)

func TestWhatIsWrongWithTheTopicsIsOneSentence(t *testing.T) {
	if err := topicsError(nil, nil); err != nil {
		t.Errorf("topics as they should be give %v", err)
	}
	err := topicsError([]string{"t.findings", "t.outcomes", "t.state"}, []string{"topic t.tasks has 3 partitions"})
	want := "topic t.findings does not exist (nor do t.outcomes, t.state): run `trueup topics create`, " +
		"or set kafka.prefix to that of the topics you have; topic t.tasks has 3 partitions"
	if err == nil || err.Error() != want || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
