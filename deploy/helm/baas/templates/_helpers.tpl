{{- define "baas.name" -}}
{{- if contains "baas" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-baas" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "baas.selector" -}}
app.kubernetes.io/name: baas
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "baas.labels" -}}
{{ include "baas.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "baas.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "baas.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "baas.name" .) }}
{{- end }}

{{- define "baas.namespacePrefix" -}}
{{ .Values.workers.namespacePrefix | default (printf "%s-" .Values.workers.installation) }}
{{- end }}
