package database

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/trueup/trueup/internal/certificate"
)

// hints are the ways out of what servers say, by their code. The five-character
// codes are PostgreSQL's (its manual's appendix A), the numbers MySQL's and
// MariaDB's.
var hints = map[string]string{
	"1040":  hintConnections,
	"1203":  hintConnections,
	"53300": hintConnections,

	"1044":  "grant the user this database, or correct its name in the DSN",
	"1045":  hintLogin,
	"1698":  hintLogin,
	"1130":  "let the user in from this host: CREATE USER …@'this host', or a server setting",
	"28P01": "check user and password of the DSN",
	"28000": "check the user of the DSN, the client certificate if one is asked for (tls.cert_file, or sslcert= in the DSN), and pg_hba.conf on the server",
	"3159":  "the server insists on TLS; add tls=true to the DSN, or tls-ca=FILE for an authority of your own",

	"1046":  "name the database in the DSN, or write the table as database.table",
	"1049":  "create the database, or correct its name in the DSN",
	"3D000": "create the database, or correct its name in the DSN",

	"1290":  hintReadOnly,
	"1792":  hintReadOnly,
	"1836":  hintReadOnly,
	"1874":  hintReadOnly,
	"25006": hintReadOnly,

	"1969":  hintTimeout,
	"3024":  hintTimeout,
	"57014": hintTimeout,
}

const (
	hintConnections = "raise max_connections on the server, or use fewer connections here"
	hintPacket      = "raise max_allowed_packet on the server (it also bounds the largest row)"
	hintReadOnly    = "the server or the session refuses writes; connect to the primary to write"
	hintTimeout     = "the server's statement time-out ended it; raise the time-out or use smaller ranges"
	hintLogin       = "check user and password of the DSN, and from which hosts, and whether only with TLS or a certificate, the server lets this user in"
	hintTLS         = "check tls= (MySQL) or sslmode= (PostgreSQL) in the DSN, and that the server's certificate is valid for this host"
	hintDial        = "check host and port of the DSN, and that the server runs and may be reached from here"
	hintDigest      = "raise max_allowed_packet on the server, or use smaller ranges or the method merge"
)

// privileges are what an operation needs on its table.
var privileges = map[string]string{
	"inspect":                    "SELECT",
	"find the end of a range of": "SELECT",
	"digest rows of":             "SELECT",
	"read rows of":               "SELECT",
	"look up rows of":            "SELECT",
	"count rows of":              "SELECT",
	"lock rows of":               "SELECT, UPDATE and DELETE",
	"insert rows into":           "INSERT",
	"update rows of":             "UPDATE",
	"delete rows from":           "DELETE",
}

// hint is the way out of an error, or empty.
func hint(op string, err error) string {
	code := serverCode(err)
	switch {
	case code == "1142", code == "1143", code == "42501":
		if privilege := privileges[op]; privilege != "" {
			return "grant the user " + privilege + " on the table"
		}
		return "grant the user the privilege named"
	case code == "1227" || code == "1419":
		return "grant the user the privilege named"
	case isPacket(err):
		return hintPacket
	case code != "":
		return hints[code]
	case isTLS(err):
		return trust(err)
	case isType[*tooLargeError](err):
		return hintDigest
	case isDial(err):
		return hintDial
	default:
		return ""
	}
}

func isDial(err error) bool {
	if isType[*pgconn.ConnectError](err) || isType[*net.DNSError](err) {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
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

// trust is the way out of an error in building up TLS.
func trust(err error) string {
	expired, ok := certificate.Expired(err)
	switch {
	case ok:
		return expired + "; renew the server's certificate, or set this machine's clock"
	case isType[x509.UnknownAuthorityError](err):
		return "name the authority that signed the server's certificate: tls.ca_file, or in the DSN tls-ca= (MySQL), sslrootcert= (PostgreSQL)"
	case isType[x509.HostnameError](err):
		return "connect by a name that the server's certificate holds, or give that name: tls.server_name, or tls-server-name= in a MySQL DSN"
	case isAlert(err, refusals...):
		return "the server refuses this client's certificate, or wants one: tls.cert_file and tls.key_file, or in the DSN tls-cert= and tls-key= (MySQL), sslcert= and sslkey= (PostgreSQL)"
	default:
		return hintTLS
	}
}
