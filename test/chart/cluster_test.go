//go:build apiserver

package chart

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	scheduling "k8s.io/api/scheduling/v1"
	extensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extensionsclient "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

const (
	// startTimeout is ample for a server that takes 5 s on 2 cores with nothing else to do.
	startTimeout = 2 * time.Minute
	poll         = 100 * time.Millisecond
)

// cluster is a Kubernetes API server of the tests' own, with the operators' CRDs.
type cluster struct {
	kubeconfig string
	config     *rest.Config
	client     *kubernetes.Clientset
	objects    dynamic.Interface
	mapper     apimeta.RESTMapper
}

// startCluster runs the program apiserver, which `make chart-install` builds.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	program := os.Getenv("TRUEUP_APISERVER")
	if program == "" {
		t.Fatal("TRUEUP_APISERVER names no program; run `make chart-install`")
	}
	dir, output := t.TempDir(), &output{}
	server := exec.CommandContext(t.Context(), program, "--dir", dir)
	server.Stdout, server.Stderr = output, output
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	server.WaitDelay = 20 * time.Second
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Wait() // what it has to say stands in its output
	}()
	t.Cleanup(func() { <-ended })
	c := &cluster{kubeconfig: filepath.Join(dir, "kubeconfig")}
	if err := c.await(t.Context(), ended); err != nil {
		t.Fatalf("the API server does not start: %v\n%s", err, output.tail())
	}
	c.prepare(t)
	return c
}

// await waits until the server says that it is ready.
func (c *cluster) await(ctx context.Context, ended <-chan struct{}) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, poll, startTimeout, true, func(ctx context.Context) (bool, error) {
		select {
		case <-ended:
			return false, fmt.Errorf("it has ended")
		default:
		}
		last = c.connect(ctx)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%w (%w)", err, last)
	}
	return nil
}

func (c *cluster) connect(ctx context.Context) error {
	var err error
	if c.config, err = clientcmd.BuildConfigFromFlags("", c.kubeconfig); err != nil {
		return err
	}
	c.config.QPS, c.config.Burst = 200, 400
	if c.client, err = kubernetes.NewForConfig(c.config); err != nil {
		return err
	}
	if c.objects, err = dynamic.NewForConfig(c.config); err != nil {
		return err
	}
	c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.client.Discovery()))
	return c.client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}

// prepare brings what a platform has: the operators' CRDs, and what values of the
// matrix refer to.
func (c *cluster) prepare(t *testing.T) {
	t.Helper()
	client, err := extensionsclient.NewForConfig(c.config)
	if err != nil {
		t.Fatal(err)
	}
	definitions := client.ApiextensionsV1().CustomResourceDefinitions()
	for _, file := range definitionFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			definition := &extensions.CustomResourceDefinition{}
			if err := yaml.Unmarshal(document, definition); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if _, err := definitions.Create(t.Context(), definition, meta.CreateOptions{}); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			established(t, definition.Name, func(ctx context.Context) (*extensions.CustomResourceDefinition, error) {
				return definitions.Get(ctx, definition.Name, meta.GetOptions{})
			})
		}
	}
	c.namespace(t, "kafka")
	batch := &scheduling.PriorityClass{ObjectMeta: meta.ObjectMeta{Name: "batch"}, Value: 1}
	if _, err := c.client.SchedulingV1().PriorityClasses().Create(t.Context(), batch, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func established(t *testing.T, name string, get func(context.Context) (*extensions.CustomResourceDefinition, error)) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), poll, startTimeout, true, func(ctx context.Context) (bool, error) {
		definition, err := get(ctx)
		if err != nil {
			return false, err
		}
		for _, condition := range definition.Status.Conditions {
			if condition.Type == extensions.Established && condition.Status == extensions.ConditionTrue {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// namespace makes a namespace that admits no pod beyond the restricted standard.
func (c *cluster) namespace(t *testing.T, name string) {
	t.Helper()
	object := &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
	if _, err := c.client.CoreV1().Namespaces().Create(t.Context(), object, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// definitionFiles are the CRDs as KEDA and the Prometheus Operator publish them,
// of the versions whose types the tests decode into. Strimzi publishes none as a Go
// module: TRUEUP_STRIMZI_CRDS may name a directory with its own, else those of
// testdata stand in.
func definitionFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	kedaDir := listed(t, "{{.Dir}}", "github.com/kedacore/keda/v2")
	for _, kind := range []string{"scaledobjects", "triggerauthentications"} {
		files = append(files, filepath.Join(kedaDir, "config/crd/bases/keda.sh_"+kind+".yaml"))
	}
	const operator = "github.com/prometheus-operator/prometheus-operator"
	operatorDir := downloaded(t, operator+"@"+listed(t, "{{.Version}}", operator+"/pkg/apis/monitoring"))
	for _, kind := range []string{"servicemonitors", "podmonitors", "prometheusrules"} {
		files = append(files, filepath.Join(operatorDir, "example/prometheus-operator-crd/monitoring.coreos.com_"+kind+".yaml"))
	}
	strimzi := os.Getenv("TRUEUP_STRIMZI_CRDS")
	if strimzi == "" {
		strimzi = "testdata/crds"
	}
	own, err := filepath.Glob(filepath.Join(strimzi, "*.yaml"))
	if err != nil || len(own) == 0 {
		t.Fatalf("no CRDs of Strimzi in %s", strimzi)
	}
	return append(files, own...)
}

// listed asks for a module of go.mod.
func listed(t *testing.T, format, module string) string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", format, module).Output()
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		t.Fatalf("go list -m %s: %v", module, err)
	}
	return string(bytes.TrimSpace(text))
}

// downloaded is the directory of a module that nothing imports.
func downloaded(t *testing.T, module string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module)
	command.Dir = t.TempDir() // outside this module, whose go.mod does not have it
	text, err := command.Output()
	var answer struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(text, &answer); err != nil || jsonErr != nil || answer.Dir == "" {
		t.Fatalf("go mod download %s: %v %v %s", module, err, jsonErr, answer.Error)
	}
	return answer.Dir
}

// output keeps what a process says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) tail() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := o.text.Bytes()
	return text[max(0, len(text)-4000):]
}
