// Package certificate says in a sentence what is wrong with a certificate that was
// shown, for those who have to renew it.
package certificate

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Expired says whose certificate is not valid at this time, and when it is; false
// where that is not what is wrong.
func Expired(err error) (sentence string, expired bool) {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	if !ok || invalid.Reason != x509.Expired || invalid.Cert == nil {
		return "", false
	}
	c := invalid.Cert
	return fmt.Sprintf("the certificate %q is valid from %s to %s only", c.Subject, day(c.NotBefore), day(c.NotAfter)), true
}

func day(at time.Time) string { return at.UTC().Format(time.RFC3339) }
