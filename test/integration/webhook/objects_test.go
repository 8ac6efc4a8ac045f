package webhook_test

import (
	"context"
	"fmt"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

var fabric = map[string]string{"use": "fabric"}

// node is number n of a cluster.
func node(n int) *corev1.Node {
	name := fmt.Sprintf("node-%d", n)
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name:   name,
		Labels: map[string]string{model.LabelHostname: name},
		Annotations: map[string]string{
			ovnk.AnnotationNodeSubnets:    fmt.Sprintf(`{"default":["10.244.%d.0/24"],"cluster_udn_blue":["10.10.%d.0/24"]}`, n, n),
			ovnk.AnnotationPrimaryAddress: fmt.Sprintf(`{"ipv4":"172.18.0.%d/16"}`, n),
		},
	}}
}

// template has one neighbor in the default VRF.
func template(name string, asn uint32) *frrk8sv1beta1.FRRConfiguration {
	return &frrk8sv1beta1.FRRConfiguration{
		ObjectMeta: metav1.ObjectMeta{Namespace: frrNamespace, Name: name, Labels: fabric},
		Spec: frrk8sv1beta1.FRRConfigurationSpec{BGP: frrk8sv1beta1.BGPConfig{Routers: []frrk8sv1beta1.Router{{
			ASN: asn, Neighbors: []frrk8sv1beta1.Neighbor{{Address: "192.0.2.1", ASN: 64513}},
		}}}},
	}
}

// advertisement advertises the default network's pods.
func advertisement(name string, adjust ...func(*ovnv1.RouteAdvertisementsSpec)) *ovnv1.RouteAdvertisements {
	ra := &ovnv1.RouteAdvertisements{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: ovnv1.RouteAdvertisementsSpec{
			NetworkSelectors:         ovnv1.NetworkSelectors{{NetworkSelectionType: ovnv1.DefaultNetwork}},
			FRRConfigurationSelector: metav1.LabelSelector{MatchLabels: fabric},
			Advertisements:           []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork},
		},
	}
	for _, a := range adjust {
		a(&ra.Spec)
	}
	return ra
}

func ofNetworks(labels map[string]string) func(*ovnv1.RouteAdvertisementsSpec) {
	return func(spec *ovnv1.RouteAdvertisementsSpec) {
		spec.NetworkSelectors = ovnv1.NetworkSelectors{{
			NetworkSelectionType: ovnv1.ClusterUserDefinedNetworks,
			ClusterUserDefinedNetworkSelector: &ovnv1.ClusterUserDefinedNetworkSelector{
				NetworkSelector: metav1.LabelSelector{MatchLabels: labels},
			},
		}}
	}
}

// egressIPsOverOwnVRFs is what no object that comes later can make work.
func egressIPsOverOwnVRFs(spec *ovnv1.RouteAdvertisementsSpec) {
	spec.Advertisements = []ovnv1.AdvertisementType{ovnv1.AdvertiseEgressIP}
	spec.TargetVRF = model.TargetVRFAuto
}

func denied() *ovnv1.RouteAdvertisements { return advertisement("never", egressIPsOverOwnVRFs) }

// network is a Layer3 network that is labelled for being advertised.
func network(name, cidr string) *ovnv1.ClusterUserDefinedNetwork {
	return &ovnv1.ClusterUserDefinedNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"advertise": "yes"}},
		Spec: ovnv1.ClusterUserDefinedNetworkSpec{
			NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"tenant": name}},
			Network: ovnv1.NetworkSpec{
				Topology: ovnv1.NetworkTopologyLayer3,
				Layer3: &ovnv1.Layer3Config{
					Role: ovnv1.NetworkRolePrimary, Subnets: []ovnv1.Layer3Subnet{{CIDR: ovnv1.CIDR(cidr), HostSubnet: 24}},
				},
			},
		},
	}
}

// apply creates an object, which is deleted after the test, and returns what
// the API server warned of. The manager's cache may not have the objects of
// the step before yet, so wait for it with known.
func apply(ctx context.Context, object client.Object) []string {
	GinkgoHelper()
	warned.take()
	Expect(admin.Create(ctx, object)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(admin.Delete(ctx, object))).To(Succeed()) })
	return warned.take()
}

// update changes an object, whose status the managers write meanwhile, and
// returns the warnings.
func update[T client.Object](ctx context.Context, object T, mutate func(T), options ...client.PatchOption) ([]string, error) {
	GinkgoHelper()
	Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
	before := object.DeepCopyObject().(T)
	mutate(object)
	warned.take()
	err := admin.Patch(ctx, object, client.MergeFrom(before), options...)
	return warned.take(), err
}

// again applies an object unchanged, without writing it: what would be warned
// of now.
func again(ctx context.Context, object client.Object) func() []string {
	return func() []string {
		current := object.DeepCopyObject().(client.Object)
		if err := admin.Get(ctx, client.ObjectKeyFromObject(object), current); err != nil {
			return []string{err.Error()}
		}
		warned.take()
		if err := admin.Update(ctx, current, client.DryRunAll); err != nil {
			return []string{err.Error()}
		}
		return warned.take()
	}
}
