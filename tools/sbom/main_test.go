package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// output runs a command and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// billed builds this command, and returns the path of its bill.
func billed(t *testing.T) (binary, bill string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "sbom")
	output(t, "go", "build", "-trimpath", "-o", binary, ".")
	var stderr bytes.Buffer
	if status := run([]string{binary}, &stderr); status != 0 {
		t.Fatalf("status %d: %s", status, stderr.String())
	}
	return binary, binary + ".cdx.json"
}

func TestEveryModuleOfABinaryIsInItsBill(t *testing.T) {
	binary, path := billed(t)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(file, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, c := range *bom.Components {
		listed[c.Name+" "+c.Version] = true
		if c.Name != "std" && c.Hashes == nil || !strings.HasPrefix(c.PackageURL, "pkg:golang/"+c.Name+"@") {
			t.Errorf("%+v has no checksum or no name for scanners", c)
		}
	}
	modules := 0
	for line := range strings.Lines(output(t, "go", "version", "-m", binary)) {
		if field := strings.Fields(line); field[0] == "dep" {
			modules++
			if !listed[field[1]+" "+field[2]] {
				t.Errorf("%s %s is not in the bill", field[1], field[2])
			}
		}
	}
	if modules == 0 || len(listed) != modules+1 {
		t.Errorf("%d entries for %d modules and the standard library", len(listed), modules)
	}
}

// The schema is the specification's own, as the module that writes bills has it.
func TestABillMeetsTheSchema(t *testing.T) {
	_, path := billed(t)
	dir := filepath.Join(strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go")), "schema")
	compiler := jsonschema.NewCompiler()
	const base = "http://cyclonedx.org/schema/"
	for name, at := range map[string]string{
		"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json", "jsf-0.82.schemax.json": "jsf-0.82.schema.json",
	} {
		if err := compiler.AddResource(base+at, read(t, filepath.Join(dir, name))); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := compiler.Compile(base + "bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	bill := read(t, path)
	if err := schema.Validate(bill); err != nil {
		t.Error(err)
	}
	delete(bill.(map[string]any)["metadata"].(map[string]any)["component"].(map[string]any), "name")
	if schema.Validate(bill) == nil {
		t.Error("a bill of something without a name is valid: the schema checks nothing")
	}
}

func read(t *testing.T, path string) any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var content any
	if err := json.Unmarshal(text, &content); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return content
}

func TestEqualBinariesHaveEqualBills(t *testing.T) {
	_, one := billed(t)
	_, other := billed(t)
	a, errA := os.ReadFile(one)
	b, errB := os.ReadFile(other)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("%v, %v: two bills of equal binaries differ", errA, errB)
	}
}

func TestScannersAreToldModulesAsTheyKnowThem(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3": "pkg:golang/a.example/b/v2@v1.2.3", "v1.2.3+incompatible": "pkg:golang/a.example/b/v2@v1.2.3%2Bincompatible", "(devel)": "pkg:golang/a.example/b/v2",
	} {
		if got := packageURL("a.example/b/v2", version); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}

func TestWhatIsNoBinaryOfGoIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	if status := run([]string{path}, &stderr); status != 2 || !strings.Contains(stderr.String(), path) {
		t.Errorf("status %d: %s", status, stderr.String())
	}
	if status := run(nil, &stderr); status != 2 || !strings.Contains(stderr.String(), "usage") {
		t.Errorf("status %d: %s", status, stderr.String())
	}
}
