package chart

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/trueup/trueup/internal/testenv"
)

// patience bounds every wait for something that is bound to happen.
const patience = 90 * time.Second

// live is a validator and a fixer between two databases and topics of the test's own.
type live struct {
	t              *testing.T
	programs       string
	source, target string
	config         string
	services       map[string]string // the URL of each
	scrapes        []model.Vector
}

// newLive makes databases, topics and a configuration; settings holds pairs and the rest.
func newLive(t *testing.T, settings string) *live {
	t.Helper()
	if testing.Short() {
		t.Skip("needs MariaDB, PostgreSQL and Kafka")
	}
	l := &live{t: t, programs: t.TempDir(), source: testenv.MySQL(t), target: testenv.Postgres(t), services: map[string]string{}}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", l.programs, "./services/...")
	build.Dir = top
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the commands: %v\n%s", err, out)
	}
	text := fmt.Sprintf("source: {dsn: %q}\ntarget: {dsn: %q}\nkafka: {brokers: [%q], prefix: %q, partitions: 3}\nhttp: {listen: \"127.0.0.1:0\"}\n%s",
		hidePassword(t, "SOURCE_PASSWORD", l.source), hidePassword(t, "TARGET_PASSWORD", l.target), strings.Join(testenv.Kafka(t), `", "`), testenv.Prefix(t), settings)
	l.config = filepath.Join(t.TempDir(), "trueup.yaml")
	if err := os.WriteFile(l.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.trueup("topics", "create", "--config", l.config)
	return l
}

// hidePassword moves the password of a URL to an environment variable.
func hidePassword(t *testing.T, variable, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("a test database has no valid URL")
	}
	password, _ := u.User.Password()
	t.Setenv(variable, password)
	return strings.Replace(dsn, ":"+password+"@", ":${"+variable+"}@", 1)
}

// trueup runs a command that has to succeed.
func (l *live) trueup(args ...string) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	if out, err := exec.CommandContext(ctx, filepath.Join(l.programs, "trueup"), args...).CombinedOutput(); err != nil {
		l.t.Fatalf("trueup %v: %v\n%s", args, err, out)
	}
}

// start starts a service, which ends with the test, and waits until it serves HTTP.
func (l *live) start(name string) {
	l.t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(l.t.Context()), filepath.Join(l.programs, name), "--config", l.config)
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	var mu sync.Mutex
	var log []string
	address, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			mu.Lock()
			log = append(log, lines.Text())
			mu.Unlock()
			var line struct{ Message, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Message == "serving http" {
				address <- line.Address
			}
		}
		_ = cmd.Wait() // it is killed
	}()
	l.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-ended
		if l.t.Failed() {
			l.t.Logf("log of the %s:\n%s", name, strings.Join(log[max(len(log)-10, 0):], "\n"))
		}
	})
	select {
	case at := <-address:
		l.services[name] = "http://" + at
	case <-ended:
		l.t.Fatalf("the %s ended:\n%s", name, strings.Join(log, "\n"))
	case <-time.After(patience):
		l.t.Fatalf("the %s does not serve HTTP", name)
	}
}

// scrape asks both services for their metrics as a Prometheus in a cluster does, and
// returns what they say now.
func (l *live) scrape() model.Vector {
	l.t.Helper()
	var all model.Vector
	for name, at := range l.services {
		request, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, at+"/metrics", http.NoBody)
		if err != nil {
			l.t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			l.t.Fatal(err)
		}
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(response.Body)
		_ = response.Body.Close() // it was read
		if err != nil {
			l.t.Fatalf("metrics of the %s: %v", name, err)
		}
		for _, family := range families {
			samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, family)
			if err != nil {
				l.t.Fatal(err)
			}
			for _, s := range samples {
				for label, value := range map[string]string{
					"namespace": "shop", "pod": name + "-0", "container": name, "service": name, "job": name, "instance": "10.0.0.1:8080", "endpoint": "http",
				} {
					if _, own := s.Metric[model.LabelName(label)]; own {
						label = "exported_" + label // as Prometheus does, but for honor_labels
					}
					s.Metric[model.LabelName(label)] = model.LabelValue(value)
				}
			}
			all = append(all, samples...)
		}
	}
	l.scrapes = append(l.scrapes, all)
	return all
}

// until scrapes until each condition is met by some sample.
func (l *live) until(conditions ...condition) {
	l.t.Helper()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		missing := unmet(l.scrape(), conditions)
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("after %v there still is no %v", patience, missing)
		}
	}
}

// condition is met by a sample of the metric with the labels and at least the value.
type condition struct {
	metric  string
	labels  model.LabelSet
	atLeast float64
}

func unmet(samples model.Vector, conditions []condition) []condition {
	var missing []condition
	for _, c := range conditions {
		met := false
		for _, s := range samples {
			if string(s.Metric["__name__"]) != c.metric || float64(s.Value) < c.atLeast {
				continue
			}
			fits := true
			for name, value := range c.labels {
				fits = fits && s.Metric[name] == value
			}
			met = met || fits
		}
		if !met {
			missing = append(missing, c)
		}
	}
	return missing
}
