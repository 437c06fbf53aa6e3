package compare_test

import (
	"bytes"
	"fmt"
	"io"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/compare"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// rows is a cursor over rows in memory; database.DB.Rows opens one over a table.
type rows struct{ left [][]string }

func (r *rows) Next() (row.Row, error) {
	if len(r.left) == 0 {
		return nil, io.EOF
	}
	next := row.Row{row.Value(r.left[0][0]), row.Value(r.left[0][1])}
	r.left = r.left[1:]
	return next, nil
}

func (r *rows) Close() error { return nil }

// Two tables of telephone numbers, which are the same however they are spaced:
// a comparison of one's own for one column, from the mapping to the result.
func Example_comparator() {
	digits := func(v row.Value) []byte {
		return bytes.Map(func(c rune) rune {
			if c < '0' || c > '9' {
				return -1
			}
			return c
		}, v)
	}
	phone := &canonical.Comparator{
		Name:  "digits of telephone numbers",
		Equal: func(a, b row.Value) bool { return bytes.Equal(digits(a), digits(b)) },
	}
	mapping := schema.Mapping{Name: "people", Rules: map[string]canonical.Rule{"phone": {Comparator: phone}}}

	// What database.DB.Table returns for a table.
	people := func(engine string) *schema.Table {
		return &schema.Table{
			Name: schema.Name{Table: "people"}, Engine: engine,
			Columns: []schema.Column{
				{Name: "id", Native: "bigint", Base: "bigint", Type: canonical.Type{Kind: canonical.Int}},
				{Name: "phone", Native: "varchar(30)", Base: "varchar", Type: canonical.Type{Kind: canonical.Text}},
			},
			Keys: []schema.UniqueKey{{Name: "primary", Columns: []string{"id"}, Primary: true}},
		}
	}
	pair, err := schema.Resolve(mapping, people("mysql"), people("postgres"), schema.Merge, schema.DigestTexts{})
	if err != nil {
		fmt.Println(err)
		return
	}

	source := &rows{[][]string{{"1", "030 1234"}, {"2", "030 1235"}, {"3", "030 1236"}}}
	target := &rows{[][]string{{"1", "(030) 12-34"}, {"2", "030 9999"}}}
	comparer := compare.New(&pair.Source, pair.Rules)
	result, err := comparer.Join(source, target, compare.Limits{Rows: 1000, Bytes: 1 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range result.Differences {
		fmt.Println(d.Kind, d.Key)
	}
	// Unordered output:
	// neq 2
	// target_missing 3
}
