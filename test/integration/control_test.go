package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
)

// url is where the service serves HTTP.
func (s *service) url() string {
	s.t.Helper()
	var line struct{ Address string }
	if err := json.Unmarshal([]byte(s.logged("serving http")), &line); err != nil {
		s.t.Fatal(err)
	}
	return "http://" + line.Address
}

// pairStatus is a pair as trueup status --json shows it.
type pairStatus struct {
	Pair, Phase string
	Order       struct{ Who, Why, Until string }
	Run         struct {
		ID, Mode string
		Resumed  bool
	}
	Verdicts []struct {
		Run, Mode       string
		Complete, Clean bool
		Reason          string
	}
}

// status waits until the validator tells how a pair stands, and that is so.
func (s *service) status(pair string, so func(pairStatus) bool) pairStatus {
	s.t.Helper()
	var last pairStatus
	eventually(s.t, func() (bool, string) {
		code, stdout, stderr := command(s.t, "trueup", "status", pair, "--json", "--server", s.url())
		if code != 0 {
			return false, stderr
		}
		last = pairStatus{}
		if err := json.Unmarshal([]byte(stdout), &last); err != nil {
			s.t.Fatal(err)
		}
		return so(last), stdout
	})
	return last
}

func inPhase(phase string) func(pairStatus) bool {
	return func(s pairStatus) bool { return s.Phase == phase }
}

// published maps the keys of all findings in the topic to their kinds.
func (w *world) published() map[string]string {
	w.t.Helper()
	scanner, err := kafka.NewScanner(w.t.Context(), w.kafka)
	if err != nil {
		w.t.Fatal(err)
	}
	defer scanner.Close()
	topic := w.kafka.Topics().Findings
	partitions, err := scanner.Partitions(topic)
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]string{}
	for _, p := range partitions {
		from, to, err := scanner.Span(w.t.Context(), topic, p, time.Time{})
		if err == nil {
			err = scanner.Read(w.t.Context(), topic, p, from, to, func(r event.Record) error {
				f, err := event.DecodeFinding(r)
				out[fmt.Sprintf(`{"id":%s}`, f.Key.Values())] = f.Kind.String()
				return err
			})
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}

// TestAPausedRunStaysPausedOverAKillAndFindsWhatAnUndisturbedOneFinds starts a run
// by the control API, pauses it half-way, kills the validator, and resumes.
func TestAPausedRunStaysPausedOverAKillAndFindsWhatAnUndisturbedOneFinds(t *testing.T) {
	t.Parallel()
	const rows = 4000
	w := newWorld(t, direction{maria, postgres}, "pairs: [{name: orders, exclude: [untouched, weight]}]\n"+
		"validator: {confirm: 0s, threads: 1, checkpoint_every: 1ms, range: {min_rows: 3, max_rows: 3}}")
	damaged(t, w, rows)
	want := kinds(t, w.must(1, "trueup", "diff", "--config", w.config, "--json"))
	position := func() string {
		states, _, err := w.admin().ReadState(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(states["orders"].Position)
	}
	first := start(t, "validator", "--config", w.config)
	first.status("orders", inPhase("idle"))
	w.must(0, "trueup", "run", "orders", "--server", first.url(), "--who", "bob")
	eventually(t, func() (bool, string) { return position() != "", "no position is kept" })
	w.must(0, "trueup", "pause", "orders", "--server", first.url(), "--who", "ann", "--why", "index is built")
	first.logged(`"action":"pause"`, `"who":"ann"`, `"why":"index is built"`, `"proved":"loopback"`)
	paused := first.status("orders", inPhase("paused"))
	first.kill(syscall.SIGKILL)
	if strings.Contains(strings.Join(first.lines(), "\n"), `"verdict"`) {
		t.Fatal("the run ended before it could be paused; it is too short for this test")
	}
	at := position()

	second := start(t, "validator", "--config", w.config)
	again := second.status("orders", inPhase("paused"))
	if again.Order.Who != "ann" || again.Order.Why != "index is built" || again.Run.ID != paused.Run.ID {
		t.Errorf("after the restart: %+v, before: %+v", again, paused)
	}
	second.logged("waiting for schedules", "by ann: index is built")
	if log := strings.Join(second.lines(), "\n"); strings.Contains(log, "run started") || position() != at {
		t.Errorf("it did not rest:\n%s", log)
	}
	w.must(0, "trueup", "resume", "orders", "--server", second.url())
	line := second.logged(`"verdict"`)
	if !containsAll(line, []string{`"resumed":true`, `"complete":true`, paused.Run.ID}) {
		t.Errorf("the verdict is %s", line)
	}
	if got := w.published(); !maps.Equal(got, want) {
		t.Errorf("%d findings are published, an undisturbed run has %d", len(got), len(want))
	}
	done := second.status("orders", func(s pairStatus) bool { return s.Phase == "complete" && len(s.Verdicts) == 1 })
	if v := done.Verdicts[0]; v.Run != paused.Run.ID || !v.Complete || v.Clean {
		t.Errorf("%+v", v)
	}

	// A stopped run does not go on, neither here nor in the next process.
	w.must(0, "trueup", "run", "orders", "--server", second.url())
	second.status("orders", inPhase("running"))
	w.must(0, "trueup", "stop", "orders", "--server", second.url(), "--who", "ann", "--why", "wrong filter")
	second.logged(`"verdict"`, "stopped by ann: wrong filter")
	second.status("orders", inPhase("stopped"))
	if code := second.stop(); code != 0 {
		t.Errorf("the validator stopped with status %d", code)
	}
	third := start(t, "validator", "--config", w.config)
	if s := third.status("orders", inPhase("stopped")); s.Order.Who != "ann" {
		t.Errorf("%+v", s)
	}
}

// TestWhoMayNotIsToldSo calls a validator that other machines reach.
func TestWhoMayNotIsToldSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{postgres, postgres}, "pairs: [{name: orders}]")
	w.direction.source.fill(t, w.source, "orders", 1, 10)
	w.direction.target.fill(t, w.target, "orders", 1, 10)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("correct-horse-battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	here := func(s *service) string { return strings.Replace(s.url(), "[::]", "127.0.0.1", 1) }
	refused := func(s *service, hint string, args ...string) {
		t.Helper()
		code, _, stderr := command(t, "trueup", append(args, "--server", here(s))...)
		if code != 2 || !strings.Contains(stderr, hint) {
			t.Errorf("%v: status %d, %s; want … %s …", args, code, stderr, hint)
		}
	}

	open := start(t, "validator", "--config", w.config, "--listen", "0.0.0.0:0")
	open.readiness(200, "")
	refused(open, "set http.token", "pause", "orders")
	refused(open, "set http.token", "pause", "orders", "--token-file", token)
	w.must(0, "trueup", "status", "--server", here(open))
	open.kill(syscall.SIGKILL)

	setenv(t, "TRUEUP_TEST_TOKEN", "correct-horse-battery")
	w.configureListen(`127.0.0.1:0", token: "${TRUEUP_TEST_TOKEN}`)
	guarded := start(t, "validator", "--config", w.config, "--listen", "0.0.0.0:0")
	guarded.readiness(200, "")
	refused(guarded, "--token-file or TRUEUP_TOKEN", "pause", "orders")
	refused(guarded, "--token-file or TRUEUP_TOKEN", "status")
	refused(guarded, `did you mean "orders"?`, "run", "odrers", "--token-file", token)
	w.must(0, "trueup", "pause", "orders", "--for", "1h", "--server", here(guarded), "--config", w.config)
	w.must(0, "trueup", "governor", "pause", "--for", "1m", "--why", "test", "--server", here(guarded), "--token-file", token)
	if out := w.must(0, "trueup", "status", "--server", here(guarded), "--token-file", token); !containsAll(out, []string{"orders", "paused", "until ", "source reads", "paused by hand", "test"}) {
		t.Errorf("%s", out)
	}
	guarded.kill(syscall.SIGKILL)
	if log := strings.Join(guarded.lines(), "\n"); strings.Contains(log, "correct-horse") {
		t.Errorf("the token shows in the log:\n%s", log)
	}
	code, _, stderr := command(t, "trueup", "pause", "orders", "--server", here(guarded), "--token-file", token)
	if code != 2 || !strings.Contains(stderr, "see that it runs") {
		t.Errorf("nobody is there: status %d, %s", code, stderr)
	}
}

// TestPromotingAPairFencesWhoeverWasConfiguredBefore promotes a pair once it is
// known to be equal, and not before.
func TestPromotingAPairFencesWhoeverWasConfiguredBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{maria, postgres}, "pairs: [{name: orders, exclude: [untouched, weight]}]\nvalidator: {confirm: 0s}")
	w.direction.source.fill(t, w.source, "orders", 1, 200)
	w.direction.target.fill(t, w.target, "orders", 2, 200)
	validator := start(t, "validator", "--config", w.config)
	promote := func(args ...string) (int, string) {
		code, stdout, stderr := command(t, "trueup", append([]string{"promote", "orders", "--to", "target", "--server", validator.url()}, args...)...)
		return code, stdout + stderr
	}
	refused := func(hint string) {
		t.Helper()
		eventually(t, func() (bool, string) {
			code, out := promote()
			if code == 0 {
				t.Fatalf("promoted:\n%s", out)
			}
			return strings.Contains(out, hint), out
		})
	}
	refused("no full run of epoch 1 has ended")
	w.must(0, "trueup", "run", "orders", "--server", validator.url())
	refused("the last full run was not clean, 1 rows are open")
	fixer := start(t, "fixer", "--config", w.config)
	w.drained()
	w.must(0, "trueup", "run", "orders", "--server", validator.url())
	var out string
	eventually(t, func() (bool, string) {
		var code int
		code, out = promote("--who", "ann", "--why", "cut-over")
		return code == 0, out
	})
	if !strings.Contains(out, "{name: orders, authority: target, epoch: 2}") {
		t.Errorf("%s", out)
	}
	validator.readiness(503, "authority is target and epoch 2")
	fixer.readiness(503, "authority is target and epoch 2")
	if code, out := promote(); code != 2 || !strings.Contains(out, "epoch 2") {
		t.Errorf("promoted twice: %d %s", code, out)
	}
	validator.kill(syscall.SIGKILL)
	w.configure(w.source, w.target, "pairs: [{name: orders, exclude: [untouched, weight], authority: target, epoch: 2}]\nvalidator: {confirm: 0s}")
	validator = start(t, "validator", "--config", w.config)
	validator.readiness(200, "")
	w.must(0, "trueup", "run", "orders", "--server", validator.url())
	if line := validator.logged(`"verdict"`); !strings.Contains(line, `"clean":true`) {
		t.Errorf("%s", line)
	}
}

// TestCountsByTimePointAtWhereToLook counts a pair by schedule.
func TestCountsByTimePointAtWhereToLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{maria, postgres}, "pairs: [{name: orders, updated_at: at, schedule: {count: '@every 1s'}}]")
	w.direction.source.fill(t, w.source, "orders", 1, 200)
	w.direction.target.fill(t, w.target, "orders", 1, 200)
	testenv.Exec(t, w.target, "DELETE FROM orders WHERE id = 77")
	validator := start(t, "validator", "--config", w.config)
	validator.logged(`"verdict"`, `"mode":"count"`, `"unequal":1`)
	validator.logged("numbers of rows differ", `"pair":"orders"`, `"from":"2026-03-04T05:06:`, `"source":`)
	if s := validator.status("orders", func(s pairStatus) bool { return len(s.Verdicts) == 1 }); s.Verdicts[0].Mode != "count" || s.Verdicts[0].Clean {
		t.Errorf("%+v", s)
	}
	if len(w.published()) != 0 {
		t.Error("a count published findings")
	}
}
