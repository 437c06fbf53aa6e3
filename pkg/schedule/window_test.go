package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestAWindowOpensAndClosesAtItsTimesOfDay(t *testing.T) {
	cases := []struct {
		text, zone, now string
		open            bool
		changes         string
	}{
		{"01:00-05:00", "", "2026-03-01T00:59:59Z", false, "2026-03-01T01:00:00Z"},
		{"01:00-05:00", "", "2026-03-01T01:00:00Z", true, "2026-03-01T05:00:00Z"},
		{"01:00-05:00", "", "2026-03-01T05:00:00Z", false, "2026-03-02T01:00:00Z"},
		{"22:00-02:00", "", "2026-03-01T23:30:00Z", true, "2026-03-02T02:00:00Z"},
		{"22:00-02:00", "", "2026-03-02T01:30:00Z", true, "2026-03-02T02:00:00Z"},
		{"22:00-02:00", "", "2026-03-02T02:00:00Z", false, "2026-03-02T22:00:00Z"},
		{"01:00-02:00, 02:00-03:00", "", "2026-03-01T01:30:00Z", true, "2026-03-01T03:00:00Z"},
		{"01:00-02:00,12:00-13:00", "", "2026-03-01T02:30:00Z", false, "2026-03-01T12:00:00Z"},
		{"01:00-05:00", "Europe/Berlin", "2026-03-01T00:30:00Z", true, "2026-03-01T04:00:00Z"},
		// 02:00 to 03:00 does not exist in Berlin on 29 March.
		{"02:30-05:00", "Europe/Berlin", "2026-03-29T00:30:00Z", false, "2026-03-29T01:30:00Z"},
		{"01:00-05:00", "Europe/Berlin", "2026-10-24T23:30:00Z", true, "2026-10-25T04:00:00Z"},
		{"02:15-02:45", "Europe/Berlin", "2026-03-29T00:30:00Z", false, "2026-03-29T01:15:00Z"},
		{"02:15-02:45", "Europe/Berlin", "2026-03-29T01:20:00Z", true, "2026-03-29T01:45:00Z"},
		{"22:00-02:30", "Europe/Berlin", "2026-03-29T01:10:00Z", true, "2026-03-29T01:30:00Z"},
		// It comes twice on 25 October.
		{"01:00-02:30", "Europe/Berlin", "2026-10-25T00:10:00Z", true, "2026-10-25T00:30:00Z"},
		{"01:00-02:30", "Europe/Berlin", "2026-10-25T01:10:00Z", false, "2026-10-26T00:00:00Z"},
		{"02:30-05:00", "Europe/Berlin", "2026-10-25T01:10:00Z", true, "2026-10-25T04:00:00Z"},
		{"01:00-02:30", "Europe/Berlin", "2026-10-25T01:40:00Z", false, "2026-10-26T00:00:00Z"},
		// New York, which is on the other side of Greenwich: 8 March and 1 November.
		{"02:15-02:45", "America/New_York", "2026-03-08T06:30:00Z", false, "2026-03-08T07:15:00Z"},
		{"02:15-02:45", "America/New_York", "2026-03-08T07:20:00Z", true, "2026-03-08T07:45:00Z"},
		{"01:30-05:00", "America/New_York", "2026-11-01T05:20:00Z", false, "2026-11-01T05:30:00Z"},
		{"00:00-01:30", "America/New_York", "2026-11-01T05:40:00Z", false, "2026-11-02T05:00:00Z"},
		{"22:00-02:00", "", "2026-03-01T00:30:00Z", true, "2026-03-01T02:00:00Z"},
		{"00:00-12:00, 12:00-00:00", "", "2026-03-01T07:00:00Z", true, "never"},
		{"", "", "2026-03-01T07:00:00Z", true, "never"},
	}
	for _, c := range cases {
		w, err := ParseWindow(c.text, c.zone)
		if err != nil {
			t.Fatal(err)
		}
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		open, at := w.Open(now)
		changes := "never"
		if !at.IsZero() {
			changes = at.UTC().Format(time.RFC3339)
		}
		if open != c.open || changes != c.changes {
			t.Errorf("%s in %q at %s: open %t until %s, want %t until %s", c.text, c.zone, c.now, open, changes, c.open, c.changes)
		}
	}
}

func TestABadWindowIsASentence(t *testing.T) {
	for _, text := range []string{"1-5", "01:00", "01:00-", "25:00-26:00", "01:00-01:00", "01:00-05:00,", "nights"} {
		if _, err := ParseWindow(text, ""); err == nil || !strings.Contains(err.Error(), "want times of day") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ParseWindow("01:00-05:00", "Mars/Olympus"); err == nil || !strings.Contains(err.Error(), "is not known") {
		t.Errorf("%v", err)
	}
}
