package event

import (
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

func orderToWire(field string, o Order) (*eventv1.Order, error) {
	if o.At.IsZero() {
		return nil, nil
	}
	at, errAt := timeToWire(field+".at", o.At)
	until, errUntil := timeToWire(field+".until", o.Until)
	return &eventv1.Order{Who: o.Who, Why: o.Why, At: at, Until: until}, errors.Join(errAt, errUntil)
}

func orderFromWire(field string, m *eventv1.Order) (Order, error) {
	at, errAt := timeFromWire(field+".at", m.GetAt())
	until, errUntil := timeFromWire(field+".until", m.GetUntil())
	return Order{Who: m.GetWho(), Why: m.GetWhy(), At: at, Until: until}, errors.Join(errAt, errUntil)
}

func timesToWire(field string, times map[string]time.Time) (map[string]*timestamppb.Timestamp, error) {
	var out map[string]*timestamppb.Timestamp
	var errs []error
	for name, t := range times {
		m, err := timeToWire(field+"."+name, t)
		if out == nil {
			out = map[string]*timestamppb.Timestamp{}
		}
		out[name] = m
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

func timesFromWire(field string, times map[string]*timestamppb.Timestamp) (map[string]time.Time, error) {
	var out map[string]time.Time
	var errs []error
	for name, m := range times {
		t, err := timeFromWire(field+"."+name, m)
		if out == nil {
			out = map[string]time.Time{}
		}
		out[name] = t
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}
