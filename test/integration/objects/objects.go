// Package objects has the objects of a small cluster, for suites that use a real API
// server: nodes as OVN-Kubernetes annotates them, a template, and a RouteAdvertisements
// object that selects it.
package objects

import (
	"fmt"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// FRRNamespace is where templates are.
const FRRNamespace = "frr-k8s-system"

// fabric is what Advertisement selects templates by.
var fabric = map[string]string{"use": "fabric"}

// Node is number n of a cluster, with its part of the default network and of
// the network blue.
func Node(n int) *corev1.Node {
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

// Template has one neighbor in the default VRF.
func Template(name string, asn uint32) *frrk8sv1beta1.FRRConfiguration {
	return &frrk8sv1beta1.FRRConfiguration{
		ObjectMeta: metav1.ObjectMeta{Namespace: FRRNamespace, Name: name, Labels: fabric},
		Spec: frrk8sv1beta1.FRRConfigurationSpec{BGP: frrk8sv1beta1.BGPConfig{Routers: []frrk8sv1beta1.Router{{
			ASN: asn, Neighbors: []frrk8sv1beta1.Neighbor{{Address: "192.0.2.1", ASN: 64513}},
		}}}},
	}
}

// Advertisement advertises the default network's pods by Templates.
func Advertisement(name string, adjust ...func(*ovnv1.RouteAdvertisementsSpec)) *ovnv1.RouteAdvertisements {
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

// OfNetworks has an Advertisement select networks by label instead.
func OfNetworks(labels map[string]string) func(*ovnv1.RouteAdvertisementsSpec) {
	return func(spec *ovnv1.RouteAdvertisementsSpec) {
		spec.NetworkSelectors = ovnv1.NetworkSelectors{{
			NetworkSelectionType: ovnv1.ClusterUserDefinedNetworks,
			ClusterUserDefinedNetworkSelector: &ovnv1.ClusterUserDefinedNetworkSelector{
				NetworkSelector: metav1.LabelSelector{MatchLabels: labels},
			},
		}}
	}
}
