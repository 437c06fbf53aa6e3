{{/*
The topics as `trueup topics create` makes them: what follows the prefix, and
the settings. The longest retention is the audit log's.
*/}}
{{- define "trueup.topics" -}}
{{- $partitions := include "trueup.partitions" . | int -}}
findings: {partitions: {{ $partitions }}, config: {cleanup.policy: delete, retention.ms: "604800000"}}
findings.retry: {partitions: {{ $partitions }}, config: {cleanup.policy: delete, retention.ms: "604800000"}}
findings.dead: {partitions: {{ $partitions }}, config: {cleanup.policy: delete, retention.ms: "2592000000"}}
outcomes: {partitions: {{ $partitions }}, config: {cleanup.policy: delete, retention.ms: "31536000000"}}
tasks: {partitions: {{ $partitions }}, config: {cleanup.policy: delete, retention.ms: "604800000"}}
state: {partitions: 1, config: {cleanup.policy: compact, min.compaction.lag.ms: "3600000"}}
{{- end -}}

{{/* What both services do with each topic. */}}
{{- define "trueup.topicOperations" -}}
findings: [Describe, Read, Write]
findings.retry: [Describe, Read, Write]
findings.dead: [Describe, Read, Write]
outcomes: [Describe, Read, Write]
tasks: [Describe]
state: [Describe, DescribeConfigs, Read, Write]
{{- end -}}

{{- define "trueup.strimziVersion" -}}
{{- if .Capabilities.APIVersions.Has "kafka.strimzi.io/v1" -}}kafka.strimzi.io/v1{{- else -}}kafka.strimzi.io/v1beta2{{- end -}}
{{- end -}}
