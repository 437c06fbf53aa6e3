package governor

import (
	"cmp"
	"math"
	"slices"
)

// Claim is what one governor of a process says to those that it shares a
// database with.
type Claim struct {
	// Budget is the database, Governor the one that speaks.
	Budget   string `json:"budget"`
	Governor string `json:"governor"`
	// Most is the number of statements at once that the database's configuration
	// allows all of them together. Where they were told different ones the least counts.
	Most int `json:"most"`
	// Wants says that there is work, or was a moment ago.
	Wants bool `json:"wants"`
	// Holds is the number of statements that may run, or still do.
	Holds float64 `json:"holds"`
}

// Part is what a process may use until it is told otherwise.
type Part struct {
	// Statements are the numbers of statements at once, by governor. Less than one
	// is one for that part of the time.
	Statements map[string]float64 `json:"statements"`
	// Wanted says that others wait for what this process holds beyond that.
	Wanted bool `json:"wanted,omitempty"`
}

// divide gives every process its part of each budget. Those that want something
// get the same, in whole statements as long as there are enough. What somebody
// else holds is not given away before he has let go of it, so that what all of
// them hold never adds up to more than the budget.
func divide(claims map[string][]Claim) map[string]Part {
	parts := map[string]Part{}
	budgets := map[string][]*stake{}
	for process, list := range claims {
		parts[process] = Part{Statements: map[string]float64{}}
		for _, c := range list {
			if c.Most >= 1 { // anything else is no claim
				budgets[c.Budget] = append(budgets[c.Budget], &stake{process: process, Claim: c})
			}
		}
	}
	for _, all := range budgets {
		short := allot(all)
		for _, s := range all {
			part := parts[s.process]
			part.Statements[s.Governor] = s.given
			part.Wanted = part.Wanted || short && s.Holds > s.given+rounding
			parts[s.process] = part
		}
	}
	return parts
}

// stake is a claim, what it is due, and what it is given for now.
type stake struct {
	process string
	Claim
	due, given float64
}

// rounding is far above what adding up the parts of a budget loses, and far
// below the least part.
const rounding = 1e-6

// allot divides one budget, and says whether somebody got less than he is due.
func allot(all []*stake) (short bool) {
	// The order is the same every time, or the odd statement would wander.
	slices.SortFunc(all, func(a, b *stake) int {
		return cmp.Or(cmp.Compare(a.process, b.process), cmp.Compare(a.Governor, b.Governor))
	})
	due(all)
	free := float64(slices.MinFunc(all, func(a, b *stake) int { return cmp.Compare(a.Most, b.Most) }).Most)
	for _, s := range all {
		s.given = min(s.due, s.Holds)
		free -= max(s.given, s.Holds)
	}
	for _, s := range all {
		if s.due <= s.Holds {
			continue
		}
		more := min(s.due-s.Holds, max(free, 0))
		if s.due >= 1 {
			more = math.Floor(s.Holds+more+rounding) - s.Holds // whole statements, or what there was
		}
		if more = max(more, 0); s.due-s.Holds-more > rounding {
			short = true
		}
		s.given = s.Holds + more
		free -= more
	}
	return short
}

// due is what everybody is to have in the end.
func due(all []*stake) {
	most, wanting := all[0].Most, 0
	for _, s := range all {
		most = min(most, s.Most)
		if s.Wants {
			wanting++
		}
	}
	if wanting == 0 {
		return
	}
	each, odd := most/wanting, most%wanting
	for _, s := range all {
		switch {
		case !s.Wants:
		case each == 0:
			s.due = float64(most) / float64(wanting)
		case odd > 0:
			s.due, odd = float64(each+1), odd-1
		default:
			s.due = float64(each)
		}
	}
}
