package main

import (
	"encoding/json"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/services/assembly"
)

func column(name string, kind canonical.Kind, value string) event.KeyColumn {
	return event.KeyColumn{Column: name, Type: canonical.Type{Kind: kind}, Value: row.Value(value)}
}

func TestKeysAreTypedInJSON(t *testing.T) {
	key := event.Key{
		column("z", canonical.Int, "18446744073709551615"),
		column("a", canonical.Decimal, "1.1"),
		column("flag", canonical.Bool, "1"),
		column("off", canonical.Bool, "0"),
		column("na\"me", canonical.Text, "O'Neil \"x\"\n\x00"),
		column("raw", canonical.Bytes, "00ff"),
		column("n", canonical.Int, "-5"),
	}
	got, err := json.Marshal(jsonKey(key))
	want := `{"z":18446744073709551615,"a":"1.1","flag":true,"off":false,"na\"me":"O'Neil \"x\"\n\u0000","raw":"00ff","n":-5}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestKeysAreReadable(t *testing.T) {
	key := event.Key{column("id", canonical.Int, "7"), column("code", canonical.Text, "a, b=\"c\"")}
	if got, want := assembly.DescribeKey(key), `id=7, code="a, b=\"c\""`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
