package database

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/dialect"
)

func status(pairs ...string) channel {
	c := channel{}
	for i := 0; i < len(pairs); i += 2 {
		c[pairs[i]] = &pairs[i+1]
	}
	return c
}

func TestReplicaStatusOfEveryVersionIsRead(t *testing.T) {
	older := func(seconds string) channel {
		return status("Slave_IO_Running", "Yes", "Slave_SQL_Running", "Yes", "Seconds_Behind_Master", seconds)
	}
	newer := status("Replica_IO_Running", "Yes", "Replica_SQL_Running", "Yes", "Seconds_Behind_Source", "7")
	stopped := status("Slave_IO_Running", "Yes", "Slave_SQL_Running", "No", "Last_SQL_Error", "Could not execute Write_rows on secret 'ann@example.org'")
	connecting := status("Slave_IO_Running", "Connecting", "Slave_SQL_Running", "Yes", "Seconds_Behind_Master", "0")
	for _, test := range []struct {
		name     string
		channels []channel
		behind   time.Duration
		problem  string
	}{
		// A second that has begun counts, and one by which the clocks may differ unseen.
		{"no delay", []channel{older("0")}, 2 * time.Second, ""},
		{"the words of MySQL 8.4", []channel{newer}, 9 * time.Second, ""},
		{"the slowest of several channels", []channel{older("3"), older("90"), newer}, 92 * time.Second, ""},
		{"applying has stopped", []channel{older("0"), stopped}, 0, "applying No; Last_SQL_Error"},
		{"the primary is not reached", []channel{connecting}, 0, "receiving Connecting"},
		{"not a replica any more", nil, 0, "no replica"},
	} {
		behind, err := behindOf(test.channels)
		if behind != test.behind || (err == nil) != (test.problem == "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s: %s, %v", test.name, behind, err)
		}
		if err != nil && strings.Contains(err.Error(), "example.org") {
			t.Errorf("%s: the error holds row data: %v", test.name, err)
		}
	}
}

func TestBeatsAreReadAsTimesOfUTC(t *testing.T) {
	want := time.Date(2026, 11, 22, 8, 30, 1, 250_000_000, time.UTC)
	for _, text := range []string{
		"2026-11-22 08:30:01.25", "2026-11-22 08:30:01.250000+00", "2026-11-22 10:30:01.25+02:00",
		"2026-11-22T08:30:01.250000", "2026-11-22T08:30:01.25Z", "1795336201.25", "1795336201.250000000999",
	} {
		if got, err := parseBeat(&text); err != nil || !got.Equal(want) {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "yesterday", "2026-11-22", "12.x"} {
		if got, err := parseBeat(&text); err == nil {
			t.Errorf("%q is %s, want an error", text, got)
		}
	}
	if _, err := parseBeat(nil); err == nil {
		t.Error("NULL is a beat")
	}
}

// TestAHeartbeatTellsHowFarTheCopyFollowed replicates by hand: the copy holds
// an authority's time of 40 seconds ago.
func TestAHeartbeatTellsHowFarTheCopyFollowed(t *testing.T) {
	ago := map[string]string{
		"mariadb":  "CREATE TABLE beat AS SELECT UTC_TIMESTAMP(6) - INTERVAL 40 SECOND AS at",
		"postgres": "CREATE TABLE beat AS SELECT clock_timestamp() - interval '40 seconds' AS at",
	}
	for _, authority := range engines {
		for _, replica := range engines {
			t.Run(authority.name+" to "+replica.name, func(t *testing.T) {
				dsn := replica.dsn(t)
				testenv.Exec(t, dsn, ago[replica.name])
				from, to := openOn(t, Config{DSN: authority.dsn(t), ReadOnly: true}), openOn(t, Config{DSN: dsn, ReadOnly: true})
				f, err := Follow(t.Context(), from, to, "SELECT MAX(at) FROM beat")
				if err != nil {
					t.Fatal(err)
				}
				asked := time.Now()
				applied, err := f.Applied(t.Context())
				if behind := asked.Sub(applied); err != nil || behind < 40*time.Second || behind > 100*time.Second {
					t.Errorf("behind by %s, %v", behind, err)
				}
				if _, err := Follow(t.Context(), from, to, "SELECT nothing FROM nowhere"); ClassOf(err) != dialect.ClassSchema {
					t.Errorf("a wrong heartbeat is no error of its own: %v", err)
				}
			})
		}
	}
}

func TestServersThatDoNotReplicateAreNotFollowed(t *testing.T) {
	for _, e := range engines {
		a, b := openOn(t, Config{DSN: e.dsn(t), ReadOnly: true}), openOn(t, Config{DSN: e.dsn(t), ReadOnly: true})
		if f, err := Follow(t.Context(), a, b, ""); f != nil || err != nil {
			t.Errorf("%s: %v, %v", e.name, f, err)
		}
	}
}

func TestATrailKnowsTheLastMarkReached(t *testing.T) {
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	position, asked := 0, 0
	trail := &trail{reached: func(_ context.Context, text string) (bool, error) {
		asked++
		return len(text) <= position, nil // a position is as far as it is long
	}}
	for i := 1; i <= 10_000; i++ {
		trail.add(mark{start.Add(time.Duration(i) * time.Second), strings.Repeat("x", i)})
	}
	if len(trail.marks) > 500 {
		t.Errorf("%d marks are kept", len(trail.marks))
	}
	if _, err := trail.advance(t.Context()); err == nil {
		t.Error("nothing is reached, and that is no error")
	}
	for _, position = range []int{300, 300, 700, 9_000} {
		asked = 0
		applied, err := trail.advance(t.Context())
		at := int(applied.Sub(start) / time.Second)
		if err != nil || at > position || at < position*49/50-1 {
			t.Errorf("at %d the moment is %d, %v", position, at, err)
		}
		if asked > 10 {
			t.Errorf("asked %d times", asked)
		}
	}
}
