package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// noWait is for how long a broker may hold back an answer where what is read stands there
// already. A partition that was read to its end is fetched from once more, and the reader
// ends only with the answer to that.
const noWait = 10 * time.Millisecond

// connected runs f with a connection of its own.
func connected[T any](ctx context.Context, c Config, action string, f func(sarama.Client, sarama.ClusterAdmin) (T, error)) (T, error) {
	return within(ctx, action, func() (T, error) {
		var none T
		settings, err := c.client()
		if err != nil {
			return none, err
		}
		// The client library finds the controller only in a full answer.
		settings.Metadata.Full = true
		settings.Consumer.MaxWaitTime = noWait
		client, err := sarama.NewClient(c.Brokers, settings)
		if err != nil {
			return none, err
		}
		defer client.Close()
		admin, err := sarama.NewClusterAdminFromClient(client)
		if err != nil {
			return none, err
		}
		return f(client, admin)
	})
}

// within runs f and returns its result, or the context's error if that comes
// first. The client library knows no contexts: f then ends by its own
// time-outs, and what it returns is dropped.
func within[T any](ctx context.Context, action string, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return r.value, fmt.Errorf("%s: %w", action, explain(r.err))
		}
		return r.value, nil
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("%s: %w", action, context.Cause(ctx))
	}
}
