package chart

import (
	"strings"
	"testing"
)

// Every one of these is refused before anything is installed, by a sentence that
// names the value.
func TestWrongValuesAreNamed(t *testing.T) {
	cases := map[string]struct{ values, want string }{
		"unknown value":           {`replicas: 2`, "'replicas'"},
		"unknown inner value":     {`fixer: {scaling: {replica: 2}}`, "at '/fixer/scaling': additional properties 'replica'"},
		"unknown probe":           {`probes: {liveness: {exec: {command: [ls]}}}`, "at '/probes/liveness': additional properties 'exec'"},
		"text for a number":       {`fixer: {scaling: {replicas: two}}`, "at '/fixer/scaling/replicas': got string, want integer"},
		"fraction":                {`port: 80.5`, "at '/port'"},
		"privileged port":         {`port: 80`, "at '/port'"},
		"unknown mode":            {`fixer: {scaling: {mode: both}}`, "at '/fixer/scaling/mode': value must be one of 'fixed', 'hpa', 'keda'"},
		"scale to nothing":        {`fixer: {scaling: {minReplicas: 0}}`, "at '/fixer/scaling/minReplicas'"},
		"too little grace":        {`terminationGracePeriodSeconds: 20`, "at '/terminationGracePeriodSeconds': minimum"},
		"no digest":               {`image: {digest: latest}`, "at '/image/digest'"},
		"list for a map":          {`secrets: {env: [A]}`, "at '/secrets/env': got array, want object"},
		"secret without key":      {`secrets: {env: {A: {name: a}}}`, "at '/secrets/env/A': missing property 'key'"},
		"variable's name":         {`secrets: {env: {"A-B": {name: a, key: b}}}`, "A-B"},
		"secret given as text":    {`secrets: {env: {A: s3cret}}`, "at '/secrets/env/A': got string, want object"},
		"no brokers":              {`config: {kafka: {brokers: []}}`, "at '/config/kafka/brokers'"},
		"broker without port":     {`config: {kafka: {brokers: [kafka]}}`, "at '/config/kafka/brokers/0'"},
		"no pairs":                {`config: {pairs: []}`, "at '/config/pairs'"},
		"no URL":                  {`config: {source: {dsn: "db:3306"}}`, "at '/config/source/dsn'"},
		"another engine":          {`config: {target: {dsn: "oracle://db/x"}}`, "at '/config/target/dsn'"},
		"traces of gRPC":          {`tracing: {endpoint: "collector:4317"}`, "at '/tracing/endpoint'"},
		"a password for traces":   {`tracing: {endpoint: "http://u:s3cret@collector:4318"}`, "at '/tracing/endpoint'"},
		"a sampler of none":       {`tracing: {sampler: sometimes}`, "at '/tracing/sampler'"},
		"more than all traces":    {`tracing: {ratio: 10}`, "at '/tracing/ratio'"},
		"budget that lets none":   {`fixer: {podDisruptionBudget: {maxUnavailable: 0}}`, "at '/fixer/podDisruptionBudget/maxUnavailable'"},
		"interval":                {`monitoring: {podMonitor: {interval: often}}`, "at '/monitoring/podMonitor/interval'"},
		"topics":                  {`topics: {manage: auto}`, "at '/topics/manage'"},
		"address":                 {`config: {http: {listen: ":80"}}`, "config.http.listen: the chart sets it; give port"},
		"password in the DSN":     {`config: {source: {dsn: "mysql://u:s3cret@db/x"}}`, "config.source.dsn: a password stands in the values"},
		"password with an at":     {`config: {target: {dsn: "postgres://u:s3@cret@db/x"}}`, "config.target.dsn: a password stands in the values"},
		"password around":         {`config: {target: {dsn: "postgres://u:a${TARGET_PASSWORD}@db/x"}}`, "config.target.dsn: a password stands in the values"},
		"password as a parameter": {`config: {target: {dsn: "postgres://db/x?password=s3cret"}}`, "config.target.dsn: a password stands in the values"},
		"password of Kafka":       {`config: {kafka: {sasl: {mechanism: PLAIN, username: u, password: s3cret}}}`, "config.kafka.sasl.password: a secret stands in the values"},
		"secret of tokens":        {`config: {kafka: {sasl: {mechanism: OAUTHBEARER, oauth: {client_secret: s3cret}}}}`, "config.kafka.sasl.oauth.client_secret: a secret stands in the values"},
		"key of digests":          {`config: {fixer: {digest_key: s3cret}}`, "config.fixer.digest_key: a secret stands in the values"},
		"token of the API":        {`config: {http: {token: s3cret}}`, "config.http.token: a secret stands in the values"},
		"TLS of the services":     {`config: {http: {tls: {cert_file: a, key_file: b}}}`, "config.http.tls: probes and monitors"},
		"variable nobody sets":    {`config: {source: {dsn: "mysql://u:${OTHER}@db/x"}}`, "secrets.env.OTHER is missing, which config.source.dsn asks for"},
		"file nobody mounts":      {`config: {kafka: {tls: {enabled: true, ca_file: /etc/trueup/secrets/ca/ca.crt}}}`, "secrets.files.ca is missing"},
		"idle fixers":             {`fixer: {scaling: {replicas: 13}}`, "fixer.scaling.replicas: 13 fixers for 12 partitions"},
		"idle fixers of KEDA":     {`{config: {kafka: {partitions: 4}}, fixer: {scaling: {mode: keda}}}`, "fixer.scaling.maxReplicas: 6 fixers for 4 partitions"},
		"more than the most":      {`fixer: {scaling: {mode: hpa, minReplicas: 7}}`, "fixer.scaling.minReplicas: 7 is more than maxReplicas, 6"},
		"Prometheus without URL":  {`fixer: {scaling: {mode: keda, keda: {trigger: prometheus}}}`, "fixer.scaling.keda.prometheus.serverAddress is missing"},
		"authentication twice":    {`fixer: {scaling: {mode: keda, keda: {authenticationRef: a, authentication: {username: {name: a, key: b}}}}}`, "fixer.scaling.keda.authentication:"},
		"two monitors":            {`monitoring: {serviceMonitor: {enabled: true}, podMonitor: {enabled: true}}`, "monitoring.podMonitor.enabled:"},
		"topics of no cluster":    {`topics: {manage: strimzi}`, "topics.strimzi.cluster is missing"},
		"user of no cluster":      {`kafkaUser: {enabled: true}`, "kafkaUser.cluster is missing"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := template(t, base(t, c.values), apis...)
			if err == nil {
				t.Fatal("taken")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant …%s…", err, c.want)
			}
			if strings.Contains(err.Error(), "s3cret") && !strings.Contains(c.want, "at '/") {
				t.Errorf("the password shows in %v", err)
			}
		})
	}
}

func TestWithoutValuesWhatIsMissingIsNamed(t *testing.T) {
	_, err := template(t, map[string]any{}, apis...)
	if err == nil {
		t.Fatal("taken")
	}
	for _, name := range []string{"'source'", "'target'", "'kafka'", "'pairs'"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is missing, and not named in %v", name, err)
		}
	}
}

func TestAnOperatorTheClusterLacksIsNamed(t *testing.T) {
	for _, c := range []struct{ values, field, api string }{
		{`fixer: {scaling: {mode: keda}}`, "fixer.scaling.mode", "keda.sh/v1alpha1"},
		{`monitoring: {serviceMonitor: {enabled: true}}`, "monitoring.serviceMonitor.enabled", "monitoring.coreos.com/v1"},
		{`monitoring: {podMonitor: {enabled: true}}`, "monitoring.podMonitor.enabled", "monitoring.coreos.com/v1"},
		{`monitoring: {prometheusRule: {enabled: true}}`, "monitoring.prometheusRule.enabled", "monitoring.coreos.com/v1"},
		{`topics: {manage: strimzi, strimzi: {cluster: main}}`, "topics.manage", "kafka.strimzi.io/v1"},
		{`kafkaUser: {enabled: true, cluster: main}`, "kafkaUser.enabled", "kafka.strimzi.io/v1"},
	} {
		values := base(t, c.values)
		if _, err := template(t, values); err == nil || !strings.Contains(err.Error(), c.field+": the cluster does not have the API "+c.api) {
			t.Errorf("%s: %v", c.field, err)
		}
		if _, err := template(t, values, apis...); err != nil {
			t.Errorf("%s: refused although the API is there: %v", c.field, err)
		}
	}
}

func TestTheDefaultsNeedNoOperator(t *testing.T) {
	if _, err := template(t, base(t, "{}")); err != nil {
		t.Error(err)
	}
}
