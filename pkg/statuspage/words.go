package statuspage

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// number has its digits in groups.
func number(n int64) string {
	text := strconv.FormatInt(n, 10)
	from := len(text) % 3
	if n < 0 || from == 0 {
		from = (len(text)-1)%3 + 1
	}
	var out strings.Builder
	out.WriteString(text[:from])
	for ; from < len(text); from += 3 {
		out.WriteString("," + text[from:from+3])
	}
	return out.String()
}

// span is a time in one unit, cut: "40 s", "12 min", "3 h", "5 d".
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second && d%time.Second != 0:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
}

// ago is how long a moment lies back, in whole units.
func ago(at, now time.Time) string {
	return span(max(now.Sub(at), 0).Truncate(time.Second)) + " ago"
}

// ahead is how long it is until a moment.
func ahead(at, now time.Time) string {
	return "in " + span(max(at.Sub(now), 0).Truncate(time.Second))
}

// clock is a moment in UTC, with its date unless that is today's.
func clock(at, now time.Time) string {
	at, now = at.UTC(), now.UTC()
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format(time.TimeOnly)
	}
	return at.Format(time.DateTime)
}

func percent(part float64) string { return fmt.Sprintf("%.0f %%", 100*part) }

// Portion is how far a run is, from 0 to 1; rows may have come since they were
// estimated.
func (r Run) Portion() float64 {
	if r.Total <= 0 {
		return 0
	}
	return min(float64(r.Done)/float64(r.Total), 1)
}

// plainArgument is what a shell takes as it stands.
var plainArgument = regexp.MustCompile(`^[A-Za-z0-9_@%+:,./][A-Za-z0-9_@%+:,./-]*$`)

// argument is a text as an argument of a shell's command.
func argument(text string) string {
	if plainArgument.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Command is a line to copy, and what it is for.
type Command struct{ For, Line string }

// Commands are what can be asked for of the pair as it stands.
func (p Pair) Commands() []Command {
	name := argument(p.Name)
	if strings.HasPrefix(p.Name, "-") {
		name = "-- " + name
	}
	of := func(verb, rest string) string { return "trueup " + verb + " " + rest + name }
	rest := Command{"Rest: read nothing more of the pair for a while", of("pause", "--for 1h --why '…' ")}
	resume := Command{"Go on", of("resume", "")}
	stop := Command{"End the run for good", of("stop", "--why '…' ")}
	begin := Command{"Compare now", of("run", "--mode full ")}
	verdicts := Command{"What the last runs came to, and what each covers", of("verdicts", "")}
	switch p.Phase {
	case "running":
		return []Command{rest, stop, verdicts}
	case "paused":
		return []Command{resume, stop, verdicts}
	case "interrupted":
		return []Command{resume, begin, verdicts}
	default:
		return []Command{begin, rest, verdicts}
	}
}

// Link is where the story of the outcome's row is told.
func (o Outcome) Link() string {
	return "history?" + url.Values{"pair": {o.Pair}, "key": {o.Key}}.Encode()
}

// kindWords say what a kind of finding means.
var kindWords = map[string]string{
	"target_missing": "missing in the copy", "neq": "unequal", "base_missing": "only in the copy",
}

func kindWord(name string) string {
	if word := kindWords[name]; word != "" {
		return word
	}
	return name
}

// resultClass is an outcome's result as the style sheet knows it.
func resultClass(result string) string {
	switch result {
	case "repaired", "already_equal", "vanished":
		return "clean"
	case "held", "undone":
		return "incomplete"
	case "dead":
		return "different"
	default:
		return "counts"
	}
}
