package leader

import (
	"os"
	"runtime"
	"testing"
)

// TestMain lets one goroutine run at a time: the model's timers are due at the same
// moments, with which Go 1.26's race detector can crash in a bubble of synctest (see
// pkg/governor/main_test.go).
func TestMain(m *testing.M) {
	runtime.GOMAXPROCS(1)
	os.Exit(m.Run())
}
