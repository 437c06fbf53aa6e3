// Sbom writes a software bill of materials of Go binaries, as CycloneDX JSON.
//
//	sbom BINARY...
//
// Beside each BINARY it writes BINARY.cdx.json, with every module that was linked
// in and the checksum it had, as the toolchain recorded them in the binary itself:
// what is listed is what runs. Equal binaries give equal files.
package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// specification is the newest one that most readers know.
const specification = cdx.SpecVersion1_6

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

func run(binaries []string, stderr io.Writer) int {
	if len(binaries) == 0 {
		fmt.Fprintln(stderr, "usage: sbom BINARY...")
		return 2
	}
	for _, path := range binaries {
		if err := write(path); err != nil {
			fmt.Fprintf(stderr, "sbom: %v\n", err)
			return 2
		}
	}
	return 0
}

func write(path string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read what %s was built from: %w", path, err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	bom, err := bill(filepath.Base(path), sha256.Sum256(content), info)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var text bytes.Buffer
	if err := cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, specification); err != nil {
		return fmt.Errorf("write the bill of %s: %w", path, err)
	}
	return os.WriteFile(path+".cdx.json", text.Bytes(), 0o644) //nolint:gosec // it goes wherever the binary goes
}

// bill lists what a binary was built from.
func bill(name string, sum [sha256.Size]byte, info *debug.BuildInfo) (*cdx.BOM, error) {
	product := cdx.Component{
		BOMRef: packageURL(info.Main.Path, info.Main.Version) + "#" + name, Type: cdx.ComponentTypeApplication,
		Name: name, Version: info.Main.Version, PackageURL: packageURL(info.Main.Path, info.Main.Version),
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
		Hashes:   &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
	}
	var settings []cdx.Property
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "-trimpath", "-tags", "vcs.revision", "vcs.time", "vcs.modified":
			settings = append(settings, cdx.Property{Name: "build:" + s.Key, Value: s.Value})
		}
	}
	if len(settings) > 0 {
		product.Properties = &settings
	}
	// The standard library is not among the modules, and has vulnerabilities too.
	std := strings.TrimPrefix(strings.Fields(info.GoVersion)[0], "go")
	parts := []cdx.Component{{
		BOMRef: packageURL("std", std), Type: cdx.ComponentTypeLibrary, Name: "std", Version: std, PackageURL: packageURL("std", std),
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "BSD-3-Clause"}}},
	}}
	for _, m := range info.Deps {
		part, err := component(m)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	var refs []string
	for _, part := range parts {
		refs = append(refs, part.BOMRef)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &product, Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhasePostBuild}}}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: product.BOMRef, Dependencies: &refs}}
	return bom, nil
}

// component is a module, or what it was replaced by.
func component(m *debug.Module) (cdx.Component, error) {
	if m.Replace != nil {
		m = m.Replace
	}
	out := cdx.Component{BOMRef: packageURL(m.Path, m.Version), Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: packageURL(m.Path, m.Version)}
	if m.Sum == "" {
		return out, nil // from a directory, which has no checksum
	}
	// h1: is the SHA-256 of the list of the module's files with theirs
	// (https://go.dev/ref/mod#go-sum-files).
	sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:"))
	if err != nil || len(sum) != sha256.Size {
		return out, fmt.Errorf("the checksum %q of %s is none of Go's", m.Sum, m.Path)
	}
	out.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	return out, nil
}

// packageURL names a module for scanners (https://github.com/package-url/purl-spec),
// for which a plus sign is none.
func packageURL(path, version string) string {
	out := "pkg:golang/" + path
	if version != "" && version != "(devel)" {
		out += "@" + strings.ReplaceAll(url.PathEscape(version), "+", "%2B")
	}
	return out
}
