package integration

import (
	"strconv"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

const shardedOrders = `
pairs:
  - name: orders
    constants: {origin: mono}
    shards:
      - {source: orders_0, constants: {shard: 0}}
      - {source: orders_1, constants: {shard: 1}}
      - {source: orders_2, constants: {shard: 2}}
validator: {confirm: 50ms}
`

// TestShardsAreRepairedByTheServices has three source tables with the same ids
// in one table at the target, which differs in each shard.
func TestShardsAreRepairedByTheServices(t *testing.T) {
	t.Parallel()
	for _, d := range directions {
		t.Run(d.String(), func(t *testing.T) {
			w := newWorld(t, d, shardedOrders)
			testenv.Exec(t, w.target, "CREATE TABLE orders (origin VARCHAR(10) NOT NULL, shard INT NOT NULL, id BIGINT NOT NULL, n INT, PRIMARY KEY (shard, id))")
			for i, n := range []string{"0", "1", "2"} {
				var own, all []string
				for id := 1; id <= 300; id++ {
					values := n + " * 1000 + " + strconv.Itoa(id)
					own = append(own, "("+strconv.Itoa(id)+", "+values+")")
					if id%(10+i) != 3 {
						all = append(all, "('mono', "+n+", "+strconv.Itoa(id)+", "+values+")")
					}
				}
				testenv.Exec(t, w.source, "CREATE TABLE orders_"+n+" (id INT PRIMARY KEY, n INT)", "INSERT INTO orders_"+n+" VALUES "+strings.Join(own, ", "))
				testenv.Exec(t, w.target, "INSERT INTO orders VALUES "+strings.Join(all, ", "))
			}
			testenv.Exec(t, w.target,
				"UPDATE orders SET n = -1 WHERE shard = 0 AND id % 7 = 0", "UPDATE orders SET origin = 'old' WHERE shard = 1 AND id % 9 = 0",
				"INSERT INTO orders VALUES ('mono', 1, 301, 1), ('mono', 2, 302, 2), ('other', 7, 1, 7)")

			fixer := start(t, "fixer", "--config", w.config)
			w.must(1, "validator", "--config", w.config, "--once")
			w.drained()
			for n, rows := range map[string]int{"0": 300, "1": 300, "2": 300} {
				good := "SELECT COUNT(*) FROM orders WHERE origin = 'mono' AND n = shard * 1000 + id AND shard = " + n
				if got := scan[int](t, w.target, good); got != rows {
					t.Errorf("%d rows of shard %s are as at the source, want %d", got, n, rows)
				}
			}
			if n := scan[int](t, w.target, "SELECT COUNT(*) FROM orders"); n != 901 {
				t.Errorf("the target has %d rows, want 901", n)
			}
			// The row of no shard is all that is left; then nothing is.
			w.must(0, "validator", "--config", w.config, "--once", "--pair", "orders@orders_1")
			w.must(1, "validator", "--config", w.config, "--once", "--pair", "orders")
			testenv.Exec(t, w.target, "DELETE FROM orders WHERE shard = 7")
			w.must(0, "validator", "--config", w.config, "--once")
			if status := fixer.stop(); status != 0 {
				t.Errorf("the fixer stopped with status %d", status)
			}
		})
	}
}
