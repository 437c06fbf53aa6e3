package main

import (
	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/services/assembly"
)

// breakerFlags are the flags that set a breaker's limits.
type breakerFlags struct{ share, deletes, perMinute string }

func (b *breakerFlags) addTo(cmd *cobra.Command) {
	f, defaults := cmd.Flags(), fix.DefaultLimits()
	f.StringVar(&b.share, "max-share", "", "hold repairs back when more than this `share` of a table is changed or deleted, or off; 1000 rows are always allowed (default "+defaults.Share.String()+")")
	f.StringVar(&b.deletes, "max-deletes", "", "hold repairs back when more than this `number` or share of rows is deleted, or off (default "+defaults.Deletes.String()+")")
	f.StringVar(&b.perMinute, "max-per-minute", "", "hold repairs back when more than this `number` of rows is repaired within a minute, or off (default "+defaults.PerMinute.String()+")")
}

// set puts what was given in place of a pair's own limits.
func (b *breakerFlags) set(to *assembly.Breaker) error {
	for _, flag := range []struct {
		name, text string
		at         **string
	}{{"max-share", b.share, &to.Share}, {"max-deletes", b.deletes, &to.Deletes}, {"max-per-minute", b.perMinute, &to.PerMinute}} {
		if flag.text == "" {
			continue
		}
		if _, err := fix.ParseBound(flag.text); err != nil {
			return usage("--%s: %w", flag.name, err)
		}
		*flag.at = &flag.text
	}
	if _, err := to.Limits(); err != nil {
		return usage("--max-…: %w", err)
	}
	return nil
}

// breaker is that of one pair in this process. Nobody releases it: whoever has
// looked starts again with other limits.
func breaker(p resolved) *fix.Breaker {
	return fix.NewBreaker(fix.BreakerConfig{
		Pair: p.pair.Name, Limits: p.asked.Limits(), Rows: assembly.AboutRows(p.pair.Source.Table, p.pair.Target.Table),
		WayOut: "look at some of the rows, and if they are to be repaired start again with a higher --max-share, --max-deletes or --max-per-minute, or off",
	})
}
