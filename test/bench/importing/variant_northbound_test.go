package importing

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// certificates are the files of who connects over SSL.
type certificates struct{ certificate, key, authority string }

// newNorthbound starts the database that the variant asks for, with its
// routers, and somebody who watches it.
func (v variant) newNorthbound(b *testing.B) *northbound {
	b.Helper()
	n := &northbound{}
	switch v.transport {
	case "cluster":
		n.startCluster(b)
	case "ssl":
		n.startSSL(b)
	default:
		n.Server = nbserver.Start(b)
		n.endpoint = n.Endpoint()
		n.endpoints = []string{n.endpoint}
	}
	for network := range v.names() {
		n.AddRouter(b, v.router(network))
	}
	n.observer = observe(b, strings.TrimPrefix(n.Endpoint(), "unix:"))
	return n
}

// startCluster starts three members; the one that leads is the server.
func (n *northbound) startCluster(b *testing.B) {
	b.Helper()
	n.members = nbserver.StartCluster(b, 3)
	for _, s := range n.members {
		n.endpoints = append(n.endpoints, s.Endpoint())
	}
	nbserver.Eventually(b, time.Minute, "the cluster has a leader", func() bool {
		for _, s := range n.members {
			if s.Leads(b) {
				n.Server, n.endpoint = s, s.Endpoint()
			}
		}
		return n.Server != nil
	})
	// A busy machine would have members think that the leader is gone. The
	// timer can be doubled at most at a time.
	for _, timer := range []string{"2000", "4000", "8000", "16000"} {
		n.Control(b, "cluster/change-election-timer", database, timer)
		nbserver.Eventually(b, time.Minute, "the election timer is "+timer, func() bool {
			return strings.Contains(n.Control(b, "cluster/status", database), "Election timer: "+timer)
		})
	}
}

func (n *northbound) startSSL(b *testing.B) {
	b.Helper()
	folder := b.TempDir()
	server, client := certify(b, folder, "server"), certify(b, folder, "client")
	listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	n.Server = nbserver.Start(b)
	n.Kill()
	n.Remotes = []string{fmt.Sprintf("pssl:%d:127.0.0.1", port)}
	n.Extra = []string{"--private-key=" + server.key, "--certificate=" + server.certificate, "--ca-cert=" + client.certificate}
	n.Run(b)
	n.files = certificates{certificate: client.certificate, key: client.key, authority: server.certificate}
	if n.tls, err = clientTLS(client.certificate, client.key, server.certificate); err != nil {
		b.Fatal(err)
	}
	n.endpoint = fmt.Sprintf("ssl:127.0.0.1:%d", port)
	n.endpoints = []string{n.endpoint}
}

// certify makes a certificate that signs itself.
func certify(b *testing.B, folder, name string) certificates {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		b.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		b.Fatal(err)
	}
	out := certificates{certificate: filepath.Join(folder, name+".crt"), key: filepath.Join(folder, name+".key")}
	for file, block := range map[string]*pem.Block{out.certificate: {Type: "CERTIFICATE", Bytes: der}, out.key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return out
}
