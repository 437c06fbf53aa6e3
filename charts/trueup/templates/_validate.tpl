{{/* What no schema can say. An error names the value, and the way out. */}}
{{- define "trueup.validate" -}}
{{- include "trueup.validateSecrets" . -}}
{{- include "trueup.validateScaling" . -}}
{{- include "trueup.validateApis" . -}}
{{- $http := default dict .Values.config.http -}}
{{- if $http.listen -}}
{{- fail "config.http.listen: the chart sets it; give port instead" -}}
{{- end -}}
{{- if $http.tls -}}
{{- fail "config.http.tls: probes and monitors of the chart speak plain HTTP; guard the control API with config.http.token, and end TLS at what stands before the service" -}}
{{- end -}}
{{- if and .Values.monitoring.serviceMonitor.enabled .Values.monitoring.podMonitor.enabled -}}
{{- fail "monitoring.podMonitor.enabled: monitoring.serviceMonitor is enabled too, and every number would count twice; enable one of them" -}}
{{- end -}}
{{- end -}}

{{- define "trueup.validateSecrets" -}}
{{- $texts := dict -}}
{{- range $side := list "source" "target" -}}
{{- $dsn := (index $.Values.config $side).dsn -}}
{{- $_ := set $texts (printf "config.%s.dsn" $side) $dsn -}}
{{- $user := regexFind "^[a-z]+://.*@" $dsn | trimSuffix "@" -}}
{{- $password := regexReplaceAll "^[a-z]+://[^:]*:?" $user "" -}}
{{- if or (and $password (not (regexMatch "^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$" $password))) (regexMatch "[?&]password=[^$]" $dsn) -}}
{{- fail (printf "config.%s.dsn: a password stands in the values in plain text; write ${NAME} in its place, and name an existing Secret in secrets.env.NAME" $side) -}}
{{- end -}}
{{- end -}}
{{- $sasl := default dict .Values.config.kafka.sasl -}}
{{- range $field := list "username" "password" -}}
{{- $_ := set $texts (printf "config.kafka.sasl.%s" $field) (default "" (index $sasl $field)) -}}
{{- end -}}
{{- $_ := set $texts "config.kafka.sasl.oauth.client_secret" (default "" (default dict $sasl.oauth).client_secret) -}}
{{- $fixer := default dict .Values.config.fixer -}}
{{- $_ := set $texts "config.fixer.digest_key" (default "" $fixer.digest_key) -}}
{{- $_ := set $texts "config.http.token" (default "" (default dict .Values.config.http).token) -}}
{{- range $field := list "config.kafka.sasl.password" "config.kafka.sasl.oauth.client_secret" "config.fixer.digest_key" "config.http.token" -}}
{{- $secret := index $texts $field -}}
{{- if and $secret (not (regexMatch "^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$" $secret)) -}}
{{- fail (printf "%s: a secret stands in the values in plain text; write ${NAME} in its place, and name an existing Secret in secrets.env.NAME" $field) -}}
{{- end -}}
{{- end -}}
{{- if not .Values.extraEnvFrom -}}
{{- $known := dict -}}
{{- range $name, $secret := .Values.secrets.env }}{{ $_ := set $known $name "" }}{{ end -}}
{{- range .Values.extraEnv }}{{ $_ := set $known .name "" }}{{ end -}}
{{- range $field, $text := $texts -}}
{{- range regexFindAll "\\$\\{[^}]*\\}" $text -1 -}}
{{- $name := trimPrefix "${" . | trimSuffix "}" -}}
{{- if not (hasKey $known $name) -}}
{{- fail (printf "secrets.env.%s is missing, which %s asks for; name an existing Secret and its key there" $name $field) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range regexFindAll "/etc/trueup/secrets/[^/\"'\\s]+" (toYaml .Values.config) -1 -}}
{{- $name := base . -}}
{{- if not (hasKey $.Values.secrets.files $name) -}}
{{- fail (printf "secrets.files.%s is missing, which config asks for; name an existing Secret there" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "trueup.validateScaling" -}}
{{- $scaling := .Values.fixer.scaling -}}
{{- $partitions := include "trueup.partitions" . | int -}}
{{- $field := eq $scaling.mode "fixed" | ternary "replicas" "maxReplicas" -}}
{{- if gt (int (index $scaling $field)) $partitions -}}
{{- fail (printf "fixer.scaling.%s: %d fixers for %d partitions (config.kafka.partitions) leave some without work; lower it, or raise the partitions" $field (int (index $scaling $field)) $partitions) -}}
{{- end -}}
{{- if and (ne $scaling.mode "fixed") (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- fail (printf "fixer.scaling.minReplicas: %d is more than maxReplicas, %d" (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- if and (eq $scaling.mode "keda") (eq $scaling.keda.trigger "prometheus") (not $scaling.keda.prometheus.serverAddress) -}}
{{- fail "fixer.scaling.keda.prometheus.serverAddress is missing, which the trigger prometheus asks for; give Prometheus' URL" -}}
{{- end -}}
{{- if and $scaling.keda.authenticationRef $scaling.keda.authentication -}}
{{- fail "fixer.scaling.keda.authentication: authenticationRef names a TriggerAuthentication that exists already; give one of the two" -}}
{{- end -}}
{{- end -}}

{{- define "trueup.validateApis" -}}
{{- $monitoring := .Values.monitoring -}}
{{- $keda := and .Values.fixer.enabled (eq .Values.fixer.scaling.mode "keda") -}}
{{- range $need := list
  (dict "wanted" $keda "field" "fixer.scaling.mode" "apis" (list "keda.sh/v1alpha1") "way" "install KEDA, or choose fixed or hpa")
  (dict "wanted" $monitoring.serviceMonitor.enabled "field" "monitoring.serviceMonitor.enabled" "apis" (list "monitoring.coreos.com/v1") "way" "install the Prometheus Operator, or disable it")
  (dict "wanted" $monitoring.podMonitor.enabled "field" "monitoring.podMonitor.enabled" "apis" (list "monitoring.coreos.com/v1") "way" "install the Prometheus Operator, or disable it")
  (dict "wanted" $monitoring.prometheusRule.enabled "field" "monitoring.prometheusRule.enabled" "apis" (list "monitoring.coreos.com/v1") "way" "install the Prometheus Operator, or disable it")
  (dict "wanted" (eq .Values.topics.manage "strimzi") "field" "topics.manage" "apis" (list "kafka.strimzi.io/v1" "kafka.strimzi.io/v1beta2") "way" "install Strimzi, or choose job or none")
  (dict "wanted" .Values.kafkaUser.enabled "field" "kafkaUser.enabled" "apis" (list "kafka.strimzi.io/v1" "kafka.strimzi.io/v1beta2") "way" "install Strimzi, or disable it")
-}}
{{- if $need.wanted -}}
{{- $has := dict -}}
{{- range $need.apis }}{{ if $.Capabilities.APIVersions.Has . }}{{ $_ := set $has . "" }}{{ end }}{{ end -}}
{{- if not $has -}}
{{- fail (printf "%s: the cluster does not have the API %s; %s (without a cluster: helm template --api-versions %s)" $need.field (join " or " $need.apis) $need.way (first $need.apis)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.topics.manage "strimzi") (not .Values.topics.strimzi.cluster) -}}
{{- fail "topics.strimzi.cluster is missing; give the name of the Kafka cluster" -}}
{{- end -}}
{{- if and .Values.kafkaUser.enabled (not .Values.kafkaUser.cluster) (not .Values.topics.strimzi.cluster) -}}
{{- fail "kafkaUser.cluster is missing; give the name of the Kafka cluster" -}}
{{- end -}}
{{- end -}}
