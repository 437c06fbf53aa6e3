package schedule

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func parsed(t *testing.T, text, zone string) Spec {
	t.Helper()
	spec, err := Parse(text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestNextFollowsTheExpressionInItsZone(t *testing.T) {
	from := time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	cases := []struct{ text, zone, want string }{
		{"0 3 * * *", "", "2026-03-02T03:00:00Z"},
		{"0 3 * * *", "Europe/Berlin", "2026-03-02T02:00:00Z"},
		{"CRON_TZ=Asia/Kolkata 0 3 * * *", "Europe/Berlin", "2026-03-01T21:30:00Z"},
		{"TZ=Asia/Kolkata 0 3 * * *", "", "2026-03-01T21:30:00Z"},
		{"*/15 31 12 * * *", "", "2026-03-01T12:31:00Z"},
		{"@every 10s", "", "2026-03-01T12:30:10Z"},
		{"@daily", "", "2026-03-02T00:00:00Z"},
		{"0 5 * * 0", "", "2026-03-08T05:00:00Z"},
		{"0 0 29 2 *", "", "2028-02-29T00:00:00Z"},
	}
	for _, c := range cases {
		if got := parsed(t, c.text, c.zone).Next(from).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %q: %s, want %s", c.text, c.zone, got, c.want)
		}
	}
}

// On 29 March 2026 clocks in Berlin go from 02:00 to 03:00, at 01:00 UTC, on 25
// October from 03:00 to 02:00, at 01:00 UTC.
func TestNoDayIsWithoutItsRunInAZoneWithSummerTime(t *testing.T) {
	for _, c := range []struct{ text, from, want string }{
		{"30 2 * * *", "2026-03-28T12:00:00Z", "29T01:30 30T00:30"},
		{"0 2 * * *", "2026-03-28T12:00:00Z", "29T01:00 30T00:00"},
		{"15,45 2 * * *", "2026-03-29T00:00:00Z", "29T01:15 29T01:45 30T00:15"},
		{"0 2,3 * * *", "2026-03-28T12:00:00Z", "29T01:00 30T00:00"}, // both at once are one
		{"*/20 * * * *", "2026-03-29T00:30:00Z", "29T00:40 29T01:00 29T01:20"},
		{"@daily", "2026-03-28T12:00:00Z", "28T23:00 29T22:00"},
		{"@every 50m", "2026-03-29T00:30:00Z", "29T01:20 29T02:10"},
		{"30 2 * * *", "2026-10-24T12:00:00Z", "25T00:30 25T01:30 26T01:30"},
		{"*/20 * * * *", "2026-10-25T00:30:00Z", "25T00:40 25T01:00 25T01:20"},
		{"CRON_TZ=America/New_York 30 2 * * *", "2026-03-07T12:00:00Z", "08T07:30 09T06:30"},
		{"CRON_TZ=Asia/Kolkata 30 2 * * *", "2026-03-07T12:00:00Z", "07T21:00 08T21:00"},
	} {
		at, err := time.Parse(time.RFC3339, c.from)
		if err != nil {
			t.Fatal(err)
		}
		spec := parsed(t, c.text, "Europe/Berlin")
		var got []string
		for range strings.Fields(c.want) {
			at = spec.Next(at)
			got = append(got, at.UTC().Format("02T15:04"))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s from %s: %q, want %q", c.text, c.from, got, c.want)
		}
	}
}

func TestTheMachinesOwnZoneDoesNotMatter(t *testing.T) {
	local := time.FixedZone("far", 11*3600)
	from := time.Date(2026, 3, 1, 23, 30, 0, 0, local)
	if got := parsed(t, "0 3 * * *", "").Next(from).UTC().Format(time.RFC3339); got != "2026-03-02T03:00:00Z" {
		t.Errorf("got %s", got)
	}
}

func TestABadExpressionIsASentence(t *testing.T) {
	cases := map[string]string{
		"":                      "is empty",
		"   ":                   "is empty",
		"TZ=0":                  "want TZ=zone and then the expression",
		"CRON_TZ=":              "want CRON_TZ=zone and then the expression",
		"TZ=UTC TZ=0":           "two time zones",
		"TZ=Mars/Olympus * * *": `time zone "Mars/Olympus" is not known`,
		"0 3 * *":               "expected 5 to 6 fields",
		"61 3 * * *":            "61",
		"@every banana":         "banana",
		"@every 10ms":           "at least 1s",
		"@sometimes":            "sometimes",
		"0 0 31 2 *":            "never comes",
		"0 3 * * * * *":         "fields",
		"daily":                 "fields",
	}
	for text, want := range cases {
		if _, err := Parse(text, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v, want … %s …", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"0 3 * * *", "TZ=0", "CRON_TZ=UTC @daily", "@every 1h", "*/5 1-3,7 * jan mon"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := Parse(text, "")
		if err == nil && !spec.Next(time.Now()).After(time.Now().Add(-time.Second)) {
			t.Errorf("%q comes at %v", text, spec.Next(time.Now()))
		}
	})
}

// starts runs jobs for the given time in a bubble whose clock begins at
// midnight UTC, and returns when each started. Durations say how long the runs
// of each job take, in turn, the last one for ever after.
func starts(t *testing.T, length time.Duration, specs []string, durations map[string][]time.Duration) []string {
	t.Helper()
	var got []string
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		var jobs []Job
		for _, text := range specs {
			jobs = append(jobs, Job{Spec: parsed(t, text, ""), Run: func(context.Context) {
				got = append(got, fmt.Sprintf("%s %v", text, time.Since(begin)))
				if left := durations[text]; len(left) > 0 {
					time.Sleep(left[0])
					if len(left) > 1 {
						durations[text] = left[1:]
					}
				}
			}})
		}
		Serve(ctx, jobs...)
	})
	return got
}

func TestEveryTickStartsARun(t *testing.T) {
	got := starts(t, 35*time.Minute, []string{"*/10 * * * *"}, nil)
	want := []string{"*/10 * * * * 10m0s", "*/10 * * * * 20m0s", "*/10 * * * * 30m0s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestTicksMissedDuringARunAreMadeUpForOnce(t *testing.T) {
	got := starts(t, 64*time.Minute, []string{"*/10 * * * *"}, map[string][]time.Duration{
		"*/10 * * * *": {35 * time.Minute, 0}, // covers the ticks at 20, 30 and 40
	})
	want := []string{"*/10 * * * * 10m0s", "*/10 * * * * 45m0s", "*/10 * * * * 50m0s", "*/10 * * * * 1h0m0s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestTicksMissedWhileNoProcessRanAreMadeUpForOnce(t *testing.T) {
	for name, c := range map[string]struct {
		ago  time.Duration // since the last start, at midnight
		want []string
	}{
		"missed many":      {5 * time.Hour, []string{"0s", "1h0m0s"}},
		"missed none":      {0, []string{"1h0m0s"}},
		"a clock set back": {-10 * time.Hour, []string{"1h0m0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 90*time.Minute)
				defer cancel()
				var got []string
				Serve(ctx, Job{Spec: parsed(t, "0 * * * *", ""), Last: begin.Add(-c.ago), Run: func(context.Context) {
					got = append(got, time.Since(begin).String())
				}})
				if !slices.Equal(got, c.want) {
					t.Errorf("started after %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestARunThatMissesNothingIsFollowedByTheNextTick(t *testing.T) {
	got := starts(t, 35*time.Minute, []string{"*/10 * * * *"}, map[string][]time.Duration{"*/10 * * * *": {9 * time.Minute}})
	want := []string{"*/10 * * * * 10m0s", "*/10 * * * * 20m0s", "*/10 * * * * 30m0s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestJobsOfOneListNeverOverlap(t *testing.T) {
	got := starts(t, 100*time.Minute, []string{"0 * * * *", "*/30 * * * *"}, map[string][]time.Duration{
		"*/30 * * * *": {40 * time.Minute, 0},
	})
	// The half-hourly run from 30 to 70 covers the hour; the hourly run, due
	// at 60, and the half-hourly one, due at 60, follow in the list's order.
	want := []string{"*/30 * * * * 30m0s", "0 * * * * 1h10m0s", "*/30 * * * * 1h10m0s", "*/30 * * * * 1h30m0s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestTheRunInHandIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 11*time.Minute)
		defer cancel()
		finished := false
		Serve(ctx, Job{Spec: parsed(t, "*/10 * * * *", ""), Run: func(ctx context.Context) {
			<-ctx.Done()
			time.Sleep(5 * time.Second)
			finished = true
		}})
		if !finished {
			t.Error("Serve returned before the run did")
		}
	})
}

func TestNothingToDoWaitsForTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		Serve(ctx, Job{Run: func(context.Context) { t.Error("the zero schedule came") }})
		if took := time.Since(start); took != time.Hour {
			t.Errorf("returned after %v", took)
		}
	})
}
