package ovnnb_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// certificate makes a certificate that signs itself, in two files.
func certificate(t *testing.T, folder, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for kind, content := range map[string][]byte{"CERTIFICATE": der, "PRIVATE KEY": private} {
		file := filepath.Join(folder, name+"-"+kind[:4])
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, name+"-CERT"), filepath.Join(folder, name+"-PRIV"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return pair, pool
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func TestTCPAndSSL(t *testing.T) {
	nbserver.Require(t)
	folder := t.TempDir()
	_, serverPool := certificate(t, folder, "server")
	client, _ := certificate(t, folder, "client")
	file := func(name string) string { return filepath.Join(folder, name) }
	tcp, ssl := freePort(t), freePort(t)
	s := nbserver.Start(t)
	s.Kill()
	s.Remotes = []string{fmt.Sprintf("ptcp:%d:127.0.0.1", tcp), fmt.Sprintf("pssl:%d:127.0.0.1", ssl)}
	s.Extra = []string{"--private-key=" + file("server-PRIV"), "--certificate=" + file("server-CERT"), "--ca-cert=" + file("client-CERT")}
	s.Run(t)
	s.AddRouter(t, "GR_n1")
	for name, o := range map[string]ovnnb.Options{
		"tcp": {Endpoints: []string{fmt.Sprintf("tcp:127.0.0.1:%d", tcp)}},
		"ssl": {Endpoints: []string{fmt.Sprintf("ssl:127.0.0.1:%d", ssl)}, TLS: &tls.Config{Certificates: []tls.Certificate{client}, RootCAs: serverPool}},
	} {
		t.Run(name, func(t *testing.T) {
			o.Node, o.Log = "n1", testr.New(t)
			c := ovnnb.New(o)
			n := c.Watch("default", func() {})
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = c.Run(ctx)
			}()
			defer func() { cancel(); <-done }()
			known(t, n)
			commit(t, n, insert("10."+fmt.Sprint(len(o.Endpoints[0]))+".0.0/24", "172.18.0.2"))
		})
	}
}
