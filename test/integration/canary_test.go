package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

const (
	canaryOf  = "pairs: [{name: orders, exclude: [untouched], canary: {key: {id: 120}, extra: {id: -7}}%s}]\nvalidator: {confirm: 300ms}\nfixer: {batch_keys: 100}"
	theCanary = "SELECT CONCAT(state, '/', amount, '/', COALESCE(note, 'NULL')) FROM orders WHERE id = 120"
)

// withCanary is a world whose pair has a canary.
func withCanary(t *testing.T, d direction, more string) *world {
	t.Helper()
	w := newWorld(t, d, fmt.Sprintf(canaryOf, more))
	d.source.fill(t, w.source, "orders", 1, 200)
	d.target.fill(t, w.target, "orders", 1, 200)
	return w
}

// proof is what canary --json prints.
type proof struct {
	Kind, Column, Missed, Reason, Row string
	Proven, Asked                     bool
	Seconds                           map[string]float64
	Run                               string
}

// fly runs a canary that has to end with the status.
func (w *world) fly(status int, args ...string) proof {
	w.t.Helper()
	stdout := w.must(status, "trueup", append([]string{"canary", "orders", "-f", w.config, "--json"}, args...)...)
	var line struct{ Canary proof }
	if err := json.Unmarshal([]byte(stdout), &line); err != nil {
		w.t.Fatalf("%v in %s", err, stdout)
	}
	return line.Canary
}

// validates starts a validator and waits until it works, and repairs a fixer.
func (w *world) validates() *service {
	w.t.Helper()
	v := start(w.t, "validator", "--config", w.config)
	v.readiness(200, `"ready": true`)
	return v
}

func (w *world) repairs() *service {
	w.t.Helper()
	f := start(w.t, "fixer", "--config", w.config, "--listen", "127.0.0.1:0")
	f.readiness(200, `"ready": true`)
	return f
}

// same fails the test when the two sides differ.
func (w *world) same() {
	w.t.Helper()
	w.must(0, "trueup", "diff", "--config", w.config, "--confirm", "0")
}

func TestACanaryIsFoundAndRepaired(t *testing.T) {
	t.Parallel()
	for _, d := range directions {
		t.Run(d.String(), func(t *testing.T) {
			w := withCanary(t, d, "")
			v := w.validates()
			w.repairs()
			for _, kind := range []string{"neq", "neq", "target_missing", "base_missing"} {
				p := w.fly(0, "--kind", kind, "--timeout", "60s")
				t.Logf("%s: %+v", kind, p)
				if !p.Proven || !p.Asked || p.Kind != kind || p.Missed != "" || !strings.HasPrefix(p.Run, "canary-") ||
					p.Seconds["found"] <= 0 || p.Seconds["repaired"] < p.Seconds["found"] || p.Seconds["equal"] < p.Seconds["repaired"] {
					t.Errorf("%s: %+v", kind, p)
				}
				if (p.Column != "") != (kind == "neq") {
					t.Errorf("%s: column %q", kind, p.Column)
				}
				w.same()
				v.measures(`trueup_canary_last_proven{kind="`+kind+`",pair="orders"} 1`, `trueup_canary_last_seconds{kind="`+kind+`",pair="orders",stage="equal"} `)
			}
		})
	}
}

// measures waits until the service's metrics have lines that begin with the texts.
func (s *service) measures(texts ...string) {
	s.t.Helper()
	eventually(s.t, func() (bool, string) {
		_, body := s.get("/metrics")
		for _, text := range texts {
			if !strings.Contains(body, "\n"+text) {
				return false, "there is no " + text
			}
		}
		return true, ""
	})
}

func TestACanaryThatNobodyRepairsIsGivenBackAndTheStageNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d     direction
		kinds []string
	}{{direction{maria, postgres}, []string{"neq", "target_missing", "base_missing"}}, {direction{postgres, maria}, []string{"target_missing"}}} {
		t.Run(c.d.String(), func(t *testing.T) {
			w := withCanary(t, c.d, "")
			before := scan[string](t, w.target, theCanary)
			v := w.validates()
			for _, kind := range c.kinds {
				p := w.fly(1, "--kind", kind, "--timeout", "8s")
				if p.Proven || p.Missed != "repaired" || p.Row != "restored" || p.Seconds["found"] <= 0 || !strings.Contains(p.Reason, "does a fixer run") {
					t.Errorf("without a fixer, %s: %+v", kind, p)
				}
				if after := scan[string](t, w.target, theCanary); after != before {
					t.Errorf("the row was %q and is %q", before, after)
				}
				w.same()
				v.measures(`trueup_canary_last_proven{kind="`+kind+`",pair="orders"} 0`, `trueup_canary_last_seconds{kind="`+kind+`",pair="orders",stage="found"} `)
			}
			if untouched := scan[string](t, w.target, "SELECT untouched FROM orders WHERE id = 120"); untouched != "mine" {
				t.Errorf("a column that the pair leaves out holds %q", untouched)
			}
			v.stop()
			w.repairs()
			p := w.fly(1, "--timeout", "3s")
			if p.Missed != "found" || p.Row != "restored" || !strings.Contains(p.Reason, "does a validator run") {
				t.Errorf("without a validator: %+v", p)
			}
			w.same()
		})
	}
}

func TestACanaryNamesTheDryRunAndTheBreakerThatStopIt(t *testing.T) {
	t.Parallel()
	w := withCanary(t, direction{maria, postgres}, ", breaker: {per_minute: 1}")
	w.validates()
	f := w.repairs()
	w.fly(0, "--timeout", "60s")
	p := w.fly(1, "--timeout", "60s")
	if p.Missed != "repaired" || p.Row != "restored" || !containsAll(p.Reason, []string{"held", "breaker", "trueup release orders"}) {
		t.Errorf("past the breaker's limit: %+v", p)
	}
	w.same()
	f.stop()

	dry := withCanary(t, direction{postgres, maria}, "")
	dry.validates()
	dry.configure(dry.source, dry.target, strings.Replace(fmt.Sprintf(canaryOf, ""), "fixer: {", "fixer: {dry_run: true, ", 1))
	dry.repairs()
	p = dry.fly(1, "--timeout", "60s")
	if p.Missed != "repaired" || p.Row != "restored" || !strings.Contains(p.Reason, "dry run") {
		t.Errorf("with a fixer in a dry run: %+v", p)
	}
	dry.same()
}

// flight is a canary under way.
type flight struct {
	*exec.Cmd
	t      *testing.T
	stdout *bufio.Reader
	stderr strings.Builder
}

// takeOff starts a canary and returns when it is planted.
func (w *world) takeOff(args ...string) *flight {
	w.t.Helper()
	f := &flight{t: w.t}
	f.Cmd = exec.CommandContext(w.t.Context(), binary("trueup"), append([]string{"canary", "orders", "--config", w.config}, args...)...)
	f.Cmd.Env = environment(w.t)
	f.Stderr = &f.stderr
	stdout, err := f.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := f.Start(); err != nil {
		w.t.Fatal(err)
	}
	f.stdout = bufio.NewReader(stdout)
	f.until("planted")
	return f
}

// until reads what is printed up to a line that begins so.
func (f *flight) until(word string) string {
	f.t.Helper()
	for {
		line, err := f.stdout.ReadString('\n')
		if strings.HasPrefix(line, word) {
			return line
		}
		if err != nil {
			_ = f.Wait()
			f.t.Fatalf("it ended before %q: %v\n%s", word, err, f.stderr.String())
		}
	}
}

// end waits for the end and returns what is printed until then.
func (f *flight) end(status int) string {
	f.t.Helper()
	rest, err := io.ReadAll(f.stdout)
	if err != nil {
		f.t.Fatal(err)
	}
	_ = f.Wait() // the status tells
	if got := f.ProcessState.ExitCode(); got != status {
		f.t.Errorf("status %d, want %d\n%s\n%s", got, status, rest, f.stderr.String())
	}
	return string(rest)
}

func TestACanaryLeavesWhatSomebodyElseWroteMeanwhile(t *testing.T) {
	t.Parallel()
	w := withCanary(t, direction{maria, maria}, "")
	w.validates()
	f := w.takeOff("--timeout", "10s")
	f.until("found")
	testenv.Exec(t, w.target, "UPDATE orders SET note = 'somebody else' WHERE id = 120")
	if said := f.end(1); !containsAll(said, []string{"found, but not repaired", "left as it is", "changed since"}) {
		t.Errorf("it says %q", said)
	}
	if note := scan[string](t, w.target, "SELECT note FROM orders WHERE id = 120"); note != "somebody else" {
		t.Errorf("the row holds %q", note)
	}
}

func TestARowThatChangesAtTheAuthorityMeanwhileIsRepairedToThat(t *testing.T) {
	t.Parallel()
	w := withCanary(t, direction{maria, postgres}, "")
	w.validates()
	f := w.takeOff("--timeout", "60s")
	testenv.Exec(t, w.source, "UPDATE orders SET note = 'a newer version' WHERE id = 120")
	w.repairs()
	if said := f.end(0); !strings.Contains(said, "proven") {
		t.Errorf("it says %q", said)
	}
	if note := scan[string](t, w.target, "SELECT note FROM orders WHERE id = 120"); note != "a newer version" {
		t.Errorf("the row holds %q", note)
	}
	w.same()
}

func TestAnInterruptedCanaryIsGivenBackAndAKilledOneIsRefusedUntilRepaired(t *testing.T) {
	t.Parallel()
	w := withCanary(t, direction{postgres, postgres}, "")
	w.validates()
	f := w.takeOff()
	if err := f.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if said := f.end(2); !strings.Contains(said, "given back") || !strings.Contains(f.stderr.String(), "interrupted") {
		t.Errorf("it says %q and %q", said, f.stderr.String())
	}
	w.same()

	f = w.takeOff()
	if err := f.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = f.Wait()
	w.must(1, "trueup", "diff", "--config", w.config, "--confirm", "0")
	refused(t, []string{"differs already", "canary that was killed"}, "trueup", "canary", "orders", "-f", w.config)
	w.repairs()
	w.must(1, "validator", "--config", w.config, "--once")
	w.holds("SELECT count(*) FROM orders WHERE id = 120 AND state = (SELECT state FROM orders WHERE id = 130)", 1)
	w.same()
	w.fly(0, "--timeout", "60s")
}

func TestACanaryThatAsksNobodyIsFoundByARunOfItsOwn(t *testing.T) {
	t.Parallel()
	w := withCanary(t, direction{maria, postgres}, ", authority: target, epoch: 2, schedule: {full: '@every 1s'}")
	w.validates()
	w.repairs()
	if p := w.fly(0, "--no-ask", "--timeout", "60s"); p.Asked || strings.HasPrefix(p.Run, "canary-") {
		t.Errorf("%+v", p)
	}
}

func TestAShadowTakesTheCanaryWhereTheTableMayNotBeWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{postgres, maria}, "pairs: [{name: orders, exclude: [untouched], canary: {key: {id: 1}, shadow: {source: canary_of_orders}}}]\nvalidator: {confirm: 300ms}")
	postgres.fill(t, w.source, "orders", 1, 200)
	maria.fill(t, w.target, "orders", 1, 200)
	testenv.Exec(t, w.source, "CREATE TABLE canary_of_orders (LIKE orders INCLUDING ALL)")
	testenv.Exec(t, w.target, "CREATE TABLE canary_of_orders LIKE orders",
		"CREATE TRIGGER nobody_writes BEFORE UPDATE ON orders FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not here'")
	postgres.insert(t, w.source, "canary_of_orders", 1, 1)
	maria.insert(t, w.target, "canary_of_orders", 1, 1)
	w.validates()
	w.repairs()
	w.fly(0, "--timeout", "60s")
	w.fly(0, "--timeout", "60s", "--kind", "target_missing")
}

func TestACanaryIsRefusedBeforeAnythingIsPlanted(t *testing.T) {
	t.Parallel()
	const pairs = "pairs: [{name: orders, exclude: [untouched], %s}]\nvalidator: {confirm: 300ms}"
	w := newWorld(t, direction{maria, maria}, fmt.Sprintf(pairs, "canary: {key: {id: 120}}"))
	maria.fill(t, w.source, "orders", 1, 200)
	maria.fill(t, w.target, "orders", 1, 201)
	said := func(want []string, args ...string) {
		t.Helper()
		refused(t, want, "trueup", append([]string{"canary", "orders", "-f", w.config}, args...)...)
	}
	said([]string{"announced", "start the validator"})
	w.must(1, "validator", "--config", w.config, "--once")
	said([]string{"canary.extra"}, "--kind", "base_missing")
	said([]string{"neq, target_missing or base_missing"}, "--kind", "all")
	for settings, want := range map[string][]string{
		"canary: {key: {id: 999}}":                              {"999", "is not at the source", "canary.key"},
		"canary: {key: {id: 201}}":                              {"201", "is not at the source"},
		"canary: {key: {nr: 1}}":                                {"canary.key", "nr", "id"},
		"canary: {key: {id: 120}, column: shape}":               {"canary.column", "shape"},
		"canary: {key: {id: 120}, column: id}":                  {"id belongs to the key"},
		"columns: [id]":                                         {"has no canary"},
		"canary: {key: {id: 120}, shadow: {target: x}}":         {"canary.shadow.source"},
		"canary: {key: {id: 120}, extra: {id: 120}}":            {"canary.extra", "reserved row's key"},
		"canary: {key: {id: 120}, extra: {id: 3}}":              {"extra key 3", "at the source"},
		"canary: {key: {id: 120}, rules: {}}":                   {"unknown key"},
		"authority: target, epoch: 7, canary: {key: {id: 120}}": {"epoch 7", "announced"},
	} {
		settings := strings.Replace(fmt.Sprintf(pairs, settings), "exclude: [untouched], columns", "columns", 1)
		w.configure(w.source, w.target, settings)
		args := []string{}
		if strings.Contains(settings, "extra") {
			args = []string{"--kind", "base_missing"}
		}
		said(want, args...)
	}
	w.configure(w.source, w.target, fmt.Sprintf(pairs, "canary: {key: {id: 120}}"))
	w.must(1, "trueup", "diff", "--config", w.config, "--confirm", "0") // row 201 alone, as before
	if n := scan[int](t, w.target, "SELECT count(*) FROM orders"); n != 201 {
		t.Errorf("%d rows", n)
	}
}
