package fix

import (
	"math/rand/v2"
	"testing"
)

// TestEveryOrderKeepsEachMomentFreeOfDuplicates makes up tables of rows with
// values of two unique keys that change places at random, plays the moves, and
// looks for a value that two rows have at the same time.
func TestEveryOrderKeepsEachMomentFreeOfDuplicates(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 1))
		n := 1 + random.IntN(9)
		has, wants := [2][]int{}, [2][]int{}
		for u := range has {
			has[u], wants[u] = random.Perm(n + 2)[:n], random.Perm(n + 2)[:n]
		}
		needs := make([][]need, n)
		for u := range has {
			for i, want := range wants[u] {
				for j, value := range has[u] {
					if value == want && i != j {
						needs[i] = append(needs[i], need{j, u})
					}
				}
			}
		}
		moves, stuck := order(needs, func(need) bool { return true })
		if len(stuck) > 0 {
			t.Fatalf("seed %d: %v are stuck", seed, stuck)
		}
		written := map[int]bool{}
		for step, m := range moves {
			for k, i := range m.rows {
				if m.park {
					has[m.unique[k]][i] = -1 - i
					continue
				}
				has[0][i], has[1][i], written[i] = wants[0][i], wants[1][i], true
			}
			for u := range has {
				seen := map[int]bool{}
				for _, value := range has[u] {
					if seen[value] {
						t.Fatalf("seed %d: after move %d of %v two rows have %d of key %d", seed, step, moves, value, u)
					}
					seen[value] = true
				}
			}
		}
		if len(written) != n {
			t.Fatalf("seed %d: %d of %d rows are written", seed, len(written), n)
		}
	}
}

func TestOrderParksAsLittleAsItMust(t *testing.T) {
	chain := [][]need{{{1, 0}}, {{2, 0}}, nil}
	if moves, _ := order(chain, func(need) bool { return true }); len(moves) != 3 || moves[0].rows[0] != 2 || moves[2].rows[0] != 0 {
		t.Errorf("a chain: %+v", moves)
	}
	swaps := [][]need{{{1, 0}}, {{0, 0}}, {{3, 0}}, {{2, 0}}}
	moves, _ := order(swaps, func(need) bool { return true })
	if len(moves) != 3 || !moves[0].park || len(moves[0].rows) != 2 {
		t.Errorf("two swaps take one row each out of the way, in one step: %+v", moves)
	}
}

func TestACircleThatNothingOpensIsStuckAndNobodyElse(t *testing.T) {
	// 0 and 1 in a circle, 2 waits for 0; 3 and 4 in a circle that can be opened.
	needs := [][]need{{{1, 0}}, {{0, 0}}, {{0, 1}}, {{4, 1}}, {{3, 1}}}
	moves, stuck := order(needs, func(n need) bool { return n.unique == 1 })
	if len(stuck) != 3 || stuck[0] != 0 || stuck[1] != 1 || stuck[2] != 2 {
		t.Errorf("stuck %v", stuck)
	}
	if len(moves) != 3 || !moves[0].park {
		t.Errorf("moves %+v", moves)
	}
}

func TestOnlyARowThatCanBeParkedIs(t *testing.T) {
	// Of three in a circle only the row that 2 waits for can leave its value.
	needs := [][]need{{{1, 0}}, {{2, 0}}, {{0, 1}}}
	moves, stuck := order(needs, func(n need) bool { return n.unique == 1 })
	if len(stuck) > 0 || len(moves) == 0 || !moves[0].park || moves[0].rows[0] != 0 || moves[0].unique[0] != 1 {
		t.Errorf("stuck %v, moves %+v", stuck, moves)
	}
}
