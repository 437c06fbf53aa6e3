package main

import (
	"fmt"
	"strings"

	"github.com/trueup/trueup/pkg/fix"
)

// undoWarnings say what `trueup undo` could not give back although outcomes keep
// images.
func undoWarnings(r resolved) []string {
	view := r.asked.Copy(r.pair)
	images, _ := fix.ParseImages(r.asked.Images) // checked with the file
	lost := fix.NotKept(view)
	if images == fix.NoImages || len(lost) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("undo: rows that are deleted from %s cannot be given back, since values of these columns are not read: %s", view.Table.Name, strings.Join(lost, ", "))}
}
