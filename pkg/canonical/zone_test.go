package canonical

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/row"
)

func mustZone(t *testing.T, name string) *zone {
	t.Helper()
	z, err := newZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestInstantsBecomeTheTimeOfTheZonesClocks(t *testing.T) {
	for _, c := range []struct{ zone, instant, wall, back string }{
		{"Europe/Berlin", "2024-07-01 12:00:00.123456", "2024-07-01 14:00:00.123456", ""},
		{"Europe/Berlin", "2024-01-01 12:00:00.000000", "2024-01-01 13:00:00.000000", ""},
		{"Europe/Berlin", "2024-03-31 00:59:59.999999", "2024-03-31 01:59:59.999999", ""},
		{"Europe/Berlin", "2024-03-31 01:00:00.000000", "2024-03-31 03:00:00.000000", ""},
		// The hour that comes twice: both instants have one time, which is the first's.
		{"Europe/Berlin", "2024-10-27 00:30:00.000000", "2024-10-27 02:30:00.000000", ""},
		{"Europe/Berlin", "2024-10-27 01:30:00.000000", "2024-10-27 02:30:00.000000", "2024-10-27 00:30:00.000000"},
		{"Europe/Berlin", "2024-10-27 02:00:00.000000", "2024-10-27 03:00:00.000000", ""},
		{"Europe/Berlin", "1850-01-01 00:00:00.000000", "1850-01-01 00:53:28.000000", ""},
		{"Australia/Lord_Howe", "2024-04-06 14:45:00.000000", "2024-04-07 01:45:00.000000", ""},
		{"Australia/Lord_Howe", "2024-04-06 15:15:00.000000", "2024-04-07 01:45:00.000000", "2024-04-06 14:45:00.000000"},
		{"Pacific/Kiritimati", "2023-12-31 10:00:00.000000", "2024-01-01 00:00:00.000000", ""},
		{"Asia/Kathmandu", "2024-01-01 00:00:00.000000", "2024-01-01 05:45:00.000000", ""},
		{"Europe/Berlin", "9999-12-31 23:30:00.000000", "10000-01-01 00:30:00.000000", ""},
		{"America/New_York", "0001-01-01 00:00:00.000000", "0001-12-31 19:03:58.000000 BC", ""},
		{"Europe/Berlin", "infinity", "infinity", ""},
		{"Europe/Berlin", "0000-00-00 00:00:00.000000", "0000-00-00 00:00:00.000000", ""},
	} {
		z := mustZone(t, c.zone)
		if got := string(z.Compared([]byte(c.instant))); got != c.wall {
			t.Errorf("%s in %s: got %s, want %s", c.instant, c.zone, got, c.wall)
		}
		if c.back == "" {
			c.back = c.instant
		}
		if got, err := z.Own(row.Value(c.wall)); err != nil || string(got) != c.back {
			t.Errorf("%s of %s: got %s, %v, want %s", c.wall, c.zone, got, err, c.back)
		}
	}
}

func TestATimeThatClocksSkipIsNoInstant(t *testing.T) {
	for name, wall := range map[string]string{
		"Europe/Berlin":       "2024-03-31 02:30:00.000000",
		"Australia/Lord_Howe": "2024-10-06 02:15:00.000000",
		"Pacific/Apia":        "2011-12-30 12:00:00.000000", // a whole day
	} {
		got, err := mustZone(t, name).Own(row.Value(wall))
		if err == nil || !strings.Contains(err.Error(), "clocks in "+name+" skipped") {
			t.Errorf("%s in %s: got %s, %v", wall, name, got, err)
		}
		if err != nil && strings.Contains(err.Error(), wall) {
			t.Errorf("the error holds the row's value: %v", err)
		}
	}
}

// What is written at one side is read as equal at the other.
func TestAWrittenTimeIsReadAsTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for _, name := range []string{"Europe/Berlin", "America/St_Johns", "Africa/Casablanca", "Antarctica/Troll", "Pacific/Apia", "Etc/GMT+12", "UTC"} {
		z := mustZone(t, name)
		for range 500 {
			instant := appendCivil(nil, time.UnixMicro(random.Int64N(8e15)-4e15).UTC())
			wall := z.Compared(instant)
			own, err := z.Own(row.Value(wall))
			if err != nil {
				t.Fatalf("%s: %s of the instant %s: %v", name, wall, instant, err)
			}
			if again := z.Compared(own); string(again) != string(wall) || string(own) > string(instant) {
				t.Fatalf("%s: the instant %s is %s, written as %s, read as %s", name, instant, wall, own, again)
			}
		}
	}
}
