package assembly

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path"
	"strings"

	"connectrpc.com/connect"
	"github.com/rs/zerolog"
)

// maxRequest bounds a call of the control API, in bytes; its largest is a few
// names and a reason.
const maxRequest = 64 << 10

// guard lets calls in that may come in.
type guard struct {
	http HTTP
	// local says that only this machine reaches the service.
	local bool
	log   zerolog.Logger
}

// Caller is who called, as far as he has proved it.
type Caller struct {
	// Name is "token", "certificate" and its common name, "loopback", or "anybody".
	Name string
	// Address is where the call came from.
	Address string
}

// Proved says that the caller is somebody: he gave the token or a certificate, or is
// on this machine.
func (c Caller) Proved() bool { return c.Name != "" && c.Name != anybody }

// anybody is a caller who has proved nothing.
const anybody = "anybody"

type callerKey struct{}

// CallerOf is who made the call that a guarded handler serves.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// WithCaller has CallerOf know the caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// around returns a handler that serves a call or says why not.
func (g *guard) around(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	answer := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, err := g.admit(r)
		if err == nil {
			// A page in somebody's browser may not use what the browser may.
			if foreign := origin.Check(r); foreign != nil {
				err = connect.NewError(connect.CodePermissionDenied, errors.New("the call comes from a web page of another origin"))
			}
		}
		if err != nil {
			g.log.Warn().Err(err).Str("path", r.URL.Path).Str("from", r.RemoteAddr).Msg("a call was refused")
			refuse(w, r, answer, err)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		next.ServeHTTP(w, r.WithContext(WithCaller(r.Context(), Caller{Name: name, Address: r.RemoteAddr})))
	})
}

// refuse answers with an error in the protocol of the call.
func refuse(w http.ResponseWriter, r *http.Request, answer *connect.ErrorWriter, err error) {
	if connect.CodeOf(err) == connect.CodeUnauthenticated {
		w.Header().Set("WWW-Authenticate", `Bearer realm="trueup"`)
		if r.Method == http.MethodGet {
			w.Header().Add("WWW-Authenticate", `Basic realm="trueup", charset="UTF-8"`)
		}
	}
	if !answer.IsSupported(r) { // no call of any protocol, but somebody who tries
		status := http.StatusForbidden
		if connect.CodeOf(err) == connect.CodeUnauthenticated {
			status = http.StatusUnauthorized
		}
		http.Error(w, err.Error(), status)
		return
	}
	_ = answer.Write(w, r, err) // whoever is gone needs no answer
}

var (
	errToken = errors.New("give the token of http.token as `Authorization: Bearer …` (trueup: --token-file or TRUEUP_TOKEN; in a browser, which may only look: as the password)")
	errOpen  = errors.New("only status may be asked for: this service can be reached from other machines and has no http.token; " +
		"set http.token, http.token_file or http.tls.client_ca_file, or have http.listen name 127.0.0.1")
	errHost = errors.New("the call names a host that is not this machine; use 127.0.0.1 or localhost, or set http.token")
)

// admit says who calls, or why he is not let in.
func (g *guard) admit(r *http.Request) (name string, err error) {
	switch {
	case g.http.guarded():
		return g.prove(r)
	case !g.local && reads(r):
		return anybody, nil
	case !g.local:
		return "", connect.NewError(connect.CodePermissionDenied, errOpen)
	case !localName(r.Host): // a name of somebody's own that leads here
		return "", connect.NewError(connect.CodePermissionDenied, errHost)
	}
	return "loopback", nil
}

// prove is admit where callers have to prove who they are.
func (g *guard) prove(r *http.Request) (name string, err error) {
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return "certificate " + r.TLS.PeerCertificates[0].Subject.CommonName, nil
	}
	token, err := g.http.ReadToken()
	if err != nil {
		return "", connect.NewError(connect.CodeUnavailable, err)
	}
	if given := tokenOf(r); token == "" || !same(given, token) {
		return "", connect.NewError(connect.CodeUnauthenticated, errToken)
	}
	return "token", nil
}

// tokenOf is the token that a call gives; empty for none. A browser asks its user for
// a password, and gives it with every call from then on, also with those that a page
// of somebody else's makes: with that one may look, and no more.
func tokenOf(r *http.Request) string {
	if token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); bearer {
		return token
	}
	_, password, basic := r.BasicAuth()
	if basic && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return password
	}
	return ""
}

// reads says whether a call only looks.
func reads(r *http.Request) bool {
	switch path.Base(r.URL.Path) {
	case "Status", "ListVerdicts":
		return true
	default:
		return r.Method == http.MethodGet
	}
}

// loopback says whether only this machine reaches an address.
func loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// localName says whether a Host header names this machine by what cannot be
// somebody else's.
func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
