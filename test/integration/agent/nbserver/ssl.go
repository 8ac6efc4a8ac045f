package nbserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	certutil "k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// Certificates are files that a client of StartSSL needs.
type Certificates struct{ Certificate, Key, Authority string }

// StartSSL starts a server that is reached over SSL by those who have the
// certificate, at the endpoint that it returns.
func StartSSL(t testing.TB) (server *Server, endpoint string, client Certificates) {
	t.Helper()
	folder := t.TempDir()
	own, its := certify(t, folder, "server"), certify(t, folder, "client")
	port := controlplane.FreePort(t)
	server = Start(t)
	server.Kill()
	server.Remotes = append(server.Remotes, fmt.Sprintf("pssl:%d:127.0.0.1", port))
	server.Extra = []string{"--private-key=" + own.Key, "--certificate=" + own.Certificate, "--ca-cert=" + its.Authority}
	server.Run(t)
	return server, fmt.Sprintf("ssl:127.0.0.1:%d", port), Certificates{Certificate: its.Certificate, Key: its.Key, Authority: own.Authority}
}

// RenewSSL replaces all certificates of a server of StartSSL, in their files, and
// has the server take them. What was signed before is worth nothing any more.
func (s *Server) RenewSSL(t testing.TB, client Certificates) {
	t.Helper()
	folder := filepath.Dir(client.Certificate)
	certify(t, folder, "server")
	certify(t, folder, "client")
	s.Kill()
	s.Run(t)
}

// certify makes a certificate that signs itself, for either end: client-go's
// are for servers only.
func certify(t testing.TB, folder, name string) Certificates {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, name+".crt")
	out := Certificates{Certificate: file, Key: filepath.Join(folder, name+".key"), Authority: file}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	if err := errors.Join(os.WriteFile(out.Certificate, public, 0o600), os.WriteFile(out.Key, private, 0o600)); err != nil {
		t.Fatal(err)
	}
	return out
}

// Config is the client's, for Go.
func (c Certificates) Config() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return nil, err
	}
	pool, err := certutil.NewPool(c.Authority)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
