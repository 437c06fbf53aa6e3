package circletest

import (
	"os"
	"runtime"
	"testing"
)

// Main runs a package's tests with one goroutine at a time. The timers of a model with
// a Coordinator are due at the same moments, and whoever waits for a timer of a bubble
// of synctest may run it while the bubble runs another. Two threads then share one
// context of the race detector, which is not made for that, and the process can crash
// (Go 1.26, runtime/time.go: unlockAndRun, maybeRunChan).
func Main(m *testing.M) {
	runtime.GOMAXPROCS(1)
	os.Exit(m.Run())
}
