package main

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
)

// TestAShortSoakEndsCleanAndEqual is `make soak` for half a minute and one pair
// of engines, on the Kafka of the tests, which it leaves alone.
func TestAShortSoakEndsCleanAndEqual(t *testing.T) {
	t.Parallel() // most of its time it waits
	bin := t.TempDir()
	servers := map[engine]string{mariadb: testenv.MySQLAdmin(t), postgres: testenv.PostgresAdmin(t)}
	kafka := testenv.Kafka(t)[0]
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../services/...")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the programs: %v\n%s", err, out)
	}
	// Of this seed the first mishaps are a fixer killed, a connection cut, the
	// validator killed, and a database that is silent.
	o := options{
		minutes: 0.4, seed: 133, prefix: testenv.Prefix(t), fixers: 2, writers: 3, rows: 100, rate: 40, damage: 4,
		mishaps: 3 * time.Second, settle: 4 * time.Minute, bin: bin, dir: t.TempDir(), servers: servers,
	}
	s, err := under(t.Context(), o, &broker{direct: kafka, clients: kafka}, [][2]engine{{mariadb, postgres}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.remove(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	d := s.directions[0]
	for _, line := range s.found {
		t.Error(line)
	}
	if d.compared == 0 || d.findings == 0 || d.mishap.snapshot()["fixer killed (-9)"] == 0 {
		t.Errorf("%d rows compared, %d findings, mishaps %v: nothing was put to the test", d.compared, d.findings, d.mishap.snapshot())
	}
	if repaired := d.results["repaired by insert"]; repaired == 0 || len(d.different) > 0 {
		t.Errorf("%v\n%s", d.results, strings.Join(d.different, "\n"))
	}
}
