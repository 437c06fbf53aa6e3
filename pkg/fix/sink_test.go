package fix_test

import (
	"testing"

	"github.com/trueup/trueup/pkg/fix/sinktest"
	"github.com/trueup/trueup/pkg/row"
)

// The tests of repairs stand on an in-memory sink, which keeps the contract of
// the real ones.
func TestTheInMemorySinkKeepsTheContract(t *testing.T) {
	sinktest.Exercise(t, func(*testing.T) sinktest.Subject {
		p := testPair()
		present := []row.Row{record(1, "a", "1"), record(2, "b", "2"), record(3, "c", "3"), record(4, "d", "4")}
		return sinktest.Subject{
			Sink: newTable(&p.Target, present...), View: &p.Target,
			Present: present, Absent: []row.Row{record(11, "k", "11"), record(12, "l", "12")},
			Refused: row.Row{row.Value("13"), nil, row.Value("5550000"), row.Value("0")}, Secret: "5550000",
			Change: colName, Other: colAmount,
		}
	})
}
