package frrk8s_test

import (
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

var fabric = map[string]string{"use": "fabric"}

func nodeNamed(name string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{model.LabelHostname: name}}}
}

// configuration has one neighbor in the default VRF, on every node.
func configuration(name string, adjust ...func(*frrk8sv1beta1.FRRConfiguration)) *frrk8sv1beta1.FRRConfiguration {
	out := &frrk8sv1beta1.FRRConfiguration{
		ObjectMeta: metav1.ObjectMeta{Namespace: objects.FRRNamespace, Name: name},
		Spec: frrk8sv1beta1.FRRConfigurationSpec{BGP: frrk8sv1beta1.BGPConfig{Routers: []frrk8sv1beta1.Router{{
			ASN: 64512, Neighbors: []frrk8sv1beta1.Neighbor{{Address: "192.0.2.1", ASN: 64513}},
		}}}},
	}
	for _, a := range adjust {
		a(out)
	}
	return out
}

func template(o *frrk8sv1beta1.FRRConfiguration) { o.Labels = fabric }

// onNodes limits a configuration to nodes with a label.
func onNodes(key, value string) func(*frrk8sv1beta1.FRRConfiguration) {
	return func(o *frrk8sv1beta1.FRRConfiguration) {
		o.Spec.NodeSelector.MatchLabels = map[string]string{key: value}
	}
}

// advertisement advertises the default network's pods, or those of the network
// with the name that is given.
func advertisement(name string, network ...string) *ovnv1.RouteAdvertisements {
	selectors := ovnv1.NetworkSelectors{{NetworkSelectionType: ovnv1.DefaultNetwork}}
	if len(network) > 0 {
		selectors = ovnv1.NetworkSelectors{{
			NetworkSelectionType: ovnv1.ClusterUserDefinedNetworks,
			ClusterUserDefinedNetworkSelector: &ovnv1.ClusterUserDefinedNetworkSelector{
				NetworkSelector: metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: network[0]}},
			},
		}}
	}
	return &ovnv1.RouteAdvertisements{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: ovnv1.RouteAdvertisementsSpec{
			NetworkSelectors:         selectors,
			FRRConfigurationSelector: metav1.LabelSelector{MatchLabels: fabric},
			Advertisements:           []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork},
		},
	}
}

// blue is a Layer3 network, of which objects.Node has parts.
func blue() *ovnv1.ClusterUserDefinedNetwork {
	return &ovnv1.ClusterUserDefinedNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "blue"},
		Spec: ovnv1.ClusterUserDefinedNetworkSpec{
			NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"tenant": "blue"}},
			Network: ovnv1.NetworkSpec{
				Topology: ovnv1.NetworkTopologyLayer3,
				Layer3: &ovnv1.Layer3Config{
					Role: ovnv1.NetworkRolePrimary, Subnets: []ovnv1.Layer3Subnet{{CIDR: "10.10.0.0/16", HostSubnet: 24}},
				},
			},
		},
	}
}
