package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/cenkalti/backoff/v5"
	"github.com/rs/zerolog"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// client sends spans by OTLP over HTTP; it is the Client of package otlptrace.
//
// The one of OpenTelemetry itself (otlptracehttp) does the same, and has the
// process carry gRPC and its gateway, since the messages of the collector's
// service come in one package with both. TracesData is the same on the wire as the
// request of that service.
type client struct {
	settings settings
	http     *http.Client
	log      zerolog.Logger

	delivered atomic.Int64 // spans

	mu      sync.Mutex
	trouble bool
}

func newClient(s settings, log zerolog.Logger) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is, by its documentation
	transport.TLSClientConfig = s.tls
	return &client{
		settings: s, log: log,
		http: &http.Client{
			Transport: transport, Timeout: s.timeout,
			// The headers may hold a token that is for this receiver alone.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Start implements otlptrace.Client.
func (c *client) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *client) Stop(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client. It tries again, less and less often,
// until ctx ends, what may pass by itself. Its error is no news: the log has it.
func (c *client) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := c.encode(spans)
	if err != nil {
		c.note(err)
		return err
	}
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		err := c.post(ctx, body)
		c.note(err)
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(0))
	if err == nil {
		c.delivered.Add(count(spans))
	}
	return err
}

func count(spans []*tracepb.ResourceSpans) (n int64) {
	for _, resource := range spans {
		for _, scope := range resource.ScopeSpans {
			n += int64(len(scope.Spans))
		}
	}
	return n
}

func (c *client) encode(spans []*tracepb.ResourceSpans) ([]byte, error) {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return nil, fmt.Errorf("encode spans: %w", err)
	}
	if !c.settings.gzip {
		return body, nil
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err = w.Write(body); err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress spans: %w", err)
	}
	return packed.Bytes(), nil
}

// maxAnswer bounds what is read of an answer; of a good one nothing is of interest.
const maxAnswer = 64 << 10

// post sends a request. Its error is a backoff.PermanentError when trying again
// would not help.
func (c *client) post(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.settings.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return backoff.Permanent(err)
	}
	for name, value := range c.settings.headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	if c.settings.gzip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return refusal(response)
}

// refusal is what a status says. Which ones may pass by themselves, and that the
// receiver may say when, is in the specification of OTLP.
func refusal(r *http.Response) error {
	switch r.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if seconds, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && seconds > 0 {
			return fmt.Errorf("the receiver answers %s: %w", r.Status, backoff.RetryAfter(seconds))
		}
		return fmt.Errorf("the receiver answers %s", r.Status)
	}
	if r.StatusCode/100 != 2 {
		return backoff.Permanent(fmt.Errorf("the receiver answers %s; is it the URL of OTLP over HTTP, and do its headers let this process in?", r.Status))
	}
	return nil
}

// note logs that spans are not delivered, and when they are again.
func (c *client) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil && !c.trouble:
		var permanent *backoff.PermanentError
		if errors.As(err, &permanent) {
			err = permanent.Err
		}
		c.log.Warn().Err(err).Msg("traces are not delivered; what does not fit into their queue is dropped")
	case err == nil && c.trouble:
		c.log.Info().Msg("traces are delivered again")
	}
	c.trouble = err != nil
}
