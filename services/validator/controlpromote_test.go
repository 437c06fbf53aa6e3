package main

import (
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/standing"
)

func TestAPairIsPromotedOnlyWhenItIsKnownToBeEqual(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	now := event.Decision{Pair: "orders", Epoch: 2, Authority: event.Source}
	clean := event.Verdict{Pair: "orders", Mode: "full", Epoch: 2, Complete: true, Clean: true, Began: at.Add(-time.Hour)}
	dirty, older, old, count := clean, clean, clean, clean
	dirty.Clean, older.Epoch, old.Began, count.Mode = false, 1, at.Add(-48*time.Hour), "count"
	other := clean
	other.Config = "of other tables"
	known := standing.Pair{Known: true}
	followed := func(since time.Time, seconds float64, mode string) standing.Pair {
		return standing.Pair{Known: true, Verified: []standing.Watermark{{Mode: mode, Since: since, BehindSeconds: seconds}}}
	}
	behind := func(seconds float64, mode string) standing.Pair {
		return followed(at.Add(-50*time.Hour), seconds, mode)
	}
	for name, c := range map[string]struct {
		stands   standing.Pair
		verdicts []event.Verdict
		want     string
	}{
		"clean":                        {known, []event.Verdict{dirty, clean}, ""},
		"clean, then counted":          {known, []event.Verdict{clean, count}, ""},
		"clean, then different":        {known, []event.Verdict{clean, dirty}, "the last full run was not clean"},
		"clean in the epoch before":    {known, []event.Verdict{older}, "no full run of epoch 2 has ended"},
		"never run":                    {known, nil, "no full run of epoch 2 has ended"},
		"counted only":                 {known, []event.Verdict{count}, "no full run of epoch 2 has ended"},
		"rows are open":                {standing.Pair{Known: true, Open: 3}, []event.Verdict{clean}, "3 rows are open"},
		"the topics were not read":     {standing.Pair{}, []event.Verdict{clean}, "which rows are open is not known"},
		"clean long ago":               {known, []event.Verdict{old}, "nothing follows changes since"},
		"clean long ago, and followed": {behind(3, "incremental"), []event.Verdict{old}, ""},
		"followed only since":          {followed(at.Add(-time.Hour), 3, "incremental"), []event.Verdict{old}, "nothing follows changes since"},
		"followed, who knows since":    {followed(time.Time{}, 3, "incremental"), []event.Verdict{old}, "nothing follows changes since"},
		"clean when configured else":   {known, []event.Verdict{other}, "no full run of epoch 2 has ended"},
		"different, configured else":   {known, []event.Verdict{clean, func() event.Verdict { d := other; d.Clean = false; return d }()}, ""},
		"followed too late":            {behind(300, "incremental"), []event.Verdict{clean}, "what changed in the last 5m0s is not verified"},
		"nothing has changed":          {behind(300, "triggered"), []event.Verdict{clean}, ""},
		"two reasons":                  {standing.Pair{Known: true, Open: 1}, []event.Verdict{dirty}, "was not clean, 1 rows are open"},
	} {
		got := strings.Join(notEqual(now, c.stands, c.verdicts, at), ", ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
