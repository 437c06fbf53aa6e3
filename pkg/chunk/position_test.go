package chunk

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/row"
)

func TestAPositionReadsBackAsItWas(t *testing.T) {
	key := row.Key{row.Value("7"), row.Value("\x00,|\xff"), row.Value("")}
	for _, p := range []Position{
		{},
		{Fingerprint: "f", Pass: 1, After: key, Tally: Tally{1, 2, 3, 4, 5}},
		{After: key, Again: []Work{{Pass: 0, Range: row.Range{Through: key}}, {Pass: 1, Range: row.Range{After: key}}}},
	} {
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodePosition(data)
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%+v reads back as %+v, %v", p, got, err)
		}
	}
}

func TestAPositionThatCannotBeReadSaysWhatToDo(t *testing.T) {
	for data, want := range map[string]string{
		``:                                     "start the run over",
		`{}`:                                   "format 0",
		`{"format":2,"later":[]}`:              "format 2",
		`{"format":1,"later":[]}`:              "later",
		`{"format":1,"pass":-1}`:               "negative",
		`{"format":1,"again":[{"pass":-1}]}`:   "negative",
		`{"format":1,"after":["not base64!"]}`: "start the run over",
	} {
		if _, err := DecodePosition([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", data, err, want)
		}
	}
}

func FuzzDecodePosition(f *testing.F) {
	p := Position{Fingerprint: "f", Pass: 1, After: row.Key{row.Value("7")}, Again: []Work{{Range: row.Range{Through: row.Key{row.Value("")}}}}}
	data, err := p.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"format":1,"after":[null,"AA=="],"again":[{"pass":3,"after":[],"through":null}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := DecodePosition(data)
		if err != nil {
			return
		}
		once, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodePosition(once)
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice, err := again.Encode(); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s became %s, %v", once, twice, err)
		}
	})
}
