package main

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// claims are what a validator said, over its metrics: up to when changes are
// verified.
type claims struct {
	url  string
	mu   sync.Mutex
	said map[string][]claim // by the table's name and the mode
}

// listenEvery is the time between two looks at the metrics.
const listenEvery = 250 * time.Millisecond

var verifiedUntil = regexp.MustCompile(`(?m)^trueup_verified_until_timestamp_seconds\{mode="([^"]*)",pair="([^"]*)"\} (\S+)$`)

// listen notes what is said until ctx ends. While nothing is, what was said last
// holds: it only gets older.
func (c *claims) listen(ctx context.Context) {
	for ; ctx.Err() == nil; pause(ctx, listenEvery) {
		text := c.ask(ctx)
		now, fresh := time.Now(), map[string]bool{}
		c.mu.Lock()
		for _, m := range verifiedUntil.FindAllStringSubmatch(text, -1) {
			if seconds, err := strconv.ParseFloat(m[3], 64); err == nil {
				id := m[2] + ", " + m[1]
				fresh[id] = true
				c.said[id] = append(c.said[id], claim{now, time.UnixMilli(int64(seconds * 1000))})
			}
		}
		for id, said := range c.said {
			if !fresh[id] {
				c.said[id] = append(said, claim{now, said[len(said)-1].until})
			}
		}
		c.mu.Unlock()
	}
}

// ask reads the metrics; nothing while the validator is away.
func (c *claims) ask(ctx context.Context) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return ""
	}
	client := http.Client{Timeout: 2 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

// begun says whether every table's changes are followed that a column tells.
func (c *claims) begun() (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range followedTables {
		if t.incremental && len(c.said[t.claim()]) == 0 {
			return false, nil
		}
	}
	return true, nil
}

// claim is the name under which claims about a table are kept.
func (t followed) claim() string { return t.name + ", incremental" }

// first is the first claim that reaches beyond a moment.
func (c *claims) first(table string, beyond time.Time) (claim, bool) {
	said := c.said[table]
	i := slices.IndexFunc(said, func(c claim) bool { return c.until.After(beyond) })
	if i < 0 {
		return claim{}, false
	}
	return said[i], true
}

// behind is by how much what was verified was behind the clock, in order.
func (c *claims) behind(table string) []time.Duration {
	var out []time.Duration
	for _, s := range c.said[table] {
		out = append(out, s.at.Sub(s.until))
	}
	slices.Sort(out)
	return out
}
