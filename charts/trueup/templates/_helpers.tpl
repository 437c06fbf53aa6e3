{{- define "trueup.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 47 of the 63 characters of a label, so that every suffix fits. */}}
{{- define "trueup.fullname" -}}
{{- $name := include "trueup.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 47 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 47 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 47 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels of an object; with a component, those of its parts. */}}
{{- define "trueup.labels" -}}
{{- $root := .root | default . -}}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "trueup.selectorLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | replace "+" "_" | quote }}
app.kubernetes.io/part-of: trueup
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What selects pods. It never changes: a Deployment's selector cannot. */}}
{{- define "trueup.selectorLabels" -}}
{{- $root := .root | default . -}}
app.kubernetes.io/name: {{ include "trueup.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- if .component }}
app.kubernetes.io/component: {{ .component }}
{{- end }}
{{- end -}}

{{- define "trueup.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "trueup.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "trueup.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The file both services read. */}}
{{- define "trueup.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $_ := set $config "http" (merge (dict "listen" (printf ":%d" (int .Values.port))) (default dict $config.http)) -}}
{{- toYaml $config -}}
{{- end -}}

{{/* The names of Kafka are made as the services make them. */}}
{{- define "trueup.prefix" -}}
{{- default "trueup" .Values.config.kafka.prefix -}}
{{- end -}}

{{- define "trueup.partitions" -}}
{{- default 12 .Values.config.kafka.partitions | int -}}
{{- end -}}

{{- define "trueup.group" -}}
{{- $fixer := default dict .Values.config.fixer -}}
{{- default (printf "%s.fixer" (include "trueup.prefix" .)) $fixer.group -}}
{{- end -}}

{{/* Kubernetes' form of a topic's name. */}}
{{- define "trueup.objectName" -}}
{{- . | lower | replace "_" "-" | trunc 253 | trimSuffix "-" | trimSuffix "." -}}
{{- end -}}

{{/* The port of a database's URL, or the engine's own. */}}
{{- define "trueup.databasePort" -}}
{{- $authority := regexReplaceAll "^[a-z]+://" . "" | regexFind "^[^/?]*" | regexFind "[^@]*$" -}}
{{- $port := regexFind ":[0-9]+$" $authority | trimPrefix ":" -}}
{{- if $port -}}{{ $port }}{{- else if hasPrefix "postgres" . -}}5432{{- else -}}3306{{- end -}}
{{- end -}}

{{/* The port of a URL of HTTP. */}}
{{- define "trueup.urlPort" -}}
{{- $port := regexFind ":[0-9]+$" (urlParse .).host | trimPrefix ":" -}}
{{- if $port -}}{{ $port }}{{- else if hasPrefix "https" . -}}443{{- else -}}80{{- end -}}
{{- end -}}

{{/* What the existing Secrets are like now, as far as Helm may ask a cluster. */}}
{{- define "trueup.secretVersions" -}}
{{- $root := . -}}
{{- $names := dict -}}
{{- range .Values.secrets.env }}{{ $_ := set $names .name "" }}{{ end -}}
{{- range .Values.secrets.files }}{{ $_ := set $names . "" }}{{ end -}}
{{- range $name := keys $names | sortAlpha -}}
{{- $secret := lookup "v1" "Secret" $root.Release.Namespace $name -}}
{{- $name }}={{ if $secret }}{{ $secret.metadata.resourceVersion }}{{ end }};
{{- end -}}
{{- end -}}
