package ovnnb_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// BenchmarkHosts is the time from a pod's row to the host that it makes known, through a
// real ovsdb-server, where the node has 1,000 hosts already; heap-KiB is what all of them
// take in the agent, with the session.
func BenchmarkHosts(b *testing.B) {
	const hosts = 1000
	for _, networks := range []int{1, 45, 300} {
		b.Run(fmt.Sprintf("networks=%d", networks), func(b *testing.B) {
			s := nbserver.Start(b)
			nb := dialNB(b, s)
			wanted := make([]ovnnb.MACVRF, networks)
			for i := range wanted {
				wanted[i] = ovnnb.MACVRF{Network: fmt.Sprintf("cluster_udn_n%d", i), Gateways: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
				nb.transact(map[string]any{"op": "insert", "table": "Logical_Switch", "row": map[string]any{"name": wanted[i].Network + "_ovn_layer2_switch"}})
			}
			for i := range hosts {
				nb.addPod(wanted[i%networks].Network, i)
			}
			before := heap()
			changed := make(chan struct{}, 1)
			m := ovnnb.NewMACVRFs(ovnnb.Options{Endpoints: []string{s.Endpoint()}, Node: "n1", Log: logr.Discard()}, func() string { return "chassis-1" }, func() {
				select {
				case changed <- struct{}{}:
				default:
				}
			})
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = m.Run(ctx)
			}()
			defer func() { cancel(); <-done }()
			m.Apply(wanted)
			nbserver.Eventually(b, time.Minute, "all is known and joined", func() bool {
				known := 0
				for _, state := range m.States() {
					known += len(state.Hosts)
				}
				return known == hosts && len(s.Rows(b, "Logical_Switch_Port", "addresses", "unknown")) == networks
			})
			took := heap() - before
			known := len(m.States()[wanted[0].Network].Hosts)
			next := hosts
			for b.Loop() {
				nb.addPod(wanted[0].Network, next)
				next, known = next+1, known+1
				for len(m.States()[wanted[0].Network].Hosts) < known {
					<-changed
				}
			}
			b.ReportMetric(took/1024, "heap-KiB")
		})
	}
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return float64(memory.HeapAlloc)
}

// nbConnection is a connection to the server, without a process for each transaction.
type nbConnection struct {
	b       *testing.B
	writer  *json.Encoder
	replies *json.Decoder
	id      int
}

func dialNB(b *testing.B, s *nbserver.Server) *nbConnection {
	b.Helper()
	connection, err := new(net.Dialer).DialContext(b.Context(), "unix", strings.TrimPrefix(s.Endpoint(), "unix:"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = connection.Close() })
	return &nbConnection{b: b, writer: json.NewEncoder(connection), replies: json.NewDecoder(connection)}
}

func (c *nbConnection) transact(operations ...any) {
	c.id++
	if err := c.writer.Encode(map[string]any{"method": "transact", "id": c.id, "params": append([]any{"OVN_Northbound"}, operations...)}); err != nil {
		c.b.Fatal(err)
	}
	for {
		var reply struct {
			ID     any
			Method string
			Params any
			Result []map[string]any
		}
		if err := c.replies.Decode(&reply); err != nil {
			c.b.Fatal(err)
		}
		if reply.Method == "echo" {
			_ = c.writer.Encode(map[string]any{"id": reply.ID, "result": reply.Params, "error": nil})
			continue
		}
		for _, result := range reply.Result {
			if result["error"] != nil {
				c.b.Fatal(result)
			}
		}
		return
	}
}

func (c *nbConnection) addPod(network string, number int) {
	address := netip.AddrFrom4([4]byte{10, byte(number >> 16), byte(number >> 8), byte(number)})
	c.transact(
		map[string]any{"op": "insert", "table": "Logical_Switch_Port", "uuid-name": "pod", "row": map[string]any{
			"name": fmt.Sprintf("team_n_team_pod-with-a-usual-name-%d", number), "addresses": fmt.Sprintf("0a:58:0a:%02x:%02x:%02x %s fd00::%x", byte(number>>16), byte(number>>8), byte(number), address, number+2),
			"options": []any{"map", []any{[]string{"requested-chassis", "chassis-1"}, []string{"iface-id-ver", "0c2c4a3f-2bd1-4d5e-9ec7-6f1c9a3e4b5d"}}},
			"external_ids": []any{"map", []any{[]string{"pod", "true"}, []string{"namespace", "team"}, []string{"k8s.ovn.org/network", network},
				[]string{"k8s.ovn.org/nad", "team/n"}, []string{"k8s.ovn.org/topology", "layer2"}}},
		}},
		map[string]any{"op": "mutate", "table": "Logical_Switch", "where": []any{[]any{"name", "==", network + "_ovn_layer2_switch"}},
			"mutations": []any{[]any{"ports", "insert", []string{"named-uuid", "pod"}}}},
	)
}
