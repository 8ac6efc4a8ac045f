package ovnnb_test

import (
	"context"
	"fmt"
	"testing"

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
	config, err := certificates.Config()
	if err != nil {
		t.Fatal(err)
	}
	s.AddRouter(t, "GR_n1")
	for name, o := range map[string]ovnnb.Options{
		"tcp": {Endpoints: []string{fmt.Sprintf("tcp:127.0.0.1:%d", tcp)}},
		"ssl": {Endpoints: []string{endpoint}, TLS: config},
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
