// Package scale builds snapshots of clusters of any size for benchmarks and
// property tests: N nodes, M Layer3 networks, one template with two neighbors,
// one RouteAdvertisements object for all networks and one for the default.
package scale

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Snapshot returns a cluster of this many nodes and Layer3 networks.
func Snapshot(nodes, networks int) *model.Snapshot {
	s := &model.Snapshot{Cluster: Cluster(networks)}
	s.DefaultSubnets = make(map[string][]netip.Prefix, nodes)
	for i := range nodes {
		n := Node(i, networks)
		s.Hosts = append(s.Hosts, n.NodeSummary)
		s.DefaultSubnets[n.Name] = n.Subnets[model.DefaultNetwork]
		s.Nodes = append(s.Nodes, n)
	}
	return s
}

// Cluster returns the part of the snapshot that concerns all nodes, without
// hosts.
func Cluster(networks int) model.Cluster {
	c := model.Cluster{
		Networks: []model.Network{{Name: model.DefaultNetwork, Primary: true, Topology: model.TopologyLayer3}},
		Templates: []model.Template{{
			Namespace: "frr-k8s-system", Name: "fabric", Created: epoch,
			Labels: map[string]string{"fabric": "tor", model.LabelName: "fabric"},
			Routers: []model.TemplateRouter{{ASN: 64512, Neighbors: []model.Session{
				{Address: "192.0.2.1", ASN: 64513, AddressFamilies: []string{"unicast"}},
				{Address: "192.0.2.2", ASN: 64513, AddressFamilies: []string{"unicast"}},
			}}},
		}},
		RouteAdvertisements: []model.RouteAdvertisement{
			routeAdvertisement("default", func(ra *model.RouteAdvertisement) { ra.SelectsDefaultNetwork = true }),
			routeAdvertisement("networks", func(ra *model.RouteAdvertisement) {
				ra.NetworkSelectors = []model.Selector{{{Key: "advertise", Operator: model.SelectorExists}}}
			}),
		},
	}
	for i := range networks {
		cudn := fmt.Sprintf("net-%03d", i)
		c.Networks = append(c.Networks, model.Network{
			Name: "cluster_udn_" + cudn, CUDN: cudn, VRF: cudn, Created: epoch.Add(time.Duration(i) * time.Second),
			Labels:  map[string]string{"advertise": "true", model.LabelName: cudn},
			Primary: true, Topology: model.TopologyLayer3,
			Subnets: []model.NetworkSubnet{{Prefix: networkPrefix(i), HostLength: 29}},
		})
	}
	return c
}

// Policies returns a cluster of this many nodes and networks, in which a policy with a
// rule of each kind is for all of them.
func Policies(nodes, networks int) *model.Snapshot {
	s := Snapshot(nodes, networks)
	preference := uint32(200)
	community := func(n uint32) model.AttributeValues {
		return model.AttributeValues{Communities: []model.Community{{Parts: [3]uint32{64512, n}}}}
	}
	ofSome := model.Selector{{Key: model.LabelName, Operator: model.SelectorIn, Values: []string{"net-001", "net-003"}}}
	preferred := community(2)
	preferred.LocalPreference = &preference
	s.Policies = []model.RoutePolicy{{
		Name: "fabric", Created: epoch, Targets: []string{"default", "networks"},
		Rules: []model.PolicyRule{
			{Set: model.MakeAttributes(community(1))},
			{Match: model.PolicyMatch{Networks: ofSome}, Set: model.MakeAttributes(preferred)},
			{Match: model.PolicyMatch{Prefixes: []model.PrefixMatch{{Prefix: netip.MustParsePrefix("16.0.0.0/8"), GE: 24, LE: 32}}}, Set: model.MakeAttributes(community(3))},
			{Match: model.PolicyMatch{Kinds: []model.Advertisement{model.AdvertiseEgressIP}}, Set: model.MakeAttributes(community(4))},
		},
	}}
	return s
}

// EVPN returns a cluster of this many nodes, whose Layer2 networks have a MAC-VRF, every
// sixth with a route target of its own, and an IP-VRF.
func EVPN(nodes, networks int) *model.Snapshot {
	s := Snapshot(nodes, networks)
	s.VTEPs = []model.VTEP{{Name: "fabric", Created: epoch, CIDRs: []netip.Prefix{netip.MustParsePrefix("100.64.0.0/16")}}}
	s.RouteAdvertisements[1].TargetVRF = model.TargetVRFAuto
	for i := range s.Networks[1:] {
		n := &s.Networks[1+i]
		n.Topology, n.Transport = model.TopologyLayer2, model.TransportEVPN
		n.EVPN = &model.NetworkEVPN{
			VTEP:   "fabric",
			MACVRF: &model.VPN{VNI: uint32(10000 + i), VID: uint16(2 + 2*i)},
			IPVRF:  &model.VPN{VNI: uint32(20000 + i), VID: uint16(3 + 2*i)},
		}
		if i%6 == 0 {
			n.EVPN.MACVRF.RouteTarget = fmt.Sprintf("65000:%d", 10000+i)
		}
	}
	for i := range s.Nodes {
		s.Nodes[i].VTEPs = map[string][]netip.Addr{"fabric": {netip.AddrFrom4([4]byte{100, 64, byte(i / 256), byte(i)})}}
	}
	return s
}

func routeAdvertisement(name string, mutate func(*model.RouteAdvertisement)) model.RouteAdvertisement {
	ra := model.RouteAdvertisement{
		Name: name, Created: epoch, Generation: 1,
		Advertisements:   []model.Advertisement{model.AdvertisePodNetwork},
		TemplateSelector: model.Selector{{Key: "fabric", Operator: model.SelectorIn, Values: []string{"tor"}}},
	}
	mutate(&ra)
	return ra
}

// networkPrefix is a /16 of 16.0.0.0/4 and beyond, apart from the nodes' 10/8.
func networkPrefix(i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(16 + i/256), byte(i), 0, 0}), 16)
}

// Node returns node i with its part of every network.
func Node(i, networks int) model.Node {
	name := fmt.Sprintf("node-%05d", i)
	n := model.Node{
		NodeSummary: model.NodeSummary{
			Name: name, Hostname: name,
			Labels:    map[string]string{model.LabelHostname: name},
			Addresses: []netip.Addr{netip.AddrFrom4([4]byte{172, 18, byte(i / 256), byte(i)})},
		},
		Subnets: make(map[string][]netip.Prefix, networks+1),
	}
	// From 10.1.0.0 on: 10.0.0.0/24 is the API server's own range of services, unless it
	// is told another, and no subnet of a service is advertised.
	n.Subnets[model.DefaultNetwork] = []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(1 + i/256), byte(i), 0}), 24)}
	for j := range networks {
		base := networkPrefix(j).Addr().As4()
		n.Subnets[fmt.Sprintf("cluster_udn_net-%03d", j)] = []netip.Prefix{
			netip.PrefixFrom(netip.AddrFrom4([4]byte{base[0], base[1], byte(i >> 5), byte(i << 3)}), 29),
		}
	}
	return n
}
