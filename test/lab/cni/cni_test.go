package cni_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

func TestMain(m *testing.M) { machine.Main(m) }

// patience is for what takes 4 s on an ordinary machine, 30 s in an emulated one.
const patience = 90 * time.Second

// site is two nodes at a router, and a server behind it that tells who asked.
type site struct {
	t       *testing.T
	router  *machine.Machine
	server  *machine.Machine
	cluster *cni.Cluster
	nodes   []cni.NodeSpec
	machine func(name string) *machine.Machine
}

type family struct {
	name string
	ipv4 bool
}

var (
	serverAddresses = map[bool]netip.Addr{true: netip.MustParseAddr("198.51.100.10"), false: netip.MustParseAddr("2001:db8:51::10")}
	families        = []family{{"IPv4", true}, {"IPv6", false}}
)

func newSite(t *testing.T, options cni.Options) *site {
	t.Helper()
	logs := t.TempDir()
	s := &site{t: t, machine: func(name string) *machine.Machine {
		m, err := machine.New(t.Context(), name, machine.Options{Logs: logs})
		must(t, err)
		t.Cleanup(func() { _ = m.Close() })
		return m
	}}
	s.router, s.server = s.machine("router"), s.machine("server")
	must(t, s.router.Bridge("br0", "192.0.2.254/24", "2001:db8:2::fe/64"))
	must(t, machine.Link(
		machine.End{Machine: s.router, Name: "server", Addresses: []string{"198.51.100.1/24", "2001:db8:51::1/64"}},
		machine.End{Machine: s.server, Name: "eth0", Addresses: []string{"198.51.100.10/24", "2001:db8:51::10/64"}}))
	gateways := []netip.Addr{netip.MustParseAddr("192.0.2.254"), netip.MustParseAddr("2001:db8:2::fe")}
	must(t, s.server.AddRoute(netip.MustParsePrefix("0.0.0.0/0"), netip.MustParseAddr("198.51.100.1"), 0))
	must(t, s.server.AddRoute(netip.MustParsePrefix("::/0"), netip.MustParseAddr("2001:db8:51::1"), 0))
	listening, err := probe.Serve(s.server)
	must(t, err)
	t.Cleanup(func() { _ = listening.Close() })
	for i, name := range []string{"node1", "node2"} {
		node := s.machine(name)
		must(t, machine.Link(machine.End{Machine: node, Name: "eth0"}, machine.End{Machine: s.router, Name: name, Master: "br0"}))
		s.nodes = append(s.nodes, cni.NodeSpec{
			Machine: node, Uplink: "eth0", NextHops: gateways,
			Addresses: [][]netip.Prefix{
				{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8:2::1/64")},
				{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8:2::2/64")},
			}[i],
		})
	}
	options.Nodes = s.nodes
	if options.SharedOVNAddress.IsValid() {
		options.SharedOVN = s.router
	}
	began := time.Now()
	s.cluster, err = cni.New(t.Context(), options)
	t.Cleanup(func() {
		if t.Failed() {
			for name, text := range s.cluster.Dump(context.WithoutCancel(t.Context())) {
				t.Logf("%s:\n%s", name, text)
			}
		}
	})
	must(t, err)
	t.Logf("%s: two nodes with OVN in %s", machine.ThisKernel(), time.Since(began).Round(100*time.Millisecond))
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) add(n cni.Network) {
	s.t.Helper()
	must(s.t, s.cluster.AddNetwork(s.t.Context(), n))
}

func (s *site) pod(spec cni.PodSpec) *cni.Pod {
	s.t.Helper()
	pod, err := s.cluster.AddPod(s.t.Context(), spec)
	must(s.t, err)
	listening, err := probe.Serve(pod.Machine)
	must(s.t, err)
	s.t.Cleanup(func() { _ = listening.Close() })
	return pod
}

// expect waits until a connection arrives, from this address.
func (s *site) expect(t *testing.T, from *machine.Machine, to, seen netip.Addr) {
	t.Helper()
	NewWithT(t).Eventually(func() (netip.Addr, error) {
		return probe.Ask(t.Context(), from, to)
	}).WithTimeout(patience).Should(Equal(seen))
}

// advertise stands in for BGP: the router gets routes to the pods.
func (s *site) advertise(network string, routes map[string]string) {
	s.t.Helper()
	must(s.t, s.cluster.SetAdvertised(s.t.Context(), network, cni.OverDefaultVRF))
	for to, via := range routes {
		must(s.t, s.router.AddRoute(netip.MustParsePrefix(to), netip.MustParseAddr(via), 0))
	}
}

func defaultNetwork() cni.Network {
	return cni.Network{Name: cni.Default, Topology: cni.Layer3, Subnets: []netip.Prefix{
		netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("fd00:10:244::/48"),
	}}
}

var nodeSubnets = map[string]string{
	"10.244.1.0/24": "192.0.2.1", "10.244.2.0/24": "192.0.2.2",
	"fd00:10:244:1::/64": "2001:db8:2::1", "fd00:10:244:2::/64": "2001:db8:2::2",
}

// A pod of the default network, step by step: over the tunnel, hidden behind
// its node, and with its own address once the network is advertised.
func testDefaultNetwork(t *testing.T, options cni.Options) {
	s := newSite(t, options)
	s.add(defaultNetwork())
	one, two := s.pod(cni.PodSpec{Namespace: "default", Name: "one", Node: "node1"}), s.pod(cni.PodSpec{Namespace: "default", Name: "two", Node: "node2"})
	node := map[bool]netip.Addr{true: netip.MustParseAddr("192.0.2.1"), false: netip.MustParseAddr("2001:db8:2::1")}
	other := map[bool]netip.Addr{true: netip.MustParseAddr("192.0.2.2"), false: netip.MustParseAddr("2001:db8:2::2")}
	for _, f := range families {
		t.Run("to a pod on another node, "+f.name, func(t *testing.T) {
			s.expect(t, one.Machine, two.Address(f.ipv4), one.Address(f.ipv4))
		})
		t.Run("into the world, hidden behind the node, "+f.name, func(t *testing.T) {
			s.expect(t, one.Machine, serverAddresses[f.ipv4], node[f.ipv4])
		})
	}
	s.advertise(cni.Default, nodeSubnets)
	onNode, err := probe.Serve(s.nodes[1].Machine)
	must(t, err)
	defer onNode.Close()
	for _, f := range families {
		t.Run("advertised: into the world, "+f.name, func(t *testing.T) {
			s.expect(t, one.Machine, serverAddresses[f.ipv4], one.Address(f.ipv4))
		})
		t.Run("advertised: from the world, "+f.name, func(t *testing.T) {
			s.expect(t, s.server, two.Address(f.ipv4), serverAddresses[f.ipv4])
		})
		t.Run("advertised: to another node, hidden still, "+f.name, func(t *testing.T) {
			s.expect(t, one.Machine, other[f.ipv4], node[f.ipv4])
		})
	}
	must(t, s.cluster.SetAdvertised(t.Context(), cni.Default, cni.NotAdvertised))
	t.Run("no longer advertised", func(t *testing.T) {
		s.expect(t, one.Machine, serverAddresses[true], node[true])
	})
}

func TestDefaultNetworkSharedGateway(t *testing.T) { testDefaultNetwork(t, cni.Options{}) }
func TestDefaultNetworkLocalGateway(t *testing.T) {
	testDefaultNetwork(t, cni.Options{LocalGateway: true})
}

func TestDefaultNetworkOneOVNForAllNodes(t *testing.T) {
	testDefaultNetwork(t, cni.Options{SharedOVNAddress: netip.MustParseAddr("192.0.2.254")})
}

const (
	blue = "cluster_udn_blue"
	red  = "cluster_udn_red-net"
)

// A network of a user's own, whose gateway routers hide pods behind an address
// of the network's that the bridge turns into the node's.
func TestLayer3NetworkBesideTheDefaultOne(t *testing.T) {
	s := newSite(t, cni.Options{})
	s.add(defaultNetwork())
	s.add(cni.Network{Name: red, ID: 3, Topology: cni.Layer3, Subnets: []netip.Prefix{
		netip.MustParsePrefix("10.200.0.0/16"), netip.MustParsePrefix("fd00:10:200::/48"),
	}})
	one := s.pod(cni.PodSpec{Namespace: "red", Name: "one", Node: "node1", Network: red, NAD: "red/red-net"})
	two := s.pod(cni.PodSpec{Namespace: "red", Name: "two", Node: "node2", Network: red, NAD: "red/red-net"})
	stranger := s.pod(cni.PodSpec{Namespace: "default", Name: "stranger", Node: "node1"})
	node := map[bool]netip.Addr{true: netip.MustParseAddr("192.0.2.1"), false: netip.MustParseAddr("2001:db8:2::1")}
	for _, f := range families {
		s.expect(t, one.Machine, two.Address(f.ipv4), one.Address(f.ipv4))
		s.expect(t, one.Machine, serverAddresses[f.ipv4], node[f.ipv4])
		_, err := probe.Ask(t.Context(), stranger.Machine, one.Address(f.ipv4))
		NewWithT(t).Expect(err).To(HaveOccurred(), "a pod of another network got through")
	}
	s.advertise(red, map[string]string{"10.200.1.0/24": "192.0.2.1", "10.200.2.0/24": "192.0.2.2", "fd00:10:200:1::/64": "2001:db8:2::1", "fd00:10:200:2::/64": "2001:db8:2::2"})
	for _, f := range families {
		s.expect(t, one.Machine, serverAddresses[f.ipv4], one.Address(f.ipv4))
		s.expect(t, s.server, two.Address(f.ipv4), serverAddresses[f.ipv4])
		s.expect(t, stranger.Machine, serverAddresses[f.ipv4], node[f.ipv4])
	}
}

// A virtual machine moves: its address and MAC are on the other node, whoever
// of the nodes the router sends to.
func TestLayer2NetworkAndAMove(t *testing.T) {
	s := newSite(t, cni.Options{})
	s.add(defaultNetwork())
	s.add(cni.Network{Name: blue, ID: 1, Topology: cni.Layer2, Subnets: []netip.Prefix{
		netip.MustParsePrefix("22.100.0.0/16"), netip.MustParsePrefix("fd00:22:100::/64"),
	}})
	vm := s.pod(cni.PodSpec{Namespace: "blue", Name: "vm", Node: "node1", Network: blue, NAD: "blue/tlv"})
	peer := s.pod(cni.PodSpec{Namespace: "blue", Name: "peer", Node: "node2", Network: blue, NAD: "blue/tlv"})
	node := map[bool]netip.Addr{true: netip.MustParseAddr("192.0.2.1"), false: netip.MustParseAddr("2001:db8:2::1")}
	for _, f := range families {
		s.expect(t, vm.Machine, peer.Address(f.ipv4), vm.Address(f.ipv4))
		s.expect(t, vm.Machine, serverAddresses[f.ipv4], node[f.ipv4])
	}
	// Through node2, which does not have it, on purpose.
	s.advertise(blue, map[string]string{"22.100.0.0/16": "192.0.2.2", "fd00:22:100::/64": "2001:db8:2::2"})
	for _, f := range families {
		s.expect(t, vm.Machine, serverAddresses[f.ipv4], vm.Address(f.ipv4))
		s.expect(t, s.server, vm.Address(f.ipv4), serverAddresses[f.ipv4])
	}
	mac, addresses := vm.MAC, vm.Addresses
	must(t, s.cluster.MovePod(t.Context(), vm, "node2"))
	NewWithT(t).Expect(vm.MAC).To(Equal(mac))
	NewWithT(t).Expect(vm.Addresses).To(Equal(addresses))
	listening, err := probe.Serve(vm.Machine)
	must(t, err)
	defer listening.Close()
	for _, f := range families {
		s.expect(t, s.server, vm.Address(f.ipv4), serverAddresses[f.ipv4])
		s.expect(t, vm.Machine, serverAddresses[f.ipv4], vm.Address(f.ipv4))
		s.expect(t, vm.Machine, peer.Address(f.ipv4), vm.Address(f.ipv4))
	}
	must(t, s.cluster.RemoveNetwork(t.Context(), blue))
	left, err := s.cluster.Central("node1").NB(t.Context(), "show")
	must(t, err)
	NewWithT(t).Expect(left).NotTo(ContainSubstring("blue"))
}

// A node that lost power comes back on an empty machine, and so does its OVN.
// Pods of other nodes know nothing of it but that it was away.
func TestRebootedNode(t *testing.T) {
	s := newSite(t, cni.Options{})
	s.add(defaultNetwork())
	s.add(cni.Network{Name: blue, ID: 1, Topology: cni.Layer2, Subnets: []netip.Prefix{netip.MustParsePrefix("22.100.0.0/16")}})
	vm := s.pod(cni.PodSpec{Namespace: "blue", Name: "vm", Node: "node2", Network: blue, NAD: "blue/tlv"})
	two := s.pod(cni.PodSpec{Namespace: "default", Name: "two", Node: "node2"})
	lost := s.pod(cni.PodSpec{Namespace: "default", Name: "lost", Node: "node1"})
	s.expect(t, two.Machine, lost.Address(true), two.Address(true))
	s.advertise(cni.Default, nodeSubnets)

	must(t, s.nodes[0].Machine.Close())
	_, err := probe.Ask(t.Context(), s.server, lost.Address(true))
	NewWithT(t).Expect(err).To(HaveOccurred())
	again := s.machine("node1")
	must(t, machine.Link(machine.End{Machine: again, Name: "eth0"}, machine.End{Machine: s.router, Name: "node1", Master: "br0"}))
	must(t, s.cluster.Reboot(t.Context(), again))

	one := s.pod(cni.PodSpec{Namespace: "default", Name: "one", Node: "node1"})
	peer := s.pod(cni.PodSpec{Namespace: "blue", Name: "peer", Node: "node1", Network: blue, NAD: "blue/tlv"})
	s.expect(t, one.Machine, two.Address(true), one.Address(true))
	s.expect(t, two.Machine, one.Address(true), two.Address(true))
	s.expect(t, s.server, one.Address(true), serverAddresses[true])
	s.expect(t, peer.Machine, vm.Address(true), peer.Address(true))
}

func TestFlowsAreWrittenAnew(t *testing.T) {
	s := newSite(t, cni.Options{})
	s.add(defaultNetwork())
	one := s.pod(cni.PodSpec{Namespace: "default", Name: "one", Node: "node1"})
	s.advertise(cni.Default, nodeSubnets)
	s.expect(t, one.Machine, serverAddresses[true], one.Address(true))
	must(t, s.cluster.Switch("node1").ReplaceFlows(t.Context(), cni.Bridge, []string{"priority=0,actions=drop"}))
	_, err := probe.Ask(t.Context(), one.Machine, serverAddresses[true])
	NewWithT(t).Expect(err).To(HaveOccurred())
	must(t, s.cluster.Resync(t.Context(), "node1"))
	s.expect(t, one.Machine, serverAddresses[true], one.Address(true))
}

// Without tunnels, packets to pods of another node leave by the gateway router
// like all others, along routes that are the agent's to write: here by hand.
func TestNetworkWithoutAnOverlay(t *testing.T) {
	s := newSite(t, cni.Options{})
	s.add(defaultNetwork())
	const bare = "cluster_udn_bare"
	s.add(cni.Network{Name: bare, ID: 6, Topology: cni.Layer3, NoOverlay: true, Subnets: []netip.Prefix{
		netip.MustParsePrefix("10.201.0.0/16"), netip.MustParsePrefix("fd00:10:201::/48"),
	}})
	one := s.pod(cni.PodSpec{Namespace: "bare", Name: "one", Node: "node1", Network: bare, NAD: "bare/bare"})
	two := s.pod(cni.PodSpec{Namespace: "bare", Name: "two", Node: "node2", Network: bare, NAD: "bare/bare"})
	_, err := probe.Ask(t.Context(), one.Machine, two.Address(true))
	NewWithT(t).Expect(err).To(HaveOccurred(), "there is another way than the routes")
	must(t, s.cluster.SetAdvertised(t.Context(), bare, cni.OverDefaultVRF))
	for node, routes := range map[string][][2]string{
		"node1": {{"10.201.2.0/24", "192.0.2.2"}, {"fd00:10:201:2::/64", "2001:db8:2::2"}},
		"node2": {{"10.201.1.0/24", "192.0.2.1"}, {"fd00:10:201:1::/64", "2001:db8:2::1"}},
	} {
		for _, route := range routes {
			router := "GR_cluster_udn_bare_" + node
			_, err := s.cluster.Central(node).NB(t.Context(), "lr-route-add", router, route[0], route[1], "rtoe-"+router)
			must(t, err)
		}
	}
	for _, f := range families {
		s.expect(t, one.Machine, two.Address(f.ipv4), one.Address(f.ipv4))
		s.expect(t, two.Machine, one.Address(f.ipv4), two.Address(f.ipv4))
	}
}
