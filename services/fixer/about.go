package main

import "github.com/trueup/trueup/internal/manual"

// about is what --help and the manual page say besides the flags.
var about = manual.Page{
	Short:    "Take findings from Kafka and repair the rows they name",
	Synopsis: "fixer --config FILE [--listen HOST:PORT]",
	Long: `fixer takes findings from Kafka and brings the rows they name into line with the
authority, the side that is right. In one transaction it locks the copy's rows,
reads the authority, compares, writes and commits; then it reads the authority
again. A finding is only a hint where to look: any number of them, in any order,
end in the same state.

Run as many fixers as there is work for, up to the number of partitions: they
share it. Every finding gets an outcome in the topic of outcomes, waits in the
topic of retries, or ends in the topic of dead letters with the reason; see
trueup dead, trueup history and trueup undo.

What is not there at the start (databases, Kafka, topics, privileges) is waited
for, and /readyz says what it is. A configuration that makes no sense ends the
process at once, with the line and the way out.

  /healthz   the process works
  /readyz    it can work; if not, the reason
  /metrics   for Prometheus

Where the environment names a receiver of OpenTelemetry's traces
(OTEL_EXPORTER_OTLP_ENDPOINT), it follows findings from their range to their repair.

It stops at SIGTERM or an interrupt, once the batch in hand is settled
(fixer.drain_timeout).

Exit status: 0 stopped in order, 2 trouble: bad usage or configuration.`,
	Examples: `fixer --config trueup.yaml
fixer --config trueup.yaml --listen 127.0.0.1:9091
curl -s localhost:8081/readyz`,
	See: []string{"validator", "trueup"},
}
