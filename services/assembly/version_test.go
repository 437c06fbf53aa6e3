package assembly

import (
	"runtime/debug"
	"testing"
)

func TestABuildSaysWhatItWasMadeFrom(t *testing.T) {
	here := Build{Go: "go1.26.8", Platform: "linux/amd64"}
	repository := []debug.BuildSetting{
		{Key: "-trimpath", Value: "true"},
		{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"},
		{Key: "vcs.time", Value: "2026-11-22T14:00:00Z"},
		{Key: "vcs.modified", Value: "true"},
	}
	module := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	told := here
	told.Version, told.Commit, told.Date = "v9.9.9", "fedcba9876543210", "2026-01-01T00:00:00Z"
	named := here
	named.Version = "v1.2.3"
	for name, c := range map[string]struct {
		info *debug.BuildInfo
		told Build
		want string
	}{
		"nothing is known":          {module(""), here, "devel (go1.26.8, linux/amd64)"},
		"a test":                    {module("(devel)"), here, "devel (go1.26.8, linux/amd64)"},
		"a release by go install":   {module("v1.2.3"), here, "v1.2.3 (go1.26.8, linux/amd64)"},
		"a commit by go install":    {module("v0.0.0-20261122140000-0123456789ab"), here, "v0.0.0-20261122140000-0123456789ab (commit 0123456789ab, 2026-11-22T14:00:00Z, go1.26.8, linux/amd64)"},
		"a commit after a release":  {module("v1.2.4-0.20261122140000-0123456789ab"), here, "v1.2.4-0.20261122140000-0123456789ab (commit 0123456789ab, 2026-11-22T14:00:00Z, go1.26.8, linux/amd64)"},
		"a work tree":               {module("v1.2.3+dirty", repository...), named, "v1.2.3 (commit 0123456789ab with changes, 2026-11-22T14:00:00Z, go1.26.8, linux/amd64)"},
		"a container":               {module("(devel)"), told, "v9.9.9 (commit fedcba987654, 2026-01-01T00:00:00Z, go1.26.8, linux/amd64)"},
		"the linker knows better":   {module("v1.2.3", repository...), told, "v9.9.9 (commit fedcba987654, 2026-01-01T00:00:00Z, go1.26.8, linux/amd64)"},
		"a version that names none": {module("v1.2.3-rc.1"), here, "v1.2.3-rc.1 (go1.26.8, linux/amd64)"},
	} {
		if got := buildOf(c.info, c.told).String(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
