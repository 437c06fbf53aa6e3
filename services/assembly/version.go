package assembly

import (
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Set by the linker, -X github.com/trueup/trueup/services/assembly.version=v1.2.3 and
// so on, where the toolchain cannot see them: in a container there is no repository.
var version, commit, date string

// Build says what a binary was made from.
type Build struct {
	Version string `json:"version"`
	// Commit is the hash of the source, or its beginning; empty when not known.
	Commit string `json:"commit,omitempty"`
	// Date is the commit's, in UTC as RFC 3339; empty when not known.
	Date string `json:"date,omitempty"`
	// Modified says that the source was not quite the commit's.
	Modified bool `json:"modified,omitempty"`
	// Go is the toolchain's version, and Platform what was built for: linux/amd64.
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// ReadBuild says what this binary was made from: what the linker was told, else
// what the Go toolchain recorded of the repository or of the module's version.
func ReadBuild() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return buildOf(info, Build{
		Version: version, Commit: commit, Date: date, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	})
}

// Version is ReadBuild's.
func Version() string { return ReadBuild().Version }

// unreleased is a pseudo-version (https://go.dev/ref/mod#pseudo-versions): it ends in
// the commit's time and the beginning of its hash.
var unreleased = regexp.MustCompile(`^v[0-9].*[-.]([0-9]{14})-([0-9a-f]{12})(\+|$)`)

// buildOf fills up what the linker was told.
func buildOf(info *debug.BuildInfo, told Build) Build {
	recorded := Build{Version: "devel"}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		recorded.Version = v
	}
	if m := unreleased.FindStringSubmatch(recorded.Version); m != nil {
		if at, err := time.Parse("20060102150405", m[1]); err == nil {
			recorded.Commit, recorded.Date = m[2], at.Format(time.RFC3339)
		}
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			recorded.Commit = s.Value
		case "vcs.time":
			recorded.Date = s.Value
		case "vcs.modified":
			recorded.Modified = s.Value == "true"
		}
	}
	if told.Version == "" {
		told.Version = recorded.Version
	}
	if told.Commit == "" {
		told.Commit, told.Date, told.Modified = recorded.Commit, recorded.Date, recorded.Modified
	}
	return told
}

// String is the build in a line, as --version prints it.
func (b Build) String() string {
	var parts []string
	if b.Commit != "" {
		text := fmt.Sprintf("commit %.12s", b.Commit)
		if b.Modified {
			text += " with changes"
		}
		parts = append(parts, text)
	}
	if b.Date != "" {
		parts = append(parts, b.Date)
	}
	return fmt.Sprintf("%s (%s)", b.Version, strings.Join(append(parts, b.Go, b.Platform), ", "))
}
