package mysql

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

func TestStatementsOfManyKeysHaveFewTexts(t *testing.T) {
	id := schema.ViewColumn{Column: schema.Column{Name: "id", Type: canonical.Type{Kind: canonical.Int}}, As: canonical.Type{Kind: canonical.Int}}
	v := &schema.View{Table: &schema.Table{Name: schema.Name{Table: "orders"}}, Columns: []schema.ViewColumn{id}, Key: []int{0}}
	texts := map[string]bool{}
	var keys []row.Key
	for n := 1; n <= padMost; n++ {
		keys = append(keys, row.Key{row.Value(strconv.Itoa(n))})
		q := Dialect{mariadb: true}.Lookup(v, keys)
		texts[q.SQL] = true
		asked := map[string]bool{}
		for _, arg := range q.Args {
			asked[fmt.Sprint(arg)] = true
		}
		if len(asked) != n || len(q.Args) > padMost || len(q.Args) >= n+padStep {
			t.Fatalf("%d keys are asked for as %d arguments, %d of them different", n, len(q.Args), len(asked))
		}
	}
	if most := padStep + padMost/padStep + 1; len(texts) > most {
		t.Errorf("%d texts for up to %d keys, want at most %d", len(texts), padMost, most)
	}
}

func TestPaddingLeavesWhatItIsGivenAlone(t *testing.T) {
	items := make([]int, 17, 64)
	whole := slices.Clone(items[:64])
	items[16] = 7
	whole[16] = 7
	if got := padded(items); len(got) != 32 || got[31] != 7 || !slices.Equal(items[:64], whole) {
		t.Errorf("%v, and the memory behind the items is %v", got, items[:64])
	}
}
