package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"
)

// journal keeps what a service logs, a line of JSON each.
type journal struct {
	listening chan struct{} // closed once the service serves HTTP

	mu      sync.Mutex
	serving string
	lines   []string
}

func newJournal() *journal { return &journal{listening: make(chan struct{})} }

// read returns when the service has closed its end.
func (j *journal) read(r io.Reader) {
	reader := bufio.NewReader(r)
	for {
		line, err := reader.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			j.add(line)
		}
		if err != nil {
			return
		}
	}
}

func (j *journal) add(line []byte) {
	var entry struct {
		Message string `json:"message"`
		Address string `json:"address"`
	}
	isEntry := json.Unmarshal(line, &entry) == nil
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, string(line))
	if isEntry && entry.Message == "serving http" && j.serving == "" {
		j.serving = entry.Address
		close(j.listening)
	}
}

func (j *journal) address() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.serving
}

// tail is the end of the log, for an error message.
func (j *journal) tail() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines[max(0, len(j.lines)-10):], "\n")
}

// verdicts are the verdicts the service logged.
func (j *journal) verdicts() []verdict {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []verdict
	for _, line := range j.lines {
		var entry struct {
			Verdict *verdict `json:"verdict"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Verdict != nil {
			found = append(found, *entry.Verdict)
		}
	}
	return found
}

// verdict is what the demo shows of a run's verdict.
type verdict struct {
	Pair     string `json:"pair"`
	Complete bool   `json:"complete"`
	Clean    bool   `json:"clean"`
	Rows     struct{ Source, Target int64 }
	Findings struct {
		Missing int64 `json:"target_missing"`
		Changed int64 `json:"neq"`
		Extra   int64 `json:"base_missing"`
	} `json:"findings"`
	Seconds float64 `json:"seconds"`
}
