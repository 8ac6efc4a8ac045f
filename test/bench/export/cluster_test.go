package export

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/scale"
)

const (
	namespace = "frr-k8s-system"
	inFlight  = 8
)

// cluster is a control plane with the workload's objects in it.
type cluster struct {
	client.Client
	*controlplane.ControlPlane
	nodes, networks int
}

func newCluster(b *testing.B, nodes, networks int) *cluster {
	b.Helper()
	scheme := runtime.NewScheme()
	if err := snapshot.AddToScheme(scheme); err != nil {
		b.Fatal(err)
	}
	plane := controlplane.StartForTest(b, controlplane.Options{})
	c, err := client.New(plane.Config, client.Options{Scheme: scheme})
	if err != nil {
		b.Fatal(err)
	}
	return &cluster{Client: c, ControlPlane: plane, nodes: nodes, networks: networks}
}

// each calls do for 0 to n-1, several at once.
func each(b *testing.B, n int, do func(ctx context.Context, i int) error) {
	b.Helper()
	group, ctx := errgroup.WithContext(b.Context())
	group.SetLimit(inFlight)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

// populate creates all that the manager reads.
func (c *cluster) populate(b *testing.B) {
	b.Helper()
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&frrk8sv1beta1.FRRConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: "fabric", Namespace: namespace, Labels: map[string]string{"fabric": "tor"}},
			Spec: frrk8sv1beta1.FRRConfigurationSpec{BGP: frrk8sv1beta1.BGPConfig{Routers: []frrk8sv1beta1.Router{{
				ASN: 64512, Neighbors: []frrk8sv1beta1.Neighbor{{Address: "192.0.2.1", ASN: 64513}, {Address: "192.0.2.2", ASN: 64513}},
			}}}},
		},
		routeAdvertisements("default", ovnv1.NetworkSelector{NetworkSelectionType: ovnv1.DefaultNetwork}),
		routeAdvertisements("networks", ovnv1.NetworkSelector{
			NetworkSelectionType: ovnv1.ClusterUserDefinedNetworks,
			ClusterUserDefinedNetworkSelector: &ovnv1.ClusterUserDefinedNetworkSelector{
				NetworkSelector: metav1.LabelSelector{MatchLabels: map[string]string{"advertise": "true"}},
			},
		}),
	}
	for i := range scale.Cluster(c.networks).Networks[1:] {
		objects = append(objects, network(i))
	}
	for _, o := range objects {
		if err := c.Create(b.Context(), o); err != nil {
			b.Fatal(err)
		}
	}
	each(b, c.nodes, func(ctx context.Context, i int) error { return c.Create(ctx, c.node(i)) })
}

func routeAdvertisements(name string, selector ovnv1.NetworkSelector) *ovnv1.RouteAdvertisements {
	return &ovnv1.RouteAdvertisements{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: ovnv1.RouteAdvertisementsSpec{
			Advertisements:           []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork},
			FRRConfigurationSelector: metav1.LabelSelector{MatchLabels: map[string]string{"fabric": "tor"}},
			NetworkSelectors:         []ovnv1.NetworkSelector{selector},
		},
	}
}

func network(i int) *ovnv1.ClusterUserDefinedNetwork {
	n := scale.Cluster(i + 1).Networks[i+1]
	return &ovnv1.ClusterUserDefinedNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: n.CUDN, Labels: map[string]string{"advertise": "true"}},
		Spec: ovnv1.ClusterUserDefinedNetworkSpec{Network: ovnv1.NetworkSpec{
			Topology: ovnv1.NetworkTopologyLayer3,
			Layer3: &ovnv1.Layer3Config{
				Role:    ovnv1.NetworkRolePrimary,
				Subnets: []ovnv1.Layer3Subnet{{CIDR: ovnv1.CIDR(n.Subnets[0].Prefix.String()), HostSubnet: int32(n.Subnets[0].HostLength)}},
			},
		}},
	}
}

// node is node i as an API object.
func (c *cluster) node(i int) *corev1.Node {
	n := scale.Node(i, c.networks)
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels, Annotations: map[string]string{
		ovnk.AnnotationNodeSubnets: subnetsAnnotation(n),
	}}}
}

func subnetsAnnotation(n model.Node) string {
	text, err := json.Marshal(n.Subnets)
	if err != nil {
		panic(fmt.Sprintf("subnets of %s: %v", n.Name, err))
	}
	return string(text)
}

// objects are what the manager has to write.
func (c *cluster) objects() []*frrk8sv1beta1.FRRConfiguration {
	built := plan.Build(scale.Snapshot(c.nodes, c.networks))
	var out []*frrk8sv1beta1.FRRConfiguration
	for i := range built.Nodes {
		out = append(out, render.Node(&built.Nodes[i])...)
	}
	return out
}

func prefixes(b *testing.B, text string) []netip.Prefix {
	b.Helper()
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		b.Fatal(err)
	}
	return []netip.Prefix{prefix}
}
