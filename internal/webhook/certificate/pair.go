package certificate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"slices"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	certutil "k8s.io/client-go/util/cert"
)

// authorities is the Secret's key of the certificates to trust.
const authorities = "ca.crt"

// pair is a certificate with its key and with the authorities to trust: its
// own, and those of earlier ones that may still be shown.
type pair struct {
	tls.Certificate
	authorities []byte
	// token is what only the API server knows; see Keeper.Knows.
	token string
}

// readPair returns the Secret's certificate where it can be used at all.
func readPair(secret *corev1.Secret, names []string, now time.Time) (*pair, error) {
	read, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil, err
	}
	p := &pair{Certificate: read, authorities: secret.Data[authorities], token: string(secret.Data[pathToken])}
	if len(p.token) < shortestToken {
		return nil, errors.New("there is no token with it that tells the API server from others")
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(p.authorities)
	for _, name := range names {
		if _, err := p.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: now}); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// renewal is when two thirds of the certificate's time are over.
func (p *pair) renewal(life time.Duration) time.Time { return p.Leaf.NotAfter.Add(-life / 3) }

// issue makes a new pair for these names. trusted are the authorities so far.
func issue(names []string, life time.Duration, trusted []byte, now time.Time) (certificate, key, authorities []byte, err error) {
	if len(names) == 0 {
		return nil, nil, nil, errors.New("it has no webhook to make a certificate for")
	}
	// It counts from an hour before the system's time, for clocks that differ.
	options := certutil.SelfSignedCertKeyOptions{Host: names[0], MaxAge: time.Until(now.Add(life)) + time.Hour}
	for _, name := range names[1:] {
		if ip := net.ParseIP(name); ip != nil {
			options.AlternateIPs = append(options.AlternateIPs, ip)
		} else {
			options.AlternateDNS = append(options.AlternateDNS, name)
		}
	}
	certificate, key, err = certutil.GenerateSelfSignedCertKeyWithOptions(options)
	if err != nil {
		return nil, nil, nil, err
	}
	// The certificate comes first, its authority second.
	_, authority := pem.Decode(certificate)
	return certificate, key, slices.Concat(authority, stillValid(trusted, now)), nil
}

// stillValid drops authorities whose time is over, so that the list does not
// grow.
func stillValid(trusted []byte, now time.Time) []byte {
	var out bytes.Buffer
	for {
		block, rest := pem.Decode(trusted)
		if block == nil {
			return out.Bytes()
		}
		trusted = rest
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil && now.Before(certificate.NotAfter) {
			_ = pem.Encode(&out, block) // A buffer takes everything.
		}
	}
}

// namesOf are the names by which the API server calls the webhooks, sorted.
func namesOf(configuration *admissionregistrationv1.ValidatingWebhookConfiguration) []string {
	var names []string
	for i := range configuration.Webhooks {
		client := &configuration.Webhooks[i].ClientConfig
		switch {
		case client.Service != nil:
			names = append(names, client.Service.Name+"."+client.Service.Namespace+".svc")
		case client.URL != nil:
			if host := hostOf(*client.URL); host != "" {
				names = append(names, host)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
