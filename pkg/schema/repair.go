package schema

import (
	"fmt"
	"strings"
)

// Writable says whether the column at position p can be written: generated
// columns are compared, and left to the server.
func (v *View) Writable(p int) bool { return !v.Columns[p].Generated }

// CheckRepair says why rows could not be repaired on the side that is the
// copy, which is &p.Source or &p.Target: a row the copy lacks is inserted with
// the mapped columns alone.
func (p *Pair) CheckRepair(side *View) error {
	for i, c := range side.Columns {
		if side.IsKey(i) && c.Generated {
			return fmt.Errorf("pair %s: key column %s of %s is generated, so rows cannot be inserted by key; choose another key", p.Name, c.Name, side.Table.Name)
		}
	}
	for i, c := range side.Columns {
		if c.Translation == nil {
			continue
		}
		if err := c.Translation.Writable(); err != nil {
			return fmt.Errorf("pair %s: column %s of %s cannot be written: %w", p.Name, p.Names[i], side.Table.Name, err)
		}
	}
	mapped := map[string]bool{}
	for _, c := range side.Columns {
		mapped[c.Name] = true
	}
	var missing []string
	for _, c := range side.Table.Columns {
		if !mapped[c.Name] && !c.Nullable && !c.HasDefault && !c.Generated && !c.Identity {
			missing = append(missing, c.Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("pair %s: rows cannot be inserted into %s: %s NOT NULL without default and not mapped; map what is missing or give it a default",
			p.Name, side.Table.Name, areColumns(missing))
	}
	return nil
}

func areColumns(names []string) string {
	if len(names) == 1 {
		return "column " + names[0] + " is"
	}
	return "columns " + strings.Join(names, ", ") + " are"
}
