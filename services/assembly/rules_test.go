package assembly

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
)

func TestEveryRuleIsReadFromYAML(t *testing.T) {
	for text, want := range map[string]canonical.Rule{
		"{tolerance: 1e-9}":             {Tolerance: 1e-9},
		"{relative: 1e-6, ulp: 4}":      {Relative: 1e-6, ULP: 4},
		"{scale: 0}":                    {Scale: new(0)},
		"{precision: 3, zone: Etc/UTC}": {Precision: new(3), Zone: "Etc/UTC"},
		"{cut: 0}":                      {Cut: new(0)},
		"{trim: right, case: ignore}":   {Trim: "right", Case: "ignore"},
		"{json: true}":                  {JSON: true},
		"{enum: {A: active, N: no, '': none, 1: 2, true: 0x}}":     {Enum: map[string]string{"A": "active", "N": "no", "": "none", "1": "2", "true": "0x"}},
		"{bool: {true: [Y, yes, 1, true], false: [N, no, 0, '']}}": {Bool: &canonical.BoolWords{True: []string{"Y", "yes", "1", "true"}, False: []string{"N", "no", "0", ""}}},
	} {
		f, err := loadPair(t, "{name: orders, rules: {c: "+text+"}}")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.Pairs[0].Rules["c"]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s was read as %+v", text, got)
		}
	}
}

func TestAMistakeInARuleIsFound(t *testing.T) {
	for _, text := range []string{"{scale: 0.5}", "{ulp: 1.5}", "{precise: 3}", "{bool: {yes: [Y], false: [N]}}", "{comparator: x}", "{enum: [A, B]}"} {
		if f, err := loadPair(t, "{name: orders, rules: {c: "+text+"}}"); err == nil {
			t.Errorf("%s was read as %+v", text, f.Pairs[0].Rules["c"])
		}
	}
}

func loadPair(t *testing.T, pair string) (File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trueup.yaml")
	if err := os.WriteFile(path, []byte("pairs:\n  - "+pair+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}
