package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// releaseLine is a pair's release as --json prints it, at its end.
type releaseLine struct {
	Pair string `json:"pair"`
	// Tripped says that the breaker held repairs back, since HeldSince and for Reason.
	Tripped   bool       `json:"tripped"`
	HeldSince *time.Time `json:"held_since,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	DryRun    bool       `json:"dry_run,omitempty"`
	// Findings is the number of held findings that were published again, or would
	// be; nil before they are counted.
	Findings *int `json:"findings"`
}

func (r *releaser) line(pair string, s event.BreakerState) releaseLine {
	line := releaseLine{Pair: pair, Tripped: s.Tripped, DryRun: r.options.dryRun}
	if s.Tripped {
		at := s.At.UTC()
		line.HeldSince, line.Reason = &at, s.Reason
	}
	return line
}

// say prints how far a release has come: two sentences for a person, one line of
// JSON at the end for a program.
func (r *releaser) say(line releaseLine) error {
	var text bytes.Buffer
	switch {
	case !r.options.json:
		text.WriteString(line.sentence())
	case line.Findings == nil:
		return nil
	default:
		if err := encodeLine(&text, line); err != nil {
			return err
		}
	}
	_, err := r.app.stdout.Write(text.Bytes())
	return err
}

func (l releaseLine) sentence() string {
	switch {
	case l.Findings != nil && l.DryRun:
		return fmt.Sprintf("%s: %d held findings would be published again\n", l.Pair, *l.Findings)
	case l.Findings != nil:
		return fmt.Sprintf("%s: %d held findings published again\n", l.Pair, *l.Findings)
	case !l.Tripped:
		return fmt.Sprintf("%s: its breaker has not tripped\n", l.Pair)
	case l.DryRun:
		return fmt.Sprintf("%s: would be released; it was held since %s: %s\n", l.Pair, l.HeldSince.Format(time.RFC3339), l.Reason)
	default:
		return fmt.Sprintf("%s: released; it was held since %s\n", l.Pair, l.HeldSince.Format(time.RFC3339))
	}
}
