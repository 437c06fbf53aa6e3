package chart

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// metric is one that the services register: its labels, and whether they are known.
type metric struct {
	kind   string // counter, gauge or histogram
	labels []string
	prefix string // of a describer: how the names begin
	open   bool   // labels are set where the test does not see them
}

// metrics are those of package telemetry, the only one that knows Prometheus, as
// its code declares them: a scrape would show only what has happened yet.
func metrics(t *testing.T) map[string]metric {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, "pkg/telemetry/*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("package telemetry is not where it was: %v", err)
	}
	found := map[string]metric{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		described := describers(parsed)
		ast.Inspect(parsed, func(node ast.Node) bool {
			declared(found, node, described)
			return true
		})
	}
	if len(found) < 20 {
		t.Fatalf("only %d metrics in package telemetry: they are declared in another way now", len(found))
	}
	return found
}

// describers are the functions of a file that make a description of a metric from
// the end of its name: what stands before it, and the labels they add.
func describers(file *ast.File) map[string]metric {
	found := map[string]metric{}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		m := metric{}
		ast.Inspect(function, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.BinaryExpr:
				if prefix := text(node.X); strings.HasPrefix(prefix, "trueup_") {
					m.prefix = prefix
				}
			case *ast.CompositeLit:
				for _, element := range node.Elts {
					if label := text(element); label != "" {
						m.labels = append(m.labels, label)
					}
				}
			}
			return true
		})
		if m.prefix != "" {
			found[function.Name.Name] = m
		}
	}
	return found
}

// declared notes m.counter("name", "help", labels...) and its like, descriptions,
// calls of describers, and the options of the Prometheus library that name a metric.
func declared(found map[string]metric, node ast.Node, describers map[string]metric) {
	switch node := node.(type) {
	case *ast.CallExpr:
		if name, ok := node.Fun.(*ast.Ident); ok && describers[name.Name].prefix != "" && len(node.Args) >= 2 {
			d := describers[name.Name]
			found[d.prefix+text(node.Args[0])] = metric{kind: "gauge", labels: append(slices.Clone(d.labels), texts(node.Args[2:])...)}
			return
		}
		selector, ok := node.Fun.(*ast.SelectorExpr)
		if ok && selector.Sel.Name == "NewDesc" && len(node.Args) == 4 && text(node.Args[0]) != "" {
			if labels, ok := node.Args[2].(*ast.CompositeLit); ok {
				found[text(node.Args[0])] = metric{kind: "gauge", labels: texts(labels.Elts)}
			}
			return
		}
		if !ok || len(node.Args) < 2 || !slices.Contains([]string{"counter", "gauge", "histogram"}, selector.Sel.Name) {
			return
		}
		if name := text(node.Args[0]); name != "" {
			found[name] = metric{kind: selector.Sel.Name, labels: texts(node.Args[2:])}
		}
	case *ast.KeyValueExpr:
		if key, ok := node.Key.(*ast.Ident); ok && key.Name == "Name" && strings.HasPrefix(text(node.Value), "trueup_") {
			found[text(node.Value)] = metric{kind: "gauge", open: true}
		}
	}
}

// texts are the string literals among arguments.
func texts(arguments []ast.Expr) []string {
	var all []string
	for _, argument := range arguments {
		if one := text(argument); one != "" {
			all = append(all, one)
		}
	}
	return all
}

// text is the value of a string literal, else empty.
func text(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	value, _ := strconv.Unquote(literal.Value) // it compiles
	return value
}

// targetLabels are what a Prometheus in a cluster adds to every series.
var targetLabels = []string{"namespace", "pod", "container", "service", "job", "instance", "endpoint"}

// series are the names a query may use, each with its labels; nil for any.
func series(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{"process_resident_memory_bytes": targetLabels, "process_cpu_seconds_total": targetLabels}
	for name, m := range metrics(t) {
		labels := slices.Concat(m.labels, targetLabels)
		if m.open {
			labels = nil
		}
		all[name] = labels
		if m.kind == "histogram" {
			delete(all, name)
			all[name+"_bucket"] = append(slices.Clone(labels), "le")
			all[name+"_sum"], all[name+"_count"] = labels, labels
		}
	}
	return all
}

// Prometheus renames a label of a metric that it has for the target itself, and what
// asks for it finds the target's.
func TestNoMetricHasALabelOfItsTarget(t *testing.T) {
	for name, m := range metrics(t) {
		for _, label := range m.labels {
			if slices.Contains(targetLabels, label) {
				t.Errorf("%s has the label %s", name, label)
			}
		}
	}
}

func TestTheMetricsOfTheServicesAreFound(t *testing.T) {
	known := metrics(t)
	for name, labels := range map[string][]string{
		"trueup_kafka_lag":                 {"topic", "partition"},
		"trueup_kafka_group_lag":           {"group", "topic", "partition"},
		"trueup_fixer_finding_age_seconds": {"pair"},
		"trueup_build_info":                {"program", "version", "revision"},
		"trueup_governor_paused":           {"side", "use"},
		"trueup_governor_signal_stale":     {"side", "use", "signal"},
	} {
		if got := known[name].labels; !slices.Equal(got, labels) {
			t.Errorf("%s has the labels %v, want %v; all: %v", name, got, labels, slices.Sorted(maps.Keys(known)))
		}
	}
}
