package snapshot

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

const advice = "; if nothing changes, look at the logs of ovnkube-control-plane and of the node's ovnkube-node"
const repair = ": correct it, or remove it so that OVN-Kubernetes writes it again"

func TestHost(t *testing.T) {
	for _, row := range []struct {
		name, manifest string
		wanted         []netip.Addr
	}{
		{name: "OVN-Kubernetes' choice", wanted: addrs("192.0.2.1", "2001:db8::1"), manifest: `
metadata: {name: n1, annotations: {k8s.ovn.org/node-primary-ifaddr: '{"ipv6":"2001:db8::1/64","ipv4":"192.0.2.1/24"}', k8s.ovn.org/host-cidrs: '["192.0.2.9/24"]'}}
status: {addresses: [{type: InternalIP, address: 192.0.2.8}]}`},
		{name: "all addresses of the host", wanted: addrs("192.0.2.9", "2001:db8::9"), manifest: `
metadata: {name: n1, annotations: {k8s.ovn.org/host-cidrs: '["169.254.0.2/17","192.0.2.9/24","fe80::1/64","2001:db8::9/64","192.0.2.10/24"]'}}
status: {addresses: [{type: InternalIP, address: 192.0.2.8}]}`},
		{name: "the kubelet's word", wanted: addrs("192.0.2.8", "2001:db8::8"), manifest: `
metadata: {name: n1}
status: {addresses: [{type: Hostname, address: n1}, {type: ExternalIP, address: 203.0.113.1}, {type: InternalIP, address: 2001:db8::8}, {type: InternalIP, address: 192.0.2.8}, {type: InternalIP, address: 192.0.2.7}]}`},
		{name: "malformed annotations", wanted: addrs("192.0.2.8"), manifest: `
metadata: {name: n1, annotations: {k8s.ovn.org/node-primary-ifaddr: 'x', k8s.ovn.org/host-cidrs: 'x'}}
status: {addresses: [{type: InternalIP, address: nonsense}, {type: InternalIP, address: 192.0.2.8}]}`},
		{name: "none", manifest: `{metadata: {name: n1, annotations: {k8s.ovn.org/node-primary-ifaddr: '{}', k8s.ovn.org/host-cidrs: '[]'}}}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := object[corev1.Node](t, row.manifest)
			n.Labels = map[string]string{"kubernetes.io/hostname": "host-n1", "a": "b"}
			same(t, Host(&n), model.NodeSummary{Name: "n1", Hostname: "host-n1", Labels: n.Labels, Addresses: row.wanted})
		})
	}
}

func TestNode(t *testing.T) {
	subnets := map[string][]netip.Prefix{"default": prefixes("10.244.1.0/24")}
	const annotated = `k8s.ovn.org/node-subnets: '{"default":"10.244.1.0/24"}'`
	const gateway = `k8s.ovn.org/l3-gateway-config: '{"default":{"mode":"shared","ip-addresses":["192.0.2.100/24","2001:db8::100/64","192.0.2.101/24"]}}'`
	for _, row := range []struct {
		name, annotations string
		dpuHost           bool
		wanted            model.Node
	}{
		{name: "subnets", annotations: annotated, wanted: model.Node{Subnets: subnets}},
		{name: "no subnets yet", wanted: model.Node{SubnetsProblem: &model.Problem{Outcome: model.Pending, Reason: "AnnotationMissing",
			Message: "annotation k8s.ovn.org/node-subnets is missing: OVN-Kubernetes has not given the node its subnets yet" + advice}}},
		{name: "malformed subnets", annotations: `k8s.ovn.org/node-subnets: '{"default":"10.244.1.0"}'`,
			wanted: model.Node{SubnetsProblem: &model.Problem{Outcome: model.Invalid, Reason: "AnnotationMalformed",
				Message: `annotation k8s.ovn.org/node-subnets is malformed: network "default": "10.244.1.0" is not an address with a prefix length, such as 10.244.1.0/24` + repair}}},
		{name: "Layer2 networks", annotations: annotated + `, k8s.ovn.org/udn-layer2-node-gateway-router-lrp-tunnel-ids: '{"cluster_udn_blue":"5"}'`,
			wanted: model.Node{Subnets: subnets, Layer2Active: map[string]bool{"cluster_udn_blue": true}}},
		{name: "malformed Layer2 networks", annotations: annotated + `, k8s.ovn.org/udn-layer2-node-gateway-router-lrp-tunnel-ids: '{"cluster_udn_blue":5}'`,
			wanted: model.Node{Subnets: subnets, Problem: &model.Problem{Outcome: model.Invalid, Reason: "AnnotationMalformed",
				Message: `annotation k8s.ovn.org/udn-layer2-node-gateway-router-lrp-tunnel-ids is malformed: network "cluster_udn_blue": at byte 21 there is "5}" where a string in double quotes should be` + repair}}},
		{name: "VTEPs", annotations: annotated + `, k8s.ovn.org/vteps: '{"v":{"ips":["100.64.0.1"]}}'`,
			wanted: model.Node{Subnets: subnets, VTEPs: map[string][]netip.Addr{"v": addrs("100.64.0.1")}}},
		{name: "malformed VTEPs", annotations: annotated + `, k8s.ovn.org/vteps: '[]'`,
			wanted: model.Node{Subnets: subnets, VTEPsProblem: &model.Problem{Outcome: model.Invalid, Reason: "AnnotationMalformed",
				Message: `annotation k8s.ovn.org/vteps is malformed: at byte 1 there is "[]" where an object {…} should be` + repair}}},
		{name: "malformed address", annotations: annotated + `, k8s.ovn.org/node-primary-ifaddr: '[]'`,
			wanted: model.Node{Subnets: subnets, Problem: &model.Problem{Outcome: model.Invalid, Reason: "AnnotationMalformed",
				Message: `annotation k8s.ovn.org/node-primary-ifaddr is malformed: at byte 1 there is "[]" where an object {…} should be` + repair}}},
		{name: "gateway of an ordinary node", annotations: annotated + `, ` + gateway, wanted: model.Node{Subnets: subnets}},
		{name: "DPU host", dpuHost: true, annotations: annotated + `, k8s.ovn.org/node-chassis-id: c, ` + gateway,
			wanted: model.Node{Subnets: subnets, DPUHost: true, NextHops: addrs("192.0.2.100", "2001:db8::100")}},
		{name: "DPU host in local mode", dpuHost: true, annotations: annotated + `, k8s.ovn.org/l3-gateway-config: '{"default":{"mode":"local"}}'`,
			wanted: model.Node{Subnets: subnets}},
		{name: "DPU host without gateway", dpuHost: true, annotations: annotated + `, k8s.ovn.org/node-chassis-id: c`,
			wanted: model.Node{Subnets: subnets, DPUHost: true, NextHopsProblem: &model.Problem{Outcome: model.Pending, Reason: "AnnotationMissing",
				Message: "annotation k8s.ovn.org/l3-gateway-config is missing: OVN-Kubernetes has not set up the gateway on the node's DPU yet" + advice}}},
		{name: "DPU host without chassis", dpuHost: true, annotations: annotated + `, ` + gateway,
			wanted: model.Node{Subnets: subnets, DPUHost: true, NextHopsProblem: &model.Problem{Outcome: model.Pending, Reason: "AnnotationMissing",
				Message: "annotation k8s.ovn.org/node-chassis-id is missing: the node's DPU has not joined OVN yet" + advice}}},
		{name: "DPU host with malformed gateway", dpuHost: true, annotations: annotated + `, k8s.ovn.org/node-chassis-id: c, k8s.ovn.org/l3-gateway-config: '{}'`,
			wanted: model.Node{Subnets: subnets, DPUHost: true, NextHopsProblem: &model.Problem{Outcome: model.Invalid, Reason: "AnnotationMalformed",
				Message: `annotation k8s.ovn.org/l3-gateway-config is malformed: the network "default" is not in it` + repair}}},
		{name: "DPU host with blank chassis", dpuHost: true, annotations: annotated + `, k8s.ovn.org/node-chassis-id: "", ` + gateway,
			wanted: model.Node{Subnets: subnets, DPUHost: true, NextHopsProblem: &model.Problem{Outcome: model.Invalid, Reason: "AnnotationMalformed",
				Message: `annotation k8s.ovn.org/node-chassis-id is malformed: it is empty` + repair}}},
		{name: "DPU host without addresses", dpuHost: true, annotations: annotated + `, k8s.ovn.org/node-chassis-id: c, k8s.ovn.org/l3-gateway-config: '{"default":{"mode":"shared","ip-addresses":[]}}'`,
			wanted: model.Node{Subnets: subnets, DPUHost: true, NextHopsProblem: &model.Problem{Outcome: model.Pending, Reason: "GatewayWithoutAddress",
				Message: "annotation k8s.ovn.org/l3-gateway-config has no ip-addresses, which neighbors need as next hops: waiting for OVN-Kubernetes to add them; see the log of the DPU's ovnkube-node"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := object[corev1.Node](t, `metadata: {name: n1, annotations: {`+row.annotations+`}}`)
			if row.dpuHost {
				n.Labels = map[string]string{"k8s.ovn.org/dpu-host": ""}
			}
			row.wanted.NodeSummary = model.NodeSummary{Name: "n1", Labels: n.Labels}
			got := NewNodeReader(&Objects{}, model.Settings{}).Node(&n)
			if (got.Layer2Active == nil) != (row.wanted.Layer2Active == nil) {
				t.Fatalf("got Layer2Active %v", got.Layer2Active)
			}
			same(t, got, row.wanted)
		})
	}
}

// An empty list of Layer2 networks says that none is set up; no list says
// nothing.
func TestNodeWithoutLayer2Networks(t *testing.T) {
	n := object[corev1.Node](t, `metadata: {name: n1, annotations: {k8s.ovn.org/udn-layer2-node-gateway-router-lrp-tunnel-ids: '{}'}}`)
	if got := NewNodeReader(&Objects{}, model.Settings{}).Node(&n).Layer2Active; got == nil || len(got) > 0 {
		t.Fatalf("got %v", got)
	}
}

func TestUplinks(t *testing.T) {
	const see = ": waiting for OVN-Kubernetes, which finds it by the Uplink object of that name; see there and in the log of the DPU's ovnkube-node"
	const named = `
CUDNs: [{metadata: {name: blue}, spec: {namespaceSelector: {}, uplinks: [wan], network: {topology: Layer2, layer2: {role: Primary}}}}]
`
	pending := func(what string) map[string]*model.Problem {
		return map[string]*model.Problem{"wan": {Outcome: model.Pending, Reason: "UplinkNotResolved", Message: `uplink "wan" ` + what + see}}
	}
	malformed := func(what string) map[string]*model.Problem {
		return map[string]*model.Problem{"wan": {Outcome: model.Invalid, Reason: "UplinkStateMalformed",
			Message: `the UplinkState of uplink "wan" for the node can't be used, because status.ipAddresses ` + what + `: remove the object so that OVN-Kubernetes writes it again`}}
	}
	for _, row := range []struct {
		name, manifest string
		hops           map[string][]netip.Addr
		problems       map[string]*model.Problem
	}{
		{name: "no network has one", manifest: `{}`},
		{name: "resolved", hops: map[string][]netip.Addr{"wan": addrs("198.51.100.1", "2001:db8::1")}, manifest: named + `
UplinkStates:
- {apiVersion: k8s.ovn.org/v1alpha1, kind: UplinkState, metadata: {name: wan.other}, spec: {uplinkName: wan, nodeName: other}, status: {ipAddresses: [198.51.100.9/24], conditions: [{type: Resolved, status: "True"}]}}
- {apiVersion: k8s.ovn.org/v1alpha1, kind: UplinkState, metadata: {name: x}, spec: {uplinkName: wan, nodeName: n1}, status: {ipAddresses: [2001:db8::1/64, 198.51.100.1/24], conditions: [{type: GatewayReady, status: "False"}, {type: Resolved, status: "True", reason: Resolved}]}}`},
		{name: "no state", problems: pending("has no UplinkState for the node yet"), manifest: named},
		{name: "not resolved", problems: pending("is not resolved on the node yet (WaitingForDPU)"), manifest: named + `
UplinkStates: [{apiVersion: k8s.ovn.org/v1alpha1, kind: UplinkState, metadata: {name: x}, spec: {uplinkName: wan, nodeName: n1}, status: {ipAddresses: [198.51.100.1/24], conditions: [{type: Resolved, status: "False", reason: WaitingForDPU}]}}]`},
		{name: "no condition", problems: pending("is not resolved on the node yet"), manifest: named + `
UplinkStates: [{apiVersion: k8s.ovn.org/v1alpha1, kind: UplinkState, metadata: {name: x}, spec: {uplinkName: wan, nodeName: n1}, status: {conditions: [nonsense]}}]`},
		{name: "no address", problems: pending("has no addresses on the node yet, which neighbors need as next hops"), manifest: named + `
UplinkStates: [{apiVersion: k8s.ovn.org/v1alpha1, kind: UplinkState, metadata: {name: x}, spec: {uplinkName: wan, nodeName: n1}, status: {conditions: [{type: Resolved, status: "True"}]}}]`},
		{name: "bad address", problems: malformed(`has "198.51.100.1", which is not an address with a prefix length`), manifest: named + `
UplinkStates: [{apiVersion: k8s.ovn.org/v1alpha1, kind: UplinkState, metadata: {name: x}, spec: {uplinkName: wan, nodeName: n1}, status: {ipAddresses: [198.51.100.1], conditions: [{type: Resolved, status: "True"}]}}]`},
		{name: "no list of addresses", problems: malformed("is no list of strings"), manifest: named + `
UplinkStates: [{apiVersion: k8s.ovn.org/v1alpha1, kind: UplinkState, metadata: {name: x}, spec: {uplinkName: wan, nodeName: n1}, status: {ipAddresses: {a: b}, conditions: [{type: Resolved, status: "True"}]}}]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			reader := NewNodeReader(object[*Objects](t, row.manifest), model.Settings{})
			n := object[corev1.Node](t, `metadata: {name: n1, labels: {k8s.ovn.org/dpu-host: ""}}`)
			got := reader.Node(&n)
			same(t, got.UplinkNextHops, row.hops)
			same(t, got.UplinkProblems, row.problems)

			n.Labels = nil
			got = reader.Node(&n)
			same(t, got.UplinkNextHops, map[string][]netip.Addr(nil))
			same(t, got.UplinkProblems, map[string]*model.Problem(nil))
		})
	}
}

// manyNetworks are ClusterUserDefinedNetworks and the annotation of a node
// that has a subnet of each.
func manyNetworks(count int) (cudns []ovnv1.ClusterUserDefinedNetwork, nodeSubnets string) {
	subnets := []string{`"default":["10.244.1.0/24","fd00:10:244:1::/64"]`}
	for i := range count {
		cudn := ovnv1.ClusterUserDefinedNetwork{}
		cudn.Name = fmt.Sprintf("tenant-%03d", i)
		cudn.Spec.Network = ovnv1.NetworkSpec{Topology: ovnv1.NetworkTopologyLayer3, Layer3: &ovnv1.Layer3Config{
			Role: ovnv1.NetworkRolePrimary, Subnets: []ovnv1.Layer3Subnet{{CIDR: ovnv1.CIDR(fmt.Sprintf("10.%d.0.0/16", i)), HostSubnet: 24}}}}
		cudns = append(cudns, cudn)
		subnets = append(subnets, fmt.Sprintf(`"cluster_udn_%s":["10.%d.17.0/24","fd00:%x:0:11::/64"]`, cudn.Name, i, i+16))
	}
	return cudns, "{" + strings.Join(subnets, ",") + "}"
}

func BenchmarkNode(b *testing.B) {
	cudns, subnets := manyNetworks(199)
	n := object[corev1.Node](b, `metadata: {name: n1, annotations: {k8s.ovn.org/node-primary-ifaddr: '{"ipv4":"192.0.2.1/24"}'}}`)
	n.Annotations["k8s.ovn.org/node-subnets"] = subnets
	reader := NewNodeReader(&Objects{CUDNs: cudns}, model.Settings{})
	b.ReportAllocs()
	for b.Loop() {
		if reader.Node(&n).SubnetsProblem != nil {
			b.Fatal("the annotation is malformed")
		}
	}
}

func BenchmarkCluster(b *testing.B) {
	objs := &Objects{Nodes: make([]corev1.Node, 5000)}
	objs.CUDNs, _ = manyNetworks(199)
	for i := range objs.Nodes {
		objs.Nodes[i].Name = fmt.Sprintf("node-%04d", i)
		objs.Nodes[i].Annotations = map[string]string{"k8s.ovn.org/node-primary-ifaddr": fmt.Sprintf(`{"ipv4":"10.0.%d.%d/16"}`, i/256, i%256)}
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(Cluster(objs, settings).Hosts) != len(objs.Nodes) {
			b.Fatal("hosts are missing")
		}
	}
}
