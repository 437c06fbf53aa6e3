package validate

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/row"
)

// Verdict is what a run concludes. Only a verdict that is clean says that the
// sides agree; one that is not complete says so and why.
type Verdict struct {
	Pair   string
	Run    string
	Mode   string
	Method string
	// Complete: every range was read and every suspect was looked at again.
	Complete bool
	// Clean: complete, nothing found, nothing open, nothing unreadable, nothing
	// outside. In reverse mode it speaks of the rows the copy has. Counting never gives a
	// clean verdict: equal counts are a hint.
	Clean bool
	// SourceRows and TargetRows are the rows read; where a method looks keys
	// up, the rows it found.
	SourceRows, TargetRows int64
	// TargetMissing, NotEqual and BaseMissing count published findings.
	TargetMissing, NotEqual, BaseMissing int64
	// Unreadable counts ranges of which something could not be read.
	Unreadable int64
	// UnreadableRanges are the first of them, not part of the published form.
	UnreadableRanges []UnreadableRange
	// Open counts rows of which nothing could be concluded: those that changed
	// each time they were looked at, and the Late ones, which still differed
	// when the wait for a copy that is behind had ended.
	Open, Late int64
	// Outside counts the target's rows that belong to none of the shards that
	// share it. They are looked for by the first shard's runs.
	Outside int64
	// Behind is the longest replication delay that was measured; 0 when none
	// was, or no difference had to wait.
	Behind time.Duration
	// Windows is what counting by time gave; nil otherwise.
	Windows *Windows
	// Seconds is the time this process worked on the run.
	Seconds float64
	// Resumed: the run went on where an earlier process had stopped; the
	// counts include what that one settled.
	Resumed bool
	// Collisions counts those of TargetMissing whose keys the copy's collation
	// holds equal to the key of a row it has.
	Collisions int64
	// Reason says why the verdict is not complete, not clean although nothing
	// was found, or why rows are missing that cannot be there; empty otherwise.
	Reason string
}

// UnreadableRange is a range of which something could not be read, and why.
type UnreadableRange struct {
	Range  row.Range
	Reason string
}

// Findings is the number of published findings.
func (v Verdict) Findings() int64 { return v.TargetMissing + v.NotEqual + v.BaseMissing }

type verdictJSON struct {
	Pair     string `json:"pair"`
	Mode     string `json:"mode"`
	Complete bool   `json:"complete"`
	Clean    bool   `json:"clean"`
	Rows     struct {
		Source int64 `json:"source"`
		Target int64 `json:"target"`
	} `json:"rows"`
	Findings struct {
		TargetMissing int64 `json:"target_missing"`
		NotEqual      int64 `json:"neq"`
		BaseMissing   int64 `json:"base_missing"`
	} `json:"findings"`
	Unreadable int64        `json:"unreadable"`
	Seconds    float64      `json:"seconds"`
	Method     string       `json:"method"`
	Open       int64        `json:"open"`
	Late       int64        `json:"late,omitempty"`
	Collisions int64        `json:"collisions,omitempty"`
	Windows    *windowsJSON `json:"windows,omitempty"`
	Behind     float64      `json:"behind_seconds,omitempty"`
	Outside    int64        `json:"outside,omitempty"`
	Run        string       `json:"run,omitempty"`
	Resumed    bool         `json:"resumed,omitempty"`
	Reason     string       `json:"reason,omitempty"`
}

type windowsJSON struct {
	Column  string  `json:"column"`
	Width   float64 `json:"width_seconds"`
	Counted int     `json:"counted"`
	Unequal int     `json:"unequal"`
}

// MarshalJSON writes the verdict in its published form.
func (v Verdict) MarshalJSON() ([]byte, error) {
	out := verdictJSON{
		Pair: v.Pair, Mode: v.Mode, Complete: v.Complete, Clean: v.Clean, Unreadable: v.Unreadable,
		Seconds: v.Seconds, Method: v.Method, Open: v.Open, Late: v.Late, Collisions: v.Collisions, Outside: v.Outside, Behind: v.Behind.Seconds(), Run: v.Run, Resumed: v.Resumed, Reason: v.Reason,
	}
	out.Rows.Source, out.Rows.Target = v.SourceRows, v.TargetRows
	out.Findings.TargetMissing, out.Findings.NotEqual, out.Findings.BaseMissing = v.TargetMissing, v.NotEqual, v.BaseMissing
	if w := v.Windows; w != nil {
		out.Windows = &windowsJSON{Column: w.Column, Width: w.Width.Seconds(), Counted: w.Counted, Unequal: w.Unequal}
	}
	return json.Marshal(out)
}

// Line is the verdict as a line of JSON output: {"verdict":{…}}, without the newline.
func (v Verdict) Line() ([]byte, error) {
	return json.Marshal(struct {
		Verdict Verdict `json:"verdict"`
	}{v})
}

// Summary is the verdict as a sentence for a person.
func (v Verdict) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", v.Pair)
	switch {
	case v.Clean:
		b.WriteString("clean")
	case !v.Complete:
		b.WriteString("not complete")
	case v.Findings() > 0:
		b.WriteString("different")
	default:
		b.WriteString("not clean")
	}
	fmt.Fprintf(&b, "; %d rows at the source, %d at the target; %d target_missing, %d neq, %d base_missing",
		v.SourceRows, v.TargetRows, v.TargetMissing, v.NotEqual, v.BaseMissing)
	if v.Reason != "" {
		fmt.Fprintf(&b, "; %s", v.Reason)
	}
	return b.String()
}
