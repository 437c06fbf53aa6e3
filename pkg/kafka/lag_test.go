package kafka

import "testing"

func TestTheLagIsWhatTheTopicStillHasOfWhatWasNotCommitted(t *testing.T) {
	for name, c := range map[string]struct{ next, begin, end, want int64 }{
		"committed":                     {7, 0, 10, 3},
		"all of it":                     {10, 0, 10, 0},
		"never committed":               {-1, 4, 10, 6},
		"never committed, and empty":    {-1, 10, 10, 0},
		"expired before it was read":    {2, 4, 10, 6},
		"everything expired":            {2, 10, 10, 0},
		"committed while it was asked":  {11, 0, 10, 0},
		"the topic was made once again": {100, 0, 3, 0},
	} {
		if got := left(c.next, c.begin, c.end); got != c.want {
			t.Errorf("%s: %d are left, want %d", name, got, c.want)
		}
	}
}
