package agent

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vishvananda/netlink"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

const (
	table  = 1005
	router = "GR_cluster_udn_blue_n1"
)

// sizes are the numbers of routes.
var sizes = []int{1000, 10000, 100000}

// lab is a kernel with routes and a database.
type lab struct {
	ns     *testns.Namespace
	server *nbserver.Server
	handle *netlink.Handle
	link   netlink.Link
}

func newLab(b testing.TB, routes int) *lab {
	l := &lab{ns: testns.New(b), server: nbserver.Start(b)}
	l.server.AddRouter(b, router)
	var err error
	if l.handle, err = netlink.NewHandleAt(l.ns.Handle); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.handle.Close() })
	if l.link, err = l.handle.LinkByName("gw0"); err != nil {
		b.Fatal(err)
	}
	l.fill(b, "add", routes, 2)
	return l
}

func prefix(i int) string { return fmt.Sprintf("20.%d.%d.%d/32", i>>16, i>>8&255, i&255) }

// fill adds or replaces routes by iproute2.
func (l *lab) fill(b testing.TB, verb string, routes, hop int) {
	b.Helper()
	commands := make([]string, routes)
	for i := range commands {
		commands[i] = fmt.Sprintf("route %s %s via 172.18.0.%d proto bgp table %d", verb, prefix(i), hop, table)
	}
	l.ns.IP(b, commands...)
}

// change changes one route by netlink.
func (l *lab) change(b testing.TB, i, hop int, remove bool) {
	b.Helper()
	_, destination, err := net.ParseCIDR(prefix(i))
	if err != nil {
		b.Fatal(err)
	}
	route := &netlink.Route{Dst: destination, Gw: net.IPv4(172, 18, 0, byte(hop)), LinkIndex: l.link.Attrs().Index, Table: table, Protocol: kernel.ProtocolBGP}
	if remove {
		err = l.handle.RouteDel(route)
	} else {
		err = l.handle.RouteReplace(route)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// running is an agent at work.
type running struct {
	*agent.Agent
	registry *prometheus.Registry
	stop     func()
}

func (l *lab) start(b testing.TB) *running {
	r := &running{registry: prometheus.NewRegistry()}
	r.Agent = newAgent(kernel.NamespaceOf(l.ns.Handle), l.server.Endpoint(), r.registry)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	return r
}

func newAgent(ns kernel.Namespace, endpoint string, registry *prometheus.Registry) *agent.Agent {
	a := agent.New(agent.Options{
		Kernel: kernel.Options{Namespace: ns, Log: logr.Discard()},
		OVN:    ovnnb.Options{Endpoints: []string{endpoint}, Node: "n1", Log: logr.Discard()},
		Log:    logr.Discard(), Registry: registry,
	})
	a.Apply([]agent.Network{{Name: "cluster_udn_blue", VRF: "blue", Table: table, Gateways: []string{"gw0"}}}, true)
	return a
}

// commits is how many syncs ended in a committed transaction.
func (r *running) commits(b testing.TB) (count uint64) {
	families, err := r.registry.Gather()
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "ovnbgp_agent_event_to_commit_seconds" {
			count = f.Metric[0].GetHistogram().GetSampleCount()
		}
	}
	return count
}

func (r *running) wait(b testing.TB, routes int) {
	b.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		states := r.States()
		if len(states) == 1 && states[0].Imported == routes && states[0].Reason == agent.ReasonSynced {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("not imported: %+v", states)
		}
		<-time.After(time.Millisecond)
	}
}

// A full import: the agent starts with an empty database.
func BenchmarkFullImport(b *testing.B) {
	for _, routes := range sizes {
		b.Run(fmt.Sprintf("R=%d", routes), func(b *testing.B) {
			l := newLab(b, routes)
			var took, dumping, writing time.Duration
			for b.Loop() {
				b.StopTimer()
				l.empty(b)
				dumping += l.floorDump(b, routes)
				writing += l.floorWrite(b, routes)
				l.empty(b)
				b.StartTimer()
				began := time.Now()
				r := l.start(b)
				r.wait(b, routes)
				took += time.Since(began)
				b.StopTimer()
				r.stop()
				b.StartTimer()
			}
			n := float64(b.N)
			b.ReportMetric(took.Seconds()*1000/n, "ms/import")
			b.ReportMetric(dumping.Seconds()*1000/n, "ms/floor-dump")
			b.ReportMetric(writing.Seconds()*1000/n, "ms/floor-write")
			b.ReportMetric(float64(took)/float64(dumping+writing), "x-floors")
		})
	}
}

// One route changes, from before the system call that changes it until the
// transaction is committed.
func BenchmarkOneChange(b *testing.B) {
	for _, kind := range []string{"replace", "add", "remove"} {
		smallest := 0.0
		for _, routes := range sizes {
			b.Run(fmt.Sprintf("%s/R=%d", kind, routes), func(b *testing.B) {
				l := newLab(b, routes)
				r := l.start(b)
				defer r.stop()
				r.wait(b, routes)
				floor := l.newFloor(b)
				var times, floors []time.Duration
				i := 0
				// The pauses are the larger part of an iteration: ns/op tells
				// nothing here, the metrics do.
				for b.Loop() {
					for range 25 {
						if kind == "remove" {
							l.settled(b, r, func() { l.change(b, routes+i, 2, false) })
						}
						quiet()
						floors = append(floors, floor.one(b, kind, routes+500000+i))
						quiet()
						times = append(times, l.settled(b, r, func() {
							switch kind {
							case "replace":
								l.change(b, i*7919%routes, 3+i%100, false)
							case "add":
								l.change(b, routes+i, 2, false)
							case "remove":
								l.change(b, routes+i, 2, true)
							}
						}))
						i++
					}
				}
				median := report(b, times, floors)
				if routes == sizes[0] {
					smallest = median
				} else if smallest > 0 {
					b.ReportMetric(median/smallest, "x-R=1000")
				}
			})
		}
	}
}

// quiet leaves a pause as between two changes that have nothing to do with
// each other.
func quiet() { <-time.After(60 * time.Millisecond) }

// settled is the time from before a change until it is committed.
func (l *lab) settled(b testing.TB, r *running, change func()) time.Duration {
	before := r.commits(b)
	began := time.Now()
	change()
	for r.commits(b) == before {
		<-time.After(20 * time.Microsecond)
	}
	return time.Since(began)
}

func report(b *testing.B, times, floors []time.Duration) float64 {
	median := func(list []time.Duration) float64 {
		slices.Sort(list)
		return list[len(list)/2].Seconds() * 1000
	}
	b.ReportMetric(median(times), "ms/median")
	b.ReportMetric(times[len(times)*95/100].Seconds()*1000, "ms/p95")
	b.ReportMetric(median(floors), "ms/floor-write")
	b.ReportMetric(median(times)/median(floors), "x-floor")
	return median(times)
}

// A tenth of the routes get another next hop.
func BenchmarkFlap(b *testing.B) {
	for _, routes := range sizes {
		b.Run(fmt.Sprintf("R=%d", routes), func(b *testing.B) {
			l := newLab(b, routes)
			r := l.start(b)
			defer r.stop()
			r.wait(b, routes)
			for i := 0; b.Loop(); i++ {
				l.fill(b, "replace", routes/10, 3+i%100)
				want := fmt.Sprintf("172.18.0.%d", 3+i%100)
				for l.server.Count(b, "nexthop", want) != routes/10 {
					<-time.After(5 * time.Millisecond)
				}
			}
		})
	}
}

const childVariable = "AGENT_BENCH_CHILD"

// Peak memory of a process that is only the agent, with the rows there
// already, as after a restart, and without.
func BenchmarkMemory(b *testing.B) {
	for _, routes := range sizes {
		b.Run(fmt.Sprintf("R=%d", routes), func(b *testing.B) {
			l := newLab(b, routes)
			var first, again float64
			for b.Loop() {
				first = l.child(b, routes)
				again = l.child(b, routes)
			}
			b.ReportMetric(first, "MiB-import")
			b.ReportMetric(again, "MiB-restart")
		})
	}
}

// child runs the agent in a process of its own and returns its peak memory.
func (l *lab) child(b testing.TB, routes int) float64 {
	command := exec.Command("ip", "netns", "exec", l.ns.Name, os.Args[0], "-test.run", "^TestChild$")
	command.Env = append(os.Environ(), childVariable+"="+l.server.Endpoint()+" "+strconv.Itoa(routes))
	out, err := command.CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	for _, line := range strings.Split(string(out), "\n") {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib / 1024
		}
	}
	b.Fatalf("no memory in %s", out)
	return 0
}

// TestChild is the agent's process of BenchmarkMemory.
func TestChild(t *testing.T) {
	endpoint, count, found := strings.Cut(os.Getenv(childVariable), " ")
	if !found {
		t.Skip("this is no test; it is the process that BenchmarkMemory starts")
	}
	routes, err := strconv.Atoi(count)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{registry: prometheus.NewRegistry()}
	r.Agent = newAgent(kernel.Namespace{}, endpoint, r.registry)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.wait(t, routes)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	fmt.Println(string(status))
}
