package integration

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/kafka"
)

func TestRunsStartByScheduleAndStopInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{postgres, maria}, "pairs: [{name: orders, exclude: [untouched], schedule: {full: '@every 1s', reverse: '@every 2s'}}]\nvalidator: {confirm: 0s}")
	postgres.fill(t, w.source, "orders", 1, 200)
	maria.fill(t, w.target, "orders", 1, 200)
	validator := start(t, "validator", "--config", w.config)
	validator.logged(`"mode":"full"`, "orders: clean")
	validator.logged(`"mode":"reverse"`, `"clean":true`)
	testenv.Exec(t, w.target, "UPDATE orders SET state = 'damaged' WHERE id = 20")
	validator.logged("orders: different")
	start(t, "fixer", "--config", w.config)
	eventually(t, func() (bool, string) {
		lines := validator.lines()
		last := ""
		for _, line := range lines {
			if strings.Contains(line, `"verdict"`) && strings.Contains(line, `"mode":"full"`) {
				last = line
			}
		}
		return strings.Contains(last, "orders: clean"), last
	})
	_, metrics := validator.get("/metrics")
	for _, want := range []string{`trueup_run_last_clean{mode="full",pair="orders"} 1`, `trueup_findings_total{kind="neq",pair="orders"}`, "trueup_kafka_publisher_healthy 1"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if status := validator.stop(); status != 0 {
		t.Errorf("stopped with status %d", status)
	}
}

func TestATableMayChangeBetweenTwoRunsOfAService(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{maria, postgres}, "pairs: [{name: orders, exclude: [untouched], schedule: {full: '@every 1s'}}]\nvalidator: {confirm: 0s}")
	maria.fill(t, w.source, "orders", 1, 200)
	postgres.fill(t, w.target, "orders", 1, 200)
	validator := start(t, "validator", "--config", w.config)
	validator.logged(`"mode":"full"`, "orders: clean")
	testenv.Exec(t, w.source, "ALTER TABLE orders MODIFY amount DECIMAL(16,6)")
	testenv.Exec(t, w.target, "ALTER TABLE orders ALTER amount TYPE NUMERIC(16,6)")
	before := len(validator.lines())
	eventually(t, func() (bool, string) {
		since := strings.Join(validator.lines()[before:], "\n")
		return strings.Contains(since, "orders: clean"), since
	})
}

func TestServicesOfOneFileOnOneMachineDoNotFightForThePort(t *testing.T) {
	w := newWorld(t, direction{maria, maria}, "pairs: [{name: orders}]")
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)")
	}
	one := start(t, "fixer", "--config", w.config)
	var line struct{ Address string }
	if err := json.Unmarshal([]byte(one.logged("serving http")), &line); err != nil {
		t.Fatal(err)
	}
	refused(t, []string{"http.listen", "choose another host:port"}, "fixer", "--config", w.config, "--listen", line.Address)
	w.configureListen(line.Address)
	other := start(t, "fixer", "--config", w.config)
	other.logged("another process has the address")
	other.readiness(200, `"ready": true`)
	one.readiness(200, `"ready": true`)
}

func TestADiffThatEndedLeavesNothingToGoOnFrom(t *testing.T) {
	t.Parallel()
	source, target := testenv.MySQL(t), testenv.MySQL(t)
	maria.fill(t, source, "orders", 1, 2000)
	maria.fill(t, target, "orders", 1, 2000)
	file := t.TempDir() + "/checkpoint"
	for range 2 {
		status, stdout, stderr := command(t, "trueup", "diff", source, target, "orders", "--json", "--checkpoint", file)
		if status != 0 || strings.Contains(stdout, "resumed") || !strings.Contains(stdout, `"rows":{"source":2000,"target":2000}`) {
			t.Errorf("status %d\n%s%s", status, stdout, stderr)
		}
	}
}

// TestAnInterruptedDiffTellsWhatItFoundAndGoesOn interrupts a comparison at its
// first finding, and starts it again.
func TestAnInterruptedDiffTellsWhatItFoundAndGoesOn(t *testing.T) {
	t.Parallel()
	const rows = 20_000
	source, target := testenv.MySQL(t), testenv.MySQL(t)
	maria.fill(t, source, "orders", 1, rows)
	maria.fill(t, target, "orders", 1, rows)
	testenv.Exec(t, target, "DELETE FROM orders WHERE id IN (2000, 19000)")
	w := &world{t: t, kafka: kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Partitions: 6}}
	w.configure(source, target, "pairs: [{name: orders, exclude: [untouched]}]\nvalidator: {confirm: 0s, threads: 1, checkpoint_every: 1ms, range: {min_rows: 1, max_rows: 5}}")
	file := t.TempDir() + "/checkpoint"
	cmd := exec.CommandContext(t.Context(), binary("trueup"), "diff", "--config", w.config, "--json", "--checkpoint", file)
	cmd.Env = environment(t)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(stdout)
	first, err := reader.ReadString('\n')
	if err != nil || !strings.Contains(first, `"target_missing"`) {
		t.Fatalf("%q, %v", first, err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the status tells
	if status := cmd.ProcessState.ExitCode(); status != 2 {
		t.Errorf("status %d", status)
	}
	all := lines(t, string(rest))
	if len(all) != 1 || all[0].Verdict == nil || all[0].Verdict.Complete || !strings.Contains(all[0].Verdict.Reason, "interrupted") {
		t.Errorf("after the interruption:\n%s", rest)
	}

	status, again, stderr := command(t, "trueup", "diff", "--config", w.config, "--json", "--checkpoint", file)
	cmd.Env = environment(t)
	if status != 1 || !containsAll(again, []string{`"resumed":true`, `"complete":true`, `"target_missing":2`, `{"id":19000}`}) {
		t.Errorf("status %d\n%s%s", status, again, stderr)
	}
}
