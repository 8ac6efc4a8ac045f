package snapshot

import (
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func pointer[T any](value T) *T { return &value }

func TestTemplates(t *testing.T) {
	objs := object[*Objects](t, `
FRRConfigurations:
- metadata: {name: all, namespace: frr, creationTimestamp: "2026-01-02T03:04:05Z", labels: {use: it}}
  spec:
    nodeSelector: {matchLabels: {rack: "1"}}
    bgp:
      bfdProfiles: [{name: fast, receiveInterval: 100, transmitInterval: 101, detectMultiplier: 3, echoInterval: 50, echoMode: true, passiveMode: false, minimumTtl: 254}]
      routers:
      - asn: 64512
        id: 10.0.0.1
        vrf: default
        prefixes: [192.0.2.0/24]
        imports: []
        neighbors:
        - address: 2001:DB8::1
          asn: 64513
          localASN: 64999
          sourceaddress: 2001:db8::2
          port: 1179
          passwordSecret: {name: s, namespace: ns}
          holdTime: 30s
          keepaliveTime: 10s
          connectTime: 5s
          ebgpMultiHop: true
          bfdProfile: fast
          enableGracefulRestart: true
          allowAsIn: origin
          dualStackAddressFamily: true
          disableMP: true
          addressFamilies: [unicast, evpn]
          toAdvertise: {allowed: {mode: all}, nextHop: {ipv4: 10.0.0.9, ipv6: "2001:db8::9"}}
          toReceive: {allowed: {mode: all}}
        - interface: eth1
          dynamicASN: external
          password: clear
- metadata: {name: empty, namespace: frr}
- metadata: {name: bad, namespace: frr}
  spec: {nodeSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}
- metadata: {name: changing, namespace: frr}
  spec: {nodeSelector: {matchLabels: {rack: "1"}, matchExpressions: [{key: ovnbgp.io/being-changed, operator: Exists}]}}
- metadata: {name: changing-everywhere, namespace: frr}
  spec: {nodeSelector: {matchExpressions: [{key: ovnbgp.io/being-changed, operator: Exists}]}}
- metadata: {name: hold-changing, namespace: frr, labels: {ovnbgp.io/generated: "true"}, annotations: {ovnbgp.io/hold-until: "2026-01-02T03:04:05Z"}}
- metadata: {name: ours, namespace: frr, labels: {ovnbgp.io/generated: "true"}}
- metadata: {name: ovnk-generated-1, namespace: frr}
- metadata: {name: theirs-by-label, namespace: frr, labels: {k8s.ovn.org/route-advertisements: a}}
- metadata: {name: theirs-by-annotation, namespace: frr, annotations: {k8s.ovn.org/route-advertisements: a}}
`)
	same(t, Cluster(objs, settings).Templates, []model.Template{
		{
			Namespace: "frr", Name: "all", Created: at("2026-01-02T03:04:05Z"),
			Labels: map[string]string{"use": "it", "kubernetes.io/metadata.name": "all"}, NodeSelector: model.Selector{in("rack", "1")},
			Routers: []model.TemplateRouter{{ASN: 64512, ID: "10.0.0.1", VRF: "default", Neighbors: []model.Session{
				{
					Address: "2001:DB8::1", ASN: 64513, LocalASN: 64999, SourceAddress: "2001:db8::2", Port: pointer[uint16](1179),
					PasswordSecret: model.SecretReference{Namespace: "ns", Name: "s"},
					HoldTime:       pointer(30 * time.Second), KeepaliveTime: pointer(10 * time.Second), ConnectTime: pointer(5 * time.Second),
					EBGPMultiHop: true, BFDProfile: "fast", GracefulRestart: true, AllowAsIn: "origin", DualStackAddressFamily: true,
					AddressFamilies: []string{"evpn", "unicast"}, NextHopIPv4: "10.0.0.9", NextHopIPv6: "2001:db8::9",
				},
				{Interface: "eth1", DynamicASN: "external", Password: "clear", AddressFamilies: []string{"unicast"}},
			}}},
			BFDProfiles: []model.BFDProfile{{
				Name: "fast", ReceiveInterval: pointer[uint32](100), TransmitInterval: pointer[uint32](101), DetectMultiplier: pointer[uint32](3),
				EchoInterval: pointer[uint32](50), EchoMode: pointer(true), PassiveMode: pointer(false), MinimumTTL: pointer[uint32](254),
			}},
		},
		{Namespace: "frr", Name: "bad", Labels: map[string]string{"kubernetes.io/metadata.name": "bad"}, Problem: &model.Problem{Outcome: model.Invalid, Reason: "InvalidSelector",
			Message: `FRRConfiguration frr/bad: spec.nodeSelector can't be used: operator Exists for key "a" takes no values: remove b, or use In or NotIn`}},
		{Namespace: "frr", Name: "changing", Labels: map[string]string{"kubernetes.io/metadata.name": "changing"}, NodeSelector: model.Selector{in("rack", "1")}, BeingChanged: true},
		{Namespace: "frr", Name: "changing-everywhere", Labels: map[string]string{"kubernetes.io/metadata.name": "changing-everywhere"}, BeingChanged: true},
		{Namespace: "frr", Name: "empty", Labels: map[string]string{"kubernetes.io/metadata.name": "empty"}},
	})
}

func TestEgressIPs(t *testing.T) {
	objs := object[*Objects](t, `
EgressIPs:
- metadata: {name: good}
  spec: {egressIPs: [192.0.2.9], namespaceSelector: {matchLabels: {a: b}}}
  status: {items: [{node: n2, egressIP: "2001:DB8::9"}, {node: n1, egressIP: 192.0.2.9}, {node: n1, egressIP: 192.0.2.9}]}
- metadata: {name: bad}
  spec: {egressIPs: [192.0.2.9], namespaceSelector: {}}
  status: {items: [{node: n1, egressIP: 192.0.2.9/32}, {node: n2, egressIP: 192.0.2.10}]}
`)
	same(t, egressIPs(objs.EgressIPs), []model.EgressIP{
		{Name: "bad", Assignments: []model.EgressAssignment{{Node: "n2", Address: addrs("192.0.2.10")[0]}}, ItemProblems: []model.Problem{{Outcome: model.Invalid, Reason: "InvalidEgressIP",
			Message: `EgressIP "bad": status.items[0] assigns "192.0.2.9/32" to node n1, which is no IP address: correct spec.egressIPs, from which OVN-Kubernetes takes it`}}},
		{Name: "good", NamespaceSelector: model.Selector{in("a", "b")}, Assignments: []model.EgressAssignment{
			{Node: "n1", Address: addrs("192.0.2.9")[0]}, {Node: "n2", Address: addrs("2001:db8::9")[0]}}},
	})
}
