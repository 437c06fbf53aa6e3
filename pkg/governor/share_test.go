package governor

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// claimOf is a process's claim of one budget.
func claimOf(most int, wants bool, holds float64) []Claim {
	return []Claim{{Budget: "source", Governor: "source reads", Most: most, Wants: wants, Holds: holds}}
}

// using is a claim of a budget of 6 by one who has used so many statements of late.
func using(uses int) []Claim {
	c := claimOf(6, true, 0)
	c[0].Uses, c[0].Rests = uses, uses == 0
	return c
}

func TestABudgetIsDividedAmongThoseThatHaveWork(t *testing.T) {
	for name, c := range map[string]struct {
		claims map[string][]Claim
		want   map[string]float64
		wanted []string // of whom others wait for something
	}{
		"alone":              {map[string][]Claim{"a": claimOf(6, true, 0)}, map[string]float64{"a": 6}, nil},
		"idle":               {map[string][]Claim{"a": claimOf(6, false, 6)}, map[string]float64{"a": 0}, nil},
		"idle beside busy":   {map[string][]Claim{"a": claimOf(6, true, 6), "b": claimOf(6, false, 0)}, map[string]float64{"a": 6, "b": 0}, nil},
		"evenly":             {map[string][]Claim{"a": claimOf(6, true, 0), "b": claimOf(6, true, 0)}, map[string]float64{"a": 3, "b": 3}, nil},
		"an odd statement":   {map[string][]Claim{"a": claimOf(5, true, 0), "b": claimOf(5, true, 0)}, map[string]float64{"a": 3, "b": 2}, nil},
		"the newcomer waits": {map[string][]Claim{"a": claimOf(6, true, 6), "b": claimOf(6, true, 0)}, map[string]float64{"a": 3, "b": 0}, []string{"a"}},
		"what is free is given at once": {
			map[string][]Claim{"a": claimOf(6, true, 4), "b": claimOf(6, true, 0)},
			map[string]float64{"a": 3, "b": 2},
			[]string{"a"},
		},
		"let go":                    {map[string][]Claim{"a": claimOf(6, true, 3), "b": claimOf(6, true, 0)}, map[string]float64{"a": 3, "b": 3}, nil},
		"an idle one still at work": {map[string][]Claim{"a": claimOf(6, false, 2), "b": claimOf(6, true, 3)}, map[string]float64{"a": 0, "b": 4}, []string{"a"}},
		"more processes than statements": {
			map[string][]Claim{"a": claimOf(2, true, 0), "b": claimOf(2, true, 0), "c": claimOf(2, true, 0), "d": claimOf(2, true, 0)},
			map[string]float64{"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.5},
			nil,
		},
		"told different sizes":           {map[string][]Claim{"a": claimOf(6, true, 0), "b": claimOf(4, true, 0)}, map[string]float64{"a": 2, "b": 2}, nil},
		"who needs less leaves the rest": {map[string][]Claim{"a": using(1), "b": using(6)}, map[string]float64{"a": 1, "b": 5}, nil},
		"each less than the last":        {map[string][]Claim{"a": using(6), "b": using(2), "c": using(1)}, map[string]float64{"a": 3, "b": 2, "c": 1}, nil},
		"what nobody needs":              {map[string][]Claim{"a": using(1), "b": using(2)}, map[string]float64{"a": 2, "b": 4}, nil},
		"who rests can begin":            {map[string][]Claim{"a": using(0), "b": using(1)}, map[string]float64{"a": 1, "b": 5}, nil},
		"all rest":                       {map[string][]Claim{"a": using(0), "b": using(0)}, map[string]float64{"a": 3, "b": 3}, nil},
		"one that does not say":          {map[string][]Claim{"a": claimOf(6, true, 0), "b": using(2)}, map[string]float64{"a": 4, "b": 2}, nil},
		"no claim":                       {map[string][]Claim{"a": claimOf(6, true, 0), "b": claimOf(0, true, 0), "c": nil}, map[string]float64{"a": 6, "b": 0, "c": 0}, nil},
	} {
		parts := divide(c.claims)
		var wanted []string
		for _, process := range slices.Sorted(maps.Keys(parts)) {
			if got := parts[process].Statements["source reads"]; got != c.want[process] {
				t.Errorf("%s: %s gets %v, want %v", name, process, got, c.want[process])
			}
			if parts[process].Wanted {
				wanted = append(wanted, process)
			}
		}
		if len(parts) != len(c.claims) || !slices.Equal(wanted, c.wanted) {
			t.Errorf("%s: %d parts, %q are waited for, want %q", name, len(parts), wanted, c.wanted)
		}
	}
}

func TestReadsAndWritesOfADatabaseAreOneBudget(t *testing.T) {
	both := []Claim{
		{Budget: "target", Governor: "target reads", Most: 6, Wants: true},
		{Budget: "target", Governor: "target writes", Most: 6, Wants: true},
		{Budget: "source", Governor: "source reads", Most: 4, Wants: true},
	}
	parts := divide(map[string][]Claim{"fixer": both, "validator": both[:1]})
	if got := fmt.Sprint(parts["fixer"].Statements, parts["validator"].Statements); got != "map[source reads:4 target reads:2 target writes:2] map[target reads:2]" {
		t.Error(got)
	}
}

// What is held never adds up to more than the budget, whatever comes, goes and
// lets go in whatever order, and in the end everybody has what he is due.
func TestPartsNeverAddUpToMoreThanTheBudget(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 5))
	for range 300 {
		most, claims := 1+dice.IntN(20), map[string][]Claim{}
		for range 60 {
			process := string(rune('a' + dice.IntN(12)))
			switch dice.IntN(4) {
			case 0:
				delete(claims, process) // and what it held with it
			case 1, 2:
				holds := 0.0
				if c := claims[process]; c != nil {
					holds = c[0].Holds
				}
				claims[process] = claimOf(most, dice.IntN(3) > 0, holds)
				claims[process][0].Uses, claims[process][0].Rests = dice.IntN(most+2), dice.IntN(4) == 0
			}
			held := 0.0
			for process, part := range divide(claims) {
				given := part.Statements["source reads"]
				if claims[process][0].Holds > given && dice.IntN(2) == 0 {
					given = claims[process][0].Holds // its statements take longer
				}
				claims[process][0].Holds = given
				held += given
			}
			if held > float64(most)+rounding*20 {
				t.Fatalf("%v statements of %d are held: %v", held, most, claims)
			}
		}
		for range 2 { // one to let go, one to take
			for process, part := range divide(claims) {
				claims[process][0].Holds = part.Statements["source reads"]
			}
		}
		held, wanting := 0.0, false
		for process, part := range divide(claims) {
			held += part.Statements["source reads"]
			wanting = wanting || claims[process][0].Wants
			if part.Wanted {
				t.Fatalf("%s is still waited for: %v", process, claims)
			}
		}
		if wanting && (held < float64(most)-rounding || held > float64(most)+rounding) {
			t.Fatalf("%v statements of %d are held in the end: %v", held, most, claims)
		}
	}
}

func TestNeighboursAreAtWorkOnTheSameMachine(t *testing.T) {
	on := func(machine string, wants, rests bool) []Claim {
		return []Claim{{Budget: "target", Governor: "target reads", Most: 6, Machine: machine}, {Budget: "source", Governor: "source reads", Most: 6, Machine: machine, Wants: wants, Rests: rests}}
	}
	parts := divide(map[string][]Claim{
		"a": on("one", true, false), "b": on("one", true, false), "rests": on("one", true, true), "idle": on("one", false, true),
		"c": on("two", true, false), "d": on("", true, false), "e": on("", true, false), "none": nil,
	})
	for process, want := range map[string]int{"a": 1, "b": 1, "rests": 2, "idle": 2, "c": 0, "d": 0, "e": 0, "none": 0} {
		if got := parts[process].Neighbours; got != want {
			t.Errorf("%s has %d neighbours, want %d", process, got, want)
		}
	}
}
