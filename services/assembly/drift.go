package assembly

import (
	"fmt"
	"strings"

	"github.com/trueup/trueup/pkg/config"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// What a run makes of tables that differ so that the copy may refuse or alter
// rows of the authority. What would make the comparison itself unsound is
// refused always.
const (
	SchemaStrict = "strict" // refuses to run
	SchemaWarn   = "warn"   // says so at the start; the default
	SchemaIgnore = "ignore" // says nothing; `trueup plan` still does
)

func (p *Pair) validateSchema() error {
	switch p.Schema {
	case "":
		p.Schema = SchemaWarn
	case SchemaStrict, SchemaWarn, SchemaIgnore:
	default:
		return config.At("schema", fmt.Errorf("%q is unknown; say %s, %s or %s", p.Schema, SchemaStrict, SchemaWarn, SchemaIgnore))
	}
	return nil
}

// Copy is the side of a resolved pair that is not the authority.
func (p *Pair) Copy(pair *schema.Pair) *schema.View {
	if p.Side() == event.Target {
		return &pair.Source
	}
	return &pair.Target
}

// CheckSchema returns the dangers in how the two tables differ, for warnings at
// the start of a run, or, where the pair is strict, an error that names them.
func (p *Pair) CheckSchema(pair *schema.Pair) ([]string, error) {
	var dangers []string
	if p.Schema != SchemaIgnore {
		for _, d := range pair.Drift(p.Copy(pair)) {
			if d.Severity == schema.Danger {
				dangers = append(dangers, d.String())
			}
		}
	}
	if p.Schema == SchemaStrict && len(dangers) > 0 {
		return nil, fmt.Errorf("pair %s: the tables differ, and `schema: strict` asks to refuse that: %s", p.Name, strings.Join(dangers, "; "))
	}
	return dangers, nil
}

// CheckRepair says why rows of the copy could not be repaired, or not without
// touching rows that nobody asked about.
func (p *Pair) CheckRepair(pair *schema.Pair) error {
	if err := pair.CheckRepair(p.Copy(pair)); err != nil || p.AllowCascades {
		return err
	}
	return pair.CheckCascades(p.Copy(pair))
}
