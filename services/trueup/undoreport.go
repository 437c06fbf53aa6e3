package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/services/assembly"
)

// writer is a side, open for writing.
func (u *undoing) writer(ctx context.Context, side event.Side) (*database.DB, error) {
	at, settings := &u.writers.Target, u.file.Target
	if side == event.Source {
		at, settings = &u.writers.Source, u.file.Source
	}
	if *at != nil {
		return *at, nil
	}
	db, err := assembly.OpenSide(ctx, side, settings, assembly.Access{Writable: side, Conns: 2, Application: "trueup"})
	if err == nil {
		*at = db
	}
	return db, err
}

// undoCount is what became of the repairs.
type undoCount struct {
	Undone  int64 `json:"undone"`
	Already int64 `json:"already"`
	Left    int64 `json:"left"`
	// Refused are those left that others are in the way of.
	Refused int64 `json:"refused,omitempty"`
}

// undoLine is what became of a repair, as --json prints it.
type undoLine struct {
	Pair    string   `json:"pair"`
	Key     jsonKey  `json:"key"`
	Result  string   `json:"result"`
	Action  string   `json:"action,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Columns []string `json:"columns,omitempty"`
	// Write is the repair, Found and Expected are digests of the row.
	Write    string `json:"write"`
	Found    string `json:"found_digest,omitempty"`
	Expected string `json:"expected_digest,omitempty"`
	DryRun   bool   `json:"dry_run,omitempty"`
}

func (u *undoers) report(done []fix.Undoing) error {
	var text bytes.Buffer
	for _, d := range done {
		o := d.Step.Outcome
		line := undoLine{Pair: o.Pair, Key: jsonKey(o.Key), Write: o.WriteID(d.Position), DryRun: u.options.dryRun}
		switch {
		case d.Left != "":
			u.count.Left++
			if d.Refused {
				u.count.Refused++
			}
			line.Result, line.Reason, line.Columns, line.Found, line.Expected = "left", d.Left, d.Columns, d.Now, d.Step.Write().After
		case d.Already:
			u.count.Already++
			line.Result = "already_undone"
		default:
			u.count.Undone++
			line.Result, line.Action, line.Columns = "undone", d.Outcome.Action.String(), d.Outcome.Columns
		}
		if u.options.json {
			if err := encodeLine(&text, line); err != nil {
				return err
			}
			continue
		}
		text.WriteString(line.sentence())
	}
	if u.count.Left > 0 {
		u.app.worsen(statusDifferences)
	}
	_, err := u.app.stdout.Write(text.Bytes())
	return err
}

// sentence is the line for a person.
func (l undoLine) sentence() string {
	result := strings.ReplaceAll(l.Result, "_", " ")
	if l.DryRun && l.Result == "undone" {
		result = "would be undone"
	}
	text := fmt.Sprintf("%s  %s  %s", l.Pair, assembly.DescribeKey(event.Key(l.Key)), result)
	if l.Action != "" {
		text += ": " + l.Action
	}
	if l.Reason != "" {
		text += ": " + l.Reason
	}
	if len(l.Columns) > 0 {
		text += " (" + strings.Join(l.Columns, ", ") + ")"
	}
	if l.Found != l.Expected && l.Result == "left" {
		text += fmt.Sprintf("; digest %s, the repair left %s", or(l.Found, "none"), or(l.Expected, "none"))
	}
	return text + "\n"
}

// summary prints the counts, and how to take this undo back.
func (u *undoing) summary() error {
	if u.options.json {
		var text bytes.Buffer
		if err := encodeLine(&text, struct {
			Undo undoCount `json:"undo"`
			Run  string    `json:"run"`
		}{u.count, u.run}); err != nil {
			return err
		}
		_, err := u.app.stdout.Write(text.Bytes())
		return err
	}
	verb := "undone"
	if u.options.dryRun {
		verb = "would be undone"
	}
	_, err := fmt.Fprintf(u.app.stdout, "%s: %d repairs %s, %d were already, %d left\n", cmp.Or(u.options.pair, "all pairs"), u.count.Undone, verb, u.count.Already, u.count.Left)
	if u.count.Refused > 0 && u.count.Undone > 0 {
		fmt.Fprintf(u.app.stderr, "%d rows were left because others were in their way, which may be undone by now: run the same again.\n", u.count.Refused)
	}
	if u.count.Undone > 0 && !u.options.dryRun {
		fmt.Fprintf(u.app.stderr, "This undo is run %s. The next run of the validator finds these rows again: correct the pair before a fixer runs.\n", u.run)
	}
	return err
}
