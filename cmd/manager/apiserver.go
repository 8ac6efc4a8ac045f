package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
)

// apiServer says by which client certificate the webhook recognises the API
// server.
type apiServer struct {
	file  string
	names []string
}

func (a *apiServer) validate() error {
	if a.file == "" {
		if len(a.names) > 0 {
			return errors.New("--webhook-client-names needs --webhook-client-ca-file, which signs these names")
		}
		return nil
	}
	_, err := a.authorities()
	return err
}

// authorities reads the file each time, so that it may be replaced.
func (a *apiServer) authorities() (*x509.CertPool, error) {
	text, err := os.ReadFile(a.file)
	if err != nil {
		return nil, fmt.Errorf("--webhook-client-ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--webhook-client-ca-file: %s has no certificate in PEM form", a.file)
	}
	return pool, nil
}

// require lets no other client finish a handshake. VerifyConnection is called for
// resumed sessions, too.
func (a *apiServer) require(config *tls.Config) {
	config.ClientAuth = tls.RequireAnyClientCert
	config.VerifyConnection = a.verify
}

func (a *apiServer) verify(state tls.ConnectionState) error {
	authorities, err := a.authorities()
	if err != nil {
		return err
	}
	intermediates := x509.NewCertPool()
	for _, certificate := range state.PeerCertificates[1:] {
		intermediates.AddCert(certificate)
	}
	client := state.PeerCertificates[0]
	if _, err := client.Verify(x509.VerifyOptions{
		Roots: authorities, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return fmt.Errorf("the client's certificate: %w", err)
	}
	known := func(name string) bool { return slices.Contains(a.names, name) }
	if len(a.names) > 0 && !known(client.Subject.CommonName) && !slices.ContainsFunc(client.DNSNames, known) {
		return fmt.Errorf("the client's certificate is for %q, which --webhook-client-names doesn't have", client.Subject.CommonName)
	}
	return nil
}
