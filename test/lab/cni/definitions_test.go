package cni_test

import (
	"net/netip"
	"testing"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
)

// What OVN-Kubernetes writes into definitions of networks, by hand.
func TestDefinitionsOfNetworks(t *testing.T) {
	s := newSite(t, cni.Options{})
	s.addNetworks()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, nadv1.AddToScheme, ovnv1.AddToScheme} {
		must(t, add(scheme))
	}
	api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node1"}}, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node2"}},
		&ovnv1.ClusterUserDefinedNetwork{ObjectMeta: metav1.ObjectMeta{Name: "blue"}},
		&ovnv1.ClusterUserDefinedNetwork{ObjectMeta: metav1.ObjectMeta{Name: "bare"}},
	).Build()
	must(t, s.cluster.Publish(t.Context(), api, map[string][]string{blue: {"tlv"}, bare: {"bare"}}))
	for _, want := range []struct {
		namespace, name string
		annotations     map[string]string
		config          string
	}{
		// Nothing tells that it is the default network's but its place.
		{"ovn-kubernetes", "default", nil, `{"cniVersion":"1.1.0","name":"ovn-kubernetes","type":"ovn-k8s-cni-overlay"}`},
		{"tlv", "blue", map[string]string{
			"k8s.ovn.org/network-name": "cluster_udn_blue", "k8s.ovn.org/network-id": "1", "k8s.ovn.org/tunnel-keys": "[16711684,16715780]",
		}, `{"cniVersion":"1.1.0","name":"cluster_udn_blue","type":"ovn-k8s-cni-overlay","netAttachDefName":"tlv/blue","topology":"layer2","role":"primary",
			"subnets":"22.100.0.0/16","joinSubnet":"100.65.0.0/16,fd99::/64","transitSubnet":"100.88.0.0/16"}`},
		{"bare", "bare", map[string]string{
			"k8s.ovn.org/network-name": "cluster_udn_bare", "k8s.ovn.org/network-id": "4", "k8s.ovn.org/tunnel-keys": "[]",
		}, `{"cniVersion":"1.1.0","name":"cluster_udn_bare","type":"ovn-k8s-cni-overlay","netAttachDefName":"bare/bare","topology":"layer3","role":"primary",
			"subnets":"10.201.0.0/16/24","joinSubnet":"100.65.0.0/16,fd99::/64","transport":"no-overlay","outboundSNAT":"enabled"}`},
	} {
		t.Run(want.name, func(t *testing.T) {
			g := NewWithT(t)
			var definition nadv1.NetworkAttachmentDefinition
			must(t, api.Get(t.Context(), client.ObjectKey{Namespace: want.namespace, Name: want.name}, &definition))
			g.Expect(definition.Annotations).To(Equal(want.annotations))
			g.Expect(definition.Spec.Config).To(MatchJSON(want.config))
		})
	}
}

// A network without an overlay says so where the default network has none.
func TestDefinitionOfADefaultNetworkWithoutAnOverlay(t *testing.T) {
	s := newSite(t, cni.Options{})
	s.add(cni.Network{Name: cni.Default, Topology: cni.Layer3, NoOverlay: true, Subnets: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}})
	scheme := runtime.NewScheme()
	must(t, corev1.AddToScheme(scheme))
	must(t, nadv1.AddToScheme(scheme))
	api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node1"}}, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node2"}}).Build()
	must(t, s.cluster.Publish(t.Context(), api, nil))
	var definition nadv1.NetworkAttachmentDefinition
	must(t, api.Get(t.Context(), client.ObjectKey{Namespace: "ovn-kubernetes", Name: "default"}, &definition))
	NewWithT(t).Expect(definition.Spec.Config).To(MatchJSON(
		`{"cniVersion":"1.1.0","name":"ovn-kubernetes","type":"ovn-k8s-cni-overlay","transport":"no-overlay","outboundSNAT":"disabled"}`))
}
