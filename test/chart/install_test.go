//go:build apiserver

package chart

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	release "helm.sh/helm/v4/pkg/release/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/yaml"
)

// Each values of the matrix are installed, upgraded to the next ones, and rolled
// back to; what the server then has is what the chart says.
func TestEveryChartInstallsUpgradesAndRollsBack(t *testing.T) {
	c := startCluster(t)
	cases := matrix(t)
	names := slices.Sorted(maps.Keys(cases))
	for i, name := range names {
		next := names[(i+1)%len(names)]
		t.Run(name+" to "+next, func(t *testing.T) {
			h := c.helm(t, "m-"+name)
			first := h.install(t, cases[name])
			h.holds(t, first)
			h.admitsPods(t, first)
			second := h.upgrade(t, cases[next])
			h.holds(t, second)
			h.lacks(t, first, second)
			h.rollback(t, 1)
			h.holds(t, first)
			h.lacks(t, second, first)
			h.uninstall(t)
			h.lacks(t, first, &release.Release{})
		})
	}
}

// A Secret that was changed gives the pods another annotation at the next upgrade,
// and one that was not leaves them as they are.
func TestAnUpgradeRestartsPodsWhoseSecretsHaveChanged(t *testing.T) {
	c := startCluster(t)
	h := c.helm(t, "secrets")
	secrets := c.client.CoreV1().Secrets("secrets")
	secret := &core.Secret{ObjectMeta: meta.ObjectMeta{Name: "orders-mysql"}, StringData: map[string]string{"password": "old"}}
	if _, err := secrets.Create(t.Context(), secret, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	sum := func(r *release.Release) string {
		return component(decode(t, r.Manifest), "fixer").Spec.Template.Annotations["checksum/secrets"]
	}
	values := base(t, "{}")
	before := sum(h.install(t, values))
	if sum(h.upgrade(t, values)) != before {
		t.Error("pods restart although no secret has changed")
	}
	secret.StringData["password"] = "new"
	if _, err := secrets.Update(t.Context(), secret, meta.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if sum(h.upgrade(t, values)) == before {
		t.Error("pods keep the old password")
	}
}

// helm works in one namespace.
type helm struct {
	*cluster
	name   string
	config *action.Configuration
}

func (c *cluster) helm(t *testing.T, name string) *helm {
	t.Helper()
	c.namespace(t, name)
	flags := genericclioptions.NewConfigFlags(false)
	cache := t.TempDir()
	flags.KubeConfig, flags.Namespace, flags.CacheDir = &c.kubeconfig, &name, &cache
	flags.WithDiscoveryQPS(200).WithDiscoveryBurst(400)
	config := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	if err := config.Init(flags, name, "secret"); err != nil {
		t.Fatal(err)
	}
	return &helm{cluster: c, name: name, config: config}
}

const helmTimeout = time.Minute

func (h *helm) install(t *testing.T, values map[string]any) *release.Release {
	t.Helper()
	install := action.NewInstall(h.config)
	install.ReleaseName, install.Namespace, install.Timeout, install.WaitStrategy = releaseName, h.name, helmTimeout, kube.HookOnlyStrategy
	made, err := install.RunWithContext(t.Context(), loadChart(t), values)
	if err != nil {
		t.Fatalf("install: %v", err)
	}
	return made.(*release.Release)
}

func (h *helm) upgrade(t *testing.T, values map[string]any) *release.Release {
	t.Helper()
	upgrade := action.NewUpgrade(h.config)
	upgrade.Namespace, upgrade.Timeout, upgrade.WaitStrategy, upgrade.ResetValues = h.name, helmTimeout, kube.HookOnlyStrategy, true
	made, err := upgrade.RunWithContext(t.Context(), releaseName, loadChart(t), values)
	if err != nil {
		t.Fatalf("upgrade: %v", err)
	}
	return made.(*release.Release)
}

func (h *helm) rollback(t *testing.T, revision int) {
	t.Helper()
	rollback := action.NewRollback(h.config)
	rollback.Version, rollback.Timeout, rollback.WaitStrategy = revision, helmTimeout, kube.HookOnlyStrategy
	if err := rollback.Run(releaseName); err != nil {
		t.Fatalf("roll back: %v", err)
	}
}

// uninstall also removes the topics, which the chart means to outlive it.
func (h *helm) uninstall(t *testing.T) {
	t.Helper()
	uninstall := action.NewUninstall(h.config)
	uninstall.Timeout, uninstall.WaitStrategy = helmTimeout, kube.HookOnlyStrategy
	if _, err := uninstall.Run(releaseName); err != nil {
		t.Fatalf("uninstall: %v", err)
	}
	topics := schema.GroupVersionResource{Group: "kafka.strimzi.io", Version: "v1", Resource: "kafkatopics"}
	if err := h.objects.Resource(topics).Namespace("kafka").DeleteCollection(t.Context(), meta.DeleteOptions{}, meta.ListOptions{}); err != nil {
		t.Fatal(err)
	}
}

// holds checks that the server has every object of the release, and in it every
// field as the chart gives it.
func (h *helm) holds(t *testing.T, r *release.Release) {
	t.Helper()
	objects := h.contents(t, r)
	if len(objects) == 0 {
		t.Fatal("the release is empty")
	}
	for name, object := range objects {
		got, err := h.get(t, object)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, field := range []string{"spec", "data"} {
			if want, there := object.Object[field]; there {
				if path := differs(want, got.Object[field]); path != "" {
					t.Errorf("%s: %s%s is not what the chart says", name, field, path)
				}
			}
		}
	}
}

// lacks checks that nothing is left of a release that the other does not have.
func (h *helm) lacks(t *testing.T, gone, here *release.Release) {
	t.Helper()
	present := h.contents(t, here)
	for name, object := range h.contents(t, gone) {
		if _, kept := object.GetAnnotations()["helm.sh/resource-policy"]; kept || present[name] != nil {
			continue
		}
		if _, err := h.get(t, object); !errors.IsNotFound(err) {
			t.Errorf("%s is left over (%v)", name, err)
		}
	}
}

// admitsPods asks the server for each pod that a workload would make.
func (h *helm) admitsPods(t *testing.T, r *release.Release) {
	t.Helper()
	for name, template := range pods(decode(t, r.Manifest)) {
		pod := &core.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
		pod.Name, pod.Namespace = name, h.name
		if _, err := h.client.CoreV1().Pods(h.name).Create(t.Context(), pod, meta.CreateOptions{DryRun: []string{meta.DryRunAll}}); err != nil {
			t.Errorf("pod of %s: %v", name, err)
		}
	}
}

func (h *helm) contents(t *testing.T, r *release.Release) map[string]*unstructured.Unstructured {
	t.Helper()
	found := map[string]*unstructured.Unstructured{}
	for document := range strings.SplitSeq(r.Manifest, "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			t.Fatal(err)
		}
		if object.GetKind() == "" {
			continue
		}
		if object.GetNamespace() == "" {
			object.SetNamespace(h.name)
		}
		found[object.GetKind()+" "+object.GetName()] = object
	}
	return found
}

func (h *helm) get(t *testing.T, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	t.Helper()
	kind := object.GroupVersionKind()
	mapping, err := h.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, err
	}
	return h.objects.Resource(mapping.Resource).Namespace(object.GetNamespace()).Get(t.Context(), object.GetName(), meta.GetOptions{})
}

// differs returns the path of a value that got lacks or has otherwise; what the
// server has filled in besides is no difference.
func differs(want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			return " "
		}
		for key, value := range want {
			if path := differs(value, got[key]); path != "" && !empty(value) {
				return "." + key + path
			}
		}
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return " "
		}
		for i := range want {
			if path := differs(want[i], got[i]); path != "" {
				return "[]" + path
			}
		}
	default:
		if number(want) != number(got) {
			return " "
		}
	}
	return ""
}

// empty says whether the server may leave the value out.
func empty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(value) == 0
	case []any:
		return len(value) == 0
	default:
		return false
	}
}

// number is the value, a quantity or a number in one form.
func number(value any) string {
	text := fmt.Sprint(value)
	if quantity, err := resource.ParseQuantity(text); err == nil {
		return quantity.String()
	}
	return text
}
