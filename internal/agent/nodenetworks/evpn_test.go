package nodenetworks

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestEVPNOfNetworks(t *testing.T) {
	o := object(func(s *v1alpha1.NodeNetworksSpec) {
		s.VTEPs = []v1alpha1.NodeVTEP{{Name: "fabric", Addresses: []v1alpha1.IP{"fd00::1", "100.64.0.1"}}, {Name: "other", Problem: "it has no address", Allocated: []v1alpha1.IP{"100.65.0.1", "fd00::2"}}}
		s.Networks = append(s.Networks, tenant("blue", "10.10.0.0/16", func(n *v1alpha1.NodeNetwork) {
			n.Problem = "the name is taken"
			n.EVPN = &v1alpha1.NodeNetworkEVPN{VTEP: "fabric", Gateways: []v1alpha1.IP{"10.10.0.254"}, MACVRF: &v1alpha1.NodeVPN{VNI: 110, VID: 11, RouteTarget: "64512:110"}, IPVRF: &v1alpha1.NodeVPN{VNI: 210}}
		}), tenant("red", "10.20.0.0/16", func(n *v1alpha1.NodeNetwork) {
			n.EVPN = &v1alpha1.NodeNetworkEVPN{VTEP: "nowhere", IPVRF: &v1alpha1.NodeVPN{VNI: 211, VID: 12}}
		}))
	})
	d := parse(t, o)
	networks := Networks(d, settings())
	want := &agent.EVPN{
		VTEP: "fabric", Endpoint: netip.MustParseAddr("100.64.0.1"), Problem: "the name is taken", Gateways: []netip.Addr{netip.MustParseAddr("10.10.0.254")},
		MACVRF: &model.VPN{VNI: 110, VID: 11, RouteTarget: "64512:110"}, IPVRF: &model.VPN{VNI: 210},
	}
	if got := find(t, networks, "cluster_udn_blue").EVPN; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if red := find(t, networks, "cluster_udn_red").EVPN; red.Endpoint.IsValid() || red.MACVRF != nil || red.IPVRF.VID != 12 || red.Problem != "" {
		t.Errorf("%+v", red)
	}
	if find(t, networks, "default").EVPN != nil {
		t.Error("the default network has EVPN")
	}
	if got := d.vtepProblems(); !reflect.DeepEqual(got, []string{`VTEP "other": it has no address`}) {
		t.Errorf("%q", got)
	}
	if got := d.given(); !reflect.DeepEqual(got, map[string][]netip.Addr{"other": {netip.MustParseAddr("100.65.0.1"), netip.MustParseAddr("fd00::2")}}) {
		t.Errorf("it was given %v", got)
	}
	// An address that can't be read is as bad as a subnet that can't.
	o.Spec.VTEPs[0].Addresses[1] = "100.64.0"
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decisionOf(content); err == nil || !strings.Contains(err.Error(), "vteps[fabric]") {
		t.Errorf("%v", err)
	}
}
