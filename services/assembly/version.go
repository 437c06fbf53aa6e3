package assembly

import "runtime/debug"

// version is set by the linker: -X github.com/trueup/trueup/services/assembly.version=v1.2.3
var version string

// Version is the version this binary was built as: what the linker was told,
// else what the Go toolchain recorded, else "devel".
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
