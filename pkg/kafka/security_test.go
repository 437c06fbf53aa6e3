package kafka_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

// The secrets of these tests, which must show nowhere.
const (
	password = "correct-horse-0815"
	wrong    = "wrong-battery-4711"
)

// credentials is what is said of a wrong password.
const credentials = "refuses the credentials; check kafka.sasl"

// secured is a broker with every kind of port.
type secured struct {
	*testenv.Broker
	authority *testenv.Authority
	// client is a certificate that the port MTLS trusts.
	client testenv.Issued
	topics string
}

func newSecured(t *testing.T) *secured {
	t.Helper()
	if testing.Short() || !testenv.HasBroker() {
		t.Skip("needs Java and Kafka's jars, which make services-up fetches where there is no Docker engine")
	}
	s := &secured{authority: testenv.NewAuthority(t, "brokers"), topics: "secured"}
	s.client = s.authority.Issue(testenv.Certificate{Common: "client"})
	good := s.authority.Issue(testenv.Certificate{Common: "broker"})
	pem := func(issued testenv.Issued, more map[string]string) map[string]string {
		settings := map[string]string{
			"ssl.keystore.type": "PEM", "ssl.keystore.location": issued.Both, "ssl.truststore.type": "PEM", "ssl.truststore.location": s.authority.File,
		}
		for name, value := range more {
			settings[name] = value
		}
		return settings
	}
	const module = "org.apache.kafka.common.security."
	login := map[string]string{
		"sasl.enabled.mechanisms":        "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
		"plain.sasl.jaas.config":         plainUsers(password),
		"scram-sha-256.sasl.jaas.config": module + "scram.ScramLoginModule required;",
		"scram-sha-512.sasl.jaas.config": module + "scram.ScramLoginModule required;",
		"oauthbearer.sasl.jaas.config":   module + `oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
	}
	elsewhere := s.authority.Issue(testenv.Certificate{Common: "elsewhere", Names: []string{"elsewhere.example"}})
	expired := s.authority.Issue(testenv.Certificate{Common: "expired", Expired: true})
	s.Broker = testenv.NewBroker(t, map[string]string{"auto.create.topics.enable": "true"},
		testenv.Listener{Name: "TLS", Protocol: "SSL", Settings: pem(good, nil)},
		testenv.Listener{Name: "MTLS", Protocol: "SSL", Settings: pem(good, map[string]string{"ssl.client.auth": "required"})},
		testenv.Listener{Name: "SASL", Protocol: "SASL_SSL", Settings: pem(good, login)},
		testenv.Listener{Name: "ELSEWHERE", Protocol: "SSL", Settings: pem(elsewhere, nil)},
		testenv.Listener{Name: "EXPIRED", Protocol: "SSL", Settings: pem(expired, nil)},
	)
	s.User("scram", password)
	admin := s.admin(t, kafka.Config{Brokers: []string{s.Admin}})
	if _, err := admin.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// at is a configuration for one of the ports.
func (s *secured) at(listener string, tls kafka.TLS, sasl kafka.SASL) kafka.Config {
	return kafka.Config{Brokers: []string{s.Address(listener)}, TLS: tls, SASL: sasl}
}

func (s *secured) admin(t *testing.T, c kafka.Config) *kafka.Admin {
	t.Helper()
	c.Prefix, c.Partitions = s.topics, 1
	admin, err := kafka.NewAdmin(c)
	if err != nil {
		t.Fatal(err)
	}
	return admin
}

// trusted is TLS with the brokers' authority.
func (s *secured) trusted() kafka.TLS { return kafka.TLS{Enabled: true, CAFile: s.authority.File} }

// token is one as the broker's validator for development takes it: signed by nobody.
func token(subject string) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	claims := fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, subject, time.Now().Unix(), time.Now().Add(time.Hour).Unix())
	return part(`{"alg":"none"}`) + "." + part(claims) + "."
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOnABrokerThatWantsProofs(t *testing.T) {
	t.Parallel()
	s := newSecured(t)
	t.Run("every way to give one works", s.worksEveryWay)
	t.Run("what is wrong is named", s.namesWhatIsWrong)
	t.Run("a topic that is missing is not created by chance", s.createsNothing)
	t.Run("a new certificate in its file needs no restart", s.renewsCertificates)
	t.Run("a new password in its file needs no restart", s.renewsPasswords)
}

func (s *secured) oauth(t *testing.T) kafka.OAuth {
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); id != "trueup" || secret != password || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "kafka write" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":"invalid_client","error_description":"no such secret: %s"}`, secret)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, token("oauth"))
	}))
	t.Cleanup(endpoint.Close)
	return kafka.OAuth{TokenURL: endpoint.URL + "/token", ClientID: "trueup", ClientSecret: password, Scope: "kafka write"}
}

func (s *secured) worksEveryWay(t *testing.T) {
	mutual := s.trusted()
	mutual.CertFile, mutual.KeyFile = s.client.Cert, s.client.Key
	named := s.trusted()
	named.ServerName = "elsewhere.example"
	ways := map[string]kafka.Config{
		"TLS":                    s.at("TLS", s.trusted(), kafka.SASL{}),
		"client certificate":     s.at("MTLS", mutual, kafka.SASL{}),
		"server name":            s.at("ELSEWHERE", named, kafka.SASL{}),
		"PLAIN":                  s.at("SASL", s.trusted(), kafka.SASL{Mechanism: kafka.Plain, Username: "plain", Password: password}),
		"PLAIN from a file":      s.at("SASL", s.trusted(), kafka.SASL{Mechanism: kafka.Plain, Username: "plain", PasswordFile: secretFile(t, password+"\n")}),
		"SCRAM-SHA-256":          s.at("SASL", s.trusted(), kafka.SASL{Mechanism: kafka.ScramSHA256, Username: "scram", Password: password}),
		"SCRAM-SHA-512":          s.at("SASL", s.trusted(), kafka.SASL{Mechanism: kafka.ScramSHA512, Username: "scram", PasswordFile: secretFile(t, password)}),
		"OAUTHBEARER, a file":    s.at("SASL", s.trusted(), kafka.SASL{Mechanism: kafka.OAuthBearer, TokenFile: secretFile(t, token("file")+"\n")}),
		"OAUTHBEARER, an issuer": s.at("SASL", s.trusted(), kafka.SASL{Mechanism: kafka.OAuthBearer, OAuth: s.oauth(t)}),
	}
	for name, c := range ways {
		t.Run(name, func(t *testing.T) {
			if err := s.admin(t, c).Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func (s *secured) namesWhatIsWrong(t *testing.T) {
	oauth := s.oauth(t)
	refused := func(name string, c kafka.Config, want ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := s.admin(t, c).Check(ctx)
			if err == nil {
				t.Fatal("no error")
			}
			for _, text := range want {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q lacks %q", err, text)
				}
			}
			for _, secret := range []string{password, wrong} {
				if strings.Contains(fmt.Sprintf("%v %+v %q", err, err, err), secret) {
					t.Errorf("a secret shows in %q", err)
				}
			}
		})
	}
	sasl := func(mechanism, user string) kafka.SASL {
		return kafka.SASL{Mechanism: mechanism, Username: user, Password: wrong}
	}
	stranger := testenv.NewAuthority(t, "stranger")
	other := func(issued testenv.Issued) kafka.TLS {
		tls := s.trusted()
		tls.CertFile, tls.KeyFile = issued.Cert, issued.Key
		return tls
	}
	refused("wrong password, PLAIN", s.at("SASL", s.trusted(), sasl(kafka.Plain, "plain")), credentials)
	refused("wrong password, SCRAM-SHA-256", s.at("SASL", s.trusted(), sasl(kafka.ScramSHA256, "scram")), credentials)
	refused("wrong password, SCRAM-SHA-512", s.at("SASL", s.trusted(), sasl(kafka.ScramSHA512, "scram")), credentials)
	refused("no such user", s.at("SASL", s.trusted(), sasl(kafka.ScramSHA512, "nobody")), credentials)
	refused("no token", s.at("SASL", s.trusted(), kafka.SASL{Mechanism: kafka.OAuthBearer, TokenFile: secretFile(t, "no.token.")}), credentials)
	refused("wrong client secret", s.at("SASL", s.trusted(), kafka.SASL{Mechanism: kafka.OAuthBearer, OAuth: kafka.OAuth{
		TokenURL: oauth.TokenURL, ClientID: "trueup", ClientSecret: wrong,
	}}), "get a token for Kafka from "+oauth.TokenURL, "401", "invalid_client", "check kafka.sasl.oauth")
	refused("no secret file", s.at("SASL", s.trusted(), kafka.SASL{Mechanism: kafka.ScramSHA512, Username: "scram", PasswordFile: "/no/such/file"}),
		"kafka.sasl.password_file", "/no/such/file")
	refused("empty secret file", s.at("SASL", s.trusted(), kafka.SASL{Mechanism: kafka.Plain, Username: "plain", PasswordFile: secretFile(t, "\n")}), "is empty")
	refused("wrong authority", s.at("TLS", kafka.TLS{Enabled: true, CAFile: stranger.File}, kafka.SASL{}), "not trusted; set kafka.tls.ca_file")
	refused("no authority", s.at("TLS", kafka.TLS{Enabled: true}, kafka.SASL{}), "not trusted; set kafka.tls.ca_file")
	refused("missing authority", s.at("TLS", kafka.TLS{Enabled: true, CAFile: "/no/such/file"}, kafka.SASL{}), "kafka.tls.ca_file", "/no/such/file")
	refused("wrong server name", s.at("ELSEWHERE", s.trusted(), kafka.SASL{}), "another name", "kafka.tls.server_name")
	refused("expired at the broker", s.at("EXPIRED", s.trusted(), kafka.SASL{}), `the certificate "CN=expired" is valid from `, " to ", "; renew it at the broker")
	refused("expired client certificate", s.at("MTLS", other(s.authority.Issue(testenv.Certificate{Expired: true})), kafka.SASL{}), "kafka.tls.cert_file", "expired on", "renew")
	refused("no client certificate", s.at("MTLS", s.trusted(), kafka.SASL{}), "refuses this client's certificate, or wants one")
	refused("a stranger's client certificate", s.at("MTLS", other(stranger.Issue(testenv.Certificate{})), kafka.SASL{}), "refuses this client's certificate")
	refused("TLS at a plain port", s.at("ADMIN", s.trusted(), kafka.SASL{}), "does not speak TLS at this port")
	refused("plain at a TLS port", s.at("TLS", kafka.TLS{}, kafka.SASL{}), "check kafka.tls")
	refused("no login where one is asked for", s.at("SASL", s.trusted(), kafka.SASL{}), "kafka.sasl")
	refused("a login where none is asked for", s.at("TLS", s.trusted(), kafka.SASL{Mechanism: kafka.Plain, Username: "plain", Password: password}), "may ask for no login at this port", "check kafka.sasl")
}

// A password is changed at the broker and in its file, and connections are lost. Who
// publishes, follows and consumes goes on.
func (s *secured) renewsPasswords(t *testing.T) {
	changes := map[string]struct {
		user   string
		change func(password string)
	}{
		kafka.ScramSHA512: {"scram", func(password string) { s.User("scram", password) }},
		kafka.Plain:       {"plain", func(password string) { s.plain(password) }},
	}
	for mechanism, c := range changes {
		t.Run(mechanism, func(t *testing.T) {
			file, g := secretFile(t, password), &gate{}
			config := s.at("SASL", s.trusted(), kafka.SASL{Mechanism: mechanism, Username: c.user, PasswordFile: file}).WithDialer(g)
			config.Prefix, config.Partitions = s.topics, 1
			p := kafkatest.Publisher(t, config)
			got := kafkatest.NewCollector()
			member, _ := kafkatest.Member(t, config, kafka.GroupConfig{Group: mechanism}, got)
			follower, err := kafka.FollowState(config, zerolog.Nop(), func(event.Record) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			following, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- follower.Run(following) }()
			defer func() {
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}()
			pair := strings.ToLower(mechanism)
			if err := p.PublishFindings(t.Context(), kafkatest.Findings(pair, 10)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the first findings arrive", func() bool { return got.Of(pair) == 10 })

			g.close()
			c.change(wrong)
			g.open()
			done := make(chan error, 1)
			go func() { done <- p.PublishFindings(t.Context(), kafkatest.Findings(pair+"-later", 10)) }()
			eventually(t, "all three are refused", func() bool {
				_, publishing, _ := p.Healthy()
				_, consuming, _ := member.Healthy()
				_, read, _ := follower.Healthy()
				return strings.Contains(publishing, credentials) && strings.Contains(consuming, credentials) && strings.Contains(read, credentials)
			})
			if err := os.WriteFile(file, []byte(wrong), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			eventually(t, "the findings published afterwards arrive", func() bool { return got.Of(pair+"-later") == 10 })
			if err := follower.Await(t.Context(), time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
}

// The broker would create any topic that a client asks about with that wish.
func (s *secured) createsNothing(t *testing.T) {
	c := kafka.Config{Brokers: []string{s.Admin}, Prefix: "forgotten", Partitions: 1}
	admin, err := kafka.NewAdmin(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "forgotten.findings does not exist") {
		t.Errorf("the topics are missing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p := kafkatest.Publisher(t, c)
	done := make(chan error, 1)
	go func() { done <- p.PublishFindings(ctx, kafkatest.Findings("lost", 1)) }()
	eventually(t, "publishing says that there is no topic", func() bool {
		_, reason, _ := p.Healthy()
		return strings.Contains(reason, "run `trueup topics create`")
	})
	cancel()
	if err := <-done; err == nil {
		t.Error("a finding was published to nowhere")
	}
	s.Do(func(admin sarama.ClusterAdmin) error {
		topics, err := admin.ListTopics()
		for name := range topics {
			if strings.HasPrefix(name, "forgotten") {
				t.Errorf("topic %s was created", name)
			}
		}
		return err
	})
}

// A client's certificate and the authority it trusts are another's at first.
func (s *secured) renewsCertificates(t *testing.T) {
	copied := func(to, from string) {
		content, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	tls := kafka.TLS{Enabled: true, CAFile: filepath.Join(dir, "ca"), CertFile: filepath.Join(dir, "cert"), KeyFile: filepath.Join(dir, "key")}
	stranger := testenv.NewAuthority(t, "stranger")
	foreign := stranger.Issue(testenv.Certificate{})
	copied(tls.CAFile, stranger.File)
	copied(tls.CertFile, foreign.Cert)
	copied(tls.KeyFile, foreign.Key)
	config := s.at("MTLS", tls, kafka.SASL{})
	config.Prefix, config.Partitions = s.topics, 1
	p := kafkatest.Publisher(t, config)
	done := make(chan error, 1)
	go func() { done <- p.PublishFindings(t.Context(), kafkatest.Findings("renewed", 1)) }()
	says := func(text string) func() bool {
		return func() bool {
			_, reason, _ := p.Healthy()
			return strings.Contains(reason, text)
		}
	}
	eventually(t, "the broker is not trusted", says("not trusted; set kafka.tls.ca_file"))
	copied(tls.CAFile, s.authority.File)
	eventually(t, "the broker does not trust the client", says("refuses this client's certificate"))
	copied(tls.CertFile, s.client.Cert)
	copied(tls.KeyFile, s.client.Key)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// With several brokers one may refuse a member that the coordinator still takes.
func TestARefusedMemberBeginsAnew(t *testing.T) {
	member, err := kafka.NewGroup(kafka.Config{Brokers: []string{"kafka:9092"}}, kafka.GroupConfig{Group: "g"}, kafkatest.NewCollector(), zerolog.Nop(), kafka.Unobserved{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err  error
		want bool
	}{{sarama.ErrSASLAuthenticationFailed, true}, {sarama.ErrNotConnected, false}} {
		errs, ended := make(chan error, 1), false
		errs <- &sarama.ConsumerError{Topic: "t", Err: c.err}
		close(errs)
		member.Drain(errs, func() { ended = true })
		if ended != c.want {
			t.Errorf("after %v the membership ended: %t", c.err, ended)
		}
	}
}

// plain gives the user of PLAIN another password, which stands in the broker's settings.
func (s *secured) plain(password string) {
	s.Restart("listener.name.sasl.plain.sasl.jaas.config", plainUsers(password))
}

func plainUsers(password string) string {
	return `org.apache.kafka.common.security.plain.PlainLoginModule required user_plain="` + password + `";`
}
