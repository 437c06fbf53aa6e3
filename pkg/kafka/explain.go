package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/internal/certificate"
)

// explain adds the way out to errors whose text alone does not show it. Causes
// come before what they lead to: that no broker is left.
func explain(err error) error {
	if hint := untrusted(err); hint != "" {
		return fmt.Errorf("%s: %w", hint, err)
	}
	var network net.Error
	switch {
	case isType[*secretError](err): // says what to do itself
		return err
	case errors.Is(err, sarama.ErrSASLAuthenticationFailed):
		return fmt.Errorf("the broker refuses the credentials; check kafka.sasl: %w", err)
	case strings.HasSuffix(err.Error(), sarama.ErrOutOfBrokers.Error()):
		// The client library leaves out a cause that the broker has a number for.
		return fmt.Errorf("the broker refuses to talk; it may ask for no login at this port, or not offer kafka.sasl.mechanism, or have no such port for clients: check kafka.sasl and kafka.brokers: %w", err)
	case errors.Is(err, sarama.ErrOutOfBrokers) && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return fmt.Errorf("the broker closes the connection, as it does where it expects TLS or a login; check kafka.tls and kafka.sasl: %w", err)
	case errors.Is(err, sarama.ErrOutOfBrokers), errors.Is(err, sarama.ErrBrokerNotAvailable), errors.As(err, &network):
		return fmt.Errorf("no broker answers; check kafka.brokers, kafka.tls, kafka.sasl and the network: %w", err)
	case errors.Is(err, sarama.ErrUnknownTopicOrPartition):
		return fmt.Errorf("the topic does not exist; run `trueup topics create`: %w", err)
	case errors.Is(err, sarama.ErrTopicAuthorizationFailed), errors.Is(err, sarama.ErrGroupAuthorizationFailed),
		errors.Is(err, sarama.ErrClusterAuthorizationFailed):
		return fmt.Errorf("the user of kafka.sasl lacks a permission; see the README for the list: %w", err)
	default:
		return err
	}
}

// refusals are TLS's alerts about a client's certificate (RFC 8446, section 6.2).
var refusals = []tls.AlertError{
	42,  // bad_certificate
	43,  // unsupported_certificate
	44,  // certificate_revoked
	45,  // certificate_expired
	46,  // certificate_unknown
	48,  // unknown_ca
	49,  // access_denied
	116, // certificate_required
}

// refusesCertificate says whether the other side sent one of these alerts. The type
// that crypto/tls gives them is its own; their texts are those of AlertError.
func refusesCertificate(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error" && slices.ContainsFunc(refusals, func(alert tls.AlertError) bool {
		return op.Err.Error() == alert.Error()
	})
}

// untrusted is the way out of an error in building up TLS; empty for others.
func untrusted(err error) string {
	if expired, ok := certificate.Expired(err); ok {
		return "the broker's certificate is not valid at this time: " + expired + "; renew it at the broker, or set this machine's clock"
	}
	switch {
	case refusesCertificate(err):
		return "the broker refuses this client's certificate, or wants one; set kafka.tls.cert_file and key_file to one that it trusts"
	case isType[x509.UnknownAuthorityError](err):
		return "the broker's certificate is signed by an authority that is not trusted; set kafka.tls.ca_file to that authority's certificate"
	case isType[x509.HostnameError](err):
		return "the broker's certificate holds another name; list the brokers by a name it holds, or set kafka.tls.server_name"
	case isType[tls.RecordHeaderError](err), isType[*handshakeError](err) && errors.Is(err, io.EOF):
		return "the broker does not speak TLS at this port; name its TLS port in kafka.brokers, or set kafka.tls.enabled: false"
	case isType[*tls.CertificateVerificationError](err), isType[*handshakeError](err):
		return "the broker and this client do not agree on TLS; check kafka.tls"
	default:
		return ""
	}
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
