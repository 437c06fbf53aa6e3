// Package compose checks docker-compose.yml against what the programs accept. It
// is a module of its own because the Compose library is nothing the product needs.
package compose

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/goccy/go-yaml"

	"github.com/trueup/trueup/services/assembly"
)

const top = "../.."

// programs are the services built from this repository.
var programs = []string{"topics", "validator", "fixer"}

func TestEveryMountedConfigurationIsAccepted(t *testing.T) {
	project := load(t)
	for _, name := range programs {
		file := configuration(t, project, name)
		if err := file.ForServices(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheDatabasesAndBrokersOfTheConfigurationAreServices(t *testing.T) {
	project := load(t)
	file := configuration(t, project, "validator")
	for _, dsn := range []string{file.Source.DSN, file.Target.DSN} {
		u, err := url.Parse(variable.ReplaceAllString(dsn, "secret"))
		if err != nil {
			t.Fatal(err)
		}
		publishes(t, project, u.Hostname(), u.Port())
	}
	for _, broker := range file.Kafka.Brokers {
		advertised := project.Services["kafka"].Environment["KAFKA_ADVERTISED_LISTENERS"]
		if advertised == nil || !strings.Contains(*advertised, "://"+broker) {
			t.Errorf("the configuration's broker %s is not what Kafka advertises", broker)
		}
	}
}

var variable = regexp.MustCompile(`\$\{(\w+)\}`)

func TestEveryVariableOfTheConfigurationIsSet(t *testing.T) {
	project := load(t)
	for _, name := range programs {
		file := configuration(t, project, name)
		names := variable.FindAllStringSubmatch(file.Source.DSN+file.Target.DSN, -1)
		if len(names) == 0 {
			t.Errorf("%s: a password stands in the configuration file", name)
		}
		for _, match := range names {
			if value := project.Services[name].Environment[match[1]]; value == nil || *value == "" {
				t.Errorf("%s: the configuration needs %s, which the service's environment lacks", name, match[1])
			}
		}
	}
}

func TestThePublishedPortIsTheOneTheProgramListensOn(t *testing.T) {
	project := load(t)
	for _, name := range []string{"validator", "fixer"} {
		_, port, err := net.SplitHostPort(configuration(t, project, name).HTTP.Listen)
		if err != nil {
			t.Fatalf("%s: http.listen: %v", name, err)
		}
		publishes(t, project, name, port)
		if check := project.Services[name].HealthCheck; check == nil || !strings.HasSuffix(check.Test[len(check.Test)-1], ":"+port+"/readyz") {
			t.Errorf("%s: the health check does not ask /readyz on port %s", name, port)
		}
	}
}

func TestEveryProgramIsOneTheImageHas(t *testing.T) {
	project := load(t)
	for _, name := range programs {
		main := filepath.Join(top, "services", project.Services[name].Command[0], "main.go")
		if _, err := os.Stat(main); err != nil {
			t.Errorf("%s runs %s: %v", name, project.Services[name].Command[0], err)
		}
	}
}

func TestTheProgramsStartAfterWhatTheyNeed(t *testing.T) {
	project := load(t)
	for _, name := range []string{"validator", "fixer"} {
		needs := project.Services[name].DependsOn
		for other, condition := range map[string]string{
			"source": types.ServiceConditionHealthy,
			"target": types.ServiceConditionHealthy,
			"topics": types.ServiceConditionCompletedSuccessfully,
		} {
			if needs[other].Condition != condition {
				t.Errorf("%s waits for %s to be %q, want %q", name, other, needs[other].Condition, condition)
			}
		}
	}
}

func TestPrometheusAsksTheProgramsAndGrafanaShowsTheChartsDashboard(t *testing.T) {
	project := load(t)
	var asks struct {
		Rules   []string `yaml:"rule_files"`
		Scrapes []struct {
			Static []struct {
				Targets []string
				Labels  map[string]string
			} `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	read(t, mounted(t, project, "prometheus", "/etc/prometheus/prometheus.yml"), &asks)
	for _, file := range asks.Rules {
		if got, want := mounted(t, project, "prometheus", file), "charts/trueup/files/rules.yaml"; !strings.HasSuffix(got, want) {
			t.Errorf("Prometheus judges by %s, want %s", got, want)
		}
	}
	var targets []string
	for _, static := range asks.Scrapes[0].Static {
		if static.Labels["namespace"] == "" || static.Labels["pod"] == "" {
			t.Errorf("%v lack the labels that rules and dashboard sort by: %v", static.Targets, static.Labels)
		}
		targets = append(targets, static.Targets...)
	}
	for _, name := range []string{"validator", "fixer"} {
		_, port, _ := net.SplitHostPort(configuration(t, project, name).HTTP.Listen)
		if !slices.Contains(targets, name+":"+port) {
			t.Errorf("Prometheus asks %v, and not %s on port %s", targets, name, port)
		}
	}
	var sources struct{ Datasources []struct{ Type, URL string } }
	read(t, mounted(t, project, "grafana", "/etc/grafana/provisioning/datasources/trueup.yaml"), &sources)
	u, err := url.Parse(sources.Datasources[0].URL)
	if err != nil || sources.Datasources[0].Type != "prometheus" {
		t.Fatalf("%v, %v", sources, err)
	}
	publishes(t, project, u.Hostname(), u.Port())
	var shown struct {
		Providers []struct{ Options struct{ Path string } }
	}
	read(t, mounted(t, project, "grafana", "/etc/grafana/provisioning/dashboards/trueup.yaml"), &shown)
	path := shown.Providers[0].Options.Path + "/trueup.json"
	if got, want := mounted(t, project, "grafana", path), "charts/trueup/files/dashboard.json"; !strings.HasSuffix(got, want) {
		t.Errorf("Grafana shows %s, want %s", got, want)
	}
	if home := project.Services["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]; home == nil || *home != path {
		t.Errorf("the first page of Grafana is %v, want %s", home, path)
	}
}

// mounted is the file of this repository that a service sees under a path.
func mounted(t *testing.T, project *types.Project, name, path string) string {
	t.Helper()
	for _, volume := range project.Services[name].Volumes {
		if volume.Target == path {
			return volume.Source
		}
	}
	t.Fatalf("%s has no %s", name, path)
	return ""
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A laptop in a café: none of the ports may be open to its network.
func TestPortsAreOpenToThisMachineOnly(t *testing.T) {
	for name, service := range load(t).Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes port %d on %q, want 127.0.0.1", name, port.Target, port.HostIP)
			}
		}
	}
}

func TestTheServersTheTestsUseAreThere(t *testing.T) {
	project := load(t)
	for _, name := range []string{"mariadb", "target", "kafka"} {
		if project.Services[name].HealthCheck == nil {
			t.Errorf("scripts/services/docker.sh waits for %s, which is missing or has no health check", name)
		}
	}
	if slices.Contains(load(t, "none").ServiceNames(), "mariadb") {
		t.Error("mariadb is for the tests, yet a plain `docker compose up` starts it")
	}
}

// load reads docker-compose.yml with the profiles, "test" if none is named.
func load(t *testing.T, profiles ...string) *types.Project {
	t.Helper()
	if len(profiles) == 0 {
		profiles = []string{"test"}
	}
	// Without the environment of this machine the defaults count.
	options, err := cli.NewProjectOptions([]string{filepath.Join(top, "docker-compose.yml")}, cli.WithProfiles(profiles))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatalf("load docker-compose.yml: %v", err)
	}
	return project
}

// configuration loads the file that the service is given by --config.
func configuration(t *testing.T, project *types.Project, name string) assembly.File {
	t.Helper()
	service, found := project.Services[name]
	if !found {
		t.Fatalf("docker-compose.yml has no service %s", name)
	}
	flag := slices.Index(service.Command, "--config")
	if flag < 0 || flag+1 == len(service.Command) {
		t.Fatalf("%s has no --config FILE: %v", name, service.Command)
	}
	for _, volume := range service.Volumes {
		if volume.Target != service.Command[flag+1] {
			continue
		}
		file, err := assembly.Load(volume.Source)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	t.Fatalf("%s is told to read %s, which is not mounted", name, service.Command[flag+1])
	return assembly.File{}
}

// publishes fails unless the service exists and has port as a container port.
func publishes(t *testing.T, project *types.Project, name, port string) {
	t.Helper()
	number, err := strconv.ParseUint(port, 10, 32)
	if err != nil {
		t.Fatalf("port of %s: %v", name, err)
	}
	service, found := project.Services[name]
	if !found {
		t.Errorf("the configuration names the host %s, which is no service", name)
		return
	}
	if !slices.ContainsFunc(service.Ports, func(p types.ServicePortConfig) bool { return uint64(p.Target) == number }) {
		t.Errorf("%s does not listen on port %s", name, port)
	}
}
