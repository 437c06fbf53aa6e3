package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// count is a number with its digits in groups.
func count(n int64) string { return groupDigits(strconv.FormatInt(n, 10)) }

// plural is "1 row" or "12 rows".
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// percent is a share with as many digits as tell something.
func percent(share float64) string {
	v := share * 100
	if v == 0 || v >= 1 {
		return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) + "\u00a0%"
	}
	return strconv.FormatFloat(v, 'g', 2, 64) + "\u00a0%"
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

// lower is a word from the start of a sentence, within one.
func lower(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToLower(word[:1]) + word[1:]
}

func upper(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// words name the kinds by the side that is repaired.
func words(copySide string) [kindCount]string {
	return [kindCount]string{"Missing at the " + copySide, "Not equal", "Only at the " + copySide}
}

// sentence is what a pair's comparison concluded.
func (p Pair) sentence() string {
	found := p.foundWords()
	switch {
	case p.State == Pending:
		return "This pair was not compared."
	case p.Mode == "count" && p.State == CountsAgree:
		return fmt.Sprintf("Both sides hold %s. Equal numbers are a hint and no proof: only a full comparison can say clean.", plural(p.Source.Rows, "row", "rows"))
	case p.Mode == "count" && p.State == Different:
		return fmt.Sprintf("The source holds %s, the target %s. Only numbers were compared; a full comparison names the rows.", plural(p.Source.Rows, "row", "rows"), count(p.Target.Rows))
	case p.State == Incomplete && p.Found.Total() > 0:
		return fmt.Sprintf("Not everything could be looked at, so there may be more than these: %s.", found)
	case p.State == Incomplete:
		return "Not everything could be looked at, so this says nothing about the rest. What was looked at showed no difference."
	case p.State == Unsettled:
		return fmt.Sprintf("Nothing is known to differ, but %s changed each time they were looked at and stay open. Compare again, or with a longer --confirm.", plural(p.Open, "row", "rows"))
	case p.State == Different:
		return upper(found) + "."
	case p.Mode == "reverse":
		return fmt.Sprintf("Every row of the %s agrees with the %s. Rows that the %s lacks were not looked for.", p.Copy, p.Authority, p.Copy)
	default:
		return fmt.Sprintf("All %s of the source are at the target, equal in every compared column, and the target has no others.", plural(p.Source.Rows, "row", "rows"))
	}
}

// foundWords is "3 rows differ: 2 missing at the target, 1 not equal".
func (p Pair) foundWords() string {
	verb := "differ"
	if p.Found.Total() == 1 {
		verb = "differs"
	}
	var parts []string
	for kind, n := range p.Found {
		if n > 0 {
			parts = append(parts, count(n)+" "+lower(words(p.Copy)[kind]))
		}
	}
	return fmt.Sprintf("%s %s: %s", plural(p.Found.Total(), "row", "rows"), verb, strings.Join(parts, ", "))
}

// sentence is what the whole comparison concluded.
func (p Page) sentence() string {
	states := map[State]int64{}
	for _, pair := range p.Pairs {
		states[pair.State]++
	}
	pairs := plural(int64(len(p.Pairs)), "pair", "pairs")
	found := p.Found().Total()
	known := ""
	if found > 0 {
		known = fmt.Sprintf(" %s.", differing(found))
	}
	switch state := p.State(); {
	case p.Running:
		return fmt.Sprintf("The comparison was at work when this page was written: %s of %s done.%s If it no longer runs, it was ended without a word; compare again.",
			count(int64(len(p.Pairs))-states[Pending]), pairs, known)
	case state == Incomplete:
		return fmt.Sprintf("%s Nothing is proven about the rest.%s", p.missing(states), known)
	case len(p.Pairs) == 1:
		return p.Pairs[0].sentence()
	case state == Clean:
		return "All " + pairs + " agree in every compared row and column."
	case state == CountsAgree:
		return "All " + pairs + " hold the same numbers of rows, or are clean. Equal numbers are a hint and no proof."
	case state == Unsettled:
		return "Nothing is known to differ, but rows kept changing while they were looked at."
	case found == 0:
		return fmt.Sprintf("%s of %s differ in their numbers of rows.", count(states[Different]), pairs)
	default:
		verb := "differ"
		if states[Different] == 1 {
			verb = "differs"
		}
		return fmt.Sprintf("%s of %s %s, in %s.", count(states[Different]), pairs, verb, plural(found, "row", "rows"))
	}
}

func differing(n int64) string {
	if n == 1 {
		return "1 row is known to differ"
	}
	return count(n) + " rows are known to differ"
}

// missing says what a page that is not complete lacks.
func (p Page) missing(states map[State]int64) string {
	var parts []string
	if n := states[Incomplete]; n > 0 {
		parts = append(parts, plural(n, "pair is", "pairs are")+" only compared in part")
	}
	if n := states[Pending]; n > 0 {
		parts = append(parts, plural(n, "pair was", "pairs were")+" not compared")
	}
	if n := int64(len(p.LeftOut)); n > 0 {
		parts = append(parts, plural(n, "table was", "tables were")+" left out")
	}
	if len(parts) == 0 {
		return "Nothing was compared."
	}
	return strings.Join(parts, ", ") + "."
}
