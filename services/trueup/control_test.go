package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/trueup/trueup/internal/testenv"
	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
	"github.com/trueup/trueup/proto/trueup/control/v1/controlv1connect"
	"github.com/trueup/trueup/services/assembly"
)

func TestAValidatorIsFoundByFlagVariableOrConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		server, variable string
		file             assembly.HTTP
		want             string
	}{
		"nobody says":         {"", "", assembly.HTTP{}, "http://127.0.0.1:8080"},
		"flag":                {"https://trueup.example/", "http://x:1", assembly.HTTP{}, "https://trueup.example"},
		"flag without scheme": {"trueup:8080", "", assembly.HTTP{}, "http://trueup:8080"},
		"variable":            {"", "http://x:1", assembly.HTTP{Listen: ":9"}, "http://x:1"},
		"all interfaces":      {"", "", assembly.HTTP{Listen: ":9090"}, "http://127.0.0.1:9090"},
		"all by number":       {"", "", assembly.HTTP{Listen: "0.0.0.0:9090"}, "http://127.0.0.1:9090"},
		"one interface":       {"", "", assembly.HTTP{Listen: "10.0.0.1:9090", TLS: assembly.HTTPTLS{CertFile: "x"}}, "https://10.0.0.1:9090"},
		"off":                 {"", "", assembly.HTTP{Listen: "off"}, "give --server"},
		"any port":            {"", "", assembly.HTTP{Listen: "127.0.0.1:0"}, "give --server"},
		"no URL":              {"ftp://x", "", assembly.HTTP{}, "want a URL"},
		"password in it":      {"http://u:secret@x", "", assembly.HTTP{}, "want a URL"},
	} {
		t.Setenv(serverVariable, c.variable)
		got, err := (&server{url: c.server}).address(c.file)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTheTokenIsTheMostParticularOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from-a-file-of-its-own\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	configured := assembly.HTTP{Token: "from-the-configuration"}
	for _, c := range []struct{ file, variable, want string }{
		{"", "", "from-the-configuration"}, {"", "from-the-environment", "from-the-environment"}, {file, "from-the-environment", "from-a-file-of-its-own"},
	} {
		t.Setenv(tokenVariable, c.variable)
		if got, err := (&server{tokenFile: c.file}).token(configured); err != nil || got != c.want {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
	}
}

// validator answers as one would.
type validator struct {
	controlv1connect.UnimplementedControlServiceHandler
	err error
}

var noon = timestamppb.New(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))

func (v validator) Status(context.Context, *connect.Request[controlv1.StatusRequest]) (*connect.Response[controlv1.StatusResponse], error) {
	return connect.NewResponse(&controlv1.StatusResponse{
		Pairs: []*controlv1.Pair{
			{
				Name: "orders", Phase: "paused", Order: &controlv1.Order{Who: "ann", Why: "backup", At: noon, Until: noon}, Authority: "source", Epoch: 1,
				Run:      &controlv1.Run{Id: "r1", Mode: "full", RowsScanned: 10, RowsEstimated: 100, Remaining: durationpb.New(90 * time.Second)},
				Standing: &controlv1.Standing{Line: "orders: everything is verified", Known: true, Open: 3},
			},
			{Name: "items", Phase: "idle", Verdicts: []*controlv1.Verdict{{Mode: "full", Ended: noon, Complete: true, NotEqual: 2}}, NextStart: noon},
		},
		Governors: []*controlv1.Governor{{Name: "source reads", State: "running", Workers: 4, Most: 6}},
	}), nil
}

func (v validator) ListVerdicts(context.Context, *connect.Request[controlv1.ListVerdictsRequest]) (*connect.Response[controlv1.ListVerdictsResponse], error) {
	return connect.NewResponse(&controlv1.ListVerdictsResponse{Verdicts: []*controlv1.Verdict{
		{Pair: "orders", Run: "r2", Mode: "full", Ended: noon, Complete: true, Clean: true, Epoch: 3, Covers: "all rows"},
		{Pair: "orders", Run: "r1", Mode: "reverse", Ended: noon, Reason: "stopped by ann"},
	}}), nil
}

func (v validator) PauseRun(_ context.Context, r *connect.Request[controlv1.PauseRunRequest]) (*connect.Response[controlv1.PauseRunResponse], error) {
	if r.Header().Get("Authorization") != "Bearer right-token-of-sixteen" {
		return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("give the token"))
	}
	if v.err != nil && r.Msg.GetPair() == "odrers" {
		return nil, v.err
	}
	return connect.NewResponse(&controlv1.PauseRunResponse{Pairs: []*controlv1.Pair{{
		Name: r.Msg.GetPair(), Phase: "paused", Order: &controlv1.Order{Who: r.Msg.GetWho(), Why: r.Msg.GetWhy()},
	}}}), nil
}

// ask runs the command line against a validator.
func ask(t *testing.T, v validator, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(controlv1connect.NewControlServiceHandler(v))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Setenv(serverVariable, server.URL)
	var out, errs bytes.Buffer
	status = run(t.Context(), args, &out, &errs)
	return status, out.String(), errs.String()
}

func TestStatusIsForPeopleAndPrograms(t *testing.T) {
	status, out, stderr := ask(t, validator{}, "status")
	want := `orders  paused  by ann: backup, until 2026-11-22 12:00:00Z; full, 10 of about 100 rows, 1m30s left
                everything is verified
items   idle    full of 2026-11-22 12:00:00Z: 2 rows differ; next 2026-11-22 12:00:00Z
source reads    running: 4 of 6 statements
`
	if status != 0 || out != want {
		t.Errorf("status %d\n%s%s\nwant\n%s", status, out, stderr, want)
	}
	_, out, _ = ask(t, validator{}, "status", "--json")
	var lines []map[string]any
	decoder := json.NewDecoder(strings.NewReader(out))
	for decoder.More() {
		var line map[string]any
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if len(lines) != 3 || lines[0]["pair"] != "orders" || lines[0]["run"].(map[string]any)["rows_scanned"] != 10.0 ||
		lines[0]["standing"].(map[string]any)["open"] != 3.0 || lines[2]["governor"] != "source reads" {
		t.Errorf("%s", out)
	}
}

func TestAnOrderSaysWhoAndGoesOnAfterAPairThatIsRefused(t *testing.T) {
	t.Setenv(tokenVariable, "right-token-of-sixteen")
	v := validator{err: connect.NewError(connect.CodeNotFound, errors.New(`no pair is named "odrers"; did you mean "orders"?`))}
	status, out, stderr := ask(t, v, "pause", "odrers", "orders", "--who", "ann", "--why", "backup")
	if status != statusTrouble || !strings.Contains(out, "orders  paused  by ann: backup") || !strings.Contains(stderr, `trueup: pause odrers: no pair is named "odrers"; did you mean "orders"?`) {
		t.Errorf("status %d\n%s%s", status, out, stderr)
	}
}

func TestWhatGoesWrongWithACallHasAWayOut(t *testing.T) {
	if status, _, stderr := ask(t, validator{}, "pause", "orders"); status != statusTrouble || !strings.Contains(stderr, "pause orders: give the token") {
		t.Errorf("status %d, %s", status, stderr)
	}
	if status, _, stderr := ask(t, validator{}, "stop", "orders", "--server", "127.0.0.1:1"); status != statusTrouble ||
		!strings.Contains(stderr, "the validator at http://127.0.0.1:1 was not reached") || !strings.Contains(stderr, serverVariable) {
		t.Errorf("status %d, %s", status, stderr)
	}
	if status, _, stderr := ask(t, validator{}, "resume"); status != statusTrouble || !strings.Contains(stderr, "want the name of a pair") {
		t.Errorf("status %d, %s", status, stderr)
	}
	if status, _, stderr := ask(t, validator{}, "promote", "orders"); status != statusTrouble || !strings.Contains(stderr, "--to is missing") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

func TestAValidatorWithAnExpiredCertificateIsNamed(t *testing.T) {
	authority := testenv.NewAuthority(t, "us")
	issued := authority.Issue(testenv.Certificate{Common: "validator", Expired: true})
	pair, err := tls.LoadX509KeyPair(issued.Cert, issued.Key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	defer server.Close()
	status, _, stderr := trueup(t, "status", "--server", server.URL, "--ca-file", authority.File)
	if status != statusTrouble || !strings.Contains(stderr, `the certificate "CN=validator" is valid from `) || !strings.Contains(stderr, "renew the file of http.tls.cert_file") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

func TestTheShellIsOfferedTheValidatorsPairs(t *testing.T) {
	_, out, _ := ask(t, validator{}, "__complete", "pause", "")
	if !strings.Contains(out, "orders\nitems\n") {
		t.Errorf("%s", out)
	}
}

func TestVerdictsAreForPeopleAndPrograms(t *testing.T) {
	status, out, stderr := ask(t, validator{}, "verdicts", "orders")
	want := `PAIR    ENDED                 MODE     RUN  VERDICT
orders  2026-11-22 12:00:00Z  full     r2   clean
orders  2026-11-22 12:00:00Z  reverse  r1   incomplete (stopped by ann)
`
	if status != 0 || out != want {
		t.Errorf("status %d\n%s%s\nwant\n%s", status, out, stderr, want)
	}
	_, out, _ = ask(t, validator{}, "verdicts", "--json")
	if first, _, _ := strings.Cut(out, "\n"); !strings.HasPrefix(first, `{"pair":"orders","run":"r2","mode":"full","complete":true,"clean":true,`) || !strings.Contains(first, `"epoch":3`) {
		t.Errorf("%s", out)
	}
}
