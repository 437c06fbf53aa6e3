package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// The server answers small questions of probes and scrapers; whoever takes
// longer than these is not one of them.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 16 << 10 // bytes
	// drain is how long a scrape under way may finish when the service stops.
	drain = 3 * time.Second
)

// Mounted is what a service serves besides, under a pattern of http.ServeMux.
type Mounted struct {
	Pattern string
	Handler http.Handler
}

// Handler serves /healthz, /readyz and /metrics, and what is mounted besides.
//
// /healthz answers 200 as long as the process serves at all: an outage of a
// database or of Kafka is no reason to kill it. /readyz answers 200 when every
// condition is met, else 503, with all conditions as JSON either way.
func Handler(metrics *Metrics, readiness *Readiness, mounted ...Mounted) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		writeReadiness(w, readiness)
	})
	mux.Handle("GET /metrics", metrics.handler())
	for _, m := range mounted {
		mux.Handle(m.Pattern, m.Handler)
	}
	return secured(mux)
}

func writeReadiness(w http.ResponseWriter, readiness *Readiness) {
	ready, conditions := readiness.Conditions()
	body, err := json.MarshalIndent(struct {
		Ready      bool        `json:"ready"`
		Conditions []Condition `json:"conditions"`
	}{ready, conditions}, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if !ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(body, '\n'))
}

// secured sets the headers that keep a browser from doing anything with the
// answers but show them, and caches from keeping them.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// Listen opens the address of an HTTP server, "host:port", so that a bad or
// used address is known before anything else starts.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on http.listen %q: %w; choose another host:port", address, err)
	}
	return listener, nil
}

// Serve serves handler on the listener until ctx ends, and closes it.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true) // gRPC without TLS
	server := &http.Server{
		Handler:           handler,
		Protocols:         &protocols,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		if err := server.Shutdown(patience); err != nil {
			_ = server.Close() // what is still open then is cut off
		}
		close(stopped)
	})
	err := server.Serve(listener)
	if !stop() { // ctx ended: Serve returned because of Shutdown, which goes on
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve http on %s: %w", listener.Addr(), err)
}
