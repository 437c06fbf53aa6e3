package chart

import (
	"maps"
	"slices"
	"strings"
	"testing"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/trueup/trueup/pkg/lifecycle"
)

// Rendering decodes strictly, so each of the tests below also holds that every
// object is one its API knows.

func TestEveryObjectIsNamedAndLabelledAsIsUsual(t *testing.T) {
	each(t, func(t *testing.T, _ map[string]any, r *rendered) {
		seen := map[string]bool{}
		for _, object := range r.objects {
			o, err := meta.Accessor(object)
			if err != nil {
				t.Fatal(err)
			}
			checkObject(t, seen, object.GetObjectKind().GroupVersionKind().Kind, o)
		}
		for _, o := range r.strimzi {
			checkObject(t, seen, o.GetKind(), o)
		}
		if len(seen) < 4 {
			t.Errorf("%d objects: %v", len(seen), slices.Sorted(maps.Keys(seen)))
		}
	})
}

func checkObject(t *testing.T, seen map[string]bool, kind string, o metav1.Object) {
	t.Helper()
	if seen[kind+"/"+o.GetName()] {
		t.Errorf("%s %s is there twice", kind, o.GetName())
	}
	seen[kind+"/"+o.GetName()] = true
	if kind != "KafkaTopic" && len(validation.IsDNS1123Label(o.GetName())) > 0 || len(validation.IsDNS1123Subdomain(o.GetName())) > 0 {
		t.Errorf("%s: %q is no name", kind, o.GetName())
	}
	for _, label := range []string{"helm.sh/chart", "app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by"} {
		if o.GetLabels()[label] == "" {
			t.Errorf("%s %s lacks the label %s", kind, o.GetName(), label)
		}
	}
	for key, value := range o.GetLabels() {
		if problems := append(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)...); len(problems) > 0 {
			t.Errorf("%s %s: label %s=%s: %v", kind, o.GetName(), key, value, problems)
		}
	}
}

func TestNamesOfGreatestLengthFit(t *testing.T) {
	values := base(t, `{nameOverride: `+strings.Repeat("n", 80)+`, topics: {manage: job}, fixer: {scaling: {mode: keda}}}`)
	r := mustRender(t, values)
	for _, object := range r.objects {
		o, err := meta.Accessor(object)
		if err != nil {
			t.Fatal(err)
		}
		if problems := validation.IsDNS1123Label(o.GetName()); len(problems) > 0 {
			t.Errorf("%T %s: %v", object, o.GetName(), problems)
		}
	}
}

func TestEverySelectorSelectsThePodsItIsFor(t *testing.T) {
	each(t, func(t *testing.T, _ map[string]any, r *rendered) {
		selected := func(of string, selector map[string]string) []string {
			var names []string
			for name, pod := range pods(r) {
				if len(selector) > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)) {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			if len(names) == 0 {
				t.Errorf("%s selects nothing by %v", of, selector)
			}
			return names
		}
		only := func(kind, name string, selector map[string]string) {
			if got := selected(kind+" "+name, selector); !slices.Equal(got, []string{name}) {
				t.Errorf("%s %s selects the pods of %v", kind, name, got)
			}
		}
		for _, name := range []string{"validator", "fixer"} {
			if d := component(r, name); d != nil {
				only("Deployment", d.Name, d.Spec.Selector.MatchLabels)
			}
		}
		for _, s := range all[*core.Service](r) {
			only("Service", s.Name, s.Spec.Selector)
		}
		for _, b := range all[*policy.PodDisruptionBudget](r) {
			only("PodDisruptionBudget", b.Name, b.Spec.Selector.MatchLabels)
		}
		for _, p := range all[*networking.NetworkPolicy](r) {
			if got := selected("NetworkPolicy", p.Spec.PodSelector.MatchLabels); len(got) != len(pods(r)) {
				t.Errorf("NetworkPolicy selects the pods of %v alone", got)
			}
		}
		for _, m := range all[*monitoring.PodMonitor](r) {
			selected("PodMonitor", m.Spec.Selector.MatchLabels)
		}
		for _, m := range all[*monitoring.ServiceMonitor](r) {
			for _, s := range all[*core.Service](r) {
				if !labels.SelectorFromSet(m.Spec.Selector.MatchLabels).Matches(labels.Set(s.Labels)) {
					t.Errorf("ServiceMonitor does not select the service %s", s.Name)
				}
			}
		}
	})
}

func TestExactlyOneSaysHowManyFixersThereAre(t *testing.T) {
	each(t, func(t *testing.T, _ map[string]any, r *rendered) {
		fixer := component(r, "fixer")
		sayers, targets := 0, []string(nil)
		for _, h := range all[*autoscaling.HorizontalPodAutoscaler](r) {
			sayers, targets = sayers+1, append(targets, h.Spec.ScaleTargetRef.Name)
		}
		for _, s := range all[*keda.ScaledObject](r) {
			sayers, targets = sayers+1, append(targets, s.Spec.ScaleTargetRef.Name)
		}
		if fixer == nil {
			if sayers > 0 {
				t.Errorf("%v is scaled, which is not there", targets)
			}
			return
		}
		if fixer.Spec.Replicas != nil {
			sayers++
		}
		if sayers != 1 {
			t.Errorf("%d say how many", sayers)
		}
		for _, target := range targets {
			if target != fixer.Name {
				t.Errorf("%s is scaled, the deployment is %s", target, fixer.Name)
			}
		}
	})
}

func TestThereIsNeverMoreThanOneValidator(t *testing.T) {
	each(t, func(t *testing.T, _ map[string]any, r *rendered) {
		validator := component(r, "validator")
		if validator == nil {
			return
		}
		if *validator.Spec.Replicas != 1 || validator.Spec.Strategy.Type != "Recreate" {
			t.Errorf("replicas %d, strategy %s", *validator.Spec.Replicas, validator.Spec.Strategy.Type)
		}
	})
}

func TestAPodHasMoreTimeToStopThanTheServiceTakes(t *testing.T) {
	each(t, func(t *testing.T, _ map[string]any, r *rendered) {
		for _, name := range []string{"validator", "fixer"} {
			if d := component(r, name); d != nil {
				if grace := *d.Spec.Template.Spec.TerminationGracePeriodSeconds; float64(grace) < lifecycle.DefaultStopTimeout.Seconds()+5 {
					t.Errorf("%s: %d s of grace, and the service may take %v", name, grace, lifecycle.DefaultStopTimeout)
				}
			}
		}
	})
}

func TestProbesAskForWhatTheyAreAbout(t *testing.T) {
	each(t, func(t *testing.T, _ map[string]any, r *rendered) {
		for _, name := range []string{"validator", "fixer"} {
			d := component(r, name)
			if d == nil {
				continue
			}
			c := d.Spec.Template.Spec.Containers[0]
			for path, probe := range map[string]*core.Probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
				if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port.StrVal != c.Ports[0].Name {
					t.Errorf("%s: %+v does not ask %s", name, probe, path)
				}
			}
			// A database that is away makes a service not ready; it must not restart it.
			if c.StartupProbe.HTTPGet.Path != "/healthz" {
				t.Errorf("%s: start-up waits for %s", name, c.StartupProbe.HTTPGet.Path)
			}
		}
	})
}

func TestMountsHaveTheirVolumes(t *testing.T) {
	each(t, func(t *testing.T, _ map[string]any, r *rendered) {
		configuration := the[*core.ConfigMap](t, withoutDashboard(r))
		for name, pod := range pods(r) {
			volumes := map[string]core.Volume{}
			for _, v := range pod.Spec.Volumes {
				volumes[v.Name] = v
			}
			for _, c := range pod.Spec.Containers {
				for _, m := range c.VolumeMounts {
					if _, ok := volumes[m.Name]; !ok {
						t.Errorf("%s mounts %s, which is no volume", name, m.Name)
					}
				}
			}
			if v, ok := volumes["config"]; ok && v.ConfigMap.Name != configuration.Name {
				t.Errorf("%s mounts the ConfigMap %s, it is called %s", name, v.ConfigMap.Name, configuration.Name)
			}
		}
	})
}

func withoutDashboard(r *rendered) *rendered {
	rest := &rendered{}
	for _, object := range r.objects {
		if m, ok := object.(*core.ConfigMap); !ok || m.Data["trueup.json"] == "" {
			rest.objects = append(rest.objects, object)
		}
	}
	return rest
}

func egressPorts(t *testing.T, r *rendered) []string {
	t.Helper()
	var ports []string
	for _, rule := range the[*networking.NetworkPolicy](t, r).Spec.Egress {
		for _, p := range rule.Ports {
			ports = append(ports, string(*p.Protocol)+p.Port.String())
		}
	}
	slices.Sort(ports)
	return ports
}

func TestEgressReachesWhatTheConfigurationNames(t *testing.T) {
	ports := egressPorts(t, mustRender(t, matrix(t)["network-restricted"]))
	if want := []string{"TCP3306", "TCP4317", "TCP4318", "TCP53", "TCP5432", "TCP9093", "TCP9094", "UDP53"}; !slices.Equal(ports, want) {
		t.Errorf("egress to %v, want %v", ports, want)
	}
}
