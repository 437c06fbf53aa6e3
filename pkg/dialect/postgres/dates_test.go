package postgres

import (
	"testing"

	"github.com/trueup/trueup/pkg/dialect"
)

func TestADateThatIsNoneHasItsPlaceAmongThoseThatAre(t *testing.T) {
	for text, want := range map[string]struct {
		value string
		fit   dialect.Fit
	}{
		"2024-02-29":                 {"2024-02-29", dialect.Fits},
		"infinity":                   {"infinity", dialect.Fits},
		"0044-03-15 BC":              {"0044-03-15 BC", dialect.Fits},
		"12024-01-01":                {"12024-01-01", dialect.Fits},
		"0000-00-00":                 {"0000-00-00", dialect.Below},
		"0000-05-01 10:00:00.000000": {"0000-05-01 10:00:00.000000", dialect.Below},
		"0001-00-00":                 {"0001-00-00", dialect.Below},
		"2024-00-00":                 {"2023-12-31", dialect.Between},
		"2024-00-15":                 {"2023-12-31", dialect.Between},
		"2024-01-00":                 {"2023-12-31", dialect.Between},
		"2024-03-00":                 {"2024-02-29", dialect.Between},
		"2024-02-30":                 {"2024-02-29", dialect.Between},
		"2023-02-29":                 {"2023-02-28", dialect.Between},
		"2024-02-31 10:00:00.000000": {"2024-02-29 23:59:59.999999", dialect.Between},
		"2024-13-01":                 {"2024-13-01", dialect.Foreign},
		"what-ev-er":                 {"what-ev-er", dialect.Foreign},
	} {
		if value, fit := dateValue(text); value != want.value || fit != want.fit {
			t.Errorf("%s: %s, %d; want %s, %d", text, value, fit, want.value, want.fit)
		}
	}
}
