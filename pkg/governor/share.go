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
	// Uses is the number of statements at once that were asked for of late, 0 where that
	// is not known, and Rests says that none was in the last second. Who uses less than he
	// is due leaves the rest to those that lack it.
	Uses  int  `json:"uses,omitempty"`
	Rests bool `json:"rests,omitempty"`
	// Machine tells the machines apart on which processes divide the processors; empty
	// where it is not known, or not to be divided.
	Machine string `json:"machine,omitempty"`
}

// Part is what a process may use until it is told otherwise.
type Part struct {
	// Statements are the numbers of statements at once, by governor. Less than one
	// is one for that part of the time.
	Statements map[string]float64 `json:"statements"`
	// Wanted says that others wait for what this process holds beyond that.
	Wanted bool `json:"wanted,omitempty"`
	// Lacking names the governors whose budgets do not have what all could use: what one
	// of them does not use, others would.
	Lacking map[string]bool `json:"lacking,omitempty"`
	// Neighbours is the number of other processes of the same Machine that are at work.
	Neighbours int `json:"neighbours,omitempty"`
}

// divide gives every process its part of each budget. Those that want something
// get the same, in whole statements as long as there are enough. What somebody
// else holds is not given away before he has let go of it, so that what all of
// them hold never adds up to more than the budget.
func divide(claims map[string][]Claim) map[string]Part {
	parts := map[string]Part{}
	budgets := map[string][]*stake{}
	for process, list := range claims {
		parts[process] = Part{Statements: map[string]float64{}, Lacking: map[string]bool{}, Neighbours: neighbours(process, claims)}
		for _, c := range list {
			if c.Most >= 1 { // anything else is no claim
				budgets[c.Budget] = append(budgets[c.Budget], &stake{process: process, Claim: c})
			}
		}
	}
	for _, all := range budgets {
		short, lacking := allot(all)
		for _, s := range all {
			part := parts[s.process]
			part.Statements[s.Governor] = s.given
			if lacking {
				part.Lacking[s.Governor] = true
			}
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
	could      int // statements at once that it could use, 0 when it rests
	due, given float64
}

// rounding is far above what adding up the parts of a budget loses, and far
// below the least part.
const rounding = 1e-6

// allot divides one budget, and says whether somebody got less than he is due, and
// whether somebody could use more than that.
func allot(all []*stake) (short, lacking bool) {
	// The order is the same every time, or who is given what is free would wander.
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
	return short, slices.ContainsFunc(all, (*stake).lacks)
}

// due is what everybody is to have in the end: the same, but that who uses less than
// that leaves the rest to those that lack it (max-min fairness). What nobody uses is
// divided too, for whoever needs it next.
func due(all []*stake) {
	var wanting []*stake
	most := all[0].Most
	for _, s := range all {
		most = min(most, s.Most)
		if s.Wants {
			wanting = append(wanting, s)
		}
	}
	if len(wanting) == 0 {
		return
	}
	if most < len(wanting) {
		for _, s := range wanting {
			s.due = float64(most) / float64(len(wanting))
		}
		return
	}
	for _, s := range wanting {
		switch {
		case s.Rests:
		case s.Uses > 0:
			s.could = min(s.Uses, most)
		default:
			s.could = most
		}
	}
	// Who comes later has what remains, which is one more where it does not come out even.
	slices.SortFunc(wanting, func(a, b *stake) int {
		return cmp.Or(cmp.Compare(a.could, b.could), cmp.Compare(b.process, a.process), cmp.Compare(b.Governor, a.Governor))
	})
	left := most
	for i, s := range wanting {
		give := min(max(s.could, 1), left/(len(wanting)-i)) // who rests begins with one
		s.due = float64(give)
		left -= give
	}
	takers := wanting
	if awake := slices.IndexFunc(wanting, func(s *stake) bool { return !s.Rests }); awake > 0 {
		takers = wanting[awake:]
	}
	for i, s := range slices.Backward(takers) { // what nobody uses
		give := (left + i) / (i + 1)
		s.due += float64(give)
		left -= give
	}
}

// lacks says that it could use more than it is due.
func (s *stake) lacks() bool { return float64(s.could) > s.due }

// neighbours counts the other processes that are at work on the same machine.
func neighbours(process string, claims map[string][]Claim) (n int) {
	for other, list := range claims {
		if other != process && slices.ContainsFunc(list, Claim.works) && len(claims[process]) > 0 &&
			list[0].Machine != "" && list[0].Machine == claims[process][0].Machine {
			n++
		}
	}
	return n
}

// works says that there is work now, and not only was a moment ago.
func (c Claim) works() bool { return c.Wants && !c.Rests }
