package testenv

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/IBM/sarama"
)

// engines are the two ways to get a database.
var engines = map[string]func(testing.TB) string{"mysql": MySQL, "postgres": Postgres}

func TestEachCallGivesADatabaseOfItsOwn(t *testing.T) {
	for name, fresh := range engines {
		t.Run(name, func(t *testing.T) {
			one, other := fresh(t), fresh(t)
			if one == other {
				t.Fatalf("both calls gave %s", redact(one))
			}
			create := "CREATE TABLE orders (id BIGINT PRIMARY KEY); INSERT INTO orders VALUES (1), (2)"
			Exec(t, one, create)
			Exec(t, other, create, "DELETE FROM orders WHERE id = 2")
			if got := count(t, one, "SELECT COUNT(*) FROM orders"); got != 2 {
				t.Errorf("the first database has %d orders, want 2: the second one's delete reached it", got)
			}
		})
	}
}

func TestTheDatabaseIsDroppedWhenTheTestEnds(t *testing.T) {
	schemas := map[string]string{
		"mysql":    "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ",
		"postgres": "SELECT COUNT(*) FROM pg_database WHERE datname = ",
	}
	admins := map[string]func(testing.TB) string{"mysql": MySQLAdmin, "postgres": PostgresAdmin}
	for name, fresh := range engines {
		t.Run(name, func(t *testing.T) {
			var database string
			find := func() int { return count(t, admins[name](t), schemas[name]+"'"+database+"'") }
			t.Run("user", func(t *testing.T) {
				dsn := fresh(t)
				database = dsn[strings.LastIndex(dsn, "/")+1:]
				if find() != 1 {
					t.Errorf("no database %s during the test", database)
				}
			})
			if find() != 0 {
				t.Errorf("database %s is still there after the test", database)
			}
		})
	}
}

func TestTopicsOfAPrefixAreDeletedWhenTheTestEnds(t *testing.T) {
	config := sarama.NewConfig()
	config.Version = sarama.V4_0_0_0
	admin, err := sarama.NewClusterAdmin(Kafka(t), config)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	var topic string
	t.Run("user", func(t *testing.T) {
		topic = Prefix(t) + ".findings"
		if err := admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1}, false); err != nil {
			t.Fatal(err)
		}
	})
	topics, err := admin.ListTopics()
	if err != nil {
		t.Fatal(err)
	}
	if _, there := topics[topic]; there {
		t.Errorf("topic %s is still there after the test", topic)
	}
}

func TestTheEnvironmentComesBeforeTheFile(t *testing.T) {
	t.Chdir(checkout(t, kafkaVariable+"=file:9092\n"))
	t.Setenv(kafkaVariable, "environment:9092")
	if got, err := lookup(kafkaVariable); err != nil || got != "environment:9092" {
		t.Errorf("lookup = %q, %v", got, err)
	}
}

func TestTheFileIsFoundFromANestedModule(t *testing.T) {
	top := checkout(t, "# brokers\n\n"+kafkaVariable+"=one:9092,two:9092\n")
	nested := filepath.Join(top, "demo", "inner")
	if err := os.MkdirAll(nested, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(nested)
	t.Setenv(kafkaVariable, "")
	if got, err := lookup(kafkaVariable); err != nil || got != "one:9092,two:9092" {
		t.Errorf("lookup = %q, %v", got, err)
	}
}

func TestAMissingOrBrokenFileIsAnError(t *testing.T) {
	t.Setenv(kafkaVariable, "")
	cases := map[string]string{"does not name": "OTHER=1\n", "is not NAME=value": "nonsense\n"}
	for want, content := range cases {
		t.Chdir(checkout(t, content))
		if _, err := lookup(kafkaVariable); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("lookup with %q: %v, want … %s …", content, err, want)
		}
	}
	t.Chdir(t.TempDir())
	if _, err := lookup(kafkaVariable); err == nil || !strings.Contains(err.Error(), "no .services/env") {
		t.Errorf("lookup with no file: %v", err)
	}
}

func TestUniqueNamesKeepToSafeCharacters(t *testing.T) {
	t.Run("Ünïcode/ and 'quotes'; DROP", func(t *testing.T) {
		one, other := unique(t, "_"), unique(t, "_")
		if one == other {
			t.Errorf("twice the name %s", one)
		}
		safe := func(r rune) bool { return r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }
		if slices.ContainsFunc([]rune(one), func(r rune) bool { return !safe(r) }) {
			t.Errorf("name %q has other characters than a-z, 0-9 and _", one)
		}
	})
}

func TestAnErrorAboutAURLKeepsThePassword(t *testing.T) {
	_, err := open("mysql://root:s3cret@127.0.0.1:not-a-port/")
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("open = %v, want an error without the password", err)
	}
}

// checkout makes a directory with .services/env of that content.
func checkout(t *testing.T, content string) string {
	t.Helper()
	top := t.TempDir()
	if err := os.Mkdir(filepath.Join(top, ".services"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(top, ".services", "env"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return top
}

func count(t *testing.T, dsn, query string) int {
	t.Helper()
	var n int
	if err := Open(t, dsn).QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// redact leaves the database's name of a URL.
func redact(dsn string) string { return dsn[strings.LastIndex(dsn, "/"):] }
