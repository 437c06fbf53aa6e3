package manual

import (
	"os/exec"
	"strings"
	"testing"
)

var page = Page{
	Name: "trueup-diff", Short: "Compare tables", Version: "v1.2.3", Date: "2026-11-22",
	Synopsis: "trueup diff SOURCE TARGET [TABLE…]",
	Long: `diff compares tables and prints what the
other side lacks: 'neq' or ` + "`base_missing`" + `.

.dots, \backslashes and -- hyphens are text:

  column  rule
  weight  tolerance:1e-9

Exit status: 0 all clean, 1 something differs.`,
	Commands: []Entry{{"one", "does this"}},
	Flags:    []Entry{{"-f, --config FILE", "what to read"}, {"--json", ""}},
	Examples: "trueup diff \"$A\" '${B}'\ntrueup diff --config trueup.yaml",
	See:      []string{"trueup", "fixer"},
}

func TestAPageHasItsSectionsInOrder(t *testing.T) {
	text := page.Roff()
	at := 0
	for _, want := range []string{
		`.TH "TRUEUP\-DIFF" "1" "2026\-11\-22" "trueup v1.2.3"`, ".SH NAME\ntrueup\\-diff \\- Compare tables\n", ".SH SYNOPSIS\n", ".SH DESCRIPTION\n",
		".SH COMMANDS\n", "\\fBone\\fR\ndoes this\n", ".SH OPTIONS\n", "\\fB\\-f, \\-\\-config FILE\\fR\nwhat to read\n",
		".SH EXIT STATUS\n.PP\n0 all clean, 1 something differs.\n", ".SH EXAMPLES\n", ".SH SEE ALSO\n\\fBtrueup\\fR(1), \\fBfixer\\fR(1)\n",
	} {
		i := strings.Index(text[at:], want)
		if i < 0 {
			t.Fatalf("%q is missing or too early in\n%s", want, text)
		}
		at += i
	}
	if strings.Contains(text, "Exit status") {
		t.Error("the exit status stands twice")
	}
}

func TestTextIsNeverARequest(t *testing.T) {
	requests := map[string]bool{}
	for line := range strings.Lines(page.Roff()) {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			requests[word] = true
		}
	}
	for word := range requests {
		switch word {
		case ".TH", ".nh", ".ad", ".SH", ".PP", ".TP", ".nf", ".fi":
		default:
			t.Errorf("a line of text is the request %s", word)
		}
	}
}

// What a reader sees, by the formatter itself.
func TestAPageReadsAsItWasWritten(t *testing.T) {
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip("needs groff (Debian: apt-get install groff-base)")
	}
	format := exec.CommandContext(t.Context(), "groff", "-man", "-Tutf8", "-k", "-P-cbou", "-ww")
	format.Stdin = strings.NewReader(page.Roff())
	var complaints strings.Builder
	format.Stderr = &complaints
	seen, err := format.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	if flowing := strings.Join(strings.Fields(string(seen)), " "); !strings.Contains(flowing, "prints what the other side lacks: 'neq' or `base_missing`.") {
		t.Errorf("a sentence is missing in\n%s", seen)
	}
	for _, want := range []string{
		".dots, \\backslashes and -- hyphens are text:", "column  rule\n", "weight  tolerance:1e-9\n", "trueup diff \"$A\" '${B}'", "-f, --config FILE\n",
	} {
		if !strings.Contains(string(seen), want) {
			t.Errorf("%q is missing in\n%s", want, seen)
		}
	}
}

func TestHelpIsThePageForATerminal(t *testing.T) {
	help := page.Help()
	for _, want := range []string{"diff compares tables", "\nUsage:\n  trueup diff SOURCE", "\nExamples:\n  trueup diff \"$A\"", "  -f, --config FILE   what to read\n", "Exit status: 0 all clean"} {
		if !strings.Contains(help, want) {
			t.Errorf("%q is missing in\n%s", want, help)
		}
	}
}
