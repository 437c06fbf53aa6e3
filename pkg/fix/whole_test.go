package fix

import (
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// BenchmarkDigest is what two digests a repaired row cost.
func BenchmarkDigest(b *testing.B) {
	pair := &schema.Pair{Name: "orders"}
	table := &schema.Table{}
	var r row.Row
	for range 8 {
		pair.Source.Columns = append(pair.Source.Columns, schema.ViewColumn{As: canonical.Type{Kind: canonical.Text}})
		r = append(r, row.Value("a value of usual size"))
	}
	pair.Source.Table = table
	p, err := newPortrait(pair, event.Source, Keep{DigestKey: []byte("key")})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.digest(r)
	}
}

func TestBatchesShrinkWhenImagesAreLargerThanTheRowsOfThePair(t *testing.T) {
	z := newSizer(200, 8<<20, DefaultLockBudget)
	for range 5 { // a row of 100 bytes, whose table has 3 MiB beside it
		keys := z.keys()
		z.observe(keys, int64(keys)*100)
		z.observeWhole(keys, int64(keys)*(3<<20))
	}
	if got := z.keys(); got != 2 {
		t.Errorf("%d keys at once, want 2", got)
	}
	z.observe(2, 200)
	if got := z.keys(); got > 2 {
		t.Errorf("%d keys at once before the next images are seen, want 2 at most", got)
	}
}
