// Package chart holds the Helm chart against what it is for: every object is what
// its API takes, the configuration is what the services take, alerts name metrics
// that exist. It is a module of its own because of the libraries of Kubernetes.
package chart

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	release "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/yaml"
)

const (
	top       = "../.."
	directory = top + "/charts/trueup"

	releaseName = "shop"
	namespace   = "migration"

	// kubeVersion is the version of apiserver/go.mod.
	kubeVersion = "v1.34.4"
)

// apis are what a cluster with all operators has beyond Kubernetes.
var apis = []string{"keda.sh/v1alpha1", "monitoring.coreos.com/v1", "kafka.strimzi.io/v1", "kafka.strimzi.io/v1beta2"}

// matrix is testdata/matrix by the files' names, each with testdata/base.yaml
// below it.
func matrix(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob("testdata/matrix/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no values in testdata/matrix: %v", err)
	}
	cases := map[string]map[string]any{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		cases[name] = loader.MergeMaps(readValues(t, "testdata/base.yaml"), readValues(t, file))
	}
	return cases
}

// each runs the test once for every values of the matrix.
func each(t *testing.T, test func(t *testing.T, values map[string]any, r *rendered)) {
	t.Helper()
	cases := matrix(t)
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, cases[name], mustRender(t, cases[name]))
		})
	}
}

func readValues(t *testing.T, path string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parseValues(t, string(text))
}

func parseValues(t *testing.T, text string) map[string]any {
	t.Helper()
	values := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &values); err != nil {
		t.Fatalf("parse values: %v\n%s", err, text)
	}
	return values
}

// base is testdata/base.yaml with the overlay above it.
func base(t *testing.T, overlay string) map[string]any {
	t.Helper()
	return loader.MergeMaps(readValues(t, "testdata/base.yaml"), parseValues(t, overlay))
}

func loadChart(t *testing.T) *chart.Chart {
	t.Helper()
	loaded, err := loader.Load(directory)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// template renders the chart as `helm template` does.
func template(t *testing.T, values map[string]any, apis ...string) (*release.Release, error) {
	t.Helper()
	install := action.NewInstall(action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler)))
	install.DryRunStrategy = action.DryRunClient
	install.ReleaseName, install.Namespace = releaseName, namespace
	install.APIVersions = common.VersionSet(apis)
	version, err := common.ParseKubeVersion(kubeVersion)
	if err != nil {
		t.Fatal(err)
	}
	install.KubeVersion = version
	made, err := install.Run(loadChart(t), values)
	if err != nil {
		return nil, err
	}
	return made.(*release.Release), nil
}

func mustRender(t *testing.T, values map[string]any) *rendered {
	t.Helper()
	made, err := template(t, values, apis...)
	if err != nil {
		t.Fatal(err)
	}
	manifests := made.Manifest
	for _, hook := range made.Hooks {
		manifests += "\n---\n" + hook.Manifest
	}
	return decode(t, manifests)
}
