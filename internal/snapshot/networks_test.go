package snapshot

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestNetworks(t *testing.T) {
	for _, row := range []struct {
		name, manifest string
		wanted         model.Network
	}{
		{name: "Layer3", manifest: `
metadata: {name: blue, creationTimestamp: "2026-01-02T03:04:05Z", labels: {x: z, kubernetes.io/metadata.name: other}}
spec:
  namespaceSelector: {matchLabels: {net: blue}}
  network: {topology: Layer3, layer3: {role: Primary, subnets: [{cidr: fd00:10::/48}, {cidr: 10.10.0.0/16}, {cidr: 10.9.0.0/16, hostSubnet: 26}]}}`,
			wanted: model.Network{
				Name: "cluster_udn_blue", CUDN: "blue", Created: at("2026-01-02T03:04:05Z"),
				Labels: map[string]string{"x": "z", "kubernetes.io/metadata.name": "blue"}, Primary: true, Topology: model.TopologyLayer3, VRF: "blue",
				NamespaceSelector: model.Selector{in("net", "blue")},
				Subnets: []model.NetworkSubnet{
					{Prefix: prefixes("10.9.0.0/16")[0], HostLength: 26}, {Prefix: prefixes("10.10.0.0/16")[0], HostLength: 24}, {Prefix: prefixes("fd00:10::/48")[0], HostLength: 64}},
			}},
		{name: "Layer2 over an uplink", manifest: `
metadata: {name: blue}
spec: {namespaceSelector: {}, uplinks: [wan], network: {topology: Layer2, layer2: {role: Primary, subnets: [fd00:10::/64, 10.10.0.1/16]}}}`,
			wanted: model.Network{
				Name: "cluster_udn_blue", CUDN: "blue", Labels: map[string]string{"kubernetes.io/metadata.name": "blue"}, Primary: true,
				Topology: model.TopologyLayer2, VRF: "blue", Uplink: "wan",
				Subnets: []model.NetworkSubnet{{Prefix: prefixes("10.10.0.0/16")[0]}, {Prefix: prefixes("fd00:10::/64")[0]}},
			}},
		{name: "secondary", manifest: `
metadata: {name: this-name-is-too-long}
spec: {namespaceSelector: {}, network: {topology: Layer2, layer2: {role: Secondary, ipam: {mode: Disabled}}}}`,
			wanted: model.Network{Name: "cluster_udn_this-name-is-too-long", CUDN: "this-name-is-too-long",
				Labels: map[string]string{"kubernetes.io/metadata.name": "this-name-is-too-long"}, Topology: model.TopologyLayer2}},
		{name: "localnet", manifest: `
metadata: {name: blue}
spec: {namespaceSelector: {}, network: {topology: Localnet, localnet: {role: Secondary, physicalNetworkName: p, subnets: [10.0.0.0/24]}}}`,
			wanted: model.Network{Name: "cluster_udn_blue", CUDN: "blue", Labels: map[string]string{"kubernetes.io/metadata.name": "blue"},
				Topology: model.TopologyLocalnet, Subnets: []model.NetworkSubnet{{Prefix: prefixes("10.0.0.0/24")[0]}}}},
		{name: "EVPN", manifest: `
metadata: {name: blue}
spec: {namespaceSelector: {}, network: {topology: Layer2, layer2: {role: Primary, subnets: [10.0.0.0/24]}, transport: EVPN, evpn: {vtep: v, macVRF: {vni: 5}}}}`,
			wanted: model.Network{Name: "cluster_udn_blue", CUDN: "blue", Labels: map[string]string{"kubernetes.io/metadata.name": "blue"}, Primary: true,
				Topology: model.TopologyLayer2, Transport: model.TransportEVPN, EVPN: &model.NetworkEVPN{VTEP: "v", Gateways: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, MACVRF: &model.VPN{VNI: 5}}, VRF: "blue", Subnets: []model.NetworkSubnet{{Prefix: prefixes("10.0.0.0/24")[0]}}}},
		{name: "managed routing", manifest: `
metadata: {name: blue}
spec: {namespaceSelector: {}, network: {topology: Layer3, layer3: {role: Primary, subnets: [{cidr: 10.0.0.0/16}]}, transport: NoOverlay, noOverlay: {outboundSNAT: Enabled, routing: Managed}}}`,
			wanted: model.Network{Name: "cluster_udn_blue", CUDN: "blue", Labels: map[string]string{"kubernetes.io/metadata.name": "blue"}, Primary: true,
				Topology: model.TopologyLayer3, Transport: model.TransportNoOverlay, ManagedRouting: true, VRF: "blue",
				Subnets: []model.NetworkSubnet{{Prefix: prefixes("10.0.0.0/16")[0], HostLength: 24}}}},
		{name: "status tells the VRF", manifest: `
metadata: {name: blue}
spec: {namespaceSelector: {}, network: {topology: Layer2, layer2: {role: Primary}}}
status: {vrfName: vrf-blue}`,
			wanted: model.Network{Name: "cluster_udn_blue", CUDN: "blue", Labels: map[string]string{"kubernetes.io/metadata.name": "blue"}, Primary: true,
				Topology: model.TopologyLayer2, VRF: "vrf-blue"}},
		{name: "no subnet", manifest: `
metadata: {name: blue}
spec: {namespaceSelector: {}, network: {topology: Layer2, layer2: {role: Primary, subnets: [10.0.0.0/24, 10.0.0]}}}`,
			wanted: model.Network{Name: "cluster_udn_blue", CUDN: "blue", Labels: map[string]string{"kubernetes.io/metadata.name": "blue"}, Primary: true,
				Topology: model.TopologyLayer2, VRF: "blue", Problem: &model.Problem{Outcome: model.Invalid, Reason: "InvalidNetwork",
					Message: `ClusterUserDefinedNetwork "blue": spec.network.layer2.subnets[1]: "10.0.0" is not a subnet: write it as 10.10.0.0/16 or fd00:10::/48`}}},
		{name: "host subnets larger than the subnet", manifest: `
metadata: {name: blue}
spec: {namespaceSelector: {}, network: {topology: Layer3, layer3: {role: Primary, subnets: [{cidr: 10.0.0.0/26}]}}}`,
			wanted: model.Network{Name: "cluster_udn_blue", CUDN: "blue", Labels: map[string]string{"kubernetes.io/metadata.name": "blue"}, Primary: true,
				Topology: model.TopologyLayer3, VRF: "blue", Problem: &model.Problem{Outcome: model.Invalid, Reason: "InvalidNetwork",
					Message: `ClusterUserDefinedNetwork "blue": spec.network.layer3.subnets[0]: nodes can't get subnets of length 24 out of 10.0.0.0/26: set hostSubnet to a length between 27 and 31`}}},
		{name: "topology without its block", manifest: `{metadata: {name: blue}, spec: {namespaceSelector: {}, network: {topology: Layer3, layer2: {role: Primary}}}}`,
			wanted: model.Network{Name: "cluster_udn_blue", CUDN: "blue", Labels: map[string]string{"kubernetes.io/metadata.name": "blue"},
				Topology: model.TopologyLayer3, Problem: &model.Problem{Outcome: model.Invalid, Reason: "InvalidNetwork",
					Message: `ClusterUserDefinedNetwork "blue": spec.network has topology "Layer3" without the block that belongs to it: add it`}}},
		{name: "bad namespace selector", manifest: `
metadata: {name: blue}
spec: {namespaceSelector: {matchExpressions: [{key: a, operator: In}]}, network: {topology: Layer2, layer2: {role: Secondary}}}`,
			wanted: model.Network{Name: "cluster_udn_blue", CUDN: "blue", Labels: map[string]string{"kubernetes.io/metadata.name": "blue"},
				Topology: model.TopologyLayer2, Problem: &model.Problem{Outcome: model.Invalid, Reason: "InvalidSelector",
					Message: `ClusterUserDefinedNetwork "blue": spec.namespaceSelector can't be used: operator In for key "a" needs values: add some, or use Exists or DoesNotExist`}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			objs := &Objects{CUDNs: object[*Objects](t, "CUDNs:\n- "+indent(row.manifest)).CUDNs}
			got := networks(objs, model.Settings{})
			same(t, got[0], model.Network{Name: "default", Primary: true, Topology: model.TopologyLayer3})
			same(t, got[1:], []model.Network{row.wanted})
		})
	}
}

func TestVRFByNetworkID(t *testing.T) {
	const cudn = `
CUDNs: [{metadata: {name: sixteen-characte}, spec: {namespaceSelector: {}, network: {topology: Layer2, layer2: {role: Primary}}}}]
`
	for _, row := range []struct{ name, manifest, vrf string }{
		{name: "nothing is known", manifest: cudn},
		{name: "definition names its network", manifest: cudn + `
NADs: [{metadata: {name: n1, namespace: x, labels: {k8s.ovn.org/user-defined-network: ""}, ownerReferences: [{apiVersion: k8s.ovn.org/v1, kind: ClusterUserDefinedNetwork, name: sixteen-characte, uid: u, controller: true}], annotations: {k8s.ovn.org/network-name: cluster_udn_sixteen-characte, k8s.ovn.org/network-id: "7"}}}]`, vrf: "mp7-udn-vrf"},
		{name: "definition does not name it", manifest: cudn + `
NADs: [{metadata: {name: n1, namespace: x, labels: {k8s.ovn.org/user-defined-network: ""}, ownerReferences: [{apiVersion: k8s.ovn.org/v1, kind: ClusterUserDefinedNetwork, name: sixteen-characte, uid: u, controller: true}], annotations: {k8s.ovn.org/network-id: "7"}}}]`, vrf: "mp7-udn-vrf"},
		{name: "a tenant's definition", manifest: cudn + `
NADs: [{metadata: {name: n1, namespace: x, labels: {k8s.ovn.org/user-defined-network: ""}, annotations: {k8s.ovn.org/network-name: cluster_udn_sixteen-characte, k8s.ovn.org/network-id: "7"}}}]`},
		{name: "a tenant's, who knows the owner's name", manifest: strings.Replace(cudn, "sixteen-characte}", "sixteen-characte, uid: real}", 1) + `
NADs: [{metadata: {name: n1, namespace: x, labels: {k8s.ovn.org/user-defined-network: ""}, ownerReferences: [{apiVersion: k8s.ovn.org/v1, kind: ClusterUserDefinedNetwork, name: sixteen-characte, uid: u, controller: true}], annotations: {k8s.ovn.org/network-id: "7"}}}]`},
		{name: "a tenant's, who knows the owner, in a namespace that is not the network's",
			manifest: strings.Replace(cudn, "namespaceSelector: {}", "namespaceSelector: {matchLabels: {team: a}}", 1) + `
Namespaces: [{metadata: {name: x, labels: {team: b}}}]
NADs: [{metadata: {name: n1, namespace: x, labels: {k8s.ovn.org/user-defined-network: ""}, ownerReferences: [{apiVersion: k8s.ovn.org/v1, kind: ClusterUserDefinedNetwork, name: sixteen-characte, uid: u, controller: true}], annotations: {k8s.ovn.org/network-id: "7"}}}]`},
		{name: "another network's definition", manifest: cudn + `
NADs:
- {metadata: {name: n1, namespace: x, annotations: {k8s.ovn.org/network-name: cluster_udn_other, k8s.ovn.org/network-id: "7"}}}
- {metadata: {name: m, namespace: x, annotations: {k8s.ovn.org/network-id: "7"}}}`},
		{name: "definition without an ID yet", manifest: cudn + `
NADs: [{metadata: {name: n1, namespace: x, annotations: {k8s.ovn.org/network-name: cluster_udn_sixteen-characte}}}]`},
		{name: "malformed ID beside a good one", manifest: cudn + `
NADs:
- {metadata: {name: m, namespace: x, labels: {k8s.ovn.org/user-defined-network: ""}, ownerReferences: [{apiVersion: k8s.ovn.org/v1, kind: ClusterUserDefinedNetwork, name: sixteen-characte, uid: u, controller: true}], annotations: {k8s.ovn.org/network-name: cluster_udn_sixteen-characte, k8s.ovn.org/network-id: seven}}}
- {metadata: {name: n1, namespace: x, labels: {k8s.ovn.org/user-defined-network: ""}, ownerReferences: [{apiVersion: k8s.ovn.org/v1, kind: ClusterUserDefinedNetwork, name: sixteen-characte, uid: u, controller: true}], annotations: {k8s.ovn.org/network-name: cluster_udn_sixteen-characte, k8s.ovn.org/network-id: "7"}}}`, vrf: "mp7-udn-vrf"},
		{name: "nodes know it", manifest: cudn + `
Nodes:
- {metadata: {name: a, annotations: {k8s.ovn.org/network-ids: 'broken'}}}
- {metadata: {name: b}}
- {metadata: {name: c, annotations: {k8s.ovn.org/network-ids: '{"default":"0","cluster_udn_sixteen-characte":"12"}'}}}`, vrf: "mp12-udn-vrf"},
		{name: "the name default", manifest: `
CUDNs: [{metadata: {name: default}, spec: {namespaceSelector: {}, network: {topology: Layer2, layer2: {role: Primary}}}}]
Nodes: [{metadata: {name: c, annotations: {k8s.ovn.org/network-ids: '{"default":"0","cluster_udn_default":"3"}'}}}]`, vrf: "mp3-udn-vrf"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := networks(object[*Objects](t, row.manifest), model.Settings{})[1]
			same(t, got.VRF, row.vrf)
			if row.vrf != "" {
				same(t, got.VRFProblem, (*model.Problem)(nil))
				return
			}
			same(t, got.VRFProblem, &model.Problem{Outcome: model.Pending, Reason: "VRFUnknown", Message: `the VRF of ClusterUserDefinedNetwork "sixteen-characte" is not known yet: ` +
				`its name can't be a device's, so the VRF is named after the network's ID; waiting for OVN-Kubernetes to publish that as annotation k8s.ovn.org/network-id ` +
				`on a NetworkAttachmentDefinition of the network, which it makes in each namespace that spec.namespaceSelector selects, or to set status.vrfName`})
		})
	}
}
