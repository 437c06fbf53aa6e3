// Package layering holds the structure of the project as a test: which of its
// packages may import which. ARCHITECTURE.md explains why; a change here is a
// change of structure and wants a record in docs/decisions.
package layering

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/trueup/trueup/"

// allowed lists, for every package below pkg, the project's packages that it
// may import. The services may import anything below pkg, and assembly, which
// holds what they put together in the same way; nothing else imports them.
var allowed = map[string][]string{
	// Vocabulary: values only, no I/O.
	"pkg/row":       {},
	"pkg/canonical": {"pkg/row"},
	"pkg/schema":    {"pkg/canonical", "pkg/row"},
	"pkg/event":     {"pkg/canonical", "pkg/row", "proto/trueup/event/v1"},

	// Databases: a dialect spells, database executes; dialects never import
	// each other.
	"pkg/dialect":             {"pkg/row", "pkg/schema"},
	"pkg/dialect/mysql":       {"pkg/canonical", "pkg/dialect", "pkg/row", "pkg/schema"},
	"pkg/dialect/postgres":    {"pkg/canonical", "pkg/dialect", "pkg/row", "pkg/schema"},
	"pkg/dialect/dialecttest": {"pkg/canonical", "pkg/database", "pkg/dialect", "pkg/row", "pkg/schema", "internal/testenv"},
	"pkg/database":            {"internal/certificate", "pkg/canonical", "pkg/dialect", "pkg/dialect/mysql", "pkg/dialect/postgres", "pkg/row", "pkg/schema"},

	// Finding differences.
	"pkg/chunk":      {"pkg/row", "pkg/schema"},
	"pkg/compare":    {"pkg/canonical", "pkg/event", "pkg/row", "pkg/schema"},
	"pkg/validate":   {"pkg/canonical", "pkg/chunk", "pkg/compare", "pkg/event", "pkg/row", "pkg/schema"},
	"pkg/checkpoint": {},
	"pkg/cdc":        {"pkg/canonical", "pkg/row", "pkg/schema"},

	// Carrying and repairing: the sinks meet fix, never each other.
	"pkg/kafka":           {"internal/certificate", "pkg/event"},
	"pkg/kafka/kafkatest": {"internal/testenv", "pkg/canonical", "pkg/event", "pkg/kafka", "pkg/row"},
	"pkg/fix":             {"pkg/canonical", "pkg/event", "pkg/row", "pkg/schema"},
	"pkg/fix/sqlsink":     {"pkg/database", "pkg/event", "pkg/dialect", "pkg/fix", "pkg/row", "pkg/schema"},
	"pkg/fix/sinktest":    {"pkg/canonical", "pkg/event", "pkg/fix", "pkg/row", "pkg/schema"},
	"pkg/audit":           {"pkg/event", "pkg/fix"},
	"pkg/standing":        {"pkg/event", "pkg/fix"},
	"pkg/canary":          {"pkg/canonical", "pkg/compare", "pkg/event", "pkg/fix", "pkg/row", "pkg/schema"},

	// Running.
	"pkg/circle":     {},
	"pkg/governor":   {"pkg/circle"},
	"pkg/leader":     {"pkg/circle"},
	"pkg/schedule":   {},
	"pkg/lifecycle":  {},
	"pkg/config":     {},
	"pkg/report":     {},
	"pkg/statuspage": {},
	"pkg/tracing":    {"pkg/event", "pkg/fix", "pkg/kafka", "pkg/validate"},
	"pkg/telemetry":  {"pkg/event", "pkg/fix", "pkg/governor", "pkg/kafka", "pkg/standing", "pkg/validate"},
}

// TestImportsFollowTheLayers fails on an import that the table does not allow,
// and on a package that the table does not know.
func TestImportsFollowTheLayers(t *testing.T) {
	for dir, imports := range projectImports(t) {
		for _, imported := range imports {
			shared := imported == "services/assembly" && strings.HasPrefix(dir, "services/")
			if strings.HasPrefix(imported, "services/") && !shared {
				t.Errorf("%s imports %s: nothing imports a service", dir, imported)
			}
		}
		if !strings.HasPrefix(dir, "pkg/") {
			continue
		}
		permitted, known := allowed[dir]
		if !known {
			t.Errorf("%s is not in the layering table: say there what it may import, and in ARCHITECTURE.md what it is for", dir)
			continue
		}
		for _, imported := range imports {
			if !slices.Contains(permitted, imported) {
				t.Errorf("%s imports %s, which its layer does not allow: let the consumer declare an interface and join the two in wire.go", dir, imported)
			}
		}
	}
}

// TestTableNamesOnlyPackagesThatExist keeps the table from growing stale.
func TestTableNamesOnlyPackagesThatExist(t *testing.T) {
	present := projectImports(t)
	for dir := range allowed {
		if _, ok := present[dir]; !ok {
			t.Errorf("the layering table names %s, which has no Go files", dir)
		}
	}
}

// projectImports maps every directory with Go files to the project packages
// that its production files import.
func projectImports(t *testing.T) map[string][]string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipForeign(root, path, entry)
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		if _, ok := found[dir]; !ok {
			found[dir] = nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if rest, ok := strings.CutPrefix(imported, module); ok && !slices.Contains(found[dir], rest) {
				found[dir] = append(found[dir], rest)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// skipForeign leaves out hidden directories and those that are modules of their own.
func skipForeign(root, path string, entry fs.DirEntry) error {
	if path == root {
		return nil
	}
	if strings.HasPrefix(entry.Name(), ".") {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}
