package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

// engines make a database of their own.
var engines = map[string]func(testing.TB) string{"mysql": testenv.MySQL, "postgres": testenv.Postgres}

// sharded are three source tables, each with the ids 1 to 30, and one target
// table with all of them, which differs in every shard.
type sharded struct {
	source, target string
	file           string
}

func shards(t *testing.T, source, target string, entry string) sharded {
	t.Helper()
	s := sharded{source: engines[source](t), target: engines[target](t), file: filepath.Join(t.TempDir(), "trueup.yaml")}
	testenv.Exec(t, s.target, "CREATE TABLE orders (shard SMALLINT NOT NULL, id BIGINT NOT NULL, amount DECIMAL(10,2), note VARCHAR(40), PRIMARY KEY (shard, id))")
	for shard := range 3 {
		table := "orders_" + itoa(shard)
		testenv.Exec(t, s.source, "CREATE TABLE "+table+" (id INT PRIMARY KEY, amount DECIMAL(10,2), note VARCHAR(40))")
		var own, all []string
		for id := 1; id <= 30; id++ {
			row := fmt.Sprintf("%d, %d.50, 'of %d'", id, 100*shard+id, shard)
			own = append(own, "("+row+")")
			all = append(all, fmt.Sprintf("(%d, %s)", shard, row))
		}
		testenv.Exec(t, s.source, "INSERT INTO "+table+" VALUES "+strings.Join(own, ", "))
		testenv.Exec(t, s.target, "INSERT INTO orders VALUES "+strings.Join(all, ", "))
	}
	testenv.Exec(t, s.target,
		"DELETE FROM orders WHERE shard = 0 AND id IN (3, 4)", "UPDATE orders SET note = 'lost' WHERE shard = 0 AND id = 7",
		"DELETE FROM orders WHERE shard = 1 AND id IN (4, 30)", "UPDATE orders SET amount = 0 WHERE shard = 1 AND id IN (7, 8)",
		"INSERT INTO orders VALUES (1, 31, 1, 'extra'), (1, 40, 1, 'extra')",
		"INSERT INTO orders VALUES (2, 31, 2, 'extra')")
	text := fmt.Sprintf("source: {dsn: %q}\ntarget: {dsn: %q}\ngovernor: {source: {adapt: false}, target: {adapt: false}}\npairs:\n  - %s\n", s.source, s.target, entry)
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

const threeShards = `{name: orders, shards: [
    {source: orders_0, constants: {shard: 0}}, {source: orders_1, constants: {shard: 1}}, {name: third, source: orders_2, constants: {shard: 2}}]}`

// rows are the target's rows that meet a condition, as texts.
func (s sharded) rows(t *testing.T, where string) string {
	t.Helper()
	found, err := testenv.Open(t, s.target).QueryContext(t.Context(),
		"SELECT CONCAT(shard, '/', id, ' ', amount, ' ', note) FROM orders WHERE "+where+" ORDER BY shard, id")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var out strings.Builder
	for found.Next() {
		var text string
		if err := found.Scan(&text); err != nil {
			t.Fatal(err)
		}
		out.WriteString(text + "\n")
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestShardsOfCollidingKeysAreComparedAndRepairedEachByItself(t *testing.T) {
	for _, source := range []string{"mysql", "postgres"} {
		for _, target := range []string{"mysql", "postgres"} {
			t.Run(source+"-"+target, func(t *testing.T) {
				t.Parallel()
				s := shards(t, source, target, threeShards)
				// Rows of others, who share the table too.
				testenv.Exec(t, s.target, "INSERT INTO orders VALUES (-1, 3, 0, 'stray'), (9, 3, 0, 'stray'), (9, 4, 0, 'stray'), (9, 31, 0, 'stray')")

				status, stdout, stderr := trueup(t, "diff", "--config", s.file, "--confirm", "0", "--json")
				if status != statusDifferences {
					t.Fatalf("status %d, stderr %s", status, stderr)
				}
				for _, want := range []string{
					`{"pair":"orders@orders_0","kind":"target_missing","key":{"id":3}}`, `{"pair":"orders@orders_0","kind":"target_missing","key":{"id":4}}`,
					`{"pair":"orders@orders_0","kind":"neq","key":{"id":7},"columns":["note"]}`,
					`{"pair":"orders@orders_1","kind":"target_missing","key":{"id":4}}`, `{"pair":"orders@orders_1","kind":"target_missing","key":{"id":30}}`,
					`{"pair":"orders@orders_1","kind":"neq","key":{"id":7},"columns":["amount"]}`, `{"pair":"orders@orders_1","kind":"neq","key":{"id":8},"columns":["amount"]}`,
					`{"pair":"orders@orders_1","kind":"base_missing","key":{"id":31}}`, `{"pair":"orders@orders_1","kind":"base_missing","key":{"id":40}}`,
					`{"pair":"third","kind":"base_missing","key":{"id":31}}`,
					`"outside":4`, `4 rows of the target belong to no shard, such as (shard = -1, id = 3), (shard = 9, id = 3), (shard = 9, id = 4)`,
				} {
					if !strings.Contains(stdout, want) {
						t.Errorf("%s is missing in\n%s", want, stdout)
					}
				}
				if n := strings.Count(stdout, `"kind":`); n != 10 {
					t.Errorf("%d findings, want 10:\n%s", n, stdout)
				}

				others := s.rows(t, "shard <> 1")
				if status, stdout, stderr = trueup(t, "fix", "--config", s.file, "--confirm", "0", "orders@orders_1", "--verify"); status != statusClean {
					t.Errorf("repair of one shard: status %d, %s%s", status, stdout, stderr)
				}
				if now := s.rows(t, "shard <> 1"); now != others {
					t.Errorf("the repair of one shard changed others: were\n%sare\n%s", others, now)
				}

				strays := s.rows(t, "shard NOT IN (0, 1, 2)")
				trueup(t, "fix", "--config", s.file, "--confirm", "0", "orders")
				if now := s.rows(t, "shard NOT IN (0, 1, 2)"); now != strays {
					t.Errorf("a repair changed rows of no shard: were\n%sare\n%s", strays, now)
				}
				status, stdout, _ = trueup(t, "diff", "--config", s.file, "--confirm", "0", "--json", "orders")
				if status != statusDifferences || strings.Contains(stdout, `"kind":`) || !strings.Contains(stdout, `"outside":4`) {
					t.Errorf("with nothing but rows of no shard: status %d, %s", status, stdout)
				}
				testenv.Exec(t, s.target, "DELETE FROM orders WHERE shard NOT IN (0, 1, 2)")
				if status, stdout, stderr = trueup(t, "diff", "--config", s.file, "--confirm", "0"); status != statusClean {
					t.Errorf("after the repair: status %d, %s%s", status, stdout, stderr)
				}
				if n := strings.Count(s.rows(t, "shard IN (0, 1, 2)"), "\n"); n != 90 {
					t.Errorf("%d rows, want 90", n)
				}
			})
		}
	}
}

func TestShardsThatOnlyFiltersTellApart(t *testing.T) {
	s := shards(t, "mysql", "postgres", `{name: orders, key: [id], shards: [
    {source: orders_0, constants: {shard: 0}, target_where: id <= 30}, {source: orders_1, constants: {shard: 1}, source_where: id < 0, target_where: id >= 30 -- too many}]}`)
	testenv.Exec(t, s.target, "DELETE FROM orders WHERE shard > 0", "ALTER TABLE orders DROP CONSTRAINT orders_pkey", "ALTER TABLE orders ADD PRIMARY KEY (id)",
		"INSERT INTO orders VALUES (1, 31, 1, 'a')")
	before := s.rows(t, "true")
	for _, command := range []string{"diff", "fix"} {
		status, stdout, stderr := trueup(t, command, "--config", s.file, "--confirm", "0", "orders@orders_1")
		if status != statusTrouble || !strings.Contains(stdout+stderr, "belong to another shard as well, such as (id = 30)") {
			t.Errorf("%s of shards that overlap: status %d, %s%s", command, status, stdout, stderr)
		}
	}
	if now := s.rows(t, "true"); now != before {
		t.Errorf("shards that overlap were repaired: were\n%sare\n%s", before, now)
	}
	testenv.Exec(t, s.target, "DELETE FROM orders WHERE id = 30")
	if status, stdout, stderr := trueup(t, "diff", "--config", s.file, "--confirm", "0", "orders@orders_1"); status != statusDifferences || !strings.Contains(stdout, "base_missing") {
		t.Errorf("shards that do not overlap: status %d, %s%s", status, stdout, stderr)
	}
}

func TestShardsThatNothingTellsApartAreRefused(t *testing.T) {
	s := shards(t, "mysql", "mysql", `{name: orders, key: [id], shards: [
    {source: orders_0, constants: {shard: 0}}, {source: orders_1, constants: {shard: "0"}}]}`)
	status, _, stderr := trueup(t, "diff", "--config", s.file)
	if status != statusTrouble || !strings.Contains(stderr, "shard orders@orders_1 and this one cannot be told apart") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

func TestAConstantIsGivenOnTheCommandLine(t *testing.T) {
	s := shards(t, "postgres", "mysql", threeShards)
	status, stdout, stderr := trueup(t, "diff", s.source, s.target, "orders_2=orders", "--constant", "shard=2", "--confirm", "0", "--json")
	if status != statusDifferences || !strings.Contains(stdout, `{"pair":"orders_2","kind":"base_missing","key":{"id":31}}`) || strings.Count(stdout, `"kind":`) != 1 {
		t.Errorf("status %d, %s%s", status, stdout, stderr)
	}
}

func TestAConstantThatOnlyTheTargetHasIsNotWrittenToTheSource(t *testing.T) {
	for engine := range engines {
		t.Run(engine, func(t *testing.T) {
			s := shards(t, engine, "mysql", threeShards)
			if status, stdout, stderr := trueup(t, "fix", "--config", s.file, "--confirm", "0", "--authority", "target", "--verify"); status != statusClean {
				t.Errorf("status %d, %s%s", status, stdout, stderr)
			}
		})
	}
}

func TestThePlanShowsConstantsAndTheRowsOfAShard(t *testing.T) {
	s := shards(t, "mysql", "mysql", threeShards)
	status, stdout, stderr := trueup(t, "plan", "--config", s.file, "orders")
	for _, want := range []string{"orders@orders_0:", "orders@orders_1:", "third:", "constant 2", "at the target only those with shard = 2"} {
		if status != statusClean || !strings.Contains(stdout, want) {
			t.Errorf("status %d, %q is missing in\n%s%s", status, want, stdout, stderr)
		}
	}
}
