package kafka

import (
	"errors"
	"fmt"
	"testing"

	"github.com/trueup/trueup/pkg/event"
)

// traces notes how the sending of messages ended, by their ID.
type traces map[string]string

func (t traces) Send(topic, id, parent string) (string, func(error)) {
	return parent + "/" + id, func(err error) { t[id] = fmt.Sprintf("%s: %v", topic, err) }
}

func records(contexts ...string) []*outgoing {
	var out []*outgoing
	for i, c := range contexts {
		headers := map[string]string{event.HeaderID: fmt.Sprint(i)}
		if c != "" {
			headers[event.HeaderTraceParent] = c
		}
		out = append(out, &outgoing{topic: "findings", name: fmt.Sprint(i), record: event.Record{Headers: headers}})
	}
	return out
}

func TestAMessageCarriesTheContextOfItsSending(t *testing.T) {
	lost := errors.New("not acknowledged")
	refused := &RejectedError{Topic: "findings", ID: "2", Err: lost}
	for _, c := range []struct {
		err  error
		want traces
	}{
		{nil, traces{"0": "findings: <nil>", "2": "findings: <nil>"}},
		{lost, traces{"0": "findings: not acknowledged", "2": "findings: not acknowledged"}},
		{errors.Join(refused), traces{"0": "findings: <nil>", "2": "findings: " + refused.Error()}},
	} {
		followed := traces{}
		p := &Publisher{Tracer: followed}
		sent := records("a", "", "b")
		end := p.trace(sent)
		if a, none, b := sent[0].record.Headers[event.HeaderTraceParent], sent[1].record.Headers, sent[2].record.Headers[event.HeaderTraceParent]; a != "a/0" || len(none) != 1 || b != "b/2" {
			t.Errorf("carried %q, %v, %q", a, none, b)
		}
		if len(followed) != 0 {
			t.Error("a message is sent before it is acknowledged")
		}
		end(c.err)
		if fmt.Sprint(followed) != fmt.Sprint(c.want) {
			t.Errorf("%v: %v, want %v", c.err, followed, c.want)
		}
	}
}

// TestADeadMessageCarriesTheContextItIsGiven, and the one it came with otherwise.
func TestADeadMessageCarriesTheContextItIsGiven(t *testing.T) {
	m := Message{Record: event.Record{Headers: map[string]string{event.HeaderTraceParent: "came with"}}}
	for given, want := range map[string]string{"": "came with", "repair": "repair"} {
		if got := (Retry{Dead: Dead{Message: m, TraceParent: given}}).record().Headers[event.HeaderTraceParent]; got != want {
			t.Errorf("given %q, it carries %q", given, got)
		}
	}
	if m.Record.Headers[event.HeaderTraceParent] != "came with" {
		t.Error("the message as it came was changed")
	}
}

func TestWithoutATracerMessagesAreLeftAlone(t *testing.T) {
	p, sent := &Publisher{}, records("a", "")
	if n := testing.AllocsPerRun(100, func() { p.trace(sent)(nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
