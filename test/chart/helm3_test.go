package chart

import (
	"io"
	"reflect"
	"testing"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/kube/fake"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
)

func TestHelm3AndHelm4MakeTheSame(t *testing.T) {
	loaded, err := loader.Load(directory)
	if err != nil {
		t.Fatal(err)
	}
	version, err := chartutil.ParseKubeVersion(kubeVersion)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range matrix(t) {
		t.Run(name, func(t *testing.T) {
			install := action.NewInstall(&action.Configuration{
				Releases:   storage.Init(driver.NewMemory()),
				KubeClient: &fake.PrintingKubeClient{Out: io.Discard},
				Log:        func(string, ...any) {},
			})
			install.ClientOnly, install.DryRun = true, true
			install.ReleaseName, install.Namespace = releaseName, namespace
			install.KubeVersion, install.APIVersions = version, apis
			three, err := install.Run(loaded, values)
			if err != nil {
				t.Fatal(err)
			}
			four, err := template(t, values, apis...)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(decode(t, three.Manifest), decode(t, four.Manifest)) {
				t.Errorf("Helm 3 makes\n%s\nHelm 4 makes\n%s", three.Manifest, four.Manifest)
			}
		})
	}
}
