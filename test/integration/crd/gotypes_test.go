// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"context"
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
)

// The Go types are what every other room reads and writes: what they marshal
// to must be what the API server takes, and all of it must come back.
var _ = Describe("Go types", func() {
	DescribeTable("come back as they were created", func(ctx context.Context, created, read client.Object) {
		created.SetName("round-trip")
		want := created.DeepCopyObject().(client.Object)
		Expect(api.Create(ctx, created)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(api.Delete(ctx, created)).To(Succeed()) })

		Expect(api.Get(ctx, client.ObjectKeyFromObject(created), read)).To(Succeed())
		Expect(specOf(read)).To(MatchJSON(specOf(want)))
	},
		Entry("RouteAdvertisements", advertisedDefault(), &ovnv1.RouteAdvertisements{}),
		Entry("a Layer3 network", layer3Network(), &ovnv1.ClusterUserDefinedNetwork{}),
		Entry("a Layer2 EVPN network", evpnNetwork(), &ovnv1.ClusterUserDefinedNetwork{}),
		Entry("a Localnet network", localnetNetwork(), &ovnv1.ClusterUserDefinedNetwork{}),
		Entry("EgressIP", oneEgressIP(), &ovnv1.EgressIP{}),
		Entry("VTEP", oneVTEP(), &ovnv1.VTEP{}),
	)

	It("write the status of RouteAdvertisements", func(ctx context.Context) {
		ra := advertisedDefault()
		ra.Name = "with-status"
		Expect(api.Create(ctx, ra)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(api.Delete(ctx, ra)).To(Succeed()) })

		ra.Status.Status = ovnv1.RouteAdvertisementsStatusAccepted
		apimeta.SetStatusCondition(&ra.Status.Conditions, metav1.Condition{
			Type:               ovnv1.RouteAdvertisementsAccepted,
			Status:             metav1.ConditionTrue,
			Reason:             ovnv1.RouteAdvertisementsReasonAccepted,
			ObservedGeneration: ra.Generation,
		})
		Expect(api.Status().Update(ctx, ra)).To(Succeed())

		read := &ovnv1.RouteAdvertisements{}
		Expect(api.Get(ctx, client.ObjectKeyFromObject(ra), read)).To(Succeed())
		Expect(read.Status).To(Equal(ra.Status))
		Expect(read.Generation).To(Equal(ra.Generation), "a status write is no change of the spec")
	})

	It("read the VRF name that newer releases publish", func(ctx context.Context) {
		network := layer3Network()
		network.Name = "with-vrf"
		Expect(api.Create(ctx, network)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(api.Delete(ctx, network)).To(Succeed()) })

		network.Status.VRFName = "mp5-udn-vrf"
		Expect(api.Status().Update(ctx, network)).To(Succeed())

		read := &ovnv1.ClusterUserDefinedNetwork{}
		Expect(api.Get(ctx, client.ObjectKeyFromObject(network), read)).To(Succeed())
		Expect(read.Status.VRFName).To(Equal("mp5-udn-vrf"))
	})

	It("write the status of EgressIP with the object itself", func(ctx context.Context) {
		egressIP := oneEgressIP()
		egressIP.Name = "with-assignment"
		egressIP.Status.Items = []ovnv1.EgressIPStatusItem{{Node: "node-a", EgressIP: "192.0.2.10"}}
		Expect(api.Create(ctx, egressIP)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(api.Delete(ctx, egressIP)).To(Succeed()) })

		read := &ovnv1.EgressIP{}
		Expect(api.Get(ctx, client.ObjectKeyFromObject(egressIP), read)).To(Succeed())
		Expect(read.Status).To(Equal(egressIP.Status))
	})
})

func specOf(object client.Object) string {
	GinkgoHelper()
	raw, err := json.Marshal(object)
	Expect(err).NotTo(HaveOccurred())
	var content struct {
		Spec json.RawMessage `json:"spec"`
	}
	decodeJSON(raw, &content)
	return string(content.Spec)
}

func decodeJSON(raw []byte, into any) {
	GinkgoHelper()
	Expect(json.Unmarshal(raw, into)).To(Succeed())
}

func namespaces(name string) metav1.LabelSelector {
	return metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": name}}
}

func advertisedDefault() *ovnv1.RouteAdvertisements {
	return &ovnv1.RouteAdvertisements{Spec: ovnv1.RouteAdvertisementsSpec{
		TargetVRF: "tenants",
		NetworkSelectors: ovnv1.NetworkSelectors{
			{NetworkSelectionType: ovnv1.DefaultNetwork},
			{
				NetworkSelectionType: ovnv1.ClusterUserDefinedNetworks,
				ClusterUserDefinedNetworkSelector: &ovnv1.ClusterUserDefinedNetworkSelector{
					NetworkSelector: metav1.LabelSelector{MatchLabels: map[string]string{"advertise": "true"}},
				},
			},
		},
		FRRConfigurationSelector: metav1.LabelSelector{MatchLabels: map[string]string{"use-for": "tenants"}},
		Advertisements:           []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork, ovnv1.AdvertiseEgressIP},
	}}
}

func layer3Network() *ovnv1.ClusterUserDefinedNetwork {
	return &ovnv1.ClusterUserDefinedNetwork{Spec: ovnv1.ClusterUserDefinedNetworkSpec{
		NamespaceSelector: namespaces("blue"),
		Uplinks:           []string{"blue-underlay"},
		Network: ovnv1.NetworkSpec{
			Topology: ovnv1.NetworkTopologyLayer3,
			Layer3: &ovnv1.Layer3Config{
				Role:        ovnv1.NetworkRolePrimary,
				MTU:         1400,
				Subnets:     []ovnv1.Layer3Subnet{{CIDR: "10.10.0.0/16", HostSubnet: 24}, {CIDR: "fd00:10::/48"}},
				JoinSubnets: ovnv1.DualStackCIDRs{"100.65.0.0/16"},
			},
			Transport: ovnv1.TransportNoOverlay,
			NoOverlay: &ovnv1.NoOverlayConfig{OutboundSNAT: ovnv1.SNATDisabled, Routing: ovnv1.RoutingUnmanaged},
		},
	}}
}

func evpnNetwork() *ovnv1.ClusterUserDefinedNetwork {
	return &ovnv1.ClusterUserDefinedNetwork{Spec: ovnv1.ClusterUserDefinedNetworkSpec{
		NamespaceSelector: namespaces("green"),
		Network: ovnv1.NetworkSpec{
			Topology: ovnv1.NetworkTopologyLayer2,
			Layer2: &ovnv1.Layer2Config{
				Role:                  ovnv1.NetworkRolePrimary,
				Subnets:               ovnv1.DualStackCIDRs{"10.20.0.0/16"},
				ReservedSubnets:       []ovnv1.CIDR{"10.20.4.0/24"},
				InfrastructureSubnets: []ovnv1.CIDR{"10.20.8.0/24"},
				DefaultGatewayIPs:     ovnv1.DualStackIPs{"10.20.8.1"},
				IPAM:                  &ovnv1.IPAMConfig{Lifecycle: ovnv1.IPAMLifecyclePersistent},
			},
			Transport: ovnv1.TransportEVPN,
			EVPN: &ovnv1.EVPNConfig{
				VTEP:   "fabric",
				MACVRF: &ovnv1.VRFConfig{VNI: 100, RouteTarget: "65000:100"},
				IPVRF:  &ovnv1.VRFConfig{VNI: 101},
			},
		},
	}}
}

func localnetNetwork() *ovnv1.ClusterUserDefinedNetwork {
	return &ovnv1.ClusterUserDefinedNetwork{Spec: ovnv1.ClusterUserDefinedNetworkSpec{
		NamespaceSelector: namespaces("legacy"),
		Network: ovnv1.NetworkSpec{
			Topology: ovnv1.NetworkTopologyLocalnet,
			Localnet: &ovnv1.LocalnetConfig{
				Role:                ovnv1.NetworkRoleSecondary,
				PhysicalNetworkName: "physnet1",
				Subnets:             ovnv1.DualStackCIDRs{"192.0.2.0/24"},
				ExcludeSubnets:      []ovnv1.CIDR{"192.0.2.0/28"},
				VLAN:                &ovnv1.VLANConfig{Mode: ovnv1.VLANModeAccess, Access: &ovnv1.AccessVLANConfig{ID: 100}},
			},
		},
	}}
}

func oneEgressIP() *ovnv1.EgressIP {
	return &ovnv1.EgressIP{Spec: ovnv1.EgressIPSpec{
		EgressIPs:         []string{"192.0.2.10", "2001:db8::10"},
		NamespaceSelector: namespaces("blue"),
	}}
}

func oneVTEP() *ovnv1.VTEP {
	return &ovnv1.VTEP{Spec: ovnv1.VTEPSpec{
		CIDRs: ovnv1.VTEPCIDRs{"100.64.0.0/24"},
		Mode:  ovnv1.VTEPModeUnmanaged,
	}}
}
