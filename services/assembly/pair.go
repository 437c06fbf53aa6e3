package assembly

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/config"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/schedule"
	"github.com/trueup/trueup/pkg/schema"
)

// Pair is one entry of "pairs": two tables that must agree.
type Pair struct {
	// Name names the pair in findings, metrics and output; the source table
	// when empty. Services agree on a pair by its name.
	Name string `yaml:"name"`
	// Source and Target are tables, "table" or "schema.table"; Target has the
	// same name as Source when empty.
	Source string `yaml:"source"`
	Target string `yaml:"target"`
	// Key are the key columns (source names); the primary key when empty.
	Key []string `yaml:"key"`
	// Columns to compare (source names), all common ones when empty; or
	// Exclude, all but these.
	Columns []string `yaml:"columns"`
	Exclude []string `yaml:"exclude"`
	// Map gives the target's name of a source column where they differ.
	Map map[string]string `yaml:"map"`
	// Rules relax the comparison of single columns (source names).
	Rules map[string]canonical.Rule `yaml:"rules"`
	// Constants are columns that only the target has, and the one value each
	// holds in every row of this pair.
	Constants map[string]*string `yaml:"constants"`
	// Shards are source tables that share the target table. The entry stands for
	// one pair for each, named "name@source".
	Shards []Shard `yaml:"shards"`
	// Where filters the rows of both sides; SourceWhere and TargetWhere say it
	// differently for one side, in its engine's SQL.
	Where       string `yaml:"where"`
	SourceWhere string `yaml:"source_where"`
	TargetWhere string `yaml:"target_where"`
	// Method is auto, checksum, merge or lookup; auto when empty.
	Method string `yaml:"method"`
	// UpdatedAt is the column that tells when a row last changed, for
	// incremental runs.
	UpdatedAt string `yaml:"updated_at"`
	// UpdatedAtZone is the IANA time zone of a column that keeps none.
	UpdatedAtZone string `yaml:"updated_at_zone"`
	// Changes are topics with change events, for runs that they trigger.
	Changes  Changes  `yaml:"changes"`
	Schedule Schedule `yaml:"schedule"`
	// Authority is the side that is right, source or target; source when
	// empty. Epoch is the number of that decision and grows with every
	// change of it; 1 when left out.
	Authority string `yaml:"authority"`
	Epoch     uint64 `yaml:"epoch"`
	// Schema says what to make of tables that differ so that the copy may refuse
	// or alter rows: strict, warn or ignore; warn when empty.
	Schema string `yaml:"schema"`
	// AllowCascades lets a repair of the copy delete or change rows of other
	// tables by the actions of their foreign keys.
	AllowCascades bool `yaml:"allow_cascades"`
	// Strategy says what a finding allows the fixer to do: unified, merged or
	// per_kind; unified when empty.
	Strategy string `yaml:"strategy"`
	// Images says which values outcomes keep of the rows that are repaired: none,
	// changed (what undo needs) or full; none when empty. Mask names columns, as
	// the source or else the copy names them, that are told by a digest alone.
	Images string   `yaml:"images"`
	Mask   []string `yaml:"mask"`
	// Breaker stops repairs that are too many.
	Breaker Breaker `yaml:"breaker"`
	// Canary reserves a row for proving that differences are found and repaired.
	Canary *Canary `yaml:"canary"`

	// Entry is the name of the entry with shards this pair came from, else empty.
	Entry string `yaml:"-"`
	// Shadows is the name of the pair that this one is the shadow of, else empty.
	Shadows string `yaml:"-"`
	// place is where the file says it, for error messages.
	place string
	// among are the shards of that entry, and position this one's place there.
	among    []schema.Shard
	position int
}

// Schedule says when runs start: cron expressions of five fields, or six with
// seconds in front, or @daily, @every 10m and the like. A mode without an
// expression is never started by itself.
type Schedule struct {
	Full        string `yaml:"full"`
	Reverse     string `yaml:"reverse"`
	Count       string `yaml:"count"`
	Incremental string `yaml:"incremental"`
	// Only are the times of day at which runs that end may work, such as
	// "01:00-05:00"; outside of them they rest. Always when empty.
	Only string `yaml:"only"`
	// Zone is the IANA time zone of all of these; UTC when empty.
	Zone string `yaml:"zone"`
}

// Of is the expression of a mode that ends, empty for none.
func (s Schedule) Of(mode string) string {
	switch mode {
	case "full":
		return s.Full
	case "reverse":
		return s.Reverse
	case "count":
		return s.Count
	default:
		return ""
	}
}

// DefaultEpoch is the number of the first authority decision.
const DefaultEpoch = 1

// normalise fills in what is left out.
func (p *Pair) normalise() {
	if p.Source == "" {
		p.Source = p.Name
	}
	if p.Name == "" {
		p.Name = p.Source
	}
	if p.Target == "" {
		p.Target = p.Source
	}
	if p.Authority == "" {
		p.Authority = event.Source.String()
	}
	if p.Epoch == 0 {
		p.Epoch = DefaultEpoch
	}
}

// validate checks a normalised pair by itself; what needs the tables is
// checked when they are known.
func (p *Pair) validate() error {
	if p.Source == "" {
		return config.At("name", errors.New("a pair needs at least a name or a source table"))
	}
	if kind, _ := event.StateKind([]byte(p.Name)); kind != event.StatePosition {
		return config.At("name", fmt.Errorf("%q begins like a key of the state topic; choose a name that does not begin with %s/", p.Name, kind))
	}
	if len(p.Columns) > 0 && len(p.Exclude) > 0 {
		return config.At("exclude", errors.New("columns already says which columns to compare; give one of the two"))
	}
	if err := checkConstants(p.Constants); err != nil {
		return err
	}
	if err := p.validateSchema(); err != nil {
		return err
	}
	if _, err := ParseMethod(p.Method); err != nil {
		return config.At("method", err)
	}
	if _, err := fix.ParseStrategy(p.Strategy); err != nil {
		return config.At("strategy", err)
	}
	if _, err := p.Breaker.Limits(); err != nil {
		return config.At("breaker", err)
	}
	if p.Authority != event.Source.String() && p.Authority != event.Target.String() {
		return config.At("authority", fmt.Errorf("%q is no side; say source or target", p.Authority))
	}
	for _, mode := range []string{"full", "reverse", "count"} {
		text := p.Schedule.Of(mode)
		if text == "" {
			continue
		}
		if _, err := schedule.Parse(text, p.Schedule.Zone); err != nil {
			return config.At("schedule."+mode, err)
		}
	}
	if _, err := schedule.ParseWindow(p.Schedule.Only, p.Schedule.Zone); err != nil {
		return config.At("schedule.only", err)
	}
	if err := p.validateContinuous(); err != nil {
		return err
	}
	if err := p.validateCanary(); err != nil {
		return err
	}
	return p.validateMap()
}

// Is says whether the pair is what a name on a command line means: its own, or
// that of the entry whose shard it is.
func (p *Pair) Is(name string) bool { return p.Name == name || p.Entry != "" && p.Entry == name }

// validateMap refuses two source columns that go to one target column.
func (p *Pair) validateMap() error {
	from := map[string]string{}
	for _, source := range slices.Sorted(maps.Keys(p.Map)) {
		target := p.Map[source]
		if target == "" {
			return config.At("map", fmt.Errorf("column %s is mapped to nothing; name the target's column, or exclude it", source))
		}
		if other, taken := from[target]; taken {
			return config.At("map", fmt.Errorf("columns %s and %s both go to %s; a target column can hold one", other, source, target))
		}
		from[target] = source
	}
	return nil
}

// Side is the authority's side.
func (p *Pair) Side() event.Side {
	if p.Authority == event.Target.String() {
		return event.Target
	}
	return event.Source
}

// Repairs is the strategy of repairs.
func (p *Pair) Repairs() fix.Strategy {
	s, _ := fix.ParseStrategy(p.Strategy) // validate has seen it
	return s
}

// Limits are those of the pair's breaker.
func (p *Pair) Limits() fix.Limits {
	l, _ := p.Breaker.Limits() // validate has seen it
	return l
}

// Mapping is the pair as package schema resolves it.
func (p *Pair) Mapping() schema.Mapping {
	m := schema.Mapping{
		Name:        p.Name,
		Source:      schema.ParseName(p.Source),
		Target:      schema.ParseName(p.Target),
		Key:         p.Key,
		Columns:     p.Columns,
		Exclude:     p.Exclude,
		Rename:      p.Map,
		Rules:       p.Rules,
		SourceWhere: p.Where,
		TargetWhere: p.Where,
		Constants:   texts(p.Constants),
		Shards:      p.among,
		Shard:       p.position,
	}
	if p.SourceWhere != "" {
		m.SourceWhere = p.SourceWhere
	}
	if p.TargetWhere != "" {
		m.TargetWhere = p.TargetWhere
	}
	return m
}

// ParseMethod reads the name of a method; empty is auto.
func ParseMethod(name string) (schema.Method, error) {
	for _, m := range []schema.Method{schema.Auto, schema.Checksum, schema.Merge, schema.Lookup} {
		if name == m.String() || name == "" && m == schema.Auto {
			return m, nil
		}
	}
	return schema.Auto, fmt.Errorf("%q is no method; say auto, checksum, merge or lookup", strings.TrimSpace(name))
}

// PairNames are the names of pairs, in their order.
func PairNames(pairs []Pair) []string {
	names := make([]string, len(pairs))
	for i := range pairs {
		names[i] = pairs[i].Name
	}
	return names
}
