package kafka

import "github.com/trueup/trueup/pkg/event"

// Tracer follows messages that carry a trace context into their topics. It must
// not block.
type Tracer interface {
	// Send begins the sending of the message with the given ce_id, which belongs to
	// the trace context parent, and returns the one it is to carry. The end comes when
	// the message is acknowledged, or with the error why it is not.
	Send(topic, id, parent string) (carried string, end func(error))
}

func untraced(error) {}

// trace begins the sending of those records that carry a trace context.
func (p *Publisher) trace(records []*outgoing) (end func(error)) {
	if p.Tracer == nil {
		return untraced
	}
	type sent struct {
		id  string
		end func(error)
	}
	var all []sent
	for _, o := range records {
		if parent := o.record.Headers[event.HeaderTraceParent]; parent != "" {
			carried, end := p.Tracer.Send(o.topic, o.name, parent)
			o.record.Headers[event.HeaderTraceParent] = carried
			all = append(all, sent{o.name, end})
		}
	}
	return func(err error) {
		rejected := map[string]bool{}
		collectRejected(err, rejected)
		for _, s := range all {
			if len(rejected) > 0 && !rejected[s.id] {
				s.end(nil) // the others of the call are acknowledged
				continue
			}
			s.end(err)
		}
	}
}
