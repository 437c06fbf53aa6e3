package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// output prints what runs find: JSON lines, or text for a person. It is safe
// for concurrent use, and every line is written whole.
type output struct {
	json bool

	mu       sync.Mutex
	w        io.Writer
	verdicts []validate.Verdict
	repairs  []repairCount
}

func newOutput(w io.Writer, asJSON bool) *output { return &output{w: w, json: asJSON} }

// findingLine is a finding as --json prints it. What repairing it came to
// follows in fix only.
type findingLine struct {
	Pair    string   `json:"pair"`
	Kind    string   `json:"kind"`
	Key     jsonKey  `json:"key"`
	Columns []string `json:"columns,omitempty"`
	// CollidesWith is a key of the side that lacks the row, which holds it equal.
	CollidesWith jsonKey `json:"collides_with,omitempty"`
	Result       string  `json:"result,omitempty"`
	Action       string  `json:"action,omitempty"`
	Class        string  `json:"class,omitempty"`
	Reason       string  `json:"reason,omitempty"`
}

// findings prints a line for each finding.
func (o *output) findings(list []event.Finding) error {
	var text bytes.Buffer
	for _, f := range list {
		line := findingLine{Pair: f.Pair, Kind: f.Kind.String(), Key: jsonKey(f.Key), Columns: f.Columns, CollidesWith: jsonKey(f.CollidesWith)}
		if err := o.appendFinding(&text, line); err != nil {
			return err
		}
	}
	return o.write(text.Bytes())
}

func (o *output) appendFinding(text *bytes.Buffer, line findingLine) error {
	if o.json {
		return encodeLine(text, line)
	}
	fmt.Fprintf(text, "%s  %-14s  %s", line.Pair, line.Kind, assembly.DescribeKey(event.Key(line.Key)))
	if len(line.Columns) > 0 {
		fmt.Fprintf(text, "  (%s)", strings.Join(line.Columns, ", "))
	}
	if len(line.CollidesWith) > 0 {
		fmt.Fprintf(text, "  collides with %s", assembly.DescribeKey(event.Key(line.CollidesWith)))
	}
	if line.Result != "" {
		fmt.Fprintf(text, "  %s", line.Result)
	}
	if line.Reason != "" {
		fmt.Fprintf(text, ": %s", line.Reason)
	}
	text.WriteByte('\n')
	return nil
}

// verdict prints a verdict as JSON, or keeps it for the summary.
func (o *output) verdict(v validate.Verdict) error {
	o.verdicts = append(o.verdicts, v)
	if !o.json {
		return nil
	}
	var text bytes.Buffer
	if err := encodeLine(&text, struct {
		Verdict validate.Verdict `json:"verdict"`
	}{v}); err != nil {
		return err
	}
	return o.write(text.Bytes())
}

// summary prints a table of the verdicts for a person.
func (o *output) summary() error {
	if o.json || len(o.verdicts) == 0 {
		return nil
	}
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PAIR\tMODE\tMETHOD\tSOURCE ROWS\tTARGET ROWS\tTARGET MISSING\tNEQ\tBASE MISSING\tSECONDS\tVERDICT")
	for _, v := range o.verdicts {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%.1f\t%s\n", v.Pair, v.Mode, or(v.Method, "–"), v.SourceRows, v.TargetRows,
			v.TargetMissing, v.NotEqual, v.BaseMissing, v.Seconds, word(v))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, v := range o.verdicts {
		if v.Reason != "" {
			fmt.Fprintf(&text, "%s: %s\n", v.Pair, v.Reason)
		}
	}
	for _, c := range o.repairs {
		text.WriteString(c.sentence())
	}
	return o.write(text.Bytes())
}

// word is a verdict in a word or two.
func word(v validate.Verdict) string {
	switch {
	case v.Clean:
		return "clean"
	case !v.Complete:
		return "incomplete"
	case v.Findings() > 0:
		return "different"
	default:
		return "not clean"
	}
}

func (o *output) write(text []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.w.Write(text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// encodeLine appends v as one line of JSON, with < and > as they are.
func encodeLine(text *bytes.Buffer, v any) error {
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
