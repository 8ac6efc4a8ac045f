package cni_test

import (
	"encoding/csv"
	"net/netip"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
)

// rows are columns of a table of node1's Northbound database, sorted.
func (s *site) rows(t *testing.T, table, columns string, where ...string) []string {
	t.Helper()
	answer, err := s.cluster.Central("node1").NB(t.Context(),
		append([]string{"--format=csv", "--data=bare", "--no-headings", "--columns=" + columns, "find", table}, where...)...)
	must(t, err)
	records, err := csv.NewReader(strings.NewReader(answer)).ReadAll()
	must(t, err)
	var out []string
	for _, record := range records {
		out = append(out, strings.Join(record, " | "))
	}
	slices.Sort(out)
	return out
}

// What OVN-Kubernetes' contract says of the Northbound database, by hand.
func TestNorthboundDatabaseIsAsOVNKubernetesHasIt(t *testing.T) {
	s := newSite(t, cni.Options{})
	s.add(defaultNetwork())
	s.add(cni.Network{Name: blue, ID: 1, Topology: cni.Layer2, Subnets: []netip.Prefix{netip.MustParsePrefix("22.100.0.0/16")}})
	s.add(cni.Network{Name: red, ID: 3, Topology: cni.Layer3, Subnets: []netip.Prefix{netip.MustParsePrefix("10.200.0.0/16")}})
	s.add(cni.Network{
		Name: "cluster_udn_bare", ID: 4, Topology: cni.Layer3, NoOverlay: true, OutboundSNAT: true,
		Subnets: []netip.Prefix{netip.MustParsePrefix("10.201.0.0/16")},
	})

	t.Run("routers", func(t *testing.T) {
		NewWithT(t).Expect(s.rows(t, "logical_router", "name")).To(Equal([]string{
			"GR_cluster_udn_bare_node1", "GR_cluster_udn_blue_node1", "GR_cluster_udn_red.net_node1", "GR_node1",
			"cluster_udn_bare_ovn_cluster_router", "cluster_udn_blue_transit_router", "cluster_udn_red.net_ovn_cluster_router",
			"ovn_cluster_router",
		}))
	})
	t.Run("switches", func(t *testing.T) {
		NewWithT(t).Expect(s.rows(t, "logical_switch", "name")).To(Equal([]string{
			"cluster_udn_bare_join", "cluster_udn_bare_node1", "cluster_udn_blue_ovn_layer2_switch",
			"cluster_udn_red.net_join", "cluster_udn_red.net_node1", "cluster_udn_red.net_transit_switch",
			"ext_cluster_udn_bare_node1", "ext_cluster_udn_blue_node1", "ext_cluster_udn_red.net_node1", "ext_node1",
			"join", "node1", "transit_switch",
		}))
	})
	t.Run("external_ids of users' networks, and none of the default one", func(t *testing.T) {
		NewWithT(t).Expect(s.rows(t, "logical_router", "name,external_ids", "name=GR_cluster_udn_blue_node1")).To(Equal([]string{
			"GR_cluster_udn_blue_node1 | k8s.ovn.org/network=cluster_udn_blue k8s.ovn.org/role=primary k8s.ovn.org/topology=layer2 physical_ip=192.0.2.1 physical_ips=192.0.2.1,2001:db8:2::1,169.254.0.11,fd69::b",
		}))
		NewWithT(t).Expect(s.rows(t, "logical_router", "external_ids", "name=GR_node1")).To(Equal([]string{
			"physical_ip=192.0.2.1 physical_ips=192.0.2.1,2001:db8:2::1",
		}))
	})
	t.Run("no role of what is not on a node", func(t *testing.T) {
		g := NewWithT(t)
		g.Expect(s.rows(t, "logical_router", "external_ids", "name=cluster_udn_red.net_ovn_cluster_router")).To(Equal([]string{
			"k8s-cluster-router=yes k8s.ovn.org/network=cluster_udn_red-net k8s.ovn.org/topology=layer3",
		}))
		g.Expect(s.rows(t, "logical_switch", "external_ids", "name=cluster_udn_red.net_join")).To(Equal([]string{
			"k8s.ovn.org/network=cluster_udn_red-net k8s.ovn.org/topology=layer3",
		}))
		g.Expect(s.rows(t, "logical_switch", "external_ids", "name=cluster_udn_red.net_transit_switch")).To(Equal([]string{
			"k8s.ovn.org/network=cluster_udn_red-net k8s.ovn.org/role=primary k8s.ovn.org/topology=layer3",
		}))
	})
	t.Run("ports of gateway routers", func(t *testing.T) {
		g := NewWithT(t)
		ports := s.rows(t, "logical_router_port", "name,networks")
		g.Expect(ports).To(ContainElements(
			"rtoe-GR_node1 | 192.0.2.1/24 2001:db8:2::1/64",
			"rtoj-GR_node1 | 100.64.0.2/16 fd98::2/64",
			// A network of one family has gateway routers of both.
			"rtoe-GR_cluster_udn_blue_node1 | 169.254.0.11/32 192.0.2.1/24 2001:db8:2::1/64 fd69::b/128",
			"rtotr-GR_cluster_udn_blue_node1 | 100.65.0.2/16 100.88.0.5/31 fd99::2/64",
			"trtor-GR_cluster_udn_blue_node1 | 100.88.0.4/31",
			"trtor-GR_cluster_udn_blue_node2 | 100.88.0.6/31",
			"rtoe-GR_cluster_udn_red.net_node1 | 169.254.0.15/32 192.0.2.1/24 2001:db8:2::1/64 fd69::f/128",
			"rtoj-GR_cluster_udn_red.net_node1 | 100.65.0.2/16 fd99::2/64",
		))
		g.Expect(s.rows(t, "logical_switch_port", "name,type", "type!=\"\"")).To(ContainElements(
			"br-ex_node1 | localnet", "etor-GR_node1 | router", "jtor-GR_node1 | router", "stor-node1 | router",
			"br-ex_cluster_udn_blue_node1 | localnet", "etor-GR_cluster_udn_blue_node1 | router",
			"tstor-node1 | router", "tstor-node2 | remote",
		))
		g.Expect(s.rows(t, "logical_switch_port", "options", "name=tstor-node2")).To(Equal([]string{
			"requested-chassis=" + cni.ChassisID("node2") + " requested-tnl-key=3",
		}))
	})
	t.Run("routes", func(t *testing.T) {
		NewWithT(t).Expect(s.rows(t, "logical_router_static_route", "ip_prefix,nexthop,output_port,policy")).To(ContainElements(
			"0.0.0.0/0 | 192.0.2.254 | rtoe-GR_node1 | ", "::/0 | 2001:db8:2::fe | rtoe-GR_node1 | ",
			"169.254.0.0/17 | 169.254.0.4 | rtoe-GR_node1 | ", "10.244.0.0/16 | 100.64.0.1 |  | ",
			"10.244.1.0/24 | 100.64.0.2 |  | src-ip", "10.244.2.0/24 | 100.88.0.3 |  | ",
			"22.100.0.0/16 | 100.88.0.4 | rtotr-GR_cluster_udn_blue_node1 | ", "22.100.0.0/16 | 100.88.0.5 |  | src-ip",
			// Without an overlay only the node's own pods are inside.
			"10.201.1.0/24 | 100.65.0.1 |  | ",
		))
		NewWithT(t).Expect(s.rows(t, "logical_router_static_route", "ip_prefix,nexthop", "ip_prefix=\"10.201.2.0/24\"")).To(BeEmpty())
		NewWithT(t).Expect(s.rows(t, "logical_router_static_route", "ip_prefix,nexthop,output_port", `external_ids:"k8s.ovn.org/network"=cluster_udn_red-net`)).To(ContainElements(
			"0.0.0.0/0 | 192.0.2.254 | rtoe-GR_cluster_udn_red.net_node1", "::/0 | 2001:db8:2::fe | rtoe-GR_cluster_udn_red.net_node1",
			"100.65.0.2 | 100.65.0.2 | ", "fd99::2 | fd99::2 | ", "fd99::3 | fd97::3 | ",
		))
		NewWithT(t).Expect(s.rows(t, "logical_router_static_route", "ip_prefix,external_ids", `ip_prefix="169.254.0.0/17"`, `output_port=rtoe-GR_node1`)).To(Equal([]string{
			"169.254.0.0/17 | k8s.ovn.org/node-masquerade-subnet=",
		}))
		NewWithT(t).Expect(s.rows(t, "logical_router_static_route", "external_ids", `ip_prefix="10.244.2.0/24"`)).To(Equal([]string{
			"ic-node=node2 k8s.ovn.org/network=default",
		}))
	})
}

func TestNodeAnnotations(t *testing.T) {
	g := NewWithT(t)
	s := newSite(t, cni.Options{})
	s.add(defaultNetwork())
	s.add(cni.Network{Name: blue, ID: 1, Topology: cni.Layer2, Subnets: []netip.Prefix{netip.MustParsePrefix("22.100.0.0/16")}})
	s.add(cni.Network{Name: red, ID: 3, Topology: cni.Layer3, Subnets: []netip.Prefix{netip.MustParsePrefix("10.200.0.0/16")}})
	annotations, err := s.cluster.NodeAnnotations("node2")
	must(t, err)
	g.Expect(annotations).To(And(
		HaveKeyWithValue("k8s.ovn.org/node-subnets", MatchJSON(`{"default":["10.244.2.0/24","fd00:10:244:2::/64"],"cluster_udn_red-net":["10.200.2.0/24"]}`)),
		HaveKeyWithValue("k8s.ovn.org/node-primary-ifaddr", MatchJSON(`{"ipv4":"192.0.2.2/24","ipv6":"2001:db8:2::2/64"}`)),
		HaveKeyWithValue("k8s.ovn.org/host-cidrs", MatchJSON(`["192.0.2.2/24","2001:db8:2::2/64"]`)),
		HaveKeyWithValue("k8s.ovn.org/node-masquerade-subnet", MatchJSON(`{"ipv4":"169.254.0.0/17","ipv6":"fd69::/112"}`)),
		HaveKeyWithValue("k8s.ovn.org/layer2-topology-version", "2.0"),
		Not(HaveKey("k8s.ovn.org/network-ids")),
		Not(HaveKey("k8s.ovn.org/udn-layer2-node-gateway-router-lrp-tunnel-ids")),
		HaveKeyWithValue("k8s.ovn.org/node-chassis-id", MatchRegexp("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$")),
		HaveKeyWithValue("k8s.ovn.org/l3-gateway-config", And(ContainSubstring(`"mode":"shared"`), ContainSubstring(`"bridge-id":"br-ex"`))),
	))
}
