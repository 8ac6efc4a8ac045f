package ovnnb_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

func TestTCPAndSSL(t *testing.T) {
	nbserver.Require(t)
	s, endpoint, certificates := nbserver.StartSSL(t)
	tcp := controlplane.FreePort(t)
	s.Kill()
	s.Remotes = append(s.Remotes, fmt.Sprintf("ptcp:%d:127.0.0.1", tcp))
	s.Run(t)
	s.AddRouter(t, "GR_n1")
	for name, o := range map[string]ovnnb.Options{
		"tcp": {Endpoints: []string{fmt.Sprintf("tcp:127.0.0.1:%d", tcp)}},
		"ssl": {Endpoints: []string{endpoint}, TLS: certificates.Config},
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

// Certificates are renewed while the agent runs. One that was read at the start
// only would never be let in again.
func TestRenewedCertificatesAreRead(t *testing.T) {
	nbserver.Require(t)
	s, endpoint, certificates := nbserver.StartSSL(t)
	s.AddRouter(t, "GR_n1")
	c, n := run(t, ovnnb.Options{Endpoints: []string{endpoint}, TLS: certificates.Config})
	known(t, n)
	s.RenewSSL(t, certificates)
	nbserver.Eventually(t, 20*time.Second, "a session with the new certificates", func() bool { return n.State().Known && c.Health() == nil })
	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"))

	// Files that are half written are told, and read again.
	if err := os.WriteFile(certificates.Key, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Control(t, "ovsdb-server/reconnect")
	nbserver.Eventually(t, 10*time.Second, "the trouble is told", func() bool {
		err := c.Health()
		return err != nil && strings.Contains(err.Error(), "key")
	})
	s.RenewSSL(t, certificates)
	nbserver.Eventually(t, 20*time.Second, "a session again", func() bool { return n.State().Known })
}
