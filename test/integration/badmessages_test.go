package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/row"
)

// newNarrowWorld is a world whose topics have one partition: what holds it up
// holds up everything.
func newNarrowWorld(t *testing.T, d direction, settings string) *world {
	t.Helper()
	w := newWorldWithoutTopics(t, d, settings)
	w.kafka.Partitions = 1
	w.configure(w.source, w.target, settings)
	w.must(0, "trueup", "topics", "create", "--config", w.config)
	return w
}

// produce writes a message to the topic of findings that no validator would.
func (w *world) produce(key, value []byte, contentType string) {
	w.t.Helper()
	settings := sarama.NewConfig()
	settings.Producer.Return.Successes = true
	producer, err := sarama.NewSyncProducer(w.kafka.Brokers, settings)
	if err != nil {
		w.t.Fatal(err)
	}
	defer producer.Close()
	m := &sarama.ProducerMessage{Topic: w.kafka.Topics().Findings}
	if key != nil {
		m.Key = sarama.ByteEncoder(key)
	}
	if value != nil {
		m.Value = sarama.ByteEncoder(value)
	}
	if contentType != "" {
		m.Headers = []sarama.RecordHeader{{Key: []byte(event.HeaderContentType), Value: []byte(contentType)}}
	}
	if _, _, err := producer.SendMessage(m); err != nil {
		w.t.Fatal(err)
	}
}

// outcomes are the outcomes so far, by the ID of their finding; the last counts.
func (w *world) outcomes() map[string]event.Outcome {
	w.t.Helper()
	s, err := kafka.NewScanner(w.t.Context(), w.kafka)
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	out := map[string]event.Outcome{}
	topic := w.kafka.Topics().Outcomes
	for p := range int32(w.kafka.Partitions) {
		from, to, err := s.Span(w.t.Context(), topic, p, time.Time{})
		if err == nil {
			err = s.Read(w.t.Context(), topic, p, from, to, func(r event.Record) error {
				o, err := event.DecodeOutcome(r)
				out[o.FindingID] = o
				return err
			})
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}

// letter is a line of `trueup dead list --json`.
type letter struct {
	Pair, Class, Reason, Origin string
	Key                         map[string]any
	Attempts                    int
	ValueHex                    string `json:"value_hex"`
}

// letters are the open dead letters that the flags select.
func (w *world) letters(flags ...string) []letter {
	w.t.Helper()
	out := w.must(0, "trueup", append([]string{"dead", "list", "--json", "--config", w.config}, flags...)...)
	var list []letter
	for decoder := json.NewDecoder(strings.NewReader(out)); decoder.More(); {
		var l letter
		if err := decoder.Decode(&l); err != nil {
			w.t.Fatalf("%v in\n%s", err, out)
		}
		list = append(list, l)
	}
	return list
}

func named(id string, f event.Finding, change func(*event.Finding)) event.Finding {
	f.ID = id
	change(&f)
	return f
}

// TestBadMessagesHaveAnOutcomeAndThePartitionGoesOn puts messages that make no
// sense between such that do, all in one partition.
func TestBadMessagesHaveAnOutcomeAndThePartitionGoesOn(t *testing.T) {
	t.Parallel()
	for _, d := range []direction{{postgres, maria}, {maria, postgres}} {
		t.Run(d.String(), func(t *testing.T) {
			w := newNarrowWorld(t, d, "pairs: [{name: orders, epoch: 3}, {name: notes}]\nvalidator: {confirm: 0s}")
			for _, dsn := range []string{w.source, w.target} {
				testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", "INSERT INTO orders VALUES (0, 0), (1, 1), (2, 2), (3, 3)",
					"CREATE TABLE notes (id VARCHAR(700) PRIMARY KEY)")
			}
			testenv.Exec(t, w.target, "UPDATE orders SET v = 90 + id")
			good := named("good", findingOf("orders", 1), func(f *event.Finding) { f.Epoch = 3 })
			same := func(*event.Finding) {}
			key := func(columns ...event.KeyColumn) func(*event.Finding) {
				return func(f *event.Finding) { f.Epoch, f.Key = 3, columns }
			}
			text := func(column, value string) event.KeyColumn {
				return event.KeyColumn{Column: column, Type: canonical.Type{Kind: canonical.Text}, Value: row.Value(value)}
			}
			number := event.KeyColumn{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value("2")}
			other := number
			other.Column = "other"
			cases := []struct {
				finding event.Finding
				result  event.Result
				class   string
			}{
				{named("unknown pair", findingOf("nobody's", 2), same), event.Dead, "unknown_pair"},
				{named("stale epoch", findingOf("orders", 2), func(f *event.Finding) { f.Epoch = 2 }), event.Held, "stale_epoch"},
				{named("stale and equal", findingOf("orders", 7), func(f *event.Finding) { f.Epoch = 2 }), event.Vanished, ""},
				{named("newer epoch", findingOf("orders", 2), func(f *event.Finding) { f.Epoch = 4 }), event.Held, "epoch_unknown"},
				{named("greatest epoch", findingOf("orders", 2), func(f *event.Finding) { f.Epoch = 1<<64 - 1 }), event.Held, "epoch_unknown"},
				{named("text", findingOf("orders", 2), key(text("id", "2"))), event.Dead, "bad_key"},
				{named("no number", findingOf("orders", 2), key(text("id", "0 or abc"))), event.Dead, "bad_key"},
				{named("other column", findingOf("orders", 2), key(other)), event.Dead, "bad_key"},
				{named("more columns", findingOf("orders", 2), key(number, other)), event.Dead, "bad_key"},
				{named("beyond the type", findingOf("orders", 2), key(event.KeyColumn{Column: "id", Type: number.Type, Value: row.Value("99999999999999999999999")})), event.Vanished, ""},
				{named("giant key", findingOf("notes", 2), func(f *event.Finding) { f.Key = event.Key{text("id", strings.Repeat("x", 450<<10))} }), event.Vanished, ""},
				{named("key of a zero byte", findingOf("notes", 2), func(f *event.Finding) { f.Key = event.Key{text("id", "a\x00b")} }), event.Vanished, ""},
			}
			fixer := start(t, "fixer", "--config", w.config)
			fixer.readiness(200, `"ready": true`)
			for _, c := range cases {
				w.publish([]event.Finding{c.finding})
			}
			raw := []struct {
				key, value  []byte
				contentType string
			}{
				{nil, []byte("\x00\xff garbage"), ""},
				{[]byte("k"), nil, ""},
				{nil, nil, ""},
				{nil, []byte("{}"), "application/json"},
				{nil, []byte("{}"), "text/plain"},
				{nil, []byte("{}"), "///"},
				{nil, []byte(`{"pair":"orders"}`), "application/json"},
				{nil, []byte(`{"id":"f","kind":"FINDING_KIND_NOT_EQUAL","pair":"orders","epoch":"3","key":{"columns":[{"column":"id","value":{"bigIntValue":"abc"}}]}}`), "application/json"},
				{[]byte(strings.Repeat("k", 500<<10)), []byte(strings.Repeat("v", 400<<10)), ""},
			}
			for _, r := range raw {
				w.produce(r.key, r.value, r.contentType)
			}
			w.publish([]event.Finding{good})
			w.drained()
			outcomes := w.outcomes()
			for _, c := range cases {
				if o := outcomes[c.finding.ID]; o.Result != c.result || o.Class != c.class {
					t.Errorf("%s: %s, class %q, %q; want %s, %q", c.finding.ID, o.Result, o.Class, o.Reason, c.result, c.class)
				}
			}
			if o := outcomes["good"]; o.Result != event.Repaired {
				t.Errorf("the finding behind them all: %s %s", o.Result, o.Reason)
			}
			if sum := scan[int](t, w.target, "SELECT SUM(v) FROM orders"); sum != 90+1+92+93 {
				t.Errorf("the copy's sum is %d: more was written than one row", sum)
			}
			undecodable := w.letters("--class", "undecodable")
			if len(undecodable) != len(raw) {
				t.Errorf("%d open letters of %d messages that cannot be understood: %+v", len(undecodable), len(raw), undecodable)
			}
			if len(undecodable) > 0 && undecodable[0].ValueHex != fmt.Sprintf("%x", "\x00\xff garbage") {
				t.Errorf("listed %+v", undecodable[0])
			}
			if n := len(w.letters("--class", "bad_key")); n != 3 { // the key 2 is that of two
				t.Errorf("%d letters of bad keys", n)
			}
		})
	}
}

// TestDeadLettersAreListedRetriedAndDropped has a copy refuse rows for a reason
// that a person then takes away.
func TestDeadLettersAreListedRetriedAndDropped(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t, direction{maria, postgres}, "pairs: [{name: orders}]\nvalidator: {confirm: 0s}")
	testenv.Exec(t, w.source, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", "INSERT INTO orders VALUES (1, 1), (2, 200), (3, 300), (4, 400)")
	testenv.Exec(t, w.target, "CREATE TABLE orders (id INT PRIMARY KEY, v INT CONSTRAINT small CHECK (v < 100))")
	fixer := start(t, "fixer", "--config", w.config)
	w.must(1, "validator", "--config", w.config, "--once")
	w.produce([]byte("k"), []byte("garbage"), "")
	fixer.logged("message not understood")
	w.drained()
	list := w.letters()
	if len(list) != 4 || len(w.letters("--class", "refused")) != 3 || len(w.letters("--pair", "orders")) != 3 || len(w.letters("--limit", "2")) != 2 {
		t.Fatalf("listed %+v", list)
	}
	if l := w.letters("--key", "id=3"); len(l) != 1 || l[0].Key["id"] != 3.0 || l[0].Attempts < 1 || !strings.Contains(l[0].Reason, "small") {
		t.Errorf("listed %+v", l)
	}
	table := w.must(0, "trueup", "dead", "list", "--config", w.config)
	for _, want := range []string{"AGE", "orders", "id=3", "refused", "undecodable", fmt.Sprintf("hex %x", "garbage"), w.kafka.Topics().Findings + "/0/"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	refused(t, []string{"--pair, --class or --key"}, "trueup", "dead", "drop", "--config", w.config)
	if out := w.must(0, "trueup", "dead", "drop", "--config", w.config, "--key", "4"); out != "dropped 1\n" {
		t.Errorf("printed %q", out)
	}
	// Nothing has changed: what is retried comes back, and is open again.
	if out := w.must(0, "trueup", "dead", "retry", "--config", w.config, "--class", "refused", "--json"); out != "{\"retried\":2}\n" {
		t.Errorf("printed %q", out)
	}
	eventually(t, func() (bool, string) {
		n := len(w.letters("--class", "refused"))
		return n == 2, fmt.Sprint(n)
	})
	testenv.Exec(t, w.target, "ALTER TABLE orders DROP CONSTRAINT small")
	w.must(0, "trueup", "dead", "retry", "--config", w.config, "--pair", "orders")
	w.drained()
	if ids := scan[string](t, w.target, "SELECT string_agg(id::text, ' ' ORDER BY id) FROM orders"); ids != "1 2 3" {
		t.Errorf("the copy has rows %s: want those that were retried and not the one that was dropped", ids)
	}
	if left := w.letters(); len(left) != 1 || left[0].Class != "undecodable" {
		t.Errorf("open are %+v", left)
	}
	w.must(0, "trueup", "dead", "drop", "--config", w.config, "--class", "undecodable")
	if out := w.must(0, "trueup", "dead", "list", "--config", w.config); out != "no open letters\n" {
		t.Errorf("printed %q", out)
	}
}
