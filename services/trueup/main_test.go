package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// trueup runs a command line in this process.
func trueup(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return trueupWith(t.Context(), args...)
}

func trueupWith(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(ctx, args, &out, &errs)
	return status, out.String(), errs.String()
}

func TestBadUsageIsStatus2AndSaysWhatIsWanted(t *testing.T) {
	cases := []struct {
		args string
		want string
	}{
		{"frobnicate", `unknown command "frobnicate"`},
		{"diff", "want the URLs of two databases"},
		{"diff mysql://a/b", "want the URLs of two databases"},
		{"diff orders items", "want the URLs of two databases"},
		{"diff --no-such-flag", "unknown flag: --no-such-flag"},
		{"diff --threads many", "invalid argument"},
		{"diff mysql://a/b mysql://c/d --threads 0", "--threads 0: choose 1 to 64"},
		{"diff mysql://a/b mysql://c/d --threads 65", "validator.threads: 65 is outside 1 to 64"},
		{"diff mysql://a/b mysql://c/d --confirm 5", `--confirm "5": want a duration`},
		{"diff mysql://a/b mysql://c/d --confirm -5s", `--confirm "-5s": want a duration`},
		{"diff mysql://a/b mysql://c/d --mode quick", `the mode "quick" is unknown; use full, reverse or count`},
		{"diff mysql://a/b mysql://c/d --method guess", `--method: "guess" is no method`},
		{"diff mysql://a/b mysql://c/d --authority both orders", `"both" is no side`},
		{"diff mysql://a/b mysql://c/d --rule weight", "column=rule"},
		{"diff mysql://a/b mysql://c/d --map state", "source_column=target_column"},
		{"diff mysql://a/b mysql://c/d --constant shard", "target_column=value"},
		{"diff mysql://a/b mysql://c/d orders=", "source_name=target_name"},
		{"diff mysql://a/b mysql://c/d orders orders", `"orders" is already the name`},
		{"diff mysql://a/b mysql://c/d orders --columns a --exclude b", "give one of the two"},
		{"diff --config nowhere.yaml", "nowhere.yaml"},
		{"diff --config x.yaml --key id", "--key and --config"},
		{"fix mysql://a/b mysql://c/d --mode count", "--mode count finds no rows"},
		{"fix mysql://a/b mysql://c/d --dry-run --verify", "nothing to verify"},
		{"plan", "want the URLs of two databases"},
		{"topics create", "--config is missing"},
		{"topics remove", `unknown subcommand "remove"`},
		{"topics check extra --config x", `unexpected argument "extra"`},
		{"version now", `unexpected argument "now"`},
	}
	for _, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			status, stdout, stderr := trueup(t, strings.Fields(c.args)...)
			if status != statusTrouble {
				t.Errorf("status %d, want 2", status)
			}
			if !strings.Contains(stderr, c.want) {
				t.Errorf("stderr %q, want … %s …", stderr, c.want)
			}
			if stdout != "" {
				t.Errorf("stdout %q", stdout)
			}
		})
	}
}

func TestADatabaseThatCannotBeReachedIsStatus2WithAHint(t *testing.T) {
	status, _, stderr := trueup(t, "diff", "mysql://app:s3cret@127.0.0.1:1/shop", "postgres://app:s3cret@127.0.0.1:1/shop", "orders")
	if status != statusTrouble || !strings.Contains(stderr, "trueup: source: open mysql://app@127.0.0.1:1/shop") {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	if !strings.Contains(stderr, "\nhint: check host and port") {
		t.Errorf("no hint line in %q", stderr)
	}
	if strings.Contains(stderr, "s3cret") {
		t.Errorf("the password shows in %q", stderr)
	}
}

func TestABadDSNShowsNoPassword(t *testing.T) {
	for _, dsn := range []string{
		"mysql://app:s3c/ret@host/shop", "oracle://app:s3cret@host/shop", "mysql://app:s3cret%zz@host/shop",
		"postgres://app:s3cret@host:port/shop", "mysql://app:${TRUEUP_NOT_SET}s3cret@host/shop",
	} {
		status, stdout, stderr := trueup(t, "diff", dsn, "postgres://app:s3cret@127.0.0.1:1/shop", "orders")
		if status != statusTrouble || stdout != "" || !strings.HasPrefix(stderr, "trueup: source: ") {
			t.Errorf("%s: status %d, stdout %q, stderr %q", dsn, status, stdout, stderr)
		}
		if strings.Contains(stderr, "s3c") || strings.Contains(stderr, "ret@") {
			t.Errorf("the password shows in %q", stderr)
		}
	}
}

func TestHelpIsStatus0AndComplete(t *testing.T) {
	t.Setenv("SOURCE_PASSWORD", "s3cret")
	for args, wants := range map[string][]string{
		"--help":      {"diff", "fix", "plan", "topics", "version", "Exit status", "${NAME}"},
		"diff --help": {"--key", "--columns", "--exclude", "--where", "--map", "--rule", "--method", "--threads", "--confirm", "--mode", "--config", "--json", "--checkpoint", "--max-findings", "--password-file", "tolerance:1e-9", "Exit status", "Examples:"},
		"fix --help":  {"--dry-run", "--verify", "--authority", "A repair is not a verification", "Exit status"},
		"plan --help": {"--file", "warnings", "tolerance:1e-9"},
		"topics":      {"create", "check"},
		"":            {"diff", "fix", "plan"},
	} {
		status, stdout, stderr := trueup(t, strings.Fields(args)...)
		if status != 0 || stderr != "" {
			t.Errorf("%s: status %d, stderr %q", args, status, stderr)
		}
		for _, want := range wants {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: %q is missing in\n%s", args, want, stdout)
			}
		}
		if strings.Contains(stdout, "s3cret") {
			t.Errorf("%s: a password shows", args)
		}
	}
}

func TestVersion(t *testing.T) {
	if status, stdout, _ := trueup(t, "version"); status != 0 || !strings.HasPrefix(stdout, "trueup ") {
		t.Errorf("status %d, stdout %q", status, stdout)
	}
}
