package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// ovnTLS checks the server's certificate as OVN's own programs do: it has to
// be signed by the given authority, while its name is not looked at, because
// OVN's certificates carry a name of the cluster rather than of the server.
func ovnTLS(pair tls.Certificate, roots *x509.CertPool) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{pair},
		// The check that this leaves out is made below, without the name.
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies.
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errors.New("the OVN Northbound database shows no certificate")
			}
			intermediates := x509.NewCertPool()
			for _, certificate := range state.PeerCertificates[1:] {
				intermediates.AddCert(certificate)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{
				Roots: roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
			})
			return err
		},
	}
}
