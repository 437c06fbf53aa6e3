package cdc

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
)

// columns are the key columns of the recorded tables, as their servers describe
// them.
var columns = map[string]map[string]schema.Column{
	"mysql": {
		"k_int": col(canonical.Int), "k_big": col(canonical.Int), "k_tiny": col(canonical.Int), "k_year": col(canonical.Int),
		"k_ubig": {Type: canonical.Type{Kind: canonical.Int}, Unsigned: true}, "k_uint": {Type: canonical.Type{Kind: canonical.Int}, Unsigned: true},
		"k_dec":  {Type: canonical.Type{Kind: canonical.Decimal}, Precision: 6},
		"k_char": {Type: canonical.Type{Kind: canonical.Text}, Base: "char"}, "k_text": col(canonical.Text), "k_enum": col(canonical.Text),
		"k_bin": {Type: canonical.Type{Kind: canonical.Bytes}, Base: "binary", Length: 16}, "k_vbin": col(canonical.Bytes),
		"k_date": col(canonical.Date), "k_time": col(canonical.Time), "k_ts": col(canonical.Instant),
		"k_dt0": col(canonical.Timestamp), "k_dt3": col(canonical.Timestamp), "k_dt6": col(canonical.Timestamp),
		"k_bit": {Type: canonical.Type{Kind: canonical.Bits, Width: 12}}, "k_bit1": {Type: canonical.Type{Kind: canonical.Bits, Width: 1}},
		"k_uuid": col(canonical.UUID),
	},
	"postgres": {
		"k_int": col(canonical.Int), "k_big": col(canonical.Int), "k_bool": col(canonical.Bool),
		"k_num": {Type: canonical.Type{Kind: canonical.Decimal}, Precision: 6}, "k_vnum": {Type: canonical.Type{Kind: canonical.Decimal}, Precision: -1},
		"k_char": {Type: canonical.Type{Kind: canonical.Text}, Base: "char"}, "k_text": col(canonical.Text), "k_bytea": col(canonical.Bytes), "k_uuid": col(canonical.UUID),
		"k_date": col(canonical.Date), "k_time": col(canonical.Time), "k_time0": col(canonical.Time),
		"k_ts": col(canonical.Timestamp), "k_ts3": col(canonical.Timestamp), "k_tz": col(canonical.Instant),
		"k_bit": {Type: canonical.Type{Kind: canonical.Bits, Width: 12}}, "k_inet": col(canonical.Inet), "k_mac": col(canonical.Inet),
		"k_real": col(canonical.Float32), "k_dbl": col(canonical.Float64),
	},
}

func col(kind canonical.Kind) schema.Column { return schema.Column{Type: canonical.Type{Kind: kind}} }

func keyed(c schema.Column) []schema.ViewColumn {
	c.Name = "id"
	return []schema.ViewColumn{{Column: c, As: c.Type}}
}

// TestRecordedEventsNameTheirRows reads what the connectors sent; what it should
// say was held against the databases when it was recorded (test/integration).
func TestRecordedEventsNameTheirRows(t *testing.T) {
	for engine, tables := range columns {
		file, err := os.Open(filepath.Join("testdata", engine+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		seen := map[string]bool{}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var r struct {
				Table, Key, Value string
				Want              []string
				Kind              Kind
			}
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			column, known := tables[r.Table]
			if !known {
				t.Fatalf("no column is known of %s", r.Table)
			}
			seen[r.Table] = true
			event, err := Table{Name: schema.ParseName(r.Table), Key: keyed(column)}.Read([]byte(r.Key), []byte(r.Value))
			if err != nil {
				t.Errorf("%s %s %s: %v", engine, r.Table, r.Key, err)
				continue
			}
			var got []string
			for _, key := range event.Keys {
				got = append(got, key.String())
			}
			if event.Kind != r.Kind || !slices.Equal(got, r.Want) {
				t.Errorf("%s %s %s: kind %d, keys %q, want kind %d, %q", engine, r.Table, r.Key, event.Kind, got, r.Kind, r.Want)
			}
		}
		if len(seen) != len(tables) {
			t.Errorf("%s: %d of %d tables are recorded", engine, len(seen), len(tables))
		}
	}
}

func TestEventsAreRead(t *testing.T) {
	unsigned := schema.Column{Type: canonical.Type{Kind: canonical.Int}, Unsigned: true}
	orders := Table{Name: schema.Name{Schema: "shop", Table: "orders"}, Key: keyed(unsigned)}
	const source = `"source":{"db":"shop","table":"orders","ts_ms":5}`
	for name, c := range map[string]struct {
		key, value string
		kind       Kind
		keys       string
		err        string
	}{
		"create":                          {`{"id":7}`, `{"op":"c",` + source + `}`, Rows, "7", ""},
		"with its schema":                 {`{"schema":{"type":"struct","fields":[{"type":"int64","field":"id"}]},"payload":{"id":-1}}`, `{"schema":null,"payload":{"op":"u",` + source + `}}`, Rows, "18446744073709551615", ""},
		"an unsigned bigint as a long":    {`{"id":-9223372036854775808}`, `{"op":"u",` + source + `}`, Rows, "9223372036854775808", ""},
		"an unsigned bigint as decimal":   {`{"schema":{"type":"struct","fields":[{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"0"},"field":"id"}]},"payload":{"id":"AP//////////"}}`, ``, Rows, "18446744073709551615", ""},
		"more digits than a float keeps":  {`{"id":9007199254740993}`, `{"op":"c",` + source + `}`, Rows, "9007199254740993", ""},
		"tombstone":                       {`{"id":7}`, ``, Rows, "7", ""},
		"the old key of one that changed": {`{"id":7}`, `{"op":"d","before":{"id":7},"after":null,` + source + `}`, Rows, "7", ""},
		"truncate":                        {``, `{"op":"t",` + source + `}`, All, "", ""},
		"snapshot":                        {`{"id":7}`, `{"op":"r","source":{"db":"shop","table":"orders","snapshot":"first"}}`, Rows, "7", ""},
		"another table":                   {`{"id":7}`, `{"op":"c","source":{"db":"shop","table":"items"}}`, Other, "", ""},
		"another database":                {`{"id":7}`, `{"op":"c","source":{"db":"test","table":"orders"}}`, Other, "", ""},
		"the row alone":                   {`{"id":7}`, `{"id":7,"state":"new"}`, Rows, "7", ""},
		"a message of the application":    {`{"prefix":"x"}`, `{"op":"m","source":{"table":""}}`, Nothing, "", ""},
		"nothing at all":                  {``, ``, Nothing, "", ""},
		"another key, whole rows":         {`{"sku":"a"}`, `{"op":"u","before":{"id":7},"after":{"id":8},` + source + `}`, Rows, "7 8", ""},
		"another key, no rows":            {`{"sku":"a"}`, `{"op":"d","before":null,"after":null,` + source + `}`, 0, "", "message.key.columns"},
		"another key, unwrapped":          {`{"sku":"a"}`, `{"state":"new"}`, 0, "", "message.key.columns"},
		"an operation of tomorrow":        {`{"id":7}`, `{"op":"x",` + source + `}`, 0, "", `operation "x"`},
		"Avro":                            {"\x00\x00\x00\x00\x01", "\x00\x00\x00\x00\x02", 0, "", "JsonConverter"},
		"no JSON":                         {`id=7`, `{}`, 0, "", "no JSON object"},
		"NULL in the key":                 {`{"id":null}`, `{"op":"c",` + source + `}`, 0, "", "NULL"},
		"a text for a number":             {`{"id":"seven"}`, `{"op":"c",` + source + `}`, 0, "", "no value"},
		"a list for a number":             {`{"id":[7]}`, `{"op":"c",` + source + `}`, 0, "", "no number"},
	} {
		t.Run(name, func(t *testing.T) {
			event, err := orders.Read([]byte(c.key), []byte(c.value))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %+v, %v", event, err)
				}
				return
			}
			var got []string
			for _, key := range event.Keys {
				got = append(got, key.String())
			}
			if err != nil || event.Kind != c.kind || strings.Join(got, " ") != c.keys {
				t.Errorf("kind %d, keys %q, %v", event.Kind, got, err)
			}
		})
	}
}

func TestTheUnitOfATimeIsInTheNameOfItsSchema(t *testing.T) {
	for name, n := range map[string]string{
		"io.debezium.time.Timestamp": "1772600767123", "io.debezium.time.MicroTimestamp": "1772600767123000",
		"io.debezium.time.NanoTimestamp": "1772600767123000000", "org.apache.kafka.connect.data.Timestamp": "1772600767123",
	} {
		key := `{"schema":{"type":"struct","fields":[{"type":"int64","name":"` + name + `","field":"id"}]},"payload":{"id":` + n + `}}`
		event, err := Table{Key: keyed(col(canonical.Timestamp))}.Read([]byte(key), nil)
		if err != nil || len(event.Keys) != 1 || event.Keys[0].String() != "2026-03-04 05:06:07.123000" {
			t.Errorf("%s: %v, %v", name, event.Keys, err)
		}
	}
	key := `{"schema":{"type":"struct","fields":[{"type":"int64","name":"com.example.Ticks","field":"id"}]},"payload":{"id":5}}`
	if _, err := (Table{Key: keyed(col(canonical.Timestamp))}).Read([]byte(key), nil); err == nil {
		t.Error("a unit nobody knows was guessed")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"id":7}`, `{"op":"c"}`)
	f.Add(`{"schema":{"type":"struct","fields":[]},"payload":{"id":"AA=="}}`, ``)
	f.Fuzz(func(_ *testing.T, key, value string) {
		for _, tables := range columns {
			for _, c := range tables {
				_, _ = Table{Key: keyed(c)}.Read([]byte(key), []byte(value)) // must not panic
			}
		}
	})
}
