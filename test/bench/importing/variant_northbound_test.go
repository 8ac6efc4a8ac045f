package importing

import (
	"strings"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

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
	n.Server, n.endpoint, n.files = nbserver.StartSSL(b)
	n.endpoints = []string{n.endpoint}
	var err error
	if n.tls, err = n.files.Config(); err != nil {
		b.Fatal(err)
	}
}
