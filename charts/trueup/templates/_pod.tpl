{{/*
The pod of a service: root is the chart's scope, component the service's name
and settings its part of the values.
*/}}
{{- define "trueup.pod" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
metadata:
  annotations:
    checksum/config: {{ include "trueup.config" $root | sha256sum }}
    {{- if $values.secrets.restartOnChange }}
    checksum/secrets: {{ include "trueup.secretVersions" $root | sha256sum }}
    {{- end }}
    {{- with .settings.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  labels:
    {{- /* Without the chart's version: another chart alone is no reason to restart. */}}
    {{- include "trueup.selectorLabels" (dict "root" $root "component" .component) | nindent 4 }}
    {{- with $values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .settings.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "trueup.podIdentity" $root | nindent 2 }}
  terminationGracePeriodSeconds: {{ int $values.terminationGracePeriodSeconds }}
  {{- with .settings.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "trueup.image" $root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      # kubectl describe pod says why the last one ended.
      terminationMessagePolicy: FallbackToLogsOnError
      command: [{{ .component }}, --config, /etc/trueup/trueup.yaml]
      {{- with .settings.extraArgs }}
      args:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: {{ int $values.port }}
          protocol: TCP
      {{- include "trueup.environment" (dict "root" $root "secretEnv" $values.secrets.env "tracing" $values.tracing) | nindent 6 }}
      startupProbe:
        httpGet: {path: /healthz, port: http}
        {{- toYaml $values.probes.startup | nindent 8 }}
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        {{- toYaml $values.probes.liveness | nindent 8 }}
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        {{- toYaml $values.probes.readiness | nindent 8 }}
      resources:
        {{- toYaml .settings.resources | nindent 8 }}
      securityContext:
        {{- toYaml $values.securityContext | nindent 8 }}
      {{- include "trueup.volumeMounts" $root | nindent 6 }}
  {{- include "trueup.volumes" $root | nindent 2 }}
  {{- with .settings.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .settings.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .settings.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .settings.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- $selector := dict "matchLabels" (include "trueup.selectorLabels" (dict "root" $root "component" .component) | fromYaml) }}
    {{- range .settings.topologySpreadConstraints }}
    - {{- toYaml (hasKey . "labelSelector" | ternary . (merge (dict "labelSelector" $selector) .)) | nindent 6 }}
    {{- end }}
  {{- end }}
{{- end -}}

{{- define "trueup.podIdentity" -}}
serviceAccountName: {{ include "trueup.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end -}}

{{/* env and envFrom: secretEnv is a map NAME: {name, key}, tracing that of the values for whoever traces. */}}
{{- define "trueup.environment" -}}
{{- $values := .root.Values -}}
{{- $tracing := and .tracing .tracing.endpoint -}}
{{- if or .secretEnv $values.extraEnv $tracing -}}
env:
  {{- range $name, $secret := .secretEnv }}
  - name: {{ $name }}
    valueFrom:
      secretKeyRef: {name: {{ $secret.name | quote }}, key: {{ $secret.key | quote }}}
  {{- end }}
  {{- if $tracing }}
  - {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .tracing.endpoint | quote }}}
  - {name: OTEL_TRACES_SAMPLER, value: {{ .tracing.sampler | quote }}}
  - {name: OTEL_TRACES_SAMPLER_ARG, value: {{ .tracing.ratio | quote }}}
  {{- end }}
  {{- with $values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with $values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "trueup.volumeMounts" -}}
volumeMounts:
  - {name: config, mountPath: /etc/trueup/trueup.yaml, subPath: trueup.yaml, readOnly: true}
  {{- range $name, $secret := .Values.secrets.files }}
  - {name: {{ printf "secret-%s" $name }}, mountPath: {{ printf "/etc/trueup/secrets/%s" $name | quote }}, readOnly: true}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "trueup.volumes" -}}
volumes:
  - name: config
    configMap: {name: {{ include "trueup.fullname" . }}}
  {{- range $name, $secret := .Values.secrets.files }}
  - name: {{ printf "secret-%s" $name }}
    secret: {secretName: {{ $secret | quote }}, defaultMode: 0440}
  {{- end }}
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
