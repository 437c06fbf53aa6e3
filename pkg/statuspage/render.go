package statuspage

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// policy allows the page its own style sheet and script, by their digests, to ask
// its own service again, and nothing else.
var policy = "default-src 'none'; style-src " + digest(pageCSS) + "; script-src " + digest(pageJS) +
	"; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"n": number, "int": func(n int) int64 { return int64(n) }, "span": span, "ago": ago, "ahead": ahead, "clock": clock,
	"percent": percent, "permille": func(part float64) float64 { return 1000 * part }, "join": strings.Join, "kind": kindWord, "result": resultClass, "css": func() template.CSS { return template.CSS(pageCSS) }, //nolint:gosec // the page's own
	"js":    func() template.JS { return template.JS(pageJS) }, //nolint:gosec // the page's own
	"since": func() []Choice { return SinceChoices },
}).Parse(pageHTML))

// Serve answers with the page.
func (p Page) Serve(w http.ResponseWriter) { serve(w, "status", http.StatusOK, p) }

// Serve answers with the page and an HTTP status.
func (s Search) Serve(w http.ResponseWriter, status int) { serve(w, "search", status, s) }

func serve(w http.ResponseWriter, name string, status int, data any) {
	var text bytes.Buffer // so that what goes wrong is no half a page
	if err := pages.ExecuteTemplate(&text, name, data); err != nil {
		http.Error(w, fmt.Sprintf("write the page: %v", err), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // whoever is gone needs no answer
}
