package snapshot

import (
	"slices"
	"testing"
	"time"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// meshed has two networks with managed routing and four without, each for
// another reason.
const meshed = `
CUDNs:
- {metadata: {name: red, creationTimestamp: "2026-01-03T00:00:00Z"}, spec: &managed {namespaceSelector: {}, network: {topology: Layer3,
    layer3: {role: Primary, subnets: [{cidr: 10.0.0.0/16}]}, transport: NoOverlay, noOverlay: {outboundSNAT: Enabled, routing: Managed}}}}
- {metadata: {name: blue, creationTimestamp: "2026-01-02T00:00:00Z"}, spec: *managed}
- {metadata: {name: going, creationTimestamp: "2026-01-01T00:00:00Z", deletionTimestamp: "2026-01-04T00:00:00Z", finalizers: [x]}, spec: *managed}
- {metadata: {name: secondary}, spec: {namespaceSelector: {}, network: {topology: Layer3,
    layer3: {role: Secondary, subnets: [{cidr: 10.1.0.0/16}]}, transport: NoOverlay, noOverlay: {outboundSNAT: Enabled, routing: Managed}}}}
- {metadata: {name: unmanaged}, spec: {namespaceSelector: {}, network: {topology: Layer3,
    layer3: {role: Primary, subnets: [{cidr: 10.2.0.0/16}]}, transport: NoOverlay, noOverlay: {outboundSNAT: Enabled, routing: Unmanaged}}}}
- {metadata: {name: overlay}, spec: {namespaceSelector: {}, network: {topology: Layer3, layer3: {role: Primary, subnets: [{cidr: 10.3.0.0/16}]}}}}
Nodes:
- metadata: {name: n2, annotations: {k8s.ovn.org/node-primary-ifaddr: '{"ipv4":"192.0.2.2/24","ipv6":"2001:db8::2/64"}'}}
- metadata: {name: n1, annotations: {k8s.ovn.org/node-primary-ifaddr: '{"ipv4":"192.0.2.1/24"}'}}
`

func TestManagedRouteAdvertisements(t *testing.T) {
	got := ManagedRouteAdvertisements(object[*Objects](t, meshed), settings)
	same(t, got, object[*ovnv1.RouteAdvertisements](t, `
apiVersion: k8s.ovn.org/v1
kind: RouteAdvertisements
metadata: {name: ovnbgp-managed, labels: {ovnbgp.io/managed: "true"}}
spec:
  targetVRF: default
  advertisements: [PodNetwork]
  nodeSelector: {}
  frrConfigurationSelector: {matchLabels: {ovnbgp.io/managed: "true"}}
  networkSelectors:
  - networkSelectionType: ClusterUserDefinedNetworks
    clusterUserDefinedNetworkSelector:
      networkSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [blue, red]}]}
`))
	if got := ManagedRouteAdvertisements(object[*Objects](t, `{}`), settings); got != nil {
		t.Fatalf("got %v without networks", got)
	}
}

func TestManagedRouting(t *testing.T) {
	wanted := model.RouteAdvertisement{
		Name: "ovnbgp-managed", Created: at("2026-01-02T00:00:00Z"), Managed: true,
		Advertisements:   []model.Advertisement{model.AdvertisePodNetwork},
		TemplateSelector: model.Selector{in("ovnbgp.io/managed", "true")},
		NetworkSelectors: []model.Selector{{in("kubernetes.io/metadata.name", "blue", "red")}},
	}
	objs := object[*Objects](t, meshed)
	c := Cluster(objs, settings)
	same(t, c.RouteAdvertisements, []model.RouteAdvertisement{wanted})
	same(t, c.Templates, []model.Template{{
		Namespace: "frr-k8s-system", Name: "ovnbgp-managed", Created: at("2026-01-02T00:00:00Z"),
		Labels: map[string]string{"ovnbgp.io/managed": "true", "kubernetes.io/metadata.name": "ovnbgp-managed"},
		Routers: []model.TemplateRouter{{ASN: 64512, Neighbors: []model.Session{
			{Address: "192.0.2.1", ASN: 64512, AddressFamilies: []string{"unicast"}, ConnectTime: pointer(10 * time.Second)},
			{Address: "192.0.2.2", ASN: 64512, AddressFamilies: []string{"unicast"}, ConnectTime: pointer(10 * time.Second)},
			{Address: "2001:db8::2", ASN: 64512, AddressFamilies: []string{"unicast"}, ConnectTime: pointer(10 * time.Second)},
		}}},
	}})

	// What is stored may be outdated, or somebody else's: only its age and
	// generation count, and who works on it.
	objs.RouteAdvertisements = object[*Objects](t, `
RouteAdvertisements:
- metadata: {name: ovnbgp-managed, creationTimestamp: "2026-01-05T00:00:00Z", generation: 4, managedFields: [{manager: clustermanager-routeadvertisements-controller, subresource: status}]}
  spec: {targetVRF: other, advertisements: [EgressIP]}
`).RouteAdvertisements
	wanted.Created, wanted.Generation = at("2026-01-05T00:00:00Z"), 4
	wanted.NameTaken = true
	wanted.ForeignController = `its status is written by "clustermanager-routeadvertisements-controller"`
	same(t, Cluster(objs, settings).RouteAdvertisements, []model.RouteAdvertisement{wanted})
}

func TestManagedRoutingEndsWithItsNetworks(t *testing.T) {
	c := Cluster(object[*Objects](t, `
RouteAdvertisements:
- {metadata: {name: ovnbgp-managed, labels: {ovnbgp.io/managed: "true"}}}
- {metadata: {name: other}}
`), settings)
	same(t, slices.Collect(names(c.RouteAdvertisements)), []string{"other"})
	same(t, c.Templates, []model.Template(nil))

	c = Cluster(object[*Objects](t, `{RouteAdvertisements: [{metadata: {name: ovnbgp-managed}}]}`), settings)
	same(t, slices.Collect(names(c.RouteAdvertisements)), []string{"ovnbgp-managed"})
}

func TestManagedRoutingNeedsSettings(t *testing.T) {
	for _, incomplete := range []model.ManagedRouting{{ASN: 64512}, {Namespace: "frr-k8s-system"}} {
		c := Cluster(object[*Objects](t, meshed), model.Settings{Managed: incomplete})
		if len(c.Templates) != 1 || c.Templates[0].Problem == nil || c.Templates[0].Problem.Reason != "ManagedRoutingNotConfigured" || len(c.Templates[0].Routers) > 0 {
			t.Fatalf("with %+v there are templates %+v", incomplete, c.Templates)
		}
	}
}

func names(ras []model.RouteAdvertisement) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range ras {
			if !yield(ras[i].Name) {
				return
			}
		}
	}
}
