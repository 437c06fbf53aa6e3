package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type settings struct {
	Name  string `yaml:"name"`
	Inner struct {
		Count int           `yaml:"count"`
		Wait  time.Duration `yaml:"wait"`
		On    bool          `yaml:"on"`
		Limit uint16        `yaml:"limit"`
	} `yaml:"inner"`
	Pairs []struct {
		Name  string             `yaml:"name"`
		Key   []string           `yaml:"key"`
		Rules map[string]float64 `yaml:"rules"`
	} `yaml:"pairs"`
}

func (s *settings) Validate() error {
	if s.Inner.Count > 100 {
		return At("inner", At("count", errors.New("101 or more is too many; the limit is 100")))
	}
	for i := range s.Pairs {
		if s.Pairs[i].Name == "" {
			return At("pairs", At("["+string(rune('0'+i))+"]", At("name", errors.New("a pair needs a name"))))
		}
	}
	return nil
}

func load(t *testing.T, text string) (settings, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trueup.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load[settings](path)
}

func TestLoadReadsEveryKindOfValue(t *testing.T) {
	got, err := load(t, `
name: shop
inner: {count: 3, wait: 1m30s, on: true, limit: 7}
pairs:
  - {name: orders, key: [id, line], rules: {weight: 1e-9}}
`)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "shop" || got.Inner.Count != 3 || got.Inner.Wait != 90*time.Second || !got.Inner.On || got.Inner.Limit != 7 {
		t.Errorf("got %+v", got)
	}
	if p := got.Pairs[0]; p.Name != "orders" || strings.Join(p.Key, ",") != "id,line" || p.Rules["weight"] != 1e-9 {
		t.Errorf("got %+v", p)
	}
}

func TestABadFileIsOneSentenceThatNamesTheLineAndNeverAValue(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"unknown key":          {"name: a\nnmae: s3cret\n", `:2: unknown key "nmae"`},
		"unknown inner key":    {"inner:\n  count: 1\n  conut: s3cret\n", `:3: unknown key "inner.conut"`},
		"unknown key in list":  {"pairs:\n- name: a\n- name: b\n  kye: s3cret\n", `:4: unknown key "pairs[1].kye"`},
		"duplicate key":        {"name: s3cret\nname: b\n", `:2: not valid YAML: mapping key "name" already defined at [1:1]`},
		"text for a number":    {"inner:\n  count: s3cret\n", ":2: inner.count: want a whole number, found a text"},
		"text for a flag":      {"inner:\n  on: s3cret\n", ":2: inner.on: want true or false, found a text"},
		"text for a duration":  {"inner:\n  wait: s3cret\n", ":2: inner.wait: want a duration such as 30s"},
		"fraction for a whole": {"inner:\n  count: 1.5\n", ":2: inner.count: want a whole number, found a fraction"},
		"quoted number":        {"inner: {on: true,\n  count: '5'}\n", ":2: inner.count: want a whole number, found a text"},
		"duration in a number": {"inner:\n  wait: 5\n", ":2: inner.wait: want a duration such as 30s, found a number without unit"},
		"text in a map":        {"pairs:\n- rules:\n    a: 1\n    b: s3cret\n", ":4: pairs[0].rules.b: want a number, found a text"},
		"negative for natural": {"inner:\n  limit: -1\n", ":2: inner.limit: the number is too large or too small"},
		"syntax in a secret":   {"name: \"s3cret\n", "not valid YAML"},
		"alias to nowhere":     {"name: *s3cret\n", ":1: "},
		"too large":            {"inner:\n  limit: 70000\n", ":2: inner.limit: the number is too large"},
		"text for a mapping":   {"inner: s3cret\n", ":1: inner: want a mapping"},
		"mapping for a text":   {"name: {a: s3cret}\n", ":1: name: want a text, found a mapping"},
		"text for a list":      {"pairs:\n- key: s3cret\n", ":2: pairs[0].key: want a "},
		"list for a text":      {"name: [s3cret]\n", ":1: name: want a text, found a list"},
		"broken YAML":          {"name: a\ninner: {count: [s3cret\n", ":2: not valid YAML"},
		"bad indentation":      {"name: a\n  inner: s3cret\n", "not valid YAML"},
		"empty":                {"# nothing\n", "the file is empty"},
		"two documents":        {"name: a\n---\nname: s3cret\n", ":3: a second document begins here"},
		"a list at the top":    {"- s3cret\n", ":1: "},
		"refused by Validate":  {"name: a\ninner:\n  on: true\n  count: 200\n", ":4: inner.count: 101 or more is too many"},
		"absent field refused": {"pairs:\n- name: a\n- key: [x]\n", ":3: pairs[1].name: a pair needs a name"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.text)
			if err == nil {
				t.Fatal("no error")
			}
			message := err.Error()
			if !strings.Contains(message, "trueup.yaml"+c.want) && !strings.Contains(message, c.want) {
				t.Errorf("got  %s\nwant …%s…", message, c.want)
			}
			if strings.Contains(message, "s3cret") {
				t.Errorf("a value of the file shows in %q", message)
			}
			if strings.Contains(message, "\n") {
				t.Errorf("more than one line: %q", message)
			}
		})
	}
}

func TestAMissingFileIsNamed(t *testing.T) {
	_, err := Load[settings]("nowhere/trueup.yaml")
	if err == nil || !strings.Contains(err.Error(), "nowhere/trueup.yaml") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestExpandReplacesVariablesOnce(t *testing.T) {
	t.Setenv("TRUEUP_A", "one")
	t.Setenv("TRUEUP_B", "${TRUEUP_A}: [x]")
	got, err := Expand("<${TRUEUP_A}|${TRUEUP_B}|$TRUEUP_A>")
	if want := "<one|${TRUEUP_A}: [x]|$TRUEUP_A>"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestExpandNamesWhatIsNotSet(t *testing.T) {
	for text, want := range map[string]string{
		"a${TRUEUP_NOT_SET}b": `"TRUEUP_NOT_SET" is not set`,
		"a${TRUEUP":           "without \"}\"",
		"${}":                 `"" is not set`,
	} {
		if _, err := Expand(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Expand(%q): %v, want … %s …", text, err, want)
		}
	}
}
