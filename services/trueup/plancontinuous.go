package main

import "fmt"

// changeWarnings say what keeps incremental runs from following changes, or
// makes them slow.
func changeWarnings(r resolved) []string {
	if r.asked.Schedule.Incremental == "" {
		return nil
	}
	changes, err := r.asked.ChangesOf(r.pair)
	switch {
	case err != nil:
		return []string{"incremental: " + err.Error()}
	case !changes.Indexed:
		return []string{fmt.Sprintf("incremental: %s has no index that begins with %s: every look for changes scans the table; create one there", changes.View.Table.Name, changes.View.Columns[0].Name)}
	default:
		return nil
	}
}
