package ovnnb_test

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// run runs a client until the test ends.
func run(t *testing.T, o ovnnb.Options) (*ovnnb.Client, *ovnnb.Network) {
	t.Helper()
	o.Node, o.Log = "n1", testr.New(t)
	c := ovnnb.New(o)
	n := c.Watch("default", func() {})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return c, n
}

// The connection lives and echoes are answered: only the transaction never is.
func TestATransactionThatIsNeverAnsweredIsNoticed(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	var deaf atomic.Bool
	endpoint := s.Relay(t, func(message []byte) []byte {
		if deaf.Load() && bytes.Contains(message, []byte(`"transact"`)) && bytes.Contains(message, []byte("10.1.0.0/24")) {
			return nil
		}
		return message
	})
	var sessions atomic.Int64
	_, n := run(t, ovnnb.Options{Endpoints: []string{endpoint}, Timeout: 300 * time.Millisecond, Connections: func(cause error) {
		if cause == nil {
			sessions.Add(1)
		}
	}})
	known(t, n)
	deaf.Store(true)
	began := time.Now()
	err := n.Commit(t.Context(), []model.RowChange{insert("10.1.0.0/24", "172.18.0.2")})
	if err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	deaf.Store(false)
	nbserver.Eventually(t, 10*time.Second, "a new session", func() bool { return sessions.Load() == 2 && n.State().Known })
	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"))
	expect(t, s, "10.1.0.0/24>172.18.0.2")
}

// A follower would take reads that are behind and could not be trusted, so it
// is refused, and people are told what to do.
func TestOnlyTheLeaderWillDo(t *testing.T) {
	servers := nbserver.StartCluster(t, 2)
	var leader, follower *nbserver.Server
	nbserver.Eventually(t, 20*time.Second, "there is a leader", func() bool {
		leader, follower = servers[0], servers[1]
		if follower.Leads(t) {
			leader, follower = follower, leader
		}
		return leader.Leads(t) && !follower.Leads(t)
	})
	leader.AddRouter(t, "GR_n1")

	_, alone := run(t, ovnnb.Options{Endpoints: []string{follower.Endpoint()}})
	nbserver.Eventually(t, 10*time.Second, "it is told that the server follows", func() bool {
		trouble := alone.State().Trouble
		return strings.Contains(trouble, follower.Endpoint()) && strings.Contains(trouble, "list all servers of the cluster in --ovn-nb")
	})
	if alone.State().Known {
		t.Error("a follower is used")
	}
	_, both := run(t, ovnnb.Options{Endpoints: []string{follower.Endpoint(), leader.Endpoint()}})
	known(t, both)
	commit(t, both, insert("10.1.0.0/24", "172.18.0.2"))
	expect(t, leader, "10.1.0.0/24>172.18.0.2")
}

// A server that hangs takes connections and says nothing, for as long as it
// likes. The others of its cluster must not wait for it.
func TestAServerThatHangsKeepsNobodyFromTheOthers(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	for name, silent := range map[string]func(message []byte) bool{
		"at once": func([]byte) bool { return true },
		"while it reads": func(message []byte) bool {
			return bytes.Contains(message, []byte(`"monitor_cond"`)) && bytes.Contains(message, []byte("NB_Global"))
		},
		"while it is asked who leads": func(message []byte) bool { return bytes.Contains(message, []byte(`"monitor_cond"`)) },
	} {
		t.Run(name, func(t *testing.T) {
			hanging := nbserver.Start(t)
			endpoint := hanging.Relay(t, func(message []byte) []byte {
				if silent(message) {
					return nil
				}
				return message
			})
			began := time.Now()
			_, n := run(t, ovnnb.Options{Endpoints: []string{endpoint, s.Endpoint()}})
			nbserver.Eventually(t, 30*time.Second, "the network's rows are known", func() bool { return n.State().Known })
			t.Logf("after %s", time.Since(began).Round(100*time.Millisecond))
		})
	}
}

// A session that is lost again and again is told by readiness: what is imported
// may never be whole.
func TestSessionsThatDoNotLastAreTold(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	var sessions atomic.Int64
	c, n := run(t, ovnnb.Options{Endpoints: []string{s.Endpoint()}, Connections: func(cause error) {
		if cause == nil {
			sessions.Add(1)
		}
	}})
	known(t, n)
	for i := range int64(3) {
		if err := c.Health(); err != nil {
			t.Fatalf("after %d lost sessions: %v", i, err)
		}
		s.Control(t, "ovsdb-server/reconnect")
		nbserver.Eventually(t, 10*time.Second, "another session", func() bool { return sessions.Load() > i+1 && n.State().Known })
	}
	if err := c.Health(); err == nil || !strings.Contains(err.Error(), "was lost 3 times within 1m0s") {
		t.Errorf("after three: %v", err)
	}
}

// Rows of ours that are where no network is are found and removed, wherever
// they are; nobody else's are.
func TestStraysAreFoundAndRemoved(t *testing.T) {
	s := nbserver.Start(t)
	for _, router := range []string{"GR_n1", "GR_gone_n1"} {
		s.AddRouter(t, router)
	}
	ours := [][2]string{{ownerKey, "agent"}, {"ovnbgp.io/node", "n1"}, {"ovnbgp.io/network", "gone"}, {"ovnbgp.io/part", "3"}}
	s.AddRoute(t, "GR_gone_n1", "10.1.0.0/24", "172.18.0.2", "rtoe-GR_gone_n1", ours...)
	s.AddRoute(t, "GR_gone_n1", "10.2.0.0/24", "172.18.0.2", "rtoe-GR_gone_n1", ours...)
	s.AddRoute(t, "GR_gone_n1", "10.3.0.0/24", "172.18.0.2", "rtoe-GR_gone_n1")
	// Somebody changed the port, to another router's and to none.
	s.AddRoute(t, "GR_n1", "10.4.0.0/24", "172.18.0.2", "rtoe-GR_gone_n1", ours...)
	s.AddRoute(t, "GR_n1", "10.5.0.0/24", "172.18.0.2", "other", ours...)
	// Nothing tells about a row without the mark of its part.
	s.AddRoute(t, "GR_n1", "10.6.0.0/24", "172.18.0.2", "rtoe-GR_n1", ours[:3]...)
	var strayed atomic.Int64
	c, n := run(t, ovnnb.Options{Endpoints: []string{s.Endpoint()}, Strayed: func() { strayed.Add(1) }})
	known(t, n)
	if strayed.Load() == 0 || !c.Has("gone") || c.Has("other") {
		t.Errorf("told %d times; rows of gone: %v", strayed.Load(), c.Has("gone"))
	}
	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"))
	prune(t, c, "default")
	expect(t, s, "10.1.0.0/24>172.18.0.2")
	left := s.Routes(t, "GR_gone_n1", ownerKey)
	if len(left) != 1 || left[0].Prefix != "10.3.0.0/24" || c.Has("gone") {
		t.Errorf("left: %v", left)
	}
}
