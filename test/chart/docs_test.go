package chart

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the table of values into the chart's README")

const (
	tableBegin = "<!-- values -->\n"
	tableEnd   = "<!-- /values -->"
)

func TestEveryValueIsDocumented(t *testing.T) {
	path := filepath.Join(directory, "README.md")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), tableBegin)
	_, after, ended := strings.Cut(rest, tableEnd)
	if !found || !ended {
		t.Fatalf("%s has no place for the table of values", path)
	}
	want := before + tableBegin + table(t) + tableEnd + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(content) != want {
		t.Errorf("the table of %s is not that of values.yaml; run: cd test/chart && go test -run Documented -update .", path)
	}
}

// table shows every value of values.yaml, with what its comment "# -- …" says.
func table(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(directory, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var document yamlv3.Node
	if err := yamlv3.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	rows.WriteString("| value | default | is |\n| --- | --- | --- |\n")
	writeRows(t, &rows, "", document.Content[0])
	return rows.String()
}

func writeRows(t *testing.T, rows *strings.Builder, prefix string, mapping *yamlv3.Node) {
	t.Helper()
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if value.Kind == yamlv3.MappingNode && value.Style&yamlv3.FlowStyle == 0 && len(value.Content) > 0 {
			writeRows(t, rows, prefix+key.Value+".", value)
			continue
		}
		text, err := yamlv3.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		json, err := yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(rows, "| `%s%s` | `%s` | %s |\n", prefix, key.Value, json, said(key.HeadComment))
	}
}

// said is what follows "# -- " in the comment.
func said(comment string) string {
	_, text, _ := strings.Cut(comment, "# -- ")
	words := strings.Fields(strings.ReplaceAll(text, "\n#", "\n"))
	return strings.ReplaceAll(strings.Join(words, " "), "|", `\|`)
}
