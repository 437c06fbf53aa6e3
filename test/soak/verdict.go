package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// verdict is what the validator's log says about a run.
type verdict struct {
	Pair, Mode      string
	Complete, Clean bool
	Seconds         float64
	ended           time.Time
}

func (v verdict) began() time.Time {
	return v.ended.Add(-time.Duration(v.Seconds * float64(time.Second)))
}

// verdicts reads a log as it grows.
type verdicts struct {
	log  string
	read int64  // bytes
	half []byte // of a line
}

// next returns the verdicts since the last call. A process that was killed leaves
// half a line, which is skipped with the line that follows it.
func (r *verdicts) next() ([]verdict, error) {
	file, err := os.Open(r.log)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // it was not started yet
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.Seek(r.read, io.SeekStart); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	r.read += int64(len(text))
	lines := bytes.Split(append(r.half, text...), []byte("\n"))
	r.half = lines[len(lines)-1]
	var out []verdict
	for _, line := range lines[:len(lines)-1] {
		var entry struct {
			Verdict *verdict
			Time    time.Time
		}
		if json.Unmarshal(line, &entry) == nil && entry.Verdict != nil {
			entry.Verdict.ended = entry.Time
			out = append(out, *entry.Verdict)
		}
	}
	return out, nil
}

// allClean says whether the last full and the last reverse run of every table
// that began after a time found nothing.
func allClean(list []verdict, since time.Time) bool {
	type run struct{ pair, mode string }
	last := map[run]verdict{}
	for _, v := range list {
		if v.began().After(since) {
			last[run{v.Pair, v.Mode}] = v
		}
	}
	for _, t := range tables {
		for _, mode := range []string{"full", "reverse"} {
			if v := last[run{t.name, mode}]; !v.Complete || !v.Clean {
				return false
			}
		}
	}
	return true
}
