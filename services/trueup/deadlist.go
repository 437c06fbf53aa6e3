package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/services/assembly"
)

// letterLine is a letter as --json prints it.
type letterLine struct {
	Pair     string    `json:"pair,omitempty"`
	Kind     string    `json:"kind,omitempty"`
	Key      jsonKey   `json:"key,omitempty"`
	Class    string    `json:"class"`
	Reason   string    `json:"reason"`
	Attempts int       `json:"attempts"`
	At       time.Time `json:"at"`
	Run      string    `json:"run,omitempty"`
	Epoch    uint64    `json:"epoch,omitempty"`
	Origin   string    `json:"origin"`
	// ValueHex is the beginning of a value that cannot be understood.
	ValueHex string `json:"value_hex,omitempty"`
	Omitted  int    `json:"omitted_bytes,omitempty"`
}

// shownBytes is how much of a message that cannot be understood is shown: enough
// to tell text from protobuf from chance.
const shownBytes = 32

func letterLineOf(l kafka.Letter) letterLine {
	line := letterLine{
		Class: l.Class, Reason: l.Reason, Attempts: l.Attempts(), At: l.Timestamp.UTC(), Origin: l.Origin, Omitted: l.Omitted,
	}
	if l.DecodeErr != nil {
		line.ValueHex = hex.EncodeToString(l.Record.Value[:min(len(l.Record.Value), shownBytes)])
		return line
	}
	f := l.Finding
	line.Pair, line.Kind, line.Key, line.Run, line.Epoch = f.Pair, f.Kind.String(), jsonKey(f.Key), f.Run, f.Epoch
	return line
}

func (a *app) listDead(ctx context.Context, o *office) error {
	out := newOutput(a.stdout, o.json)
	if o.json {
		_, err := o.selected(ctx, func(l kafka.Letter) error { return out.line(letterLineOf(l)) })
		return err
	}
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	listed := 0
	left, err := o.selected(ctx, func(l kafka.Letter) error {
		if listed++; listed == 1 {
			fmt.Fprintln(table, "AGE\tPAIR\tKEY\tCLASS\tATTEMPTS\tORIGIN\tREASON")
		}
		line := letterLineOf(l)
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", age(time.Since(line.At)), or(line.Pair, "–"), line.subject(),
			line.Class, line.Attempts, line.Origin, strings.Join(strings.Fields(line.Reason), " "))
		return nil
	})
	if err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	switch {
	case listed == 0:
		text.WriteString("no open letters\n")
	case left > 0:
		fmt.Fprintf(&text, "and %d more; --limit 0 lists all\n", left)
	}
	return out.write(text.Bytes())
}

// subject is what the letter is about, for a person.
func (l letterLine) subject() string {
	switch {
	case len(l.Key) > 0:
		return assembly.DescribeKey(event.Key(l.Key))
	case l.Omitted > 0:
		return fmt.Sprintf("%d bytes, left out", l.Omitted)
	default:
		return "hex " + or(l.ValueHex, "of nothing")
	}
}

// age is a duration in its greatest unit.
func age(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	case d >= time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d >= time.Minute:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	default:
		return fmt.Sprintf("%ds", max(int(d.Seconds()), 0))
	}
}

// line prints a value as a line of JSON.
func (o *output) line(v any) error {
	var text bytes.Buffer
	if err := encodeLine(&text, v); err != nil {
		return err
	}
	return o.write(text.Bytes())
}

// namesKey says whether a text from the command line means the key: as messages
// show it, or its values with commas between them.
func namesKey(text string, key event.Key) bool {
	values := make([]string, len(key))
	for i, c := range key {
		values[i] = string(c.Value)
	}
	return text == assembly.DescribeKey(key) || text == strings.Join(values, ",")
}
