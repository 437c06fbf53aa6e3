package main

import (
	"os/exec"
	"testing"
)

func TestThePeakOfAProcessIsItsOwn(t *testing.T) {
	// This process becomes large; the one it starts is small.
	block := make([]byte, 256<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	p, err := startProcess(exec.CommandContext(t.Context(), "sleep", "0.2"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.wait(); err != nil {
		t.Fatal(err)
	}
	if p.peak == 0 || p.peak > 64<<10 {
		t.Errorf("sleep took %d KiB", p.peak)
	}
	if block[4096] != 1 {
		t.Error("the block is gone")
	}
}

func TestACommandWithAStatusThatIsNoSuccessIsAnError(t *testing.T) {
	c := command{"test", []string{"sh", "-c", "echo out; echo why >&2; exit 3"}, []int{0, 3}}
	s, err := c.run(t.Context())
	if err != nil || s.stdout != "out\n" {
		t.Errorf("stdout %q, %v", s.stdout, err)
	}
	c.exits = []int{0}
	if _, err := c.run(t.Context()); err == nil {
		t.Error("status 3 passes for success")
	}
}
