package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

const (
	threads = 3
	// connections serve the ranges in work, the next one being cut, and the
	// second look at suspects.
	connections = 2*threads + 1
)

// rangeSizes are the rows of a range: every row a boundary, ranges whose ends
// fall among the rows, and everything in one.
var rangeSizes = []int{1, 7, 1000}

var allMethods = []schema.Method{schema.Checksum, schema.Merge, schema.Lookup}

// run takes a scenario through every pair of engines that it fits.
func (l *lane) run(t *testing.T, dir string) {
	for engine, s := range l.source {
		if text := script(t, dir, "source", engine); text != "" {
			s.load(t, dir, text)
		}
	}
	for _, p := range pairs {
		source, target := script(t, dir, "source", p.source), script(t, dir, "target", p.target)
		if source == "" || target == "" {
			continue
		}
		t.Run(p.String(), func(t *testing.T) {
			// Afresh, since the pair before has repaired it.
			l.target[p.target].load(t, dir, target)
			c := &comparison{
				expectation: expect(t, filepath.Join(dir, "expect.txt"), p),
				source:      l.source[p.source], target: l.target[p.target], asked: mapping(t, dir),
			}
			c.databases = assembly.Databases{Source: c.source.reader, Target: c.target.reader}
			if c.refused != "" {
				c.isRefused(t)
				return
			}
			var err error
			if c.auto, err = c.databases.Resolve(t.Context(), c.asked.Mapping(), schema.Auto); err != nil {
				t.Fatal(err)
			}
			c.compares(t)
			c.repairs(t)
		})
	}
}

// mapping is what mapping.yaml says of the pair, a configuration file as a user
// writes it; without one the tables have the folder's name.
func mapping(t *testing.T, dir string) assembly.Pair {
	t.Helper()
	file, err := assembly.Load(filepath.Join(dir, "mapping.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		file = assembly.File{Pairs: []assembly.Pair{{Name: dir}}}
		err = file.Validate()
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Pairs) > 1 && file.Pairs[1].Entry == "" {
		t.Fatalf("%s/mapping.yaml holds %d pairs, a scenario is one", dir, len(file.Pairs))
	}
	return file.Pairs[0]
}

// comparison is a scenario on one pair of engines.
type comparison struct {
	expectation
	source, target *server
	databases      assembly.Databases
	asked          assembly.Pair
	auto           *schema.Pair
}

func (c *comparison) isRefused(t *testing.T) {
	_, err := c.databases.Resolve(t.Context(), c.asked.Mapping(), schema.Auto)
	if got := c.sentence(err); got != c.refused {
		t.Errorf("refused with\n%s\nwant\n%s", got, c.refused)
	}
}

// as is the pair resolved for a method, from the tables inspected for auto.
func (c *comparison) as(method schema.Method) (*schema.Pair, error) {
	return schema.Resolve(c.asked.Mapping(), c.auto.Source.Table, c.auto.Target.Table, method, schema.DigestTexts{
		Source: c.databases.Source.Dialect().DigestText,
		Target: c.databases.Target.Dialect().DigestText,
	})
}

// sentence is an error without what changes from run to run: the databases' names.
func (c *comparison) sentence(err error) string {
	if err == nil {
		return "no error"
	}
	text := err.Error()
	for _, s := range []*server{c.source, c.target} {
		name := s.dsn[strings.LastIndexByte(s.dsn, '/')+1:]
		text = strings.ReplaceAll(text, name+".", "")
	}
	return strings.ReplaceAll(text, "public.", "")
}

// compares holds every method that is sound at every size of ranges against
// what is expected, and makes sure that the others are refused.
func (c *comparison) compares(t *testing.T) {
	for _, method := range allMethods {
		pair, err := c.as(method)
		if !slices.Contains(c.methods, method.String()) {
			if err == nil || !strings.Contains(err.Error(), "method "+method.String()+": ") {
				t.Errorf("%s is not sound here, and resolving said %v", method, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s should be sound here: %v", method, err)
			continue
		}
		for _, rows := range rangeSizes {
			c.check(t, pair, rows, look{}, c.findings)
		}
	}
	c.check(t, c.auto, 7, look{mode: validate.Reverse}, without(c.findings, event.TargetMissing))
	c.check(t, c.auto, 7, look{authority: event.Target}, mirrored(c.findings))
}

// look is how to look at a pair; the zero look is a full run that trusts the source.
type look struct {
	mode      validate.Mode
	authority event.Side
	repaired  bool // says when, in messages
}

func (l look) String() string {
	if l.repaired {
		return l.mode.String() + ", after the repair"
	}
	if l.authority == event.Target {
		return l.mode.String() + ", the target's authority"
	}
	return l.mode.String()
}

func (c *comparison) check(t *testing.T, pair *schema.Pair, rows int, how look, want []string) {
	t.Helper()
	what := fmt.Sprintf("%s, %d rows a range, %s", pair.Method, rows, how)
	verdict, found, err := c.look(t, pair, rows, how)
	if err != nil || !verdict.Complete {
		t.Errorf("%s: not complete: %s, error %v", what, verdict.Reason, err)
		return
	}
	got := lines(found)
	if !slices.Equal(got, want) {
		t.Errorf("%s: found\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := colliding(found); c.tellsCollisions && how.mode == validate.Full && !how.repaired && !slices.Equal(got, c.collisions) {
		t.Errorf("%s: collisions\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(c.collisions, "\n"))
	}
	if verdict.Clean != (len(got) == 0) || verdict.Findings() != int64(len(got)) || verdict.Open != 0 {
		t.Errorf("%s: %d findings, and the verdict says %s", what, len(got), verdict.Summary())
	}
}

// look runs a comparison. A first look of every range and a second one of
// every suspect have to agree, so small ranges look twice and large ones once.
func (c *comparison) look(t *testing.T, pair *schema.Pair, rows int, how look) (validate.Verdict, []event.Finding, error) {
	t.Helper()
	if how.authority == event.SideUnknown {
		how.authority = event.Source
	}
	var found collector
	config := validate.Config{
		Threads: threads, BatchRows: min(rows, 500), DrillRows: 3, Attempts: 2, Backoff: time.Millisecond,
		Range: chunk.SizerConfig{MinRows: rows, MaxRows: rows},
	}
	v, err := validate.New(config, validate.Ports{
		Source: c.databases.Source, Target: c.databases.Target, Publisher: &found, Pacer: pacer(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	run := validate.Run{ID: t.Name(), Pair: pair, Authority: how.authority, Epoch: 1, Mode: how.mode}
	if rows < 1000 {
		run.Confirm = time.Millisecond
	}
	verdict, err := v.Run(t.Context(), run)
	return verdict, found.findings, err
}

func pacer(t *testing.T) validate.Pacer {
	t.Helper()
	source, err := governor.NewBudget("source", connections)
	if err != nil {
		t.Fatal(err)
	}
	target, err := governor.NewBudget("target", connections)
	if err != nil {
		t.Fatal(err)
	}
	return validate.Paced(source, target)
}

// collector keeps what is published.
type collector struct {
	mu       sync.Mutex
	findings []event.Finding
}

func (c *collector) Publish(_ context.Context, findings []event.Finding) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.findings = append(c.findings, findings...)
	return nil
}

// lines are findings as they stand in expect.txt: kind, key, columns.
func lines(findings []event.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, strings.Join(append([]string{f.Kind.String(), keyText(f.Key)}, f.Columns...), " "))
	}
	slices.Sort(out)
	return out
}

// colliding are the keys of findings and those they collide with.
func colliding(findings []event.Finding) []string {
	var out []string
	for _, f := range findings {
		if f.CollidesWith != nil {
			out = append(out, keyText(f.Key)+" "+keyText(f.CollidesWith))
		}
	}
	slices.Sort(out)
	return out
}

// plain is a value that stands in expect.txt as it is; another is quoted.
var plain = regexp.MustCompile(`^[A-Za-z0-9.+-]+$`)

// keyText is a key as it stands in expect.txt: values joined by commas.
func keyText(key event.Key) string {
	var values []string
	for _, v := range key.Values() {
		text := string(v)
		if !plain.MatchString(text) {
			text = strconv.QuoteToASCII(text)
		}
		values = append(values, text)
	}
	return strings.Join(values, ",")
}

// without leaves a kind out.
func without(findings []string, kind event.Kind) []string {
	return slices.DeleteFunc(slices.Clone(findings), func(line string) bool {
		return strings.HasPrefix(line, kind.String()+" ")
	})
}

// mirrored is what is found when the other side is right.
func mirrored(findings []string) []string {
	var out []string
	for _, line := range findings {
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case event.TargetMissing.String():
			kind = event.BaseMissing.String()
		case event.BaseMissing.String():
			kind = event.TargetMissing.String()
		}
		out = append(out, kind+" "+rest)
	}
	slices.Sort(out)
	return out
}
