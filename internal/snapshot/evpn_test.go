package snapshot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestVTEPs(t *testing.T) {
	const refused = `, status: {conditions: [{type: Accepted, status: "False", reason: `
	for _, row := range []struct {
		name, manifest string
		// reasons by VTEP, "-" for none.
		wanted string
	}{
		{name: "usable", manifest: `[{metadata: {name: a}, spec: {mode: Unmanaged, cidrs: [100.64.1.0/24, 100.64.0.0/24]}}]`, wanted: "a -"},
		{name: "Managed by default", manifest: `[{metadata: {name: a}, spec: {cidrs: [100.64.0.0/24]}}]`, wanted: "a ManagedModeNotSupported"},
		{name: "IPv6 beside IPv4", manifest: `[{metadata: {name: a}, spec: {mode: Unmanaged, cidrs: [100.64.0.0/24, "fd00::/64"]}}]`, wanted: "a EVPNIPv6NotSupported"},
		{name: "overlap concerns two of three", manifest: `
- {metadata: {name: c}, spec: {mode: Unmanaged, cidrs: [100.65.0.0/24]}}
- {metadata: {name: b}, spec: {mode: Unmanaged, cidrs: [100.64.7.0/24]}}
- {metadata: {name: a}, spec: {mode: Unmanaged, cidrs: [100.64.0.0/16]}}`, wanted: "a CIDROverlap b CIDROverlap c -"},
		{name: "a bad one beside a good one", manifest: `
- {metadata: {name: a}, spec: {mode: Unmanaged, cidrs: [100.64.0]}}
- {metadata: {name: b}, spec: {mode: Unmanaged}}
- {metadata: {name: c}, spec: {mode: Unmanaged, cidrs: [100.64.0.0/24]}}`, wanted: "a InvalidVTEP b InvalidVTEP c -"},
		{name: "refused by OVN-Kubernetes", manifest: `[{metadata: {name: a}, spec: {mode: Unmanaged, cidrs: [100.64.0.0/24]}` + refused + `CIDROverlap, message: m}]}}]`, wanted: "a VTEPNotAccepted"},
		{name: "one node has no address", manifest: `[{metadata: {name: a}, spec: {mode: Unmanaged, cidrs: [100.64.0.0/24]}` + refused + `AllocationFailed}]}}]`, wanted: "a -"},
		{name: "refused before an edit", manifest: `[{metadata: {name: a, generation: 3}, spec: {mode: Unmanaged, cidrs: [100.64.0.0/24]}` + refused + `CIDROverlap, observedGeneration: 2}]}}]`, wanted: "a -"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for _, v := range vteps(object[*Objects](t, "VTEPs: "+row.manifest).VTEPs, false) {
				reason := "-"
				if v.Problem != nil {
					reason = v.Problem.Reason
				}
				got = append(got, v.Name, reason)
			}
			same(t, strings.Join(got, " "), row.wanted)
		})
	}
}

// Where addresses are found depends on who keeps the cluster's VTEPs, and on what the
// VTEP asks for.
func TestVTEPAddresses(t *testing.T) {
	const (
		spec  = "spec: {mode: %s, cidrs: [100.64.0.0/24]}"
		asks  = `annotations: {ovnbgp.io/allocate: "true"}`
		keeps = "finalizers: [k8s.ovn.org/vtep-protection]"
	)
	vtep := func(mode string, metadata ...string) string {
		return fmt.Sprintf("- {metadata: {%s}, "+spec+"}", strings.Join(append(metadata, "name: a"), ", "), mode)
	}
	kept := "- {metadata: {name: b, " + keeps + "}, spec: {mode: Unmanaged, cidrs: [100.65.0.0/24]}}"
	for name, row := range map[string]struct {
		manifest  string
		manage    bool
		allocated bool
		source    model.AddressSource
		reason    string
	}{
		"managed, nobody manages":                {manifest: vtep("Managed"), reason: "ManagedModeNotSupported"},
		"managed, alone":                         {manifest: vtep("Managed"), manage: true, allocated: true, source: model.FromOperator},
		"managed, kept by OVN-Kubernetes":        {manifest: vtep("Managed", keeps), manage: true, reason: "ManagedModeNotSupported"},
		"managed, another is kept":               {manifest: vtep("Managed") + "\n" + kept, manage: true, reason: "ManagedModeNotSupported"},
		"unmanaged":                              {manifest: vtep("Unmanaged"), manage: true},
		"unmanaged, asks, nobody manages":        {manifest: vtep("Unmanaged", asks)},
		"unmanaged, asks, alone":                 {manifest: vtep("Unmanaged", asks), manage: true, allocated: true, source: model.FromOperatorElseNode},
		"unmanaged, asks, kept":                  {manifest: vtep("Unmanaged", asks, keeps), manage: true, allocated: true},
		"unmanaged, asks otherwise":              {manifest: vtep("Unmanaged", `annotations: {ovnbgp.io/allocate: "yes"}`), manage: true},
		"managed, an old refusal":                {manifest: "- {metadata: {name: a}, " + fmt.Sprintf(spec, "Managed") + ", status: {conditions: [{type: Accepted, status: \"False\", reason: ManagedModeNotSupported}]}}", manage: true, allocated: true, source: model.FromOperator},
		"managed, alone, with addresses of IPv6": {manifest: "- {metadata: {name: a}, spec: {cidrs: [100.64.0.0/24, 'fd00::/64']}}", manage: true, allocated: true, source: model.FromOperator, reason: "EVPNIPv6NotSupported"},
	} {
		t.Run(name, func(t *testing.T) {
			got := vteps(object[*Objects](t, "VTEPs:\n"+row.manifest).VTEPs, row.manage)[0]
			reason := ""
			if got.Problem != nil {
				reason = got.Problem.Reason
			}
			if got.Allocated != row.allocated || got.Source != row.source || reason != row.reason {
				t.Errorf("allocated %t from %d with %q, not %t from %d with %q", got.Allocated, got.Source, reason, row.allocated, row.source, row.reason)
			}
		})
	}
}

// The VLAN comes from the definition that the network controls and that is about the
// same VNI; all else is the network's own to say.
func TestNetworkEVPN(t *testing.T) {
	const cudn = `
CUDNs: [{metadata: {name: blue, uid: u}, spec: {namespaceSelector: {}, network: {topology: Layer2, layer2: {role: Primary}, transport: EVPN, evpn: {vtep: v, macVRF: {vni: 110}, ipVRF: {vni: 200, routeTarget: "1:2"}}}}}]
NADs: [{metadata: {name: n, namespace: x, labels: {k8s.ovn.org/user-defined-network: ""}, ownerReferences: [{apiVersion: k8s.ovn.org/v1, kind: ClusterUserDefinedNetwork, name: blue, uid: u, controller: true}]}, spec: {config: '{"transport":"evpn","evpn":{"vtep":"w","macVRF":{"vni":110,"vid":2},"ipVRF":{"vni":200,"routeTarget":"3:4","vid":3}}}'}}]`
	wanted := func(mac, ip uint16) *model.NetworkEVPN {
		return &model.NetworkEVPN{VTEP: "v", MACVRF: &model.VPN{VNI: 110, VID: mac}, IPVRF: &model.VPN{VNI: 200, RouteTarget: "1:2", VID: ip}}
	}
	for name, row := range map[string]struct {
		manifest string
		wanted   *model.NetworkEVPN
	}{
		"both tell":             {cudn, wanted(2, 3)},
		"definition of old VNI": {strings.Replace(cudn, `"vni":200`, `"vni":201`, 1), wanted(2, 0)},
		"a tenant's definition": {strings.Replace(cudn, "uid: u, controller", "uid: other, controller", 1), wanted(0, 0)},
		"malformed definition":  {strings.Replace(cudn, `"vid":2`, `"vid":1`, 1), wanted(0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			same(t, networks(object[*Objects](t, row.manifest), model.Settings{})[1].EVPN, row.wanted)
		})
	}
	for name, manifest := range map[string]string{
		"neither VRF": strings.Replace(cudn, "macVRF: {vni: 110}, ipVRF: {vni: 200, routeTarget: \"1:2\"}", "", 1),
		"an uplink":   strings.Replace(cudn, "namespaceSelector: {}", "namespaceSelector: {}, uplinks: [wan]", 1),
	} {
		refused := networks(object[*Objects](t, manifest), model.Settings{})[1]
		if refused.EVPN != nil || refused.Problem == nil || refused.Problem.Reason != "InvalidNetwork" {
			t.Errorf("%s: got %+v, %+v", name, refused.EVPN, refused.Problem)
		}
	}
}
