package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// texts are values that comparing, quoting and trimming have to get right.
var texts = []string{
	"", " ", "plain", "trailing  ", "it's", `"quoted"`, `back\slash`, "NULL", "naïve ☃ 🚚", "e\u0301", "line\nbreak\ttab", "%_", "-- ;", strings.Repeat("long ", 60),
}

// fill gives random values to the columns from the first on.
func fill(random *rand.Rand, t *table, row []any, first int) {
	for i, c := range t.columns[first:] {
		if c.null && random.IntN(6) == 0 {
			row[first+i] = nil
			continue
		}
		row[first+i] = value(random, c.kind)
	}
}

func value(random *rand.Rand, k kind) any {
	switch k {
	case integer:
		return random.Int64N(1 << 40)
	case number:
		return fmt.Sprintf("%d.%06d", random.Int64N(1<<40)-1<<39, random.IntN(1_000_000))
	case double:
		return float64(random.IntN(1<<30)-1<<29) / 8 // exact in binary and in decimals
	case truth:
		return random.IntN(2) == 0
	case moment:
		at := time.Unix(random.Int64N(2_000_000_000), 1000*random.Int64N(1_000_000)).UTC()
		return at.Format("2006-01-02 15:04:05.000000")
	case binary:
		raw := make([]byte, random.IntN(60))
		for i := range raw {
			raw[i] = byte(random.Uint32())
		}
		return raw
	case word:
		return fmt.Sprintf("w%d", random.IntN(1000))
	default:
		return texts[random.IntN(len(texts))] + fmt.Sprint(random.IntN(10))[:random.IntN(2)]
	}
}

// place is where an item stands: unique values that travel from row to row.
type place struct {
	code         any // nil or a text
	shelf, place int64
}
