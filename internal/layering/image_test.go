package layering

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func text(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestTheImageIsBuiltFromEverythingItNeeds: .dockerignore leaves out all but a few
// directories, and what is missing shows only where there is a Docker engine.
func TestTheImageIsBuiltFromEverythingItNeeds(t *testing.T) {
	sent := strings.Fields(text(t, ".dockerignore"))
	imports := projectImports(t)
	needed := map[string]bool{}
	var need func(dir string)
	need = func(dir string) {
		if !needed[dir] {
			needed[dir] = true
			for _, imported := range imports[dir] {
				need(imported)
			}
		}
	}
	for dir := range imports {
		if strings.HasPrefix(dir, "services/") {
			need(dir)
		}
	}
	for dir := range needed {
		top, _, _ := strings.Cut(dir, "/")
		if !slices.Contains(sent, "!"+top) {
			t.Errorf("the services need %s, and .dockerignore leaves it out", dir)
		}
	}
}

// TestWhatTheLinkerIsToldExists: it passes over names that do not.
func TestWhatTheLinkerIsToldExists(t *testing.T) {
	parsed, err := parser.ParseFile(token.NewFileSet(), "../../services/assembly/version.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var variables []string
	for _, declared := range parsed.Decls {
		if general, ok := declared.(*ast.GenDecl); ok && general.Tok == token.VAR {
			for _, spec := range general.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					variables = append(variables, name.Name)
				}
			}
		}
	}
	told := regexp.MustCompile(`-X (?:github\.com/trueup/trueup/services/assembly|\$into)\.(\w+)=`)
	for file, want := range map[string]int{"Makefile": 1, "Dockerfile": 3} {
		found := told.FindAllStringSubmatch(text(t, file), -1)
		if len(found) != want {
			t.Errorf("%s tells the linker %q, want %d names", file, found, want)
		}
		for _, m := range found {
			if !slices.Contains(variables, m[1]) {
				t.Errorf("%s sets assembly.%s, which is none of %v", file, m[1], variables)
			}
		}
	}
}

// TestTheCommandsCanBeInstalledByGo: `go install MODULE/services/…@version` refuses a
// module that replaces or excludes others.
func TestTheCommandsCanBeInstalledByGo(t *testing.T) {
	if found := regexp.MustCompile(`(?m)^(replace|exclude)\b.*`).FindString(text(t, "go.mod")); found != "" {
		t.Errorf("go.mod has %q", found)
	}
}

func TestTheImageRunsAsNobodyAndSaysWhatItIs(t *testing.T) {
	dockerfile := text(t, "Dockerfile")
	final := dockerfile[strings.LastIndex(dockerfile, "\nFROM "):]
	if user := regexp.MustCompile(`(?m)^USER ([0-9]+):[0-9]+$`).FindStringSubmatch(final); user == nil || user[1] == "0" {
		t.Error("the image's user is root, or has a name that Kubernetes cannot tell from root")
	}
	for _, label := range []string{"title", "description", "source", "licenses", "version", "revision", "created"} {
		if !strings.Contains(final, "org.opencontainers.image."+label+"=") {
			t.Errorf("the image has no label %s", label)
		}
	}
	for _, base := range regexp.MustCompile(`(?m)^ARG (?:GOLANG|BUSYBOX)=(.*)$`).FindAllStringSubmatch(dockerfile, -1) {
		if !strings.Contains(base[1], ":") || strings.HasSuffix(base[1], ":latest") {
			t.Errorf("the base %s names no version", base[1])
		}
	}
}
