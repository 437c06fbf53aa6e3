package assembly

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trueup.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// documented is the file as the documentation shows it, but for the parts it
// leaves to the reader.
const documented = `
source: {dsn: "mysql://app:${SOURCE_PASSWORD}@10.0.0.1:3306/shop"}
target: {dsn: "postgres://app:${TARGET_PASSWORD}@10.0.0.2:5432/shop"}
kafka: {brokers: ["kafka:9092"], prefix: trueup, tls: {enabled: true}, sasl: {mechanism: SCRAM-SHA-512, username: app, password: "${KAFKA_PASSWORD}"}}
pairs:
  - name: orders
    source: orders                 # schema.table allowed
    target: public.orders
    key: [id]                      # default: the primary key; any unique not-null key both sides have
    columns: [id, status, amount]  # default: all common columns; or exclude: [...]
    map: {state: status}           # source column: target column
    rules: {weight: {tolerance: 1e-9}, note: {trim: right}, attrs: {json: true}}
    where: "tenant_id = 7"
    updated_at: updated_at
    schedule: {full: "0 3 * * *", reverse: "0 5 * * 0"}
governor: {source: {concurrency: 3}}
validator: {threads: 2, confirm: 30s, range: {target: 1s}}
fixer: {batch_keys: 100}
http: {listen: ":8080"}
`

func TestTheDocumentedFileIsRead(t *testing.T) {
	t.Setenv("KAFKA_PASSWORD", `p: "[w]`)
	f, err := Load(write(t, documented))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.ForServices(); err != nil {
		t.Error(err)
	}
	p := f.Pairs[0]
	m := p.Mapping()
	if m.Name != "orders" || m.Target != (schema.Name{Schema: "public", Table: "orders"}) || m.Rename["state"] != "status" ||
		m.SourceWhere != "tenant_id = 7" || m.TargetWhere != "tenant_id = 7" {
		t.Errorf("mapping %+v", m)
	}
	want := map[string]canonical.Rule{"weight": {Tolerance: 1e-9}, "note": {Trim: "right"}, "attrs": {JSON: true}}
	for column, rule := range want {
		if !reflect.DeepEqual(m.Rules[column], rule) {
			t.Errorf("rule of %s: %+v", column, m.Rules[column])
		}
	}
	if p.UpdatedAt != "updated_at" || p.Side() != event.Source || p.Epoch != 1 {
		t.Errorf("pair %+v", p)
	}
	if f.Validator.Threads != 2 || *f.Validator.Confirm != 30*time.Second || f.Validator.Range.Target != time.Second || f.Validator.Rounds == 0 {
		t.Errorf("validator %+v", f.Validator)
	}
	if f.Governor.Source.Concurrency != 3 || f.Governor.Target.Concurrency != DefaultConcurrency {
		t.Errorf("governor %+v", f.Governor)
	}
	if string(f.Kafka.SASL.Password) != `p: "[w]` {
		t.Error("the environment variable was not filled in as it is")
	}
}

func TestWhatIsLeftOutHasItsDefault(t *testing.T) {
	f, err := Load(write(t, "pairs: [{name: orders}, {source: shop.items, authority: target, epoch: 4}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	first, second := f.Pairs[0], f.Pairs[1]
	if first.Source != "orders" || first.Target != "orders" || first.Side() != event.Source || first.Epoch != DefaultEpoch {
		t.Errorf("first %+v", first)
	}
	if second.Name != "shop.items" || second.Target != "shop.items" || second.Side() != event.Target || second.Epoch != 4 {
		t.Errorf("second %+v", second)
	}
	if *f.Validator.Confirm != DefaultConfirm || f.Validator.MaxClockSkew != DefaultMaxClockSkew {
		t.Errorf("validator %+v", f.Validator)
	}
}

func TestConfirmMayBeNothing(t *testing.T) {
	f, err := Load(write(t, "validator: {confirm: 0s}\n"))
	if err != nil || *f.Validator.Confirm != 0 {
		t.Errorf("%v, %v", f.Validator.Confirm, err)
	}
}

func TestABadFileNamesFieldLineAndLimit(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"unknown key":          {"pairs:\n- name: a\n  kye: [id]\n", `:3: unknown key "pairs[0].kye"`},
		"bad cron":             {"pairs:\n- name: a\n  schedule: {full: 'TZ=0'}\n", `:3: pairs[0].schedule.full: schedule "TZ=0": want TZ=zone`},
		"bad zone":             {"pairs:\n- name: a\n  schedule: {reverse: '@daily', zone: Mars}\n", `pairs[0].schedule.reverse: schedule "@daily": time zone "Mars" is not known`},
		"pair twice":           {"pairs:\n- name: a\n- name: b\n- {name: a, source: c}\n", `:4: pairs[2].name: "a" is already the name of pairs[0]`},
		"no name":              {"pairs:\n- key: [id]\n", ":2: pairs[0].name: a pair needs at least a name"},
		"columns and exclude":  {"pairs:\n- name: a\n  columns: [x]\n  exclude: [y]\n", ":4: pairs[0].exclude: "},
		"method":               {"pairs:\n- name: a\n  method: guess\n", `:3: pairs[0].method: "guess" is no method; say auto, checksum, merge or lookup`},
		"authority":            {"pairs:\n- name: a\n  authority: both\n", `:3: pairs[0].authority: "both" is no side`},
		"two to one column":    {"pairs:\n- name: a\n  map: {x: z, y: z}\n", ":3: pairs[0].map: columns x and y both go to z"},
		"mapped to nothing":    {"pairs:\n- name: a\n  map: {x: ''}\n", "column x is mapped to nothing"},
		"too many threads":     {"validator:\n  threads: 65\n", ":2: validator.threads: 65 is outside 1 to 64"},
		"confirm too long":     {"validator:\n  confirm: 48h\n", ":2: validator.confirm: 48h0m0s is outside 0 to 24h"},
		"share above all":      {"validator:\n  max_mismatch_share: 1.5\n", ":2: validator.max_mismatch_share: 1.5 is outside 0 to 1"},
		"share of nothing":     {"validator:\n  max_mismatch_share: .nan\n", ":2: validator.max_mismatch_share: NaN is outside 0 to 1"},
		"drain too long":       {"fixer:\n  drain_timeout: 1m\n", ":2: fixer.drain_timeout: 1m0s is outside 0 to 24s"},
		"batch too large":      {"fixer: {batch_keys: 20000}\n", ":1: fixer.batch_keys: 20000 is outside 1 to 10000"},
		"concurrency":          {"governor: {target: {concurrency: -1}}\n", ":1: governor.target.concurrency: -1 is outside 1 to 64"},
		"more sharers":         {"governor:\n  source: {concurrency: 2, processes: 3}\n", ":2: governor.source.processes: 3 processes cannot share 2 statements"},
		"negative limit":       {"governor: {target: {limits: {canary: -1s}}}\n", ":1: governor.target.limits.canary: -1s is less than 0s, which turns the signal off"},
		"check without limit":  {"governor: {target: {checks: [{name: lag, sql: SELECT 1}]}}\n", "governor.target.checks[0].limit: 0 is no limit"},
		"check for nothing":    {"governor: {target: {checks: [{name: lag, sql: SELECT 1, limit: 1, for: ever}]}}\n", `governor.target.checks[0].for: "ever" is unknown`},
		"no URL":               {"governor: {source: {http: {url: 'ops:80'}}}\n", "governor.source.http.url: want a URL"},
		"pause without end":    {"governor: {source: {pauses: [{at: '@daily'}]}}\n", "governor.source.pauses[0].for: 0s is outside 1s to 168h"},
		"pause at no time":     {"governor: {source: {pauses: [{at: never, for: 1h}]}}\n", `governor.source.pauses[0].at: schedule "never"`},
		"variable not set":     {"kafka:\n  sasl:\n    password: ${TRUEUP_NOT_SET}\n", `:3: kafka.sasl.password: environment variable "TRUEUP_NOT_SET" is not set`},
		"rule with wrong type": {"pairs:\n- name: a\n  rules: {x: {tolerance: much}}\n", ":3: pairs[0].rules.x.tolerance: want a number"},
		"unknown rule":         {"pairs:\n- name: a\n  rules: {x: {about: 1}}\n", `:3: unknown key "pairs[0].rules.x.about"`},
		"range settings":       {"validator: {range: {min_rows: 10, max_rows: 5}}\n", "max_rows"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant …%s…", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %v", err)
			}
		})
	}
}

func TestServicesNeedDatabasesPairsAndKafka(t *testing.T) {
	full := "source: {dsn: a}\ntarget: {dsn: b}\npairs: [{name: x}]\nkafka: {brokers: ['k:1']}\n"
	lines := strings.SplitAfter(full, "\n")
	for i, want := range []string{"source.dsn", "target.dsn", "pairs is empty", "kafka.brokers"} {
		text := strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "")
		f, err := Load(write(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.ForServices(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without line %d: %v", i+1, err)
		}
	}
	f, err := Load(write(t, full))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.ForServices(); err != nil {
		t.Error(err)
	}
	f.Kafka.Partitions = -1
	if err := f.ForServices(); err == nil || !strings.Contains(err.Error(), "kafka.partitions -1") {
		t.Errorf("bad kafka settings: %v", err)
	}
}
