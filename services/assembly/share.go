package assembly

import (
	"context"
	"sync"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
)

// shareProtocol names what processes say to each other about budgets; it changes
// with what they say.
const shareProtocol = "trueup-budget-1"

// Share divides what each database may be asked for among all processes of one Kafka
// prefix that have work. Where governor.*.processes says by how much, or no broker
// is named, it is divided among this process's governors alone. It comes before
// Start. What it returns runs until nobody asks the governors any more.
func (g *Governors) Share(c kafka.Config) (run func(context.Context) error, err error) {
	alone, shared := map[string][]*governor.Governor{}, map[string][]*governor.Governor{}
	for _, side := range []event.Side{event.Source, event.Target} {
		among := shared
		if g.budget(side).Processes > 0 || len(c.Brokers) == 0 {
			among = alone
		}
		for _, use := range []governor.Use{governor.Reads, governor.Writes} {
			if one := g.Of(side, use); one != nil {
				among[side.String()] = append(among[side.String()], one)
			}
		}
	}
	var sharings []*governor.Sharing
	if len(alone) > 0 {
		sharings = append(sharings, governor.NewSharing(governor.Alone{}, "", alone))
	}
	if len(shared) > 0 {
		group := c.WithDefaults().Prefix + ".governor"
		circle, err := kafka.NewCircle(c, kafka.CircleConfig{
			Group: group, Protocol: shareProtocol,
			SessionTimeout: governor.SessionTimeout, RoundTimeout: governor.RoundTimeout,
		})
		if err != nil {
			return nil, err
		}
		wayOut := "; it is divided in the Kafka group " + group + ", which takes READ on it, or by governor.source.processes and governor.target.processes"
		sharing := governor.NewSharing(circle, wayOut, shared)
		if g.LeavesProcessors {
			sharing.Machine, sharing.Neighbours = machine(), leaveProcessors()
		}
		sharings = append(sharings, sharing)
	}
	return func(ctx context.Context) error {
		var all sync.WaitGroup
		for _, s := range sharings {
			all.Go(func() { _ = s.Run(ctx) }) // it returns nil
		}
		all.Wait()
		return nil
	}, nil
}
