package main

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
)

// TestAShortContinuousSoakFindsAllDamage is `make soak FLAGS=-continuous` for
// half a minute and one pair of engines, on the Kafka of the tests.
func TestAShortContinuousSoakFindsAllDamage(t *testing.T) {
	t.Parallel() // most of its time it waits
	if !testing.Short() && !testenv.HasConnect() {
		t.Skip("Java or Maven, which fetches Kafka Connect, are not installed here")
	}
	o := options{
		minutes: 0.4, seed: 5, prefix: testenv.Prefix(t), fixers: 2, writers: 3, rows: 300, rate: 40, damage: 6,
		mishaps: 8 * time.Second, settle: 4 * time.Minute, bin: t.TempDir(), dir: t.TempDir(),
		servers: map[engine]string{mariadb: testenv.MySQLAdmin(t), postgres: testenv.PostgresAdmin(t)},
		connect: testenv.ConnectJars(t),
	}
	kafka := testenv.Kafka(t)[0]
	build := exec.CommandContext(t.Context(), "go", "build", "-o", o.bin, "../../services/...")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the programs: %v\n%s", err, out)
	}
	c, err := soakContinuously(t.Context(), o, &broker{direct: kafka, clients: kafka}, [][2]engine{{mariadb, postgres}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.remove(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	t.Log(c.markdown())
	for _, line := range c.violations() {
		t.Error(line)
	}
	r := c.routes[0]
	if r.compared == 0 || r.judged.fates[found] < 20 || len(c.moments) < 2 {
		t.Errorf("%d rows compared, %v, %d mishaps: too little was put to the test", r.compared, r.judged.fates, len(c.moments))
	}
	for _, i := range intrusions {
		if len(r.judged.took[i.name]) == 0 {
			t.Errorf("no damage of the kind %q was found", i.name)
		}
	}
	if len(r.judged.took[changeLost]) == 0 || len(r.claims.behind("notes, incremental")) == 0 {
		t.Errorf("no lost change was found, or nothing was said to be verified:\n%s", strings.Join(r.different, "\n"))
	}
}
