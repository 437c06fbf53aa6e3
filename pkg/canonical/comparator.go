package canonical

import "github.com/trueup/trueup/pkg/row"

// Comparator is a comparison of a library user's own for one column.
type Comparator struct {
	// Name stands in plans. A run that was interrupted goes on only under the
	// same rules, and knows this one by its name: change it with the function.
	Name string
	// Equal says whether two canonical texts of the type compared in count as
	// equal (TYPES.md says what they look like). It is asked only about values
	// that are not NULL and whose texts differ: NULL equals NULL alone, and
	// equal texts are equal, which is what servers' digests prove. It must not
	// depend on the order of its arguments, keep or change them, nor on anything
	// but them, and is called by several goroutines at once.
	Equal func(a, b row.Value) bool `json:"-"`
}
