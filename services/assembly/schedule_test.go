package assembly

import (
	"strings"
	"testing"
)

func TestAScheduleThatCannotBeReadNamesItsField(t *testing.T) {
	for want, s := range map[string]Schedule{
		"schedule.full":        {Full: "0 3 * *"},
		"schedule.reverse":     {Reverse: "TZ=0"},
		"schedule.count":       {Count: "hourly"},
		"schedule.incremental": {Incremental: "@every often"},
		"schedule.only":        {Only: "1-5"},
		"Mars/Olympus":         {Only: "01:00-05:00", Zone: "Mars/Olympus"},
	} {
		p := Pair{Name: "orders", UpdatedAt: "at", Schedule: s}
		p.normalise()
		if err := p.validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	p := Pair{Name: "orders", Schedule: Schedule{Full: "30 0 3 * * *", Reverse: "@weekly", Count: "@every 1h", Only: "22:00-02:00", Zone: "Europe/Berlin"}}
	p.normalise()
	if err := p.validate(); err != nil {
		t.Error(err)
	}
}
