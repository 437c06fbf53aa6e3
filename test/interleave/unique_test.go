package interleave

import (
	"fmt"
	"testing"
)

// TestRowsThatSwappedAUniqueValue are repaired while, at each point, one of them
// goes and the other takes its value. The second model of docs/model has all of
// such histories; these are the ones that a server can be stopped in.
func TestRowsThatSwappedAUniqueValueEndEqual(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		for _, point := range allPoints {
			for _, rows := range [][]int{{1}, {2}, {1, 2}} {
				t.Run(fmt.Sprint(point, ", rows ", rows), func(t *testing.T) {
					s.empty(t)
					for id := 1; id <= 2; id++ {
						s.authority.exec(t, fmt.Sprintf("INSERT INTO accounts VALUES (%d, 5, %d)", id, id))
						s.copy.exec(t, fmt.Sprintf("INSERT INTO accounts VALUES (%d, 5, %d)", id, 3-id))
					}
					move := []string{"DELETE FROM accounts WHERE id = 2", "UPDATE accounts SET code = 2, version = 6 WHERE id = 1"}
					p := newPoints(t).at(point, func() {
						for _, statement := range move {
							s.authority.exec(t, statement)
						}
					})
					s.repair(t, s.config(p), rows...)
					for _, statement := range move { // the replicator comes last
						s.copy.exec(t, statement)
					}
					s.wantEqual(t)
				})
			}
		}
	})
}
