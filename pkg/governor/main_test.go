package governor

import (
	"os"
	"runtime"
	"testing"
)

// TestMain lets one goroutine run at a time. The model's many timers are due at the
// same moments, and whoever waits for a timer of a bubble may run it while the bubble
// runs another. Two threads then share one context of the race detector, which is not
// made for that, and the process can crash (Go 1.26, runtime/time.go: unlockAndRun,
// maybeRunChan).
func TestMain(m *testing.M) {
	runtime.GOMAXPROCS(1)
	os.Exit(m.Run())
}
