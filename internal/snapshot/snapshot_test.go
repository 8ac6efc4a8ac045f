package snapshot

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// object reads a manifest as the API server would, unknown fields refused.
func object[T any](t testing.TB, manifest string) T {
	t.Helper()
	var out T
	if err := yaml.UnmarshalStrict([]byte(manifest), &out); err != nil {
		t.Fatalf("%v in\n%s", err, manifest)
	}
	return out
}

func same(t *testing.T, got, wanted any) {
	t.Helper()
	options := gocmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, model.Attributes{}), cmpopts.EquateEmpty()}
	if diff := gocmp.Diff(wanted, got, options); diff != "" {
		t.Fatalf("-wanted +got\n%s", diff)
	}
}

func addrs(texts ...string) []netip.Addr {
	out := make([]netip.Addr, 0, len(texts))
	for _, text := range texts {
		out = append(out, netip.MustParseAddr(text))
	}
	return out
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

func at(text string) time.Time {
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return out
}

func in(key string, values ...string) model.Requirement {
	return model.Requirement{Key: key, Operator: model.SelectorIn, Values: values}
}

// someOfEach is a small cluster with several objects of each kind.
func someOfEach(t testing.TB) *Objects {
	return object[*Objects](t, `
RouteAdvertisements:
- metadata: {name: second}
  spec: &spec
    nodeSelector: {}
    frrConfigurationSelector: {matchLabels: {a: b, c: d}}
    networkSelectors: [{networkSelectionType: DefaultNetwork}]
    advertisements: [EgressIP, PodNetwork]
- metadata: {name: first}
  spec: *spec
CUDNs:
- metadata: {name: zoo}
  spec: &mesh
    namespaceSelector: {matchExpressions: [{key: x, operator: In, values: [c, a, b]}]}
    network: &network
      topology: Layer3
      layer3: {role: Primary, subnets: [{cidr: fd00:20::/48}, {cidr: 10.20.0.0/16, hostSubnet: 24}]}
      transport: NoOverlay
      noOverlay: {outboundSNAT: Enabled, routing: Managed}
- metadata: {name: ant}
  spec: *mesh
- metadata: {name: a-name-of-more-than-15}
  spec: *mesh
FRRConfigurations:
- metadata: {name: b, namespace: frr}
- metadata: {name: a, namespace: frr}
- metadata: {name: c, namespace: b}
NADs:
- metadata: {name: n1, namespace: x, annotations: {k8s.ovn.org/network-name: cluster_udn_a-name-of-more-than-15, k8s.ovn.org/network-id: "9"}}
- metadata: {name: n2, namespace: x, annotations: {k8s.ovn.org/network-name: cluster_udn_a-name-of-more-than-15, k8s.ovn.org/network-id: "8"}}
Namespaces:
- metadata: {name: b}
- metadata: {name: a}
EgressIPs:
- metadata: {name: b}
  spec: {egressIPs: [1.2.3.4, 1.2.3.5], namespaceSelector: {}}
  status: {items: [{node: n2, egressIP: 1.2.3.4}, {node: n1, egressIP: 1.2.3.5}]}
- metadata: {name: a}
  spec: {egressIPs: [1.2.3.6], namespaceSelector: {}}
  status: {items: []}
Nodes:
- metadata: {name: n2, annotations: {k8s.ovn.org/node-primary-ifaddr: '{"ipv4":"192.0.2.2/24","ipv6":"2001:db8::2/64"}'}}
- metadata: {name: n1, annotations: {k8s.ovn.org/node-primary-ifaddr: '{"ipv4":"192.0.2.1/24"}'}}
- metadata: {name: n3}
`)
}

var settings = model.Settings{Managed: model.ManagedRouting{ASN: 64512, Namespace: "frr-k8s-system"}}

func TestSnapshotDoesNotDependOnOrder(t *testing.T) {
	objs := someOfEach(t)
	wanted := Snapshot(objs, settings)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		shuffle(r, objs.RouteAdvertisements)
		shuffle(r, objs.CUDNs)
		shuffle(r, objs.FRRConfigurations)
		shuffle(r, objs.NADs)
		shuffle(r, objs.Namespaces)
		shuffle(r, objs.EgressIPs)
		shuffle(r, objs.Nodes)
		if diff := gocmp.Diff(wanted, Snapshot(objs, settings), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, model.Attributes{})); diff != "" {
			t.Fatalf("seed %d: -wanted +got\n%s", seed, diff)
		}
	}
}

func shuffle[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// Objects may belong to a cache.
func TestSnapshotLeavesObjectsAlone(t *testing.T) {
	objs := someOfEach(t)
	Snapshot(objs, settings)
	same(t, objs, someOfEach(t))
}

func TestClusterIsSorted(t *testing.T) {
	c := Cluster(someOfEach(t), settings)
	var got []string
	for _, o := range c.RouteAdvertisements {
		got = append(got, "RA "+o.Name)
	}
	for _, o := range c.Networks {
		got = append(got, "network "+o.Name)
	}
	for _, o := range c.Templates {
		got = append(got, "template "+o.Namespace+"/"+o.Name)
	}
	for _, o := range c.Namespaces {
		got = append(got, "namespace "+o.Name)
	}
	for _, o := range c.EgressIPs {
		got = append(got, "EgressIP "+o.Name)
	}
	for _, o := range c.Hosts {
		got = append(got, "host "+o.Name)
	}
	same(t, got, []string{
		"RA first", "RA ovnbgp-managed", "RA second",
		"network default", "network cluster_udn_a-name-of-more-than-15", "network cluster_udn_ant", "network cluster_udn_zoo",
		"template b/c", "template frr/a", "template frr/b", "template frr-k8s-system/ovnbgp-managed",
		"namespace a", "namespace b", "EgressIP a", "EgressIP b", "host n1", "host n2", "host n3",
	})
	same(t, c.Settings, settings)
}

func TestNamespacesHaveTheirNameAsLabel(t *testing.T) {
	got := namespaces([]corev1.Namespace{
		object[corev1.Namespace](t, `{metadata: {name: a, labels: {x: z, kubernetes.io/metadata.name: other}}}`),
		object[corev1.Namespace](t, `{metadata: {name: b}}`),
	})
	same(t, got, []model.Namespace{
		{Name: "a", Labels: map[string]string{"x": "z", "kubernetes.io/metadata.name": "a"}},
		{Name: "b", Labels: map[string]string{"kubernetes.io/metadata.name": "b"}},
	})
}

// indent puts a manifest behind "- " of a list.
func indent(manifest string) string {
	return strings.ReplaceAll(strings.TrimSpace(manifest), "\n", "\n  ")
}
