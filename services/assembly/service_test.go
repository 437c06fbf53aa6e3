package assembly

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/telemetry"
)

func condition(t *testing.T, r *telemetry.Readiness, name string) telemetry.Condition {
	t.Helper()
	_, all := r.Conditions()
	for _, c := range all {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no condition %s in %+v", name, all)
	return telemetry.Condition{}
}

func TestAttemptTriesUntilItSucceedsAndSaysWhyNotMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := NewService("validator", &log)
		tries := 0
		err := s.Attempt(t.Context(), "databases", func(context.Context) error {
			if tries++; tries > 1 {
				if c := condition(t, s.Readiness, "databases"); c.Ready || c.Detail != "connection refused" {
					t.Errorf("%+v", c)
				}
			}
			if tries < 5 {
				return errors.New("connection refused")
			}
			return nil
		})
		if err != nil || tries != 5 {
			t.Errorf("%v after %d tries", err, tries)
		}
		if c := condition(t, s.Readiness, "databases"); !c.Ready || c.Detail != "" {
			t.Errorf("%+v", c)
		}
		if n := strings.Count(log.String(), "connection refused"); n != 4 {
			t.Errorf("logged %d times", n)
		}
	})
}

func TestAttemptEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewService("validator", &bytes.Buffer{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := s.Attempt(ctx, "topics", func(context.Context) error { return errors.New("missing") })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAttemptGivesUpWhatOnlyAnotherConfigurationCures(t *testing.T) {
	s := NewService("validator", &bytes.Buffer{})
	unusable := &database.Error{Op: "open the database", Err: errors.New("no scheme")}
	tries := 0
	err := s.Attempt(t.Context(), "databases", func(context.Context) error { tries++; return unusable })
	if !errors.Is(err, unusable) || tries != 1 {
		t.Errorf("%v after %d tries", err, tries)
	}
	for _, class := range []dialect.Class{dialect.ClassTransient, dialect.ClassDenied, dialect.ClassSchema} {
		if hopeless(&database.Error{Class: class, Err: errors.New("x")}) {
			t.Errorf("class %d is given up", class)
		}
	}
}

func TestAnAddressFromTheFileGivesWayOneFromTheCommandLineDoesNot(t *testing.T) {
	taken, err := telemetry.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()

	var log bytes.Buffer
	s := NewService("fixer", &log)
	if err := s.ServeHTTP(t.Context(), address, HTTP{Listen: ""}, ""); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("flag: %v", err)
	}
	if err := s.ServeHTTP(t.Context(), "", HTTP{Listen: address}, "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	if !containsInOrder(log.String(), "another process has the address", "serving http") {
		t.Errorf("log:\n%s", log.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Parts.Run(ctx); err != nil {
		t.Error(err)
	}
}

func containsInOrder(text string, parts ...string) bool {
	for _, part := range parts {
		_, rest, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = rest
	}
	return true
}

func TestHTTPCanBeOff(t *testing.T) {
	var log bytes.Buffer
	s := NewService("fixer", &log)
	if err := s.ServeHTTP(t.Context(), "", HTTP{Listen: "off"}, "127.0.0.1:0"); err != nil || log.Len() > 0 {
		t.Errorf("%v, log %s", err, log.String())
	}
}

func TestFlags(t *testing.T) {
	cases := []struct {
		args   string
		status int
		done   bool
		stdout string
		stderr string
	}{
		{"--config x --listen off", 0, false, "", ""},
		{"--version", 0, true, "fixer ", ""},
		{"--help", 0, true, "  --config FILE ", ""},
		{"--man", 0, true, ".SH OPTIONS", ""},
		{"--nothing", 2, true, "", "fixer: flag provided but not defined: -nothing; run `fixer --help`"},
		{"--config x y", 2, true, "", `unexpected argument "y"`},
	}
	for _, c := range cases {
		var f Flags
		var stdout, stderr bytes.Buffer
		set := flag.NewFlagSet("fixer", flag.ContinueOnError)
		f.Register(set)
		status, done := ParseFlags(set, &f, strings.Fields(c.args), &stdout, &stderr)
		if status != c.status || done != c.done || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%s: %d %v, stdout %q, stderr %q", c.args, status, done, stdout.String(), stderr.String())
		}
	}
}
