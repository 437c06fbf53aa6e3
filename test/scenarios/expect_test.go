package scenarios

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/event"
)

// expectation is what expect.txt says about one pair of engines.
type expectation struct {
	// methods are those that are sound for the pair; any other is refused.
	methods []string
	// refused is the whole sentence with which the pair is refused.
	refused string
	// findings stand in the order of their lines, see line.
	findings []string
	// collisions are "key other": a row that one side lacks, and the key there
	// that its collation holds equal.
	collisions []string
	// tellsCollisions: the file has such lines, for some pair of engines.
	tellsCollisions bool
	// dead are "key class" of the findings that cannot be repaired.
	dead []string
	// unrepairable is the sentence with which a repair is refused before it starts.
	unrepairable string
}

// The words that begin a line of expect.txt; README.md explains them.
const (
	wordClean        = "clean"
	wordMethods      = "methods"
	wordRefused      = "refused"
	wordDead         = "dead"
	wordCollides     = "collides"
	wordUnrepairable = "unrepairable"
)

// expect reads what the file says about a pair. A line that names pairs counts
// for those alone, and takes the place of one with the same setting for all.
func expect(t *testing.T, file string, p pair) expectation {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("every scenario says what it expects: %v", err)
	}
	e := expectation{methods: []string{"checksum", "merge", "lookup"}}
	said := false
	for _, special := range []bool{false, true} {
		for n, text := range strings.Split(string(text), "\n") {
			if text = strings.TrimSpace(text); text == "" || strings.HasPrefix(text, "#") {
				continue
			}
			word, rest, _ := strings.Cut(text, " ")
			word, pairs, selected := strings.Cut(word, "@")
			e.tellsCollisions = e.tellsCollisions || word == wordCollides
			if selected != special || selected && !matches(t, pairs, p) {
				continue
			}
			if err := e.take(word, strings.TrimSpace(rest)); err != nil {
				t.Fatalf("%s:%d: %v", file, n+1, err)
			}
			said = said || word != wordMethods && word != wordDead && word != wordCollides
		}
	}
	if !said {
		t.Fatalf("%s says nothing about %s; say `clean`, the findings, or `refused` with the sentence", file, p)
	}
	slices.Sort(e.findings)
	slices.Sort(e.dead)
	slices.Sort(e.collisions)
	return e
}

func (e *expectation) take(word, rest string) error {
	switch word {
	case wordClean:
	case wordMethods:
		e.methods = strings.Fields(rest)
	case wordRefused:
		e.refused = rest
	case wordDead:
		e.dead = append(e.dead, rest)
	case wordCollides:
		e.collisions = append(e.collisions, rest)
	case wordUnrepairable:
		e.unrepairable = rest
	case event.TargetMissing.String(), event.NotEqual.String(), event.BaseMissing.String():
		e.findings = append(e.findings, word+" "+rest)
	default:
		return fmt.Errorf("the word %q is unknown", word)
	}
	return nil
}

// matches says whether a pair is among those selected: names like
// mysql-postgres, with * for either engine, separated by commas.
func matches(t *testing.T, selection string, p pair) bool {
	t.Helper()
	for _, pattern := range strings.Split(selection, ",") {
		match := func(p pair) bool {
			ok, err := path.Match(pattern, p.String())
			return err == nil && ok
		}
		if !slices.ContainsFunc(pairs, match) {
			t.Fatalf("%q selects no pair of engines", pattern)
		}
		if match(p) {
			return true
		}
	}
	return false
}
