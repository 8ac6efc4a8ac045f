package cni_test

import (
	"net/netip"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// bare is a network without an overlay whose pods leave with the nodes'
// addresses.
const bare = "cluster_udn_bare"

func (s *site) addNetworks() {
	s.t.Helper()
	s.add(defaultNetwork())
	s.add(cni.Network{Name: blue, ID: 1, Topology: cni.Layer2, Subnets: []netip.Prefix{netip.MustParsePrefix("22.100.0.0/16")}})
	s.add(cni.Network{Name: red, ID: 3, Topology: cni.Layer3, Subnets: []netip.Prefix{netip.MustParsePrefix("10.200.0.0/16")}})
	s.add(cni.Network{
		Name: bare, ID: 4, Topology: cni.Layer3, NoOverlay: true, OutboundSNAT: true,
		Subnets: []netip.Prefix{netip.MustParsePrefix("10.201.0.0/16")},
	})
}

func (s *site) advertiseAll() {
	s.t.Helper()
	for _, network := range []string{cni.Default, blue, red, bare} {
		must(s.t, s.cluster.SetAdvertised(s.t.Context(), network, cni.OverDefaultVRF))
	}
}

// snat are the rows with the names of their sets in place of their UUIDs, which
// begin the values of the columns allowed_ext_ips and exempted_ext_ips.
func (s *site) snat(t *testing.T) []string {
	t.Helper()
	names := []string{}
	for _, set := range s.rows(t, "address_set", `_uuid,external_ids`) {
		id, ids, _ := strings.Cut(set, " | ")
		name, version := "", ""
		for _, pair := range strings.Fields(ids) {
			switch key, value, _ := strings.Cut(pair, "="); key {
			case "k8s.ovn.org/name":
				name = value
			case "ip-family":
				version = value
			}
		}
		names = append(names, id, name+"/"+version)
	}
	for _, set := range s.rows(t, "address_set", `name,external_ids`) {
		id, ids, _ := strings.Cut(set, " | ")
		for _, pair := range strings.Fields(ids) {
			if value, is := strings.CutPrefix(pair, "k8s.ovn.org/name="); is {
				names = append(names, id, value)
			}
		}
	}
	whole := strings.Join(s.rows(t, "nat", "logical_ip,external_ip,match,allowed_ext_ips,exempted_ext_ips", "type=snat"), "\n")
	return strings.Split(strings.NewReplacer(names...).Replace(whole), "\n")
}

func (s *site) sets(t *testing.T) []string {
	t.Helper()
	return s.rows(t, "address_set", "addresses,external_ids")
}

const (
	servicesV4 = " | ip-family=v4 k8s.ovn.org/id=udn-enabled-svc:UDNEnabledService:udn-enabled-svc-cluster-ips:v4 k8s.ovn.org/name=udn-enabled-svc-cluster-ips k8s.ovn.org/owner-controller=udn-enabled-svc k8s.ovn.org/owner-type=UDNEnabledService"
	exemptedV4 = "10.201.0.0/16 192.0.2.1 | ip-family=v4 k8s.ovn.org/id=cluster_udn_bare-network-controller:Cluster:no-overlay-snat-exemption:v4:cluster_udn_bare k8s.ovn.org/name=no-overlay-snat-exemption k8s.ovn.org/owner-controller=cluster_udn_bare-network-controller k8s.ovn.org/owner-type=Cluster network=cluster_udn_bare"
	nodesV4    = "192.0.2.1 192.0.2.2 | ip-family=v4 k8s.ovn.org/id=default-network-controller:ClusterNodeIPs:node-ips:v4 k8s.ovn.org/name=node-ips k8s.ovn.org/owner-controller=default-network-controller k8s.ovn.org/owner-type=ClusterNodeIPs"
)

// The rows of NAT and what they refer to as OVN-Kubernetes writes them, by hand.
func TestSNATIsAsOVNKubernetesHasIt(t *testing.T) {
	s := newSite(t, cni.Options{})
	s.addNetworks()
	t.Run("not advertised", func(t *testing.T) {
		g := NewWithT(t)
		g.Expect(s.snat(t)).To(ContainElements(
			"10.244.0.0/16 | 192.0.2.1 |  |  | ", "fd00:10:244::/48 | 2001:db8:2::1 |  |  | ",
			"100.64.0.2 | 192.0.2.1 |  |  | ", "fd98::2 | 2001:db8:2::1 |  |  | ",
			"22.100.0.0/16 | 169.254.0.11 |  |  | ", "100.65.0.2 | 169.254.0.11 |  |  | ", "fd99::2 | fd69::b |  |  | ",
			"22.100.0.0/16 | 169.254.0.12 | eth.dst == 0a:58:16:64:00:02 |  | ",
			"10.200.0.0/16 | 169.254.0.15 |  |  | ", "10.200.1.0/24 | 169.254.0.16 | eth.dst == 0a:58:0a:c8:01:02 |  | ",
			"10.201.0.0/16 | 169.254.0.17 |  |  | no-overlay-snat-exemption/v4",
			"10.201.1.0/24 | 169.254.0.18 | eth.dst == 0a:58:0a:c9:01:02 |  | ",
		))
		g.Expect(s.sets(t)).To(ContainElements(servicesV4, exemptedV4))
		g.Expect(s.sets(t)).NotTo(ContainElement(ContainSubstring("node-ips")), "nobody uses it")
	})
	s.advertiseAll()
	advertised := []string{
		"10.244.0.0/16 | 192.0.2.1 | ip4.dst == $node-ips |  | ", "fd00:10:244::/48 | 2001:db8:2::1 | ip6.dst == $node-ips |  | ",
		"100.64.0.2 | 192.0.2.1 |  |  | ",
		"22.100.0.0/16 | 169.254.0.11 | ip4.dst == $node-ips |  | ",
		// Of a router of all nodes two rows, of which each allows one set.
		"22.100.0.0/16 | 169.254.0.12 |  | node-ips/v4 | ", "22.100.0.0/16 | 169.254.0.12 |  | udn-enabled-svc-cluster-ips/v4 | ",
		"10.200.1.0/24 | 169.254.0.16 |  | node-ips/v4 | ", "10.200.1.0/24 | 169.254.0.16 |  | udn-enabled-svc-cluster-ips/v4 | ",
		"10.201.0.0/16 | 169.254.0.17 |  |  | no-overlay-snat-exemption/v4",
	}
	t.Run("advertised", func(t *testing.T) {
		g := NewWithT(t)
		g.Expect(s.snat(t)).To(ContainElements(advertised))
		g.Expect(s.sets(t)).To(ContainElements(nodesV4, servicesV4, exemptedV4))
	})
	t.Run("no longer advertised", func(t *testing.T) {
		g := NewWithT(t)
		must(t, s.cluster.SetAdvertised(t.Context(), blue, cni.NotAdvertised))
		g.Expect(s.snat(t)).To(And(
			ContainElement("22.100.0.0/16 | 169.254.0.12 | eth.dst == 0a:58:16:64:00:02 |  | "),
			Not(ContainElement(HavePrefix("22.100.0.0/16 | 169.254.0.12 |  |")))))
	})
	t.Run("ports, options and owners", func(t *testing.T) {
		g := NewWithT(t)
		for _, row := range s.rows(t, "nat", "options,external_port_range") {
			g.Expect(row).To(Equal("stateless=false | 32768-60999"))
		}
		g.Expect(s.rows(t, "nat", "external_ids", `logical_ip="10.201.0.0/16"`)).To(Equal([]string{
			"ip-family=ip4 k8s.ovn.org/cidr=10.201.0.0/16 k8s.ovn.org/id=cluster_udn_bare-network-controller:NoOverlayClusterSubnetSNAT:node1:10.201.0.0/16:ip4:cluster_udn_bare k8s.ovn.org/name=node1 k8s.ovn.org/network=cluster_udn_bare k8s.ovn.org/owner-controller=cluster_udn_bare-network-controller k8s.ovn.org/owner-type=NoOverlayClusterSubnetSNAT k8s.ovn.org/topology=layer3 network=cluster_udn_bare",
		}))
		g.Expect(s.rows(t, "nat", "logical_ip,external_ids", `logical_ip="10.244.0.0/16"`)).To(Equal([]string{"10.244.0.0/16 | "}))
		g.Expect(s.rows(t, "nat", "external_ids,logical_port", `logical_ip="10.200.1.0/24"`)).To(HaveEach(
			"k8s.ovn.org/network=cluster_udn_red-net k8s.ovn.org/topology=layer3 | rtos-cluster_udn_red.net_node1"))
	})
	t.Run("removed", func(t *testing.T) {
		must(t, s.cluster.RemoveNetwork(t.Context(), bare))
		NewWithT(t).Expect(s.sets(t)).To(And(ContainElements(nodesV4, servicesV4), Not(ContainElement(ContainSubstring("bare")))))
	})
}

// Where pods leave by the node's kernel, one row of the cluster router matches
// all.
func TestSNATWithLocalGateway(t *testing.T) {
	s := newSite(t, cni.Options{LocalGateway: true})
	s.addNetworks()
	exempting := "10.201.1.0/24 | 169.254.0.18 |  |  | no-overlay-snat-exemption/v4"
	NewWithT(t).Expect(s.snat(t)).To(ContainElement(exempting))
	s.advertiseAll()
	NewWithT(t).Expect(s.snat(t)).To(ContainElements(exempting,
		"22.100.0.0/16 | 169.254.0.12 | eth.dst == 0a:58:16:64:00:02 && (ip4.dst == $node-ips || ip4.dst == $udn-enabled-svc-cluster-ips) |  | ",
		"10.200.1.0/24 | 169.254.0.16 | eth.dst == 0a:58:0a:c8:01:02 && (ip4.dst == $node-ips || ip4.dst == $udn-enabled-svc-cluster-ips) |  | ",
	))
}

// Where the agent does the SNAT, only the nodes' addresses are there for it.
func TestSNATThatIsLeftToTheAgent(t *testing.T) {
	s := newSite(t, cni.Options{LeaveSNAT: true})
	s.addNetworks()
	before := s.snat(t)
	s.advertiseAll()
	NewWithT(t).Expect(s.snat(t)).To(Equal(before))
	NewWithT(t).Expect(s.sets(t)).To(ContainElement(nodesV4))
}

// Advertised pods are hidden from nodes, and those that leave with their node's
// address from all others, too.
func TestPodsOfUsersNetworksAreHiddenFromNodes(t *testing.T) {
	s := newSite(t, cni.Options{})
	s.addNetworks()
	node1, node2 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	onNode, err := probe.Serve(s.nodes[1].Machine)
	must(t, err)
	defer onNode.Close()
	inBare := s.pod(cni.PodSpec{Namespace: "bare", Name: "one", Node: "node1", Network: bare, NAD: "bare/bare"})
	inRed := s.pod(cni.PodSpec{Namespace: "red", Name: "one", Node: "node1", Network: red, NAD: "red/red-net"})
	s.advertiseAll()
	s.expect(t, inBare.Machine, serverAddresses[true], node1)
	s.expect(t, inRed.Machine, node2, node1)
}
