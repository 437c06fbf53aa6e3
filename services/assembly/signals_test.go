package assembly

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestTheWayThereAndBackIsNoLoad(t *testing.T) {
	var took float64
	var lost error
	read := func(context.Context) (float64, error) { return took, lost }
	for name, c := range map[string]struct {
		distance time.Duration
		steps    [][2]float64 // what a read takes, and what is made of it
	}{
		"near":                     {200 * time.Microsecond, [][2]float64{{0.5, 0.3}, {41.2, 41}}},
		"far":                      {80 * time.Millisecond, [][2]float64{{81, 1}, {120, 40}}},
		"started at a busy moment": {4 * time.Second, [][2]float64{{4000, 3700}, {400, 100}, {2, 0}, {42, 40}, {402, 400}}},
		"a slow one is not near":   {time.Millisecond, [][2]float64{{30, 29}, {30, 29}, {30, 29}}},
	} {
		probe := beyond(c.distance, read)
		for i, step := range c.steps {
			took = step[0]
			if got, err := probe(t.Context()); err != nil || got < step[1]-0.001 || got > step[1]+0.001 {
				t.Errorf("%s, read %d: %v ms, %v, want %v ms", name, i, got, err, step[1])
			}
		}
	}
	lost = errors.New("away")
	if _, err := beyond(time.Millisecond, read)(t.Context()); !errors.Is(err, lost) {
		t.Errorf("a read that failed says %v", err)
	}
}
