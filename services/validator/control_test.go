package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/rs/zerolog"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/standing"
	"github.com/trueup/trueup/pkg/telemetry"
	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
	"github.com/trueup/trueup/proto/trueup/control/v1/controlv1connect"
	"github.com/trueup/trueup/services/assembly"
)

// work is what governors do, and past what the topics say.
type (
	work struct {
		reason string
		until  time.Time
	}
	past struct{}
)

func (w *work) Pause(reason string, until time.Time) error {
	w.reason, w.until = reason, until
	return nil
}
func (w *work) Resume() { *w = work{} }
func (w *work) Status() []governor.Status {
	return []governor.Status{{Name: "source reads", State: governor.Paused, Reason: w.reason, Most: 6}}
}

func (past) Snapshot() []standing.Pair {
	return []standing.Pair{{Pair: "orders", Line: "orders: all is well", Known: true, Open: 3, Kinds: map[string]int{"neq": 3}, Held: 1}}
}

func (past) Verdicts(pair string) []event.Verdict {
	return []event.Verdict{{Pair: pair, Run: "1", Mode: "full"}, {Pair: pair, Run: "2", Mode: "count"}, {Pair: pair, Run: "3", Mode: "full", Clean: true}}
}

// served is a validator's control service as it is reached from this machine.
type served struct {
	controlv1connect.ControlServiceClient
	url  string
	log  bytes.Buffer
	work work
}

func serveControl(t *testing.T, pairs []assembly.Pair, options ...connect.ClientOption) *served {
	t.Helper()
	s := &served{}
	var all []*conductor
	states := newStates(new(topic), nil)
	for _, p := range pairs {
		all = append(all, newConductor(p, states, zerolog.Nop(), nil))
	}
	c := &control{log: zerolog.New(&s.log), governors: &s.work, history: past{}, lag: unmeasured(), runs: func() []*conductor { return all }}
	service := assembly.NewService("test", io.Discard)
	mounted := c.mounted()
	listener, err := telemetry.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- telemetry.Serve(ctx, listener, telemetry.Handler(service.Metrics, service.Readiness, mounted...))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	s.url = "http://" + listener.Addr().String()
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols, DialContext: (&net.Dialer{}).DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	s.ControlServiceClient = controlv1connect.NewControlServiceClient(&http.Client{Transport: transport, Timeout: time.Minute}, s.url, options...)
	return s
}

func TestTheControlServiceSpeaksConnectAndGRPC(t *testing.T) {
	for name, options := range map[string][]connect.ClientOption{
		"connect": nil, "connect JSON": {connect.WithProtoJSON()}, "gRPC": {connect.WithGRPC()}, "gRPC-Web": {connect.WithGRPCWeb()},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveControl(t, []assembly.Pair{orders}, options...)
			if _, err := s.PauseRun(t.Context(), connect.NewRequest(&controlv1.PauseRunRequest{
				Pair: "orders", Who: "ann", Why: "index  is\nbuilt", Lasts: durationpb.New(time.Hour),
			})); err != nil {
				t.Fatal(err)
			}
			out, err := s.Status(t.Context(), connect.NewRequest(&controlv1.StatusRequest{}))
			if err != nil {
				t.Fatal(err)
			}
			p := out.Msg.GetPairs()[0]
			left := time.Until(p.GetOrder().GetUntil().AsTime())
			if p.GetPhase() != "paused" || p.GetOrder().GetWho() != "ann" || p.GetOrder().GetWhy() != "index is built" || left > time.Hour || left < 50*time.Minute {
				t.Errorf("%v", p)
			}
			if p.GetStanding().GetOpen() != 3 || p.GetStanding().GetHeldUp()["held"] != 1 || len(p.GetVerdicts()) != 2 || p.GetVerdicts()[0].GetRun() != "3" {
				t.Errorf("%v", p)
			}
			if _, err := s.StartRun(t.Context(), connect.NewRequest(&controlv1.StartRunRequest{Pair: "order"})); connect.CodeOf(err) != connect.CodeNotFound ||
				!strings.Contains(err.Error(), `did you mean "orders"?`) {
				t.Errorf("an unknown pair: %v", err)
			}
		})
	}
}

func TestAPairsShardsAreOrderedTogether(t *testing.T) {
	a, b := orders, orders
	a.Name, a.Entry, b.Name, b.Entry = "orders@0", "orders", "orders@1", "orders"
	s := serveControl(t, []assembly.Pair{a, b, {Name: "items", Authority: "source"}})
	pause := func(name string) []*controlv1.Pair {
		t.Helper()
		out, err := s.PauseRun(t.Context(), connect.NewRequest(&controlv1.PauseRunRequest{Pair: name}))
		if err != nil {
			t.Fatal(err)
		}
		return out.Msg.GetPairs()
	}
	if len(pause("orders")) != 2 {
		t.Error("not both shards")
	}
	resume := func(name string) error {
		_, err := s.ResumeRun(t.Context(), connect.NewRequest(&controlv1.ResumeRunRequest{Pair: name, Who: "bob"}))
		return err
	}
	if err := resume("orders@0"); err != nil {
		t.Error(err)
	}
	if err := resume("orders"); err != nil {
		t.Errorf("one of them was still paused: %v", err)
	}
	if err := resume("orders"); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("neither is paused: %v", err)
	}
	if log := s.log.String(); !strings.Contains(log, `"action":"resume","pair":"orders@0","who":"bob"`) {
		t.Errorf("the log does not say who did it:\n%s", log)
	}
}

func TestRequestsThatMakeNoSenseAreRefused(t *testing.T) {
	s := serveControl(t, []assembly.Pair{orders})
	for name, try := range map[string]func() error{
		"a mode that never ends": func() error {
			_, err := s.StartRun(t.Context(), connect.NewRequest(&controlv1.StartRunRequest{Pair: "orders", Mode: "triggered"}))
			return err
		},
		"a pause of nothing": func() error {
			_, err := s.PauseRun(t.Context(), connect.NewRequest(&controlv1.PauseRunRequest{Pair: "orders", Lasts: durationpb.New(-time.Hour)}))
			return err
		},
		"a long reason": func() error {
			_, err := s.PauseRun(t.Context(), connect.NewRequest(&controlv1.PauseRunRequest{Pair: "orders", Why: strings.Repeat("x", maxWhy+1)}))
			return err
		},
		"governors paused for ever": func() error {
			_, err := s.PauseGovernors(t.Context(), connect.NewRequest(&controlv1.PauseGovernorsRequest{Why: "x"}))
			return err
		},
	} {
		if err := try(); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.PauseGovernors(t.Context(), connect.NewRequest(&controlv1.PauseGovernorsRequest{Who: "ann", Why: "failover", Lasts: durationpb.New(time.Hour)})); err != nil ||
		s.work.reason != "by ann: failover" || time.Until(s.work.until) > time.Hour {
		t.Errorf("%v, %+v", err, s.work)
	}
}

// post sends a body to a path, and returns the answer.
func (s *served) post(t *testing.T, method, path, contentType, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestTheAPIIsPlainJSONUnderItsVersion(t *testing.T) {
	s := serveControl(t, []assembly.Pair{orders})
	if status, text := s.post(t, http.MethodPost, "/api/v1/PauseRun", "application/json", `{"pair":"orders","who":"ann"}`); status != 200 || !strings.Contains(text, `"paused"`) {
		t.Errorf("%d %s", status, text)
	}
	status, text := s.post(t, http.MethodGet, "/api/v1/status", "", "")
	var out struct {
		Pairs []struct {
			Name, Phase string
			Order       struct{ Who string }
		}
	}
	if err := json.Unmarshal([]byte(text), &out); status != 200 || err != nil || len(out.Pairs) != 1 || out.Pairs[0].Order.Who != "ann" || out.Pairs[0].Phase != "paused" {
		t.Errorf("%d %s: %v", status, text, err)
	}
	if status, text := s.post(t, http.MethodGet, "/api/v1/verdicts", "", ""); status != 200 || strings.Index(text, `"3"`) > strings.Index(text, `"1"`) {
		t.Errorf("%d %s", status, text)
	}
}

func TestNothingChangesByGETNorByAForm(t *testing.T) {
	s := serveControl(t, []assembly.Pair{orders})
	const full = "/trueup.control.v1.ControlService/PauseRun"
	for name, try := range map[string]struct {
		method, path, contentType, body string
	}{
		"GET":      {http.MethodGet, full + `?connect=v1&encoding=json&message=%7B%22pair%22%3A%22orders%22%7D`, "", ""},
		"GET /api": {http.MethodGet, "/api/v1/PauseRun", "", ""},
		"a form":   {http.MethodPost, full, "application/x-www-form-urlencoded", "pair=orders"},
		"text":     {http.MethodPost, "/api/v1/PauseRun", "text/plain", `{"pair":"orders"}`},
		"no type":  {http.MethodPost, full, "", `{"pair":"orders"}`},
		"unknown":  {http.MethodPost, "/api/v1/DropTables", "application/json", `{}`},
		"PUT":      {http.MethodPut, full, "application/json", `{}`},
	} {
		if status, text := s.post(t, try.method, try.path, try.contentType, try.body); status < 400 || status >= 500 {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if _, text := s.post(t, http.MethodGet, "/api/v1/status", "", ""); !strings.Contains(text, `"idle"`) {
		t.Errorf("it changed something: %s", text)
	}
}

func TestAValidatorThatIsStartingSaysSo(t *testing.T) {
	c := &control{log: zerolog.Nop(), governors: &work{}, history: past{}, lag: unmeasured(), runs: func() []*conductor { return nil }}
	_, err := c.Status(t.Context(), connect.NewRequest(&controlv1.StatusRequest{}))
	if connect.CodeOf(err) != connect.CodeUnavailable || !strings.Contains(err.Error(), "/readyz") {
		t.Errorf("got %v", err)
	}
}
