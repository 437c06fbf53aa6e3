package assembly

import (
	"os"
	"runtime"
	"strings"
)

// machine is a name that the kernel gives itself at each start, which its containers see
// as well (Linux, random(4)); empty where there is none.
func machine() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// leaveProcessors returns what leaves a machine's processors to the other processes on it
// that are at work and do the same. A Go program runs on all of them, and where each has
// work for a part of one it spends much on waking threads for moments: on two processors,
// two fixers did their work with a tenth to a fifth less processor time with one each. It
// is for programs that have no use for many. What GOMAXPROCS says stands.
func leaveProcessors() func(others int) {
	if os.Getenv("GOMAXPROCS") != "" {
		return nil
	}
	before := 0
	return func(others int) {
		if others == before {
			return
		}
		before = others
		runtime.SetDefaultGOMAXPROCS() // a container's limit counts, and may have changed
		if others > 0 {
			runtime.GOMAXPROCS(evenPart(runtime.GOMAXPROCS(0), others+1))
		}
	}
}

// evenPart is the part of one of so many, at least 1.
func evenPart(processors, among int) int { return max(1, processors/among) }
