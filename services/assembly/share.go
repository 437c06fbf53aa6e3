package assembly

import (
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/lifecycle"
)

// shareProtocol names what processes say to each other about budgets; it changes
// with what they say.
const shareProtocol = "trueup-budget-1"

// Share divides what each database may be asked for among all services of one
// Kafka prefix that have work, except where governor.*.processes says by how much.
// It adds a part to those that run, and is called before those are added that ask
// the governors: the last added stops first.
func (g *Governors) Share(c kafka.Config, parts *lifecycle.Group) error {
	shared := map[string][]*governor.Governor{}
	for _, side := range []event.Side{event.Source, event.Target} {
		if g.budget(side).Processes > 0 {
			continue
		}
		for _, use := range []governor.Use{governor.Reads, governor.Writes} {
			if one := g.Of(side, use); one != nil {
				shared[side.String()] = append(shared[side.String()], one)
			}
		}
	}
	if len(shared) == 0 {
		return nil
	}
	group := c.WithDefaults().Prefix + ".governor"
	circle, err := kafka.NewCircle(c, kafka.CircleConfig{
		Group: group, Protocol: shareProtocol,
		SessionTimeout: governor.SessionTimeout, RoundTimeout: governor.RoundTimeout,
	})
	if err != nil {
		return err
	}
	wayOut := "; it is divided in the Kafka group " + group + ", which takes READ on it, or by governor.source.processes and governor.target.processes"
	parts.Add("budget", governor.NewSharing(circle, wayOut, shared).Run)
	return nil
}
