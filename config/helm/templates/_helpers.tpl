{{- /* A file of config/, with the namespaces of this release. */ -}}
{{- define "file" -}}
{{- $text := .root.Files.Get .name -}}
{{- if not $text }}{{ fail (printf "%s is missing in the chart" .name) }}{{ end -}}
{{- $text | replace "ovn-bgp-operator-system" .root.Release.Namespace | replace "ovn-bgp-agent-system" .root.Values.agent.namespace -}}
{{- end -}}

{{- define "image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The flags as arguments: what the values imply, then what was given. */ -}}
{{- define "arguments" -}}
{{- range $name, $value := . }}
{{- if kindIs "slice" $value }}{{ $value = join "," $value }}{{ end }}
{{- /* Numbers come as floating-point ones; 4200000000 is not to be 4.2e+09. */ -}}
{{- if kindIs "float64" $value }}{{ if eq $value (floor $value) }}{{ $value = printf "%.0f" $value }}{{ end }}{{ end }}
{{- if not (kindIs "invalid" $value) }}
- {{ printf "--%s=%v" $name $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The port of an address such as :8443, "" where nothing is served. */ -}}
{{- define "port" -}}
{{- regexFind "[0-9]+$" (toString .) | trimPrefix "0" -}}
{{- end -}}

{{- /* "true" where the manager only observes, in which case it has no rights to write. */ -}}
{{- define "manager.observes" -}}
{{- if or .Values.observeOnly (eq (toString (index .Values.manager.flags "observe-only")) "true") }}true{{ end -}}
{{- end -}}

{{- define "manager.webhook" -}}
{{- $off := eq (toString (index .Values.manager.flags "webhook")) "false" -}}
{{- if not (or $off (and (include "manager.observes" .) (not .Values.webhook.certificateSecret))) }}true{{ end -}}
{{- end -}}

{{- define "manager.flags" -}}
{{- $flags := dict -}}
{{- if include "manager.observes" . }}{{ $_ := set $flags "observe-only" true }}{{ end -}}
{{- if not (include "manager.webhook" .) }}{{ $_ := set $flags "webhook" false }}{{ end -}}
{{- if .Values.manager.metricsCertificateSecret }}{{ $_ := set $flags "metrics-cert-dir" "/etc/ovn-bgp-operator/metrics" }}{{ end -}}
{{- if .Values.webhook.certificateSecret }}{{ $_ := set $flags "webhook-cert-dir" "/etc/ovn-bgp-operator/webhook" }}{{ end -}}
{{- merge dict .Values.manager.flags $flags | toJson -}}
{{- end -}}

{{- define "agent.flags" -}}
{{- $flags := dict -}}
{{- if .Values.observeOnly }}{{ $_ := set $flags "observe-only" true }}{{ end -}}
{{- if .Values.agent.metricsCertificateSecret }}{{ $_ := set $flags "metrics-cert-dir" "/etc/ovn-bgp-operator/metrics" }}{{ end -}}
{{- if .Values.agent.ovnCertificateSecret -}}
{{- $_ := set $flags "ovn-certificate" "/etc/ovn-bgp-operator/ovn/tls.crt" -}}
{{- $_ := set $flags "ovn-private-key" "/etc/ovn-bgp-operator/ovn/tls.key" -}}
{{- $_ := set $flags "ovn-ca-certificate" "/etc/ovn-bgp-operator/ovn/ca.crt" -}}
{{- end -}}
{{- merge dict .Values.agent.flags $flags | toJson -}}
{{- end -}}
