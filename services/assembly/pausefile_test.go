package assembly

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/governor"
)

func TestAPauseFileSaysForHowLongAndWhy(t *testing.T) {
	changed := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]struct {
		reason string
		d      time.Duration
	}{
		"30m migration of orders\n": {"migration of orders", 30 * time.Minute},
		"2h":                        {"the pause file is there", 2 * time.Hour},
		"":                          {"the pause file is there", time.Hour},
		"ask Ann\nfirst":            {"ask Ann first", time.Hour},
		"-5m never":                 {"-5m never", time.Hour},
		"9000h for ever":            {"for ever", maxPauseFor},
	} {
		if reason, until := filePause(text, changed); reason != want.reason || until.Sub(changed) != want.d {
			t.Errorf("%q: %q for %v", text, reason, until.Sub(changed))
		}
	}
}

func TestAPauseFilePausesWhileItIsThereAndNotExpired(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pause")
	never := false
	file := File{Governor: Governor{PauseFile: path, Source: Budget{Concurrency: 2, Adapt: &never}, Target: Budget{Concurrency: 2, Adapt: &never}}}
	if err := file.Governor.validate(); err != nil {
		t.Fatal(err)
	}
	g, err := NewGovernors(file, zerolog.Nop(), nil, governor.Reads)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.begin(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stop := Background(ctx, g.Run)
	defer stop()
	defer cancel()
	await := func(state, reason string) {
		t.Helper()
		deadline := time.Now().Add(20 * time.Second)
		for {
			s := g.Status()[0]
			if s.State == state && strings.Contains(s.Reason, reason) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v, want %s", s, state)
			}
			<-time.After(20 * time.Millisecond)
		}
	}
	await(governor.Running, "")
	if err := os.WriteFile(path, []byte("30m migration"), 0o600); err != nil {
		t.Fatal(err)
	}
	await(governor.Paused, "migration")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil { // the half hour is over
		t.Fatal(err)
	}
	await(governor.Running, "")
	now := time.Now()
	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	await(governor.Paused, "migration")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	await(governor.Running, "")
}
