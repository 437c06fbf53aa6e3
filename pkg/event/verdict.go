package event

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

// Verdict is what a run of a pair concluded, as it is kept for later.
type Verdict struct {
	Pair string `json:"pair"`
	Run  string `json:"run"`
	Mode string `json:"mode"`
	// Method is how ranges were compared.
	Method    string    `json:"method"`
	Epoch     uint64    `json:"epoch"`
	Authority string    `json:"authority"`
	Began     time.Time `json:"began"`
	Ended     time.Time `json:"ended"`
	// Complete: every row was read, and looked at again where it differed. Clean:
	// and nothing was found, nothing left undecided.
	Complete bool `json:"complete"`
	Clean    bool `json:"clean"`
	// SourceRows and TargetRows are the rows that were read.
	SourceRows int64 `json:"source_rows"`
	TargetRows int64 `json:"target_rows"`
	// TargetMissing, NotEqual and BaseMissing count findings.
	TargetMissing int64 `json:"target_missing"`
	NotEqual      int64 `json:"neq"`
	BaseMissing   int64 `json:"base_missing"`
	// Unreadable counts ranges, Undecided rows that changed each time they were
	// looked at, or that the copy was too late for.
	Unreadable int64 `json:"unreadable"`
	Undecided  int64 `json:"undecided"`
	// Reason says why the verdict is not complete, or not clean; empty otherwise.
	Reason string `json:"reason,omitempty"`
	// Covers is what the verdict speaks of.
	Covers Covers `json:"covers"`
	// Config is a digest of the configuration of the run: the same one for the
	// same configuration. No password is part of it.
	Config string `json:"config"`
}

// Covers is what a verdict speaks of, and so what it does not.
type Covers struct {
	// Source and Target are the tables.
	Source string `json:"source"`
	Target string `json:"target"`
	// SourceWhere and TargetWhere filter the rows; empty for all.
	SourceWhere string `json:"source_where,omitempty"`
	TargetWhere string `json:"target_where,omitempty"`
	// Columns are those that were compared, as the source names them.
	Columns []string `json:"columns"`
	// Loosened are columns that are not compared exactly, each with its rule.
	Loosened []string `json:"loosened,omitempty"`
}

// String is what is covered as a part of a sentence.
func (c Covers) String() string {
	var b strings.Builder
	rows := func(table, where string) string {
		if where == "" {
			return "all rows of " + table
		}
		return fmt.Sprintf("the rows of %s where %s", table, where)
	}
	fmt.Fprintf(&b, "%s (source) and %s (target), in %d columns", rows(c.Source, c.SourceWhere), rows(c.Target, c.TargetWhere), len(c.Columns))
	if len(c.Loosened) > 0 {
		fmt.Fprintf(&b, ", loosened by rules: %s", strings.Join(c.Loosened, "; "))
	}
	return b.String()
}

// MaxVerdicts is how many verdicts of a pair are kept of each mode: of nightly runs
// those of three weeks, in a record far below what a broker takes. Frequent runs of
// one mode must not have the last one of another forgotten.
const MaxVerdicts = 20

// Verdicts are the last verdicts of a pair in each mode, by when they ended.
type Verdicts struct {
	Pair string
	List []Verdict
}

// Merge takes in verdicts that v may lack. In whatever order records come, and
// however often, the same verdicts are known in the end, so that nobody who
// writes late takes away what somebody else has written.
func (v *Verdicts) Merge(o Verdicts) {
	for _, verdict := range o.List {
		same := func(known Verdict) bool { return known.Run == verdict.Run && known.Ended.Equal(verdict.Ended) }
		if !slices.ContainsFunc(v.List, same) {
			v.List = append(v.List, verdict)
		}
	}
	slices.SortFunc(v.List, func(a, b Verdict) int {
		if order := a.Ended.Compare(b.Ended); order != 0 {
			return order
		}
		return strings.Compare(a.Run, b.Run)
	})
	kept := map[string]int{}
	newest := make([]Verdict, 0, len(v.List))
	for _, verdict := range slices.Backward(v.List) {
		if kept[verdict.Mode]++; kept[verdict.Mode] <= MaxVerdicts {
			newest = append(newest, verdict)
		}
	}
	slices.Reverse(newest)
	v.List = newest
}

// Verdicts encodes a pair's verdicts.
func (e Encoder) Verdicts(v Verdicts) (Record, error) {
	value, err := MarshalVerdicts(v, e.ContentType)
	at := time.Time{}
	if len(v.List) > 0 {
		at = v.List[len(v.List)-1].Ended
	}
	key := StateKey(StateVerdicts, v.Pair)
	return Record{key, value, e.headers("Verdicts", string(key)+"/"+at.UTC().Format(time.RFC3339Nano), at, "")}, err
}

// DecodeVerdicts reads a pair's verdicts from a record.
func DecodeVerdicts(r Record) (Verdicts, error) {
	return UnmarshalVerdicts(r.Value, r.Headers[HeaderContentType])
}

// MarshalVerdicts encodes verdicts, under the same terms as MarshalFinding.
func MarshalVerdicts(v Verdicts, contentType string) ([]byte, error) {
	m, err := verdictsToWire(v)
	return marshal("verdicts", m, contentType, err)
}

// UnmarshalVerdicts decodes verdicts, under the same terms as UnmarshalFinding.
func UnmarshalVerdicts(data []byte, contentType string) (Verdicts, error) {
	return unmarshal("verdicts", data, contentType, new(eventv1.Verdicts), verdictsFromWire)
}

func verdictsToWire(v Verdicts) (*eventv1.Verdicts, error) {
	m, err := &eventv1.Verdicts{Pair: v.Pair}, required("pair", v.Pair)
	for _, verdict := range v.List {
		one, errOne := verdictToWire(verdict)
		m.Verdicts, err = append(m.Verdicts, one), errors.Join(err, errOne)
	}
	return m, err
}

func verdictsFromWire(m *eventv1.Verdicts) (Verdicts, error) {
	v, err := Verdicts{Pair: m.GetPair()}, required("pair", m.GetPair())
	for _, one := range m.GetVerdicts() {
		verdict, errOne := verdictFromWire(m.GetPair(), one)
		v.List, err = append(v.List, verdict), errors.Join(err, errOne)
	}
	return v, err
}

func verdictToWire(v Verdict) (*eventv1.Verdict, error) {
	began, errBegan := timeToWire("began_at", v.Began)
	ended, errEnded := timeToWire("ended_at", v.Ended)
	c := v.Covers
	return &eventv1.Verdict{
		Run: v.Run, Mode: v.Mode, Method: v.Method, Epoch: v.Epoch, Authority: v.Authority, BeganAt: began, EndedAt: ended,
		Complete: v.Complete, Clean: v.Clean, SourceRows: v.SourceRows, TargetRows: v.TargetRows,
		TargetMissing: v.TargetMissing, NotEqual: v.NotEqual, BaseMissing: v.BaseMissing,
		Unreadable: v.Unreadable, Undecided: v.Undecided, Reason: strings.ToValidUTF8(v.Reason, "\uFFFD"), Config: v.Config,
		Covers: &eventv1.Covers{
			Source: c.Source, Target: c.Target, SourceWhere: c.SourceWhere, TargetWhere: c.TargetWhere,
			Columns: c.Columns, Loosened: c.Loosened,
		},
	}, errors.Join(required("run", v.Run), errBegan, errEnded)
}

func verdictFromWire(pair string, m *eventv1.Verdict) (Verdict, error) {
	began, errBegan := timeFromWire("began_at", m.GetBeganAt())
	ended, errEnded := timeFromWire("ended_at", m.GetEndedAt())
	c := m.GetCovers()
	return Verdict{
		Pair: pair, Run: m.GetRun(), Mode: m.GetMode(), Method: m.GetMethod(), Epoch: m.GetEpoch(), Authority: m.GetAuthority(),
		Began: began, Ended: ended, Complete: m.GetComplete(), Clean: m.GetClean(), SourceRows: m.GetSourceRows(), TargetRows: m.GetTargetRows(),
		TargetMissing: m.GetTargetMissing(), NotEqual: m.GetNotEqual(), BaseMissing: m.GetBaseMissing(),
		Unreadable: m.GetUnreadable(), Undecided: m.GetUndecided(), Reason: m.GetReason(), Config: m.GetConfig(),
		Covers: Covers{
			Source: c.GetSource(), Target: c.GetTarget(), SourceWhere: c.GetSourceWhere(), TargetWhere: c.GetTargetWhere(),
			Columns: c.GetColumns(), Loosened: c.GetLoosened(),
		},
	}, errors.Join(required("run", m.GetRun()), errBegan, errEnded)
}
