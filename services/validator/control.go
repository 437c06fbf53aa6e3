package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"connectrpc.com/connect"
	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/standing"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/pkg/validate"
	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
	"github.com/trueup/trueup/proto/trueup/control/v1/controlv1connect"
	"github.com/trueup/trueup/services/assembly"
)

// governors is what the control API asks of assembly.Governors.
type governors interface {
	Pause(reason string, until time.Time) error
	Resume()
	Status() []governor.Status
}

// history is what the topics say of pairs; *standings is one.
type history interface {
	Snapshot() []standing.Pair
	Verdicts(pair string) []event.Verdict
}

// control is the service trueup.control.v1 of a validator.
type control struct {
	log       zerolog.Logger
	runs      func() []*conductor // nil before the databases and Kafka were reached, and while another validator leads
	governors governors
	history   history
	lag       *lag
	promote   func(ctx context.Context, one *conductor, to event.Side) (event.Decision, error)
	// once says that nothing is begun but what the command line asked for.
	once bool
	// otherLeads says which other validator leads; empty for none. Nil asks nobody.
	otherLeads func() string
}

// control is what a validator can be asked for.
func (v *validator) control() *control {
	telemetry.WatchPauses(v.service.Metrics, v.paused)
	return &control{log: v.service.Log, governors: v.governors, history: v.standing, lag: v.lagOf(v.admin), once: v.choice.once, runs: v.conducted, promote: v.promoted, otherLeads: v.otherLeads}
}

// conducted are the pairs' conductors; nil before there are any, and while those
// of another validator know better.
func (v *validator) conducted() []*conductor {
	if v.otherLeads() != "" {
		return nil
	}
	if all := v.runs.Load(); all != nil {
		return *all
	}
	return nil
}

// paused says of each pair whether somebody has paused it.
func (v *validator) paused() map[string]bool {
	out, now := map[string]bool{}, time.Now()
	for _, c := range v.conducted() {
		out[c.pair.Name] = c.states.of(c.pair.Name).Pause.Stands(now)
	}
	return out
}

// mounted is the service under its own paths, and as JSON under /api/v1/.
func (c *control) mounted() []telemetry.Mounted {
	path, handler := controlv1connect.NewControlServiceHandler(c, connect.WithRecover(c.recovered))
	return []telemetry.Mounted{
		{Pattern: path, Handler: handler},
		{Pattern: "POST /api/v1/{method}", Handler: renamed(path, handler)},
		{Pattern: "GET /api/v1/status", Handler: asked(path+"Status", handler)},
		{Pattern: "GET /api/v1/verdicts", Handler: asked(path+"ListVerdicts", handler)},
	}
}

// renamed serves POST /api/v1/StartRun and the like.
func renamed(path string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := r.PathValue("method")
		r = r.Clone(r.Context())
		r.URL.Path = path + method
		handler.ServeHTTP(w, r)
	})
}

// asked serves a call without a message to whoever types its address.
func asked(procedure string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawQuery = procedure, "connect=v1&encoding=json&message=%7B%7D"
		handler.ServeHTTP(w, r)
	})
}

// recovered keeps what went wrong inside from whoever calls.
func (c *control) recovered(_ context.Context, spec connect.Spec, _ http.Header, problem any) error {
	c.log.Error().Str("call", spec.Procedure).Str("panic", fmt.Sprint(problem)).Msg("a call of the control API went wrong")
	return connect.NewError(connect.CodeInternal, errors.New("the call went wrong; the validator's log says how"))
}

// Status implements the service.
func (c *control) Status(_ context.Context, r *connect.Request[controlv1.StatusRequest]) (*connect.Response[controlv1.StatusResponse], error) {
	all, err := c.chosen(r.Msg.GetPairs())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&controlv1.StatusResponse{Pairs: c.statusOf(all), Governors: c.governed(), Groups: groupsWire(c.lag.look())}), nil
}

// ListVerdicts implements the service.
func (c *control) ListVerdicts(_ context.Context, r *connect.Request[controlv1.ListVerdictsRequest]) (*connect.Response[controlv1.ListVerdictsResponse], error) {
	all, err := c.chosen(r.Msg.GetPairs())
	if err != nil {
		return nil, err
	}
	out := &controlv1.ListVerdictsResponse{}
	for _, one := range all {
		for _, v := range slices.Backward(c.history.Verdicts(one.pair.Name)) {
			out.Verdicts = append(out.Verdicts, verdictWire(v))
		}
	}
	return connect.NewResponse(out), nil
}

// StartRun implements the service.
func (c *control) StartRun(ctx context.Context, r *connect.Request[controlv1.StartRunRequest]) (*connect.Response[controlv1.StartRunResponse], error) {
	m := r.Msg
	if c.once {
		return nil, refused(connect.CodeFailedPrecondition, "this validator was started with --once and begins nothing else; ask the one that runs as a service")
	}
	mode := validate.Full
	if m.GetMode() != "" {
		var err error
		if mode, err = validate.ParseMode(m.GetMode()); err != nil {
			return nil, connect.NewError(connect.CodeInvalidArgument, err)
		}
	}
	pairs, err := c.order(ctx, "start "+mode.String(), m.GetPair(), m, nil, func(ctx context.Context, one *conductor, _ event.Order) error {
		return one.ask(ctx, mode)
	})
	return connect.NewResponse(&controlv1.StartRunResponse{Pairs: pairs}), err
}

// PauseRun implements the service.
func (c *control) PauseRun(ctx context.Context, r *connect.Request[controlv1.PauseRunRequest]) (*connect.Response[controlv1.PauseRunResponse], error) {
	pairs, err := c.order(ctx, "pause", r.Msg.GetPair(), r.Msg, r.Msg.GetLasts(), func(ctx context.Context, one *conductor, o event.Order) error {
		return one.pause(ctx, o)
	})
	return connect.NewResponse(&controlv1.PauseRunResponse{Pairs: pairs}), err
}

// ResumeRun implements the service.
func (c *control) ResumeRun(ctx context.Context, r *connect.Request[controlv1.ResumeRunRequest]) (*connect.Response[controlv1.ResumeRunResponse], error) {
	pairs, err := c.order(ctx, "resume", r.Msg.GetPair(), r.Msg, nil, func(ctx context.Context, one *conductor, _ event.Order) error {
		return one.proceed(ctx)
	})
	return connect.NewResponse(&controlv1.ResumeRunResponse{Pairs: pairs}), err
}

// StopRun implements the service.
func (c *control) StopRun(ctx context.Context, r *connect.Request[controlv1.StopRunRequest]) (*connect.Response[controlv1.StopRunResponse], error) {
	pairs, err := c.order(ctx, "stop", r.Msg.GetPair(), r.Msg, nil, func(ctx context.Context, one *conductor, o event.Order) error {
		return one.stop(ctx, o)
	})
	return connect.NewResponse(&controlv1.StopRunResponse{Pairs: pairs}), err
}

// PauseGovernors implements the service.
func (c *control) PauseGovernors(ctx context.Context, r *connect.Request[controlv1.PauseGovernorsRequest]) (*connect.Response[controlv1.PauseGovernorsResponse], error) {
	o, err := orderFrom(ctx, r.Msg, r.Msg.GetLasts())
	if err == nil && o.Until.IsZero() {
		err = refused(connect.CodeInvalidArgument, "a pause of the governors has to end by itself; say how long it lasts")
	}
	if err == nil {
		if err = c.governors.Pause(o.String(), o.Until); err != nil {
			err = connect.NewError(connect.CodeInvalidArgument, err)
		}
	}
	c.note(ctx, "pause governors", "", o, err)
	return connect.NewResponse(&controlv1.PauseGovernorsResponse{Governors: c.governed()}), err
}

// ResumeGovernors implements the service.
func (c *control) ResumeGovernors(ctx context.Context, r *connect.Request[controlv1.ResumeGovernorsRequest]) (*connect.Response[controlv1.ResumeGovernorsResponse], error) {
	o, err := orderFrom(ctx, r.Msg, nil)
	if err == nil {
		c.governors.Resume()
	}
	c.note(ctx, "resume governors", "", o, err)
	return connect.NewResponse(&controlv1.ResumeGovernorsResponse{Governors: c.governed()}), err
}

// known are all pairs' conductors.
func (c *control) known() ([]*conductor, error) {
	all := c.runs()
	if all == nil && c.otherLeads != nil {
		if who := c.otherLeads(); who != "" {
			return nil, refused(connect.CodeUnavailable, "this validator stands by, and %s; ask that one", who)
		}
	}
	if all == nil {
		return nil, refused(connect.CodeUnavailable, "the validator is starting and has not reached its databases and Kafka yet; /readyz says what it waits for")
	}
	return all, nil
}

// named are the conductors of the pairs that a name means.
func (c *control) named(name string) ([]*conductor, error) {
	all, err := c.known()
	if err != nil {
		return nil, err
	}
	var found []*conductor
	var names []string
	for _, one := range all {
		if one.pair.Is(name) {
			found = append(found, one)
		}
		names = append(names, one.pair.Name)
	}
	if len(found) == 0 {
		return nil, refused(connect.CodeNotFound, "no pair is named %q; %s", name, assembly.Nearest(name, names))
	}
	return found, nil
}

// chosen are the conductors of pairs by their names, of all when none is given.
func (c *control) chosen(names []string) ([]*conductor, error) {
	if len(names) == 0 {
		return c.known()
	}
	var out []*conductor
	for _, name := range names {
		named, err := c.named(name)
		if err != nil {
			return nil, err
		}
		out = append(out, named...)
	}
	return out, nil
}

func (c *control) statusOf(all []*conductor) []*controlv1.Pair {
	stands := map[string]*controlv1.Standing{}
	for _, s := range c.history.Snapshot() {
		stands[s.Pair] = standingWire(s)
	}
	var out []*controlv1.Pair
	now := time.Now()
	for _, one := range all {
		p := one.status(now)
		p.Standing, p.Verdicts = stands[p.GetName()], latest(c.history.Verdicts(p.GetName()))
		out = append(out, p)
	}
	return out
}

func (c *control) governed() []*controlv1.Governor {
	var out []*controlv1.Governor
	for _, s := range c.governors.Status() {
		out = append(out, &controlv1.Governor{Name: s.Name, State: s.State, Reason: s.Reason, Workers: int32(s.Workers), Most: int32(s.Most)}) //nolint:gosec // tens
	}
	return out
}
