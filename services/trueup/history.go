package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/audit"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// defaultEntries is about what fits on a screen or two.
const defaultEntries = 100

func (a *app) historyCommand() *cobra.Command {
	var config, since string
	var entries int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "history PAIR KEY --config FILE",
		Short: "Tell the story of a row: when it was found, and what became of that",
		Long: `history reads the topics of findings and outcomes and prints what they say about
one row, in the order of time. Only what the topics still keep is there.

` + keyHelp + `

Values are shown as far as outcomes keep them (images of the pair).`,
		Example: example(`
trueup history orders 4711 --config trueup.yaml
trueup history lines "order=4711, line=2" --config trueup.yaml --since 24h`),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage("want a pair and a key: trueup history orders 4711 --config trueup.yaml")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(args[1])
			if err != nil {
				return err
			}
			from, err := parseSince(since, time.Now())
			if err != nil {
				return err
			}
			if entries < 1 {
				return usage("--entries %d: say at least 1", entries)
			}
			return a.history(cmd.Context(), config, args[0], key, from, entries, asJSON)
		},
		ValidArgsFunction: pairArgument,
	}
	f := cmd.Flags()
	f.StringVar(&config, "config", "", "`FILE` of the services")
	f.StringVar(&since, "since", "", "only what was written since a `time`: 2026-11-22T09:00:00Z, a date, or 24h for a day ago")
	f.IntVar(&entries, "entries", defaultEntries, "the newest `N` entries")
	f.BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func (a *app) history(ctx context.Context, config, name string, key row.Key, since time.Time, entries int, asJSON bool) error {
	p, err := openPast(ctx, config)
	if err != nil {
		return err
	}
	defer p.close()
	pairs, err := choose(p.file.Pairs, []string{name}, config)
	if err != nil {
		return err
	}
	told := 0
	for _, pair := range pairs {
		story, err := p.log.Story(ctx, event.RowKey(pair.Name, key), since, entries)
		if err != nil {
			return err
		}
		told += len(story)
		if err := a.tell(pair.Name, story, asJSON); err != nil {
			return err
		}
	}
	if told == 0 {
		fmt.Fprintf(a.stderr, "trueup: the topics say nothing about that row of %s; is the key written as `trueup diff --json` prints it?\n", name)
	}
	return nil
}

// tell prints a story.
func (a *app) tell(pair string, story []audit.Entry, asJSON bool) error {
	var text bytes.Buffer
	for _, e := range story {
		line := entryLine(pair, e)
		if asJSON {
			if err := encodeLine(&text, line); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(&text, "%s  %s  %-13s %s\n", line.At.Format("2006-01-02 15:04:05.000Z"), pair, line.Event, line.sentence())
		for _, w := range line.Writes {
			text.WriteString(w.lines())
		}
	}
	_, err := a.stdout.Write(text.Bytes())
	return err
}

// historyLine is an entry as --json prints it.
type historyLine struct {
	Pair    string      `json:"pair"`
	At      time.Time   `json:"at"`
	Event   string      `json:"event"`
	Key     jsonKey     `json:"key"`
	Kind    string      `json:"kind,omitempty"`
	Action  string      `json:"action,omitempty"`
	Columns []string    `json:"columns,omitempty"`
	Run     string      `json:"run"`
	Finding string      `json:"finding"`
	Epoch   uint64      `json:"epoch"`
	DryRun  bool        `json:"dry_run,omitempty"`
	Class   string      `json:"class,omitempty"`
	Reason  string      `json:"reason,omitempty"`
	Age     float64     `json:"age_seconds,omitempty"`
	Took    float64     `json:"took_seconds,omitempty"`
	Tries   int         `json:"attempts,omitempty"`
	UndoOf  string      `json:"undo_of,omitempty"`
	Writes  []writeLine `json:"writes,omitempty"`
}

// writeLine is a write as --json prints it.
type writeLine struct {
	Side       string                 `json:"side"`
	Action     string                 `json:"action"`
	Before     string                 `json:"before_digest,omitempty"`
	After      string                 `json:"after_digest,omitempty"`
	Values     map[string]valueChange `json:"values,omitempty"`
	Incomplete string                 `json:"incomplete,omitempty"`
	columns    []event.WrittenColumn
}

// valueChange is a column before and after; what was not there is left out.
type valueChange struct {
	Before *shownContent `json:"before,omitempty"`
	After  *shownContent `json:"after,omitempty"`
}

func entryLine(pair string, e audit.Entry) historyLine {
	if f := e.Finding; f != nil {
		return historyLine{
			Pair: pair, At: e.At.UTC(), Event: "found", Key: jsonKey(f.Key), Kind: f.Kind.String(), Columns: f.Columns,
			Run: f.Run, Finding: f.ID, Epoch: f.Epoch,
		}
	}
	o := e.Outcome
	line := historyLine{
		Pair: pair, At: e.At.UTC(), Event: o.Result.String(), Key: jsonKey(o.Key), Columns: o.Columns, Run: o.Run, Finding: o.FindingID,
		Epoch: o.Epoch, DryRun: o.DryRun, Class: o.Class, Reason: o.Reason, Took: o.Took.Seconds(), Tries: o.Attempts, UndoOf: o.UndoOf,
	}
	if o.Action != event.NoAction {
		line.Action = o.Action.String()
	}
	if !o.DetectedAt.IsZero() {
		line.Age = o.At.Sub(o.DetectedAt).Seconds()
	}
	for _, w := range o.Writes {
		out := writeLine{Side: w.Side.String(), Action: w.Action.String(), Before: w.Before, After: w.After, Incomplete: w.Incomplete, columns: w.Columns}
		for _, c := range w.Columns {
			if out.Values == nil {
				out.Values = map[string]valueChange{}
			}
			out.Values[c.Column] = valueChange{(*shownContent)(c.Before), (*shownContent)(c.After)}
		}
		line.Writes = append(line.Writes, out)
	}
	return line
}

// sentence is the entry for a person, without time and pair.
func (l historyLine) sentence() string {
	var parts []string
	add := func(when bool, format string, args ...any) {
		if when {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(l.Kind != "", "%s", l.Kind)
	add(l.DryRun, "dry run:")
	add(l.Action != "", "%s", l.Action)
	add(len(l.Columns) > 0, "%s", strings.Join(l.Columns, ", "))
	add(l.Reason != "", "(%s)", l.Reason)
	add(l.Age > 0, "age %.3gs", l.Age)
	add(l.Tries > 1, "%d attempts", l.Tries)
	add(l.Took > 0, "took %.3gs", l.Took)
	add(true, "run %s epoch %d", l.Run, l.Epoch)
	return strings.Join(parts, "  ")
}

// lines are the values of a write for a person.
func (w writeLine) lines() string {
	var text strings.Builder
	for _, c := range w.columns {
		fmt.Fprintf(&text, "    %s: %s → %s\n", c.Column, (*shownContent)(c.Before), (*shownContent)(c.After))
	}
	return text.String()
}

// shownContent is what a column held, as it is printed.
type shownContent event.Content

// String is the value for a person: – where there is none.
func (c *shownContent) String() string {
	switch {
	case c == nil:
		return "–"
	case c.Masked != "":
		return "masked " + c.Masked
	case c.Value.IsNull():
		return "NULL"
	default:
		return showValue(c.Type, c.Value)
	}
}

// MarshalJSON has values as keys have them.
func (c *shownContent) MarshalJSON() ([]byte, error) {
	switch {
	case c.Masked != "":
		return []byte(fmt.Sprintf(`{"masked":%q}`, c.Masked)), nil
	case c.Value.IsNull():
		return []byte("null"), nil
	default:
		return jsonValue(event.KeyColumn{Type: c.Type, Value: c.Value})
	}
}
