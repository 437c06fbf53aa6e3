package assembly

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/kafka"
)

const secret = "correct-horse-battery"

// call asks a guarded handler, which answers with who calls.
func call(g *guard, change func(*http.Request)) (status int, body string) {
	handler := g.around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, CallerOf(r.Context()).Name)
	}))
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "http://127.0.0.1:8080/api/v1/StartRun", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	change(r)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestOnlyWhoMayIsLetIn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	browser := func(method, password string) func(*http.Request) {
		return func(r *http.Request) { r.Method = method; r.SetBasicAuth("", password) }
	}
	plain := func(*http.Request) {}
	status := func(r *http.Request) { r.URL.Path = "/trueup.control.v1.ControlService/Status" }
	certificate := func(r *http.Request) {
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Subject: pkix.Name{CommonName: "ann"}}}, VerifiedChains: nil}
		r.TLS.VerifiedChains = append(r.TLS.VerifiedChains, r.TLS.PeerCertificates)
	}
	unverified := func(r *http.Request) {
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Subject: pkix.Name{CommonName: "ann"}}}}
	}
	open, token := HTTP{}, HTTP{Token: kafka.Secret(secret)}
	for name, c := range map[string]struct {
		http   HTTP
		local  bool
		change func(*http.Request)
		code   int
		text   string
	}{
		"loopback":                           {open, true, plain, 200, "loopback"},
		"loopback, another name":             {open, true, func(r *http.Request) { r.Host = "evil.example:8080" }, 403, "host that is not this machine"},
		"loopback, a page":                   {open, true, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403, "web page of another origin"},
		"loopback, an old browser's page":    {open, true, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, 403, "web page of another origin"},
		"loopback, its own page":             {open, true, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, 200, "loopback"},
		"open, changing":                     {open, false, plain, 403, "set http.token"},
		"open, a token nobody knows":         {open, false, bearer(secret), 403, "set http.token"},
		"open, looking":                      {open, false, status, 200, "anybody"},
		"token, right":                       {token, false, bearer(secret), 200, "token"},
		"token, right, another name":         {token, true, func(r *http.Request) { bearer(secret)(r); r.Host = "trueup.example" }, 200, "token"},
		"token, wrong":                       {token, false, bearer(secret + "r"), 401, "give the token"},
		"token, empty":                       {token, false, bearer(""), 401, "give the token"},
		"token, none":                        {token, false, plain, 401, "give the token"},
		"token, none, loopback":              {token, true, plain, 401, "give the token"},
		"token, none, looking":               {token, false, status, 401, "give the token"},
		"token, in the wrong form":           {token, false, func(r *http.Request) { r.Header.Set("Authorization", secret) }, 401, "give the token"},
		"token, right, a page":               {token, false, func(r *http.Request) { bearer(secret)(r); r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403, "web page"},
		"token, by a browser, looking":       {token, false, browser(http.MethodGet, secret), 200, "token"},
		"token, by a browser, wrong":         {token, false, browser(http.MethodGet, secret+"r"), 401, "as the password"},
		"token, by a browser, empty":         {HTTP{TLS: HTTPTLS{ClientCAFile: "ca"}}, false, browser(http.MethodGet, ""), 401, "give the token"},
		"token, by a browser, changing":      {token, false, browser(http.MethodPost, secret), 401, "give the token"},
		"token file":                         {HTTP{TokenFile: file}, false, bearer(secret), 200, "token"},
		"token file, gone":                   {HTTP{TokenFile: file + "?"}, false, bearer(secret), 503, "read http.token_file"},
		"certificate":                        {HTTP{TLS: HTTPTLS{ClientCAFile: "ca"}}, false, certificate, 200, "certificate ann"},
		"certificate of unknown authority":   {HTTP{TLS: HTTPTLS{ClientCAFile: "ca"}}, false, unverified, 401, "give the token"},
		"certificate wanted, an empty token": {HTTP{TLS: HTTPTLS{ClientCAFile: "ca"}}, false, bearer(""), 401, "give the token"},
	} {
		var log bytes.Buffer
		code, text := call(&guard{http: c.http, local: c.local, log: zerolog.New(&log)}, c.change)
		if code != c.code || !strings.Contains(text, c.text) {
			t.Errorf("%s: %d %s, want %d … %s …", name, code, text, c.code, c.text)
		}
		if strings.Contains(log.String()+text, secret) {
			t.Errorf("%s: the token shows:\n%s%s", name, log.String(), text)
		}
		if (code != 200) != strings.Contains(log.String(), "a call was refused") {
			t.Errorf("%s: the log has %q", name, log.String())
		}
	}
}

func TestATokenThatCouldBeGuessedIsNoToken(t *testing.T) {
	for text, want := range map[string]HTTP{
		"shorter than 16":    {Token: "secret"},
		"leave one":          {Token: secret, TokenFile: "x"},
		"belong together":    {TLS: HTTPTLS{CertFile: "x"}},
		"need TLS":           {TLS: HTTPTLS{ClientCAFile: "x"}},
		"TRUEUP_NO_SUCH_VAR": {Token: "${TRUEUP_NO_SUCH_VAR}"},
	} {
		err := want.validate()
		if err == nil {
			err = want.expand()
		}
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAnUnknownNameIsAnsweredWithTheNearest(t *testing.T) {
	names := []string{"orders", "items", "Parcels"}
	for name, want := range map[string]string{
		"order": `did you mean "orders"?`, "itmes": `did you mean "items"?`, "parcels": `did you mean "Parcels"?`,
		"customers": "there are orders, items, Parcels", "": "there are orders, items, Parcels",
	} {
		if got := Nearest(name, names); got != want {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func TestABrowserIsAskedForThePassword(t *testing.T) {
	g := &guard{http: HTTP{Token: kafka.Secret(secret)}, log: zerolog.Nop()}
	w := httptest.NewRecorder()
	g.around(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
	if asked := strings.Join(w.Header().Values("WWW-Authenticate"), ", "); w.Code != http.StatusUnauthorized || !strings.Contains(asked, "Basic realm=") {
		t.Errorf("%d, %q", w.Code, asked)
	}
}
