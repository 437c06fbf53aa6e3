package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is one line of `go test -json`, as `go doc test2json` describes it.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build-output and build-fail, instead of Package
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

// report counts results and prints packages as they end.
type report struct {
	out                     io.Writer
	refuseSkips             bool
	passed, failed, skipped int
	packages                map[string]*results
	builds                  map[string]*strings.Builder // compiler output by import path
	skips                   []string
}

// results is what is known of a package whose tests still run.
type results struct {
	lines                   []line
	failures                map[string]bool
	passed, failed, skipped int
}

type line struct{ test, text string }

func newReport(out io.Writer, refuseSkips bool) *report {
	return &report{out: out, refuseSkips: refuseSkips, packages: map[string]*results{}, builds: map[string]*strings.Builder{}}
}

// read takes the events of one `go test -json`; what is no event (a message of
// the go command itself) is passed through.
func (r *report) read(stream io.Reader) error {
	lines := bufio.NewReader(stream)
	for {
		text, err := lines.ReadBytes('\n')
		if len(text) > 0 {
			var e event
			if json.Unmarshal(text, &e) != nil {
				fmt.Fprintf(r.out, "%s", text)
			} else {
				r.take(e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the output of go test: %w", err)
		}
	}
}

func (r *report) take(e event) {
	switch {
	case e.Action == "build-output":
		r.build(e.ImportPath).WriteString(e.Output)
	case e.Action == "build-fail":
		fmt.Fprintf(r.out, "FAIL  %s does not build\n%s", e.ImportPath, r.build(e.ImportPath))
	case e.Package == "":
	case e.Test != "":
		r.pkg(e.Package).takeTest(e)
		if e.Action == "skip" {
			r.skips = append(r.skips, e.Package+" "+e.Test)
		}
	case e.Action == "output":
		p := r.pkg(e.Package)
		p.lines = append(p.lines, line{text: e.Output})
	case e.Action == "pass" || e.Action == "fail" || e.Action == "skip":
		r.finish(e)
	}
}

func (p *results) takeTest(e event) {
	switch e.Action {
	case "output":
		p.lines = append(p.lines, line{e.Test, e.Output})
	case "pass":
		p.passed++
	case "skip":
		p.skipped++
	case "fail":
		p.failed++
		p.failures[e.Test] = true
	}
}

// finish prints a package's line, and the output of what failed in it.
func (r *report) finish(e event) {
	p := r.pkg(e.Package)
	delete(r.packages, e.Package)
	if e.Action == "fail" {
		fmt.Fprintf(r.out, "FAIL  %s  %.1fs\n", e.Package, e.Elapsed)
		for _, l := range p.lines {
			// Without a failed test the package broke as a whole (a panic, a time-out,
			// os.Exit): then everything it said may tell why.
			if l.test == "" || p.failures[l.test] || p.failed == 0 {
				fmt.Fprintf(r.out, "      %s", l.text)
			}
		}
		p.failed = max(p.failed, 1)
	} else if p.passed+p.skipped > 0 {
		fmt.Fprintf(r.out, "ok    %s  %.1fs  %d passed", e.Package, e.Elapsed, p.passed)
		if p.skipped > 0 {
			fmt.Fprintf(r.out, ", %d skipped", p.skipped)
		}
		fmt.Fprintln(r.out)
	}
	r.passed += p.passed
	r.failed += p.failed
	r.skipped += p.skipped
}

// broken records that a module's `go test` itself went wrong.
func (r *report) broken(module string, err error) {
	fmt.Fprintf(r.out, "FAIL  go test in %s: %v\n", module, err)
	r.failed++
}

// close prints what is left to say and returns the exit status.
func (r *report) close() int {
	for name, p := range r.packages {
		fmt.Fprintf(r.out, "FAIL  %s ended without a result\n", name)
		r.failed += max(p.failed, 1)
		r.passed += p.passed
	}
	status := 0
	if r.refuseSkips && len(r.skips) > 0 {
		fmt.Fprintf(r.out, "FAIL  skipped, where everything must run:\n      %s\n", strings.Join(r.skips, "\n      "))
		status = 1
	}
	if r.failed > 0 {
		status = 1
	}
	if r.passed+r.failed == 0 {
		fmt.Fprintln(r.out, "FAIL  no test ran")
		status = 1
	}
	fmt.Fprintf(r.out, "%d passed, %d failed", r.passed, r.failed)
	if r.skipped > 0 {
		fmt.Fprintf(r.out, ", %d skipped", r.skipped)
	}
	fmt.Fprintln(r.out)
	return status
}

func (r *report) pkg(name string) *results {
	if r.packages[name] == nil {
		r.packages[name] = &results{failures: map[string]bool{}}
	}
	return r.packages[name]
}

func (r *report) build(name string) *strings.Builder {
	if r.builds[name] == nil {
		r.builds[name] = &strings.Builder{}
	}
	return r.builds[name]
}
