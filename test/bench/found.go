package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// verdict is what is needed of the verdict that trueup prints.
type verdict struct {
	Complete   bool
	Clean      bool
	Method     string
	Unreadable int64
	Rows       struct{ Source, Target int64 }
}

// verdictOf finds the verdict in the output of `trueup diff --json`.
func verdictOf(stdout string) (verdict, error) {
	for line := range strings.Lines(stdout) {
		var v struct{ Verdict *verdict }
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			return verdict{}, fmt.Errorf("read trueup's output %q: %w", line, err)
		}
		if v.Verdict != nil {
			return *v.Verdict, nil
		}
	}
	return verdict{}, errors.New("trueup printed no verdict")
}

// kind is how a row of the target differs from the source's.
type kind string

// The kinds of damage.
const (
	changed kind = "changed"
	missing kind = "missing"
	extra   kind = "extra"
)

// score counts what a tool found against what there was.
type score struct {
	missed, invented int
	// mistaken are rows that do differ, and in another way than was said.
	mistaken int
}

func compareFound(found, damage map[int64]kind) score {
	var s score
	for id, is := range damage {
		said, ok := found[id]
		switch {
		case !ok:
			s.missed++
		case said != is:
			s.mistaken++
		}
	}
	for id := range found {
		if _, ok := damage[id]; !ok {
			s.invented++
		}
	}
	return s
}

// foundByTrueup reads `trueup diff --json`.
func foundByTrueup(stdout string) (map[int64]kind, error) {
	kinds := map[string]kind{"neq": changed, "target_missing": missing, "base_missing": extra}
	found := map[int64]kind{}
	for line := range strings.Lines(stdout) {
		var f struct {
			Kind string
			Key  struct{ ID int64 }
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			return nil, fmt.Errorf("read trueup's output %q: %w", line, err)
		}
		if f.Kind == "" {
			continue // the verdict
		}
		k, ok := kinds[f.Kind]
		if !ok {
			return nil, fmt.Errorf("trueup found a %q", f.Kind)
		}
		found[f.Key.ID] = k
	}
	return found, nil
}

// foundByReladiff reads `reladiff --json`: a line ["-", [key, …]] for a row of
// the source, ["+", …] for one of the target, both for a changed one.
func foundByReladiff(stdout string) (map[int64]kind, error) {
	found := map[int64]kind{}
	for line := range strings.Lines(stdout) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		var sign string
		var values []string
		if err := json.Unmarshal([]byte(line), &[]any{&sign, &values}); err != nil {
			return nil, fmt.Errorf("read reladiff's output %q: %w", line, err)
		}
		if len(values) == 0 {
			return nil, fmt.Errorf("reladiff printed a row without a key: %q", line)
		}
		id, err := strconv.ParseInt(values[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read reladiff's output %q: %w", line, err)
		}
		is := missing
		if sign == "+" {
			is = extra
		}
		if before, ok := found[id]; ok && before != is {
			is = changed
		}
		found[id] = is
	}
	return found, nil
}

var (
	ptInsert = regexp.MustCompile(`^(?:INSERT|REPLACE) INTO .* VALUES \('(-?\d+)'`)
	ptWhere  = regexp.MustCompile("WHERE `id`='(-?\\d+)' LIMIT 1")
)

// foundByPtTableSync reads the statements of `pt-table-sync --print`, one a
// line; id is the tables' first column.
func foundByPtTableSync(stdout string) (map[int64]kind, error) {
	found := map[int64]kind{}
	for line := range strings.Lines(stdout) {
		line = strings.TrimSpace(line)
		verb, _, _ := strings.Cut(line, " ")
		is, pattern := kind(""), ptWhere
		switch verb {
		case "":
			continue
		case "INSERT":
			is, pattern = missing, ptInsert
		case "REPLACE":
			is, pattern = changed, ptInsert
		case "UPDATE":
			is = changed
		case "DELETE":
			is = extra
		}
		match := pattern.FindStringSubmatch(line)
		if is == "" || match == nil {
			return nil, fmt.Errorf("read pt-table-sync's output: %s", head(line))
		}
		id, err := strconv.ParseInt(match[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read pt-table-sync's output: %w", err)
		}
		found[id] = is
	}
	return found, nil
}
