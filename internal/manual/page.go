// Package manual writes what a program says of itself: the text of --help, and a
// page for man(1), from one description.
package manual

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
)

// Page describes a command.
type Page struct {
	// Name is the page's: trueup-diff is about trueup diff.
	Name string
	// Short is one sentence without a full stop.
	Short string
	// Synopsis are the ways to call the command, one a line.
	Synopsis string
	// Long are paragraphs with an empty line between them. Lines that begin with
	// blanks stay as they are. A paragraph that begins with "Exit status:" becomes a
	// section of its own.
	Long string
	// Commands are the commands below this one, Flags those it takes.
	Commands []Entry
	Flags    []Entry
	// Examples are lines to type.
	Examples string
	// See are the names of other pages.
	See []string
	// Version and Date, of the form 2026-11-22, stand in the foot.
	Version, Date string
}

// Entry is a flag as it is typed, "-f, --config FILE", or a command's name, and
// what it is for.
type Entry struct{ Name, Text string }

// exitStatus begins the paragraph that says what the exit status means.
const exitStatus = "Exit status:"

// Help is the text that --help prints.
func (p Page) Help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", strings.TrimSpace(p.Long))
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&b, "\n%s:\n%s\n", title, text)
		}
	}
	section("Usage", indented(p.Synopsis))
	section("Examples", indented(p.Examples))
	section("Flags", list(p.Flags))
	return b.String()
}

func indented(text string) string {
	if text == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}

func list(entries []Entry) string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, e := range entries {
		fmt.Fprintf(table, "  %s\t%s\n", e.Name, e.Text)
	}
	_ = table.Flush() // a strings.Builder takes everything
	return strings.TrimRight(b.String(), "\n")
}

// Roff is the page in the macros of man(7), section 1. Equal pages have equal
// bytes.
func (p Page) Roff() string {
	r := &roff{}
	r.line(fmt.Sprintf(`.TH "%s" "1" "%s" "%s" "%s"`, quoted(strings.ToUpper(p.Name)), quoted(p.Date), quoted("trueup "+p.Version), quoted("trueup manual")))
	r.line(".nh") // no hyphens: what is copied must be what was meant
	r.line(".ad l")
	r.section("NAME")
	r.line(escaped(p.Name) + ` \- ` + escaped(p.Short))
	r.section("SYNOPSIS")
	r.asIs(p.Synopsis)
	r.section("DESCRIPTION")
	status := ""
	for paragraph := range strings.SplitSeq(strings.TrimSpace(p.Long), "\n\n") {
		if text, found := strings.CutPrefix(paragraph, exitStatus); found {
			status = strings.TrimSpace(text)
			continue
		}
		r.paragraph(paragraph)
	}
	r.entries("COMMANDS", p.Commands)
	r.entries("OPTIONS", p.Flags)
	if status != "" {
		r.section("EXIT STATUS")
		r.paragraph(status)
	}
	if p.Examples != "" {
		r.section("EXAMPLES")
		r.asIs(p.Examples)
	}
	if len(p.See) > 0 {
		r.section("SEE ALSO")
		var names []string
		for _, name := range p.See {
			names = append(names, `\fB`+escaped(name)+`\fR(1)`)
		}
		r.line(strings.Join(names, ", "))
	}
	return r.String()
}

// roff is a page that is being written.
type roff struct{ strings.Builder }

func (r *roff) line(text string) {
	r.WriteString(text)
	r.WriteByte('\n')
}

func (r *roff) section(title string) { r.line(".SH " + title) }

// paragraph writes lines that flow, and such that begin with blanks as they are.
func (r *roff) paragraph(text string) {
	r.line(".PP")
	var fixed []string
	flush := func() {
		if len(fixed) > 0 {
			r.asIs(strings.Join(fixed, "\n"))
			fixed = nil
		}
	}
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			fixed = append(fixed, line)
			continue
		}
		flush()
		r.line(escaped(line))
	}
	flush()
}

// asIs writes lines that are not filled.
func (r *roff) asIs(text string) {
	r.line(".nf")
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		r.line(escaped(line))
	}
	r.line(".fi")
}

func (r *roff) entries(title string, entries []Entry) {
	if len(entries) == 0 {
		return
	}
	r.section(title)
	for _, e := range entries {
		r.line(".TP")
		r.line(`\fB` + escaped(e.Name) + `\fR`)
		r.line(escaped(cmp.Or(e.Text, " ")))
	}
}

// escaped is text in which roff sees no request, escape or typographic quote, and
// whose hyphens can be copied.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

// quoted is text inside the quotes of a macro's argument.
func quoted(text string) string { return strings.ReplaceAll(escaped(text), `"`, `\(dq`) }
