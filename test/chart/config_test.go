package chart

import (
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	core "k8s.io/api/core/v1"

	"github.com/trueup/trueup/services/assembly"
)

// The services refuse a key they do not know and a variable that is not set.
func TestTheServicesTakeTheConfiguration(t *testing.T) {
	cases := matrix(t)
	for name, values := range cases {
		t.Run(name, func(t *testing.T) {
			file := configuration(t, mustRender(t, values))
			if err := file.ForServices(); err != nil {
				t.Error(err)
			}
		})
	}
}

// configuration loads what a pod would, with the variables it would have.
func configuration(t *testing.T, r *rendered) assembly.File {
	t.Helper()
	for _, pod := range pods(r) {
		for _, variable := range pod.Spec.Containers[0].Env {
			t.Setenv(variable.Name, "secret")
		}
	}
	path := filepath.Join(t.TempDir(), "trueup.yaml")
	if err := os.WriteFile(path, []byte(the[*core.ConfigMap](t, withoutDashboard(r)).Data["trueup.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := assembly.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Helm reads numbers as floating-point ones.
func TestTheConfigurationIsWhatTheValuesSay(t *testing.T) {
	file := configuration(t, mustRender(t, matrix(t)["full-configuration"]))
	items := file.Pairs[0]
	if file.Kafka.BufferBytes != 16777216 || items.Epoch != 9007199254740991 || file.Validator.MaxFindings != 1000000 || *file.Validator.Confirm != 0 {
		t.Errorf("numbers changed: %+v %+v", file.Kafka.BufferBytes, items)
	}
	if got := items.Constants; *got["origin"] != "mono" || *got["yes"] != "007" || *got["shard"] != "12345678901" {
		t.Errorf("constants changed: %q %q %q", *got["origin"], *got["yes"], *got["shard"])
	}
	if items.Schedule.Full != "0 3 * * *" || !reflect.DeepEqual(items.Key, []string{"order_id", "line"}) {
		t.Errorf("changed: %+v", items)
	}
}

func TestTheServicesListenWhereProbesAsk(t *testing.T) {
	for name, values := range matrix(t) {
		t.Run(name, func(t *testing.T) {
			r := mustRender(t, values)
			_, port, _ := strings.Cut(configuration(t, r).HTTP.Listen, ":")
			for _, service := range all[*core.Service](r) {
				d := component(r, service.Labels["app.kubernetes.io/component"])
				if d == nil {
					t.Fatalf("the service %s is for nothing that runs", service.Name)
				}
				for _, container := range d.Spec.Template.Spec.Containers {
					if got := container.Ports[0]; got.Name != service.Spec.Ports[0].TargetPort.StrVal || port != strconv.Itoa(int(got.ContainerPort)) {
						t.Errorf("%s listens on %s, its container has %v and its service %v", d.Name, port, got, service.Spec.Ports[0])
					}
				}
			}
		})
	}
}

func TestEveryProgramIsOneTheImageHas(t *testing.T) {
	each(t, func(t *testing.T, _ map[string]any, r *rendered) {
		for name, pod := range pods(r) {
			for _, c := range pod.Spec.Containers {
				program := filepath.Join(top, "services", c.Command[0], "main.go")
				if _, err := os.Stat(program); err != nil && c.Command[0] != "wget" {
					t.Errorf("%s runs %s: %v", name, c.Command[0], err)
				}
			}
		}
	})
}

func TestKedaAsksForTheFixersGroupAndTopic(t *testing.T) {
	for _, prefix := range []string{"", "shop.trueup"} {
		r := mustRender(t, base(t, `{config: {kafka: {prefix: "`+prefix+`"}}, fixer: {scaling: {mode: keda}}}`))
		file := configuration(t, r)
		trigger := the[*keda.ScaledObject](t, r).Spec.Triggers[0].Metadata
		if got, want := trigger["topic"], file.Kafka.Topics().Findings; got != want {
			t.Errorf("topic %s, the services use %s", got, want)
		}
		if got, want := trigger["consumerGroup"], file.Kafka.WithDefaults().Prefix+".fixer"; got != want {
			t.Errorf("group %s, the fixer uses %s", got, want)
		}
		if got := trigger["version"]; got != file.Kafka.WithDefaults().Version {
			t.Errorf("version %s, the services assume %s", got, file.Kafka.WithDefaults().Version)
		}
	}
}
