package kafka

import (
	"strconv"
	"time"
)

// Topics are the names of the topics of one installation.
type Topics struct {
	Findings, Retry, Dead, Outcomes, Tasks, State string
}

// Topics returns the names the configuration's prefix gives.
func (c Config) Topics() Topics {
	p := c.WithDefaults().Prefix
	return Topics{
		Findings: p + ".findings",
		Retry:    p + ".findings.retry",
		Dead:     p + ".findings.dead",
		Outcomes: p + ".outcomes",
		Tasks:    p + ".tasks",
		State:    p + ".state",
	}
}

const day = 24 * time.Hour

// How long topics keep their messages. Findings and tasks outlive a long
// weekend of a stopped fixer, and a lost one is found again by the next run;
// dead findings wait for a person; outcomes are the audit log. Dead letters are
// not compacted, since their marks have the same keys: a mark must not take a
// letter with it that came after somebody looked. What expires takes the letter
// first and its mark later, and the next run finds a row again that differs still.
const (
	findingsRetention = 7 * day
	deadRetention     = 30 * day
	outcomesRetention = 365 * day
)

// stateCompactionLag is how long a state record is safe from compaction. A
// leader that was replaced may still write once: compaction would then keep its
// record, the last of the key, and drop its successor's. Within this time the
// successor has written again.
const stateCompactionLag = time.Hour

// topic is what one topic should be.
type topic struct {
	name       string
	partitions int
	compacted  bool
	settings   map[string]string
}

func (c Config) wanted() []topic {
	names := c.Topics()
	keep := func(name string, d time.Duration) topic {
		return topic{name: name, partitions: c.Partitions, settings: map[string]string{
			"cleanup.policy": "delete", "retention.ms": milliseconds(d),
		}}
	}
	return []topic{
		keep(names.Findings, findingsRetention),
		keep(names.Retry, findingsRetention),
		keep(names.Dead, deadRetention),
		keep(names.Outcomes, outcomesRetention),
		keep(names.Tasks, findingsRetention),
		// A pair has a handful of records: one partition is read fastest.
		{name: names.State, partitions: 1, compacted: true, settings: map[string]string{
			"cleanup.policy": "compact", "min.compaction.lag.ms": milliseconds(stateCompactionLag),
		}},
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
