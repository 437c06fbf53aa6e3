package main

import (
	"context"
	"fmt"
)

// validate runs every pair once, shows the verdicts and returns what was found.
// The verdicts, what they say and the exit status must tell the same.
func (s *story) validate(ctx context.Context) (harm, error) {
	validator, err := s.start("validator", "--once")
	if err != nil {
		return harm{}, err
	}
	if err := s.watch(ctx, validator); err != nil {
		return harm{}, err
	}
	status, err := validator.status()
	if err != nil {
		return harm{}, fmt.Errorf("the validator did not end in order (%w):\n%s", err, validator.log.tail())
	}
	verdicts := validator.log.verdicts()
	if len(verdicts) != len(shop) {
		return harm{}, fmt.Errorf("the validator gave %d verdicts for %d pairs:\n%s", len(verdicts), len(shop), validator.log.tail())
	}
	var found harm
	clean := true
	for _, v := range verdicts {
		if !v.Complete {
			return found, fmt.Errorf("the comparison of %s is not complete:\n%s", v.Pair, validator.log.tail())
		}
		s.say("%-12s %5d rows  %3d missing  %3d different  %3d extra  in %.1f s", v.Pair, v.Rows.Source,
			v.Findings.Missing, v.Findings.Changed, v.Findings.Extra, v.Seconds)
		found.missing += v.Findings.Missing
		found.changed += v.Findings.Changed
		found.extra += v.Findings.Extra
		clean = clean && v.Clean
	}
	if clean != (found.total() == 0) || clean != (status == 0) {
		return found, fmt.Errorf("the validator found %s, with clean verdicts: %t, and exit status %d:\n%s", found, clean, status, validator.log.tail())
	}
	return found, nil
}

// watch shows the validator's progress until it has ended.
func (s *story) watch(ctx context.Context, validator *service) error {
	bar := s.progress("rows compared", s.total())
	defer bar.close()
	err := poll(ctx, func() (bool, error) {
		select {
		case <-validator.done:
			return true, nil
		default:
		}
		// The program may end before it answers; the next poll sees it.
		if rows, err := validator.metric(ctx, "trueup_rows_scanned_total"); err == nil {
			bar.at(rows)
		}
		return false, nil
	})
	if status, _ := validator.status(); err == nil && status <= 1 {
		bar.at(bar.total)
	}
	return err
}
