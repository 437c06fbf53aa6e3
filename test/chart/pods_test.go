package chart

import (
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// The checks are those of Kubernetes' own admission.
func TestPodsMeetTheRestrictedSecurityStandard(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	each(t, func(t *testing.T, _ map[string]any, r *rendered) {
		for name, pod := range pods(r) {
			result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec))
			if !result.Allowed {
				t.Errorf("%s: %s", name, result.ForbiddenDetail())
			}
			for _, c := range pod.Spec.Containers {
				if s := c.SecurityContext; s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
					t.Errorf("%s: the root file system can be written", name)
				}
				if c.Resources.Limits.Memory().IsZero() {
					t.Errorf("%s: memory without limit", name)
				}
			}
			if token := pod.Spec.AutomountServiceAccountToken; token == nil || *token {
				t.Errorf("%s has a token of Kubernetes, which it has no use for", name)
			}
		}
	})
}

// A pod that ends again and again says why where people look first.
func TestAPodThatEndsSaysWhy(t *testing.T) {
	each(t, func(t *testing.T, _ map[string]any, r *rendered) {
		for name, pod := range pods(r) {
			for _, c := range pod.Spec.Containers {
				if c.TerminationMessagePolicy != core.TerminationMessageFallbackToLogsOnError {
					t.Errorf("%s: kubectl describe does not show the last lines of the log", name)
				}
			}
		}
	})
}

func TestTheChartHoldsNoSecret(t *testing.T) {
	each(t, func(t *testing.T, _ map[string]any, r *rendered) {
		for _, object := range r.objects {
			if kind := object.GetObjectKind().GroupVersionKind().Kind; kind == "Secret" {
				t.Error("a Secret is rendered; only existing ones are meant to be used")
			}
		}
	})
}

func TestPodsAreReplacedWhenWhatTheyReadChanges(t *testing.T) {
	sum := func(overlay string) string {
		return component(mustRender(t, base(t, overlay)), "fixer").Spec.Template.Annotations["checksum/config"]
	}
	before := sum("{}")
	if before == "" || before != sum("{fixer: {scaling: {replicas: 3}}}") {
		t.Error("the number of replicas restarts the pods")
	}
	if before == sum("{config: {governor: {source: {concurrency: 2}}}}") {
		t.Error("another configuration leaves the pods as they are")
	}
}
