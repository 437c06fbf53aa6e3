package chart

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestBothServicesAreToldWhereTracesGo, and nobody else; by default nobody is.
func TestBothServicesAreToldWhereTracesGo(t *testing.T) {
	told := func(overlay, pod string) []string {
		var out []string
		for name, p := range pods(mustRender(t, base(t, overlay))) {
			if !strings.HasSuffix(name, pod) {
				continue
			}
			for _, e := range p.Spec.Containers[0].Env {
				if strings.HasPrefix(e.Name, "OTEL_") {
					out = append(out, e.Name+"="+e.Value)
				}
			}
		}
		return out
	}
	const traced = `{tracing: {endpoint: "https://collector", ratio: 0.05}, topics: {manage: job}}`
	want := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=https://collector", "OTEL_TRACES_SAMPLER=parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.05"}
	for _, service := range []string{"-validator", "-fixer"} {
		if got := told(traced, service); !slices.Equal(got, want) {
			t.Errorf("%s is told %q, want %q", service, got, want)
		}
		if got := told("{}", service); got != nil {
			t.Errorf("%s is told %q by default", service, got)
		}
	}
	if got := told(traced, ""); len(got) != 2*len(want) {
		t.Errorf("all together are told %q", got)
	}
}

func TestEgressReachesTheReceiverOfTraces(t *testing.T) {
	for endpoint, port := range map[string]string{"https://collector/otlp": "443", "http://collector": "80", "http://[fd00::1]:4318/x": "4318"} {
		r := mustRender(t, base(t, fmt.Sprintf("{networkPolicy: {egress: {restrict: true}}, tracing: {endpoint: %q}}", endpoint)))
		if got := egressPorts(t, r); !slices.Contains(got, "TCP"+port) {
			t.Errorf("%s: egress to %v", endpoint, got)
		}
	}
}
