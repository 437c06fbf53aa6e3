package main

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// build builds the services into a directory of the test's own.
func build(t *testing.T) string {
	t.Helper()
	bin := t.TempDir() + "/"
	command := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./services/...")
	command.Dir = ".." // the services belong to another module
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build the services: %v\n%s", err, out)
	}
	return bin
}

// newTestStory is a story of few rows, with what it shows.
func newTestStory(t *testing.T, bin string) (*story, *bytes.Buffer) {
	t.Helper()
	w, err := openWorkshop(t.Context(), bin)
	t.Cleanup(w.close)
	if err != nil {
		t.Fatal(err)
	}
	shown := &bytes.Buffer{}
	s, err := newStory(newShow(shown), w, 600)
	if err != nil {
		t.Fatal(err)
	}
	return s, shown
}

func TestTheStoryEndsCleanOrFails(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the services")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	s, shown := newTestStory(t, build(t))
	if err := s.tell(ctx); err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	if s.done.missing == 0 || s.done.changed == 0 || s.done.extra == 0 {
		t.Errorf("the damage is %s, want some of each kind", s.done)
	}
	if !strings.Contains(shown.String(), "CLEAN: 3000 rows") {
		t.Errorf("the story ended without saying so:\n%s", shown)
	}

	// Whatever is different now, the proof must fail.
	for _, c := range []struct{ harm, want string }{
		{"DELETE FROM orders WHERE id = 7", "1 rows missing, 0 changed, 0 that"},
		{"INSERT INTO customers VALUES (600001, 'Nobody', NULL, NULL)", "1 rows missing, 0 changed, 1 that"},
		{"UPDATE payments SET amount = amount + 0.01 WHERE id = 600", "1 rows missing, 1 changed, 1 that"},
	} {
		if _, err := s.copied.ExecContext(ctx, c.harm); err != nil {
			t.Fatal(err)
		}
		if err := s.prove(ctx); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("after %s the proof says %v, want an error with %q", c.harm, err, c.want)
		}
	}
}

func TestTheAuditCountsEveryDifference(t *testing.T) {
	source, target := openMySQL(t), openMySQL(t)
	if err := fill(t.Context(), 20, func(int64) {}, source, target); err != nil {
		t.Fatal(err)
	}
	if n, err := audit(t.Context(), source, target); n != 0 || err != nil {
		t.Fatalf("%d differences in equal shops, %v", n, err)
	}
	execute(t, target,
		"DELETE FROM orders WHERE id = 3",
		"UPDATE customers SET city = NULL WHERE id = 5",
		"UPDATE order_lines SET note = NULL WHERE id = 20", // it was empty
		"INSERT INTO payments VALUES (900001, 1, 1.00, 'card')",
	)
	if n, err := audit(t.Context(), source, target); n != 4 || err != nil {
		t.Errorf("%d differences, %v; want 4", n, err)
	}
}

func TestProgressOffATerminalIsAFewLines(t *testing.T) {
	var out bytes.Buffer
	bar := newShow(&out).progress("rows", 1000)
	for n := range int64(1100) {
		bar.at(n)
	}
	bar.close()
	if want := "   rows: 250 of 1000\n   rows: 500 of 1000\n   rows: 750 of 1000\n   rows: 1000 of 1000\n"; out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}
