package chart

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// rendered are the objects of one rendering. Those of Strimzi, which has no Go
// types, are unstructured.
type rendered struct {
	objects []runtime.Object
	strimzi []*unstructured.Unstructured
}

var strict = func() runtime.Decoder {
	all := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, monitoring.AddToScheme, keda.AddToScheme} {
		if err := add(all); err != nil {
			panic(err)
		}
	}
	return serializer.NewCodecFactory(all, serializer.EnableStrict).UniversalDeserializer()
}()

// decode decodes every document into the type of its API; a field the type does
// not have, or one given twice, is an error.
func decode(t *testing.T, manifests string) *rendered {
	t.Helper()
	r := &rendered{}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifests)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return r
		}
		if err != nil {
			t.Fatal(err)
		}
		var head meta.TypeMeta
		if err := yaml.Unmarshal(document, &head); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		switch {
		case head.Kind == "":
			if text := strings.TrimSpace(string(document)); text != "" && !isComment(text) {
				t.Fatalf("an object without a kind:\n%s", text)
			}
		case strings.HasPrefix(head.APIVersion, "kafka.strimzi.io/"):
			object := &unstructured.Unstructured{}
			if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
				t.Fatalf("%v in\n%s", err, document)
			}
			r.strimzi = append(r.strimzi, object)
		default:
			object, _, err := strict.Decode(document, nil, nil)
			if err != nil {
				t.Fatalf("%s %s: %v in\n%s", head.APIVersion, head.Kind, err, document)
			}
			r.objects = append(r.objects, object)
		}
	}
}

func isComment(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && line != "---" {
			return false
		}
	}
	return true
}

// all returns the objects of one type.
func all[T runtime.Object](r *rendered) []T {
	var found []T
	for _, object := range r.objects {
		if o, ok := object.(T); ok {
			found = append(found, o)
		}
	}
	return found
}

// the returns the only object of a type.
func the[T runtime.Object](t *testing.T, r *rendered) T {
	t.Helper()
	found := all[T](r)
	if len(found) != 1 {
		t.Fatalf("%d objects of %T, want 1", len(found), *new(T))
	}
	return found[0]
}

// component returns the workload of a service; nil if there is none.
func component(r *rendered, name string) *apps.Deployment {
	for _, d := range all[*apps.Deployment](r) {
		if d.Spec.Template.Labels["app.kubernetes.io/component"] == name {
			return d
		}
	}
	return nil
}

// pods are the templates of everything that runs, by the object's name.
func pods(r *rendered) map[string]*core.PodTemplateSpec {
	found := map[string]*core.PodTemplateSpec{}
	for _, d := range all[*apps.Deployment](r) {
		found[d.Name] = &d.Spec.Template
	}
	for _, j := range all[*batch.Job](r) {
		found[j.Name] = &j.Spec.Template
	}
	for _, p := range all[*core.Pod](r) {
		found[p.Name] = &core.PodTemplateSpec{ObjectMeta: p.ObjectMeta, Spec: p.Spec}
	}
	return found
}
