package main

import "github.com/trueup/trueup/internal/manual"

// about is what --help and the manual page say besides the flags.
var about = manual.Page{
	Short:    "Find rows that differ between two databases and publish their keys to Kafka",
	Synopsis: "validator --config FILE [--once] [--pair NAME] [--listen HOST:PORT]",
	Long: `validator compares the pairs of tables in its configuration while both databases
are live: by schedule, when asked to (trueup run), and as rows change. The primary
key of every row that differs goes to Kafka, never what it holds; fixers repair
it. It only reads the databases.

Of several validators with one configuration one works and the others stand by; one
of them goes on where it ended. With --once it runs every pair once and exits like
trueup diff.

What is not there at the start (databases, Kafka, topics, privileges) is waited
for, and /readyz says what it is; --once fails instead. A configuration that makes
no sense ends the process at once, with the line and the way out.

  /          how everything stands, for a browser
  /healthz   the process works
  /readyz    it can work; if not, the reason
  /metrics   for Prometheus
  /api/v1/   the control API, which trueup speaks

Where the environment names a receiver of OpenTelemetry's traces
(OTEL_EXPORTER_OTLP_ENDPOINT), it follows findings from their range to their repair.

It stops at SIGTERM or an interrupt. Runs go on where they were at the next start.

Exit status: 0 stopped in order, or --once found nothing, 1 --once found
differences, 2 trouble: bad usage or configuration, or --once could not look.`,
	Examples: `validator --config trueup.yaml
validator --config trueup.yaml --once --pair orders
validator --config trueup.yaml --listen 127.0.0.1:9090
curl -s localhost:8080/readyz`,
	See: []string{"fixer", "trueup"},
}
