package snapshot

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// networkEVPN is what the ClusterUserDefinedNetwork wants; NetworkAttachmentDefinitions
// repeat it, later, and add the VLANs.
func (ids *networkIDs) networkEVPN(cudn *ovnv1.ClusterUserDefinedNetwork) (*model.NetworkEVPN, string) {
	spec := &cudn.Spec.Network
	if model.Transport(spec.Transport) != model.TransportEVPN {
		return nil, ""
	}
	if spec.EVPN == nil || spec.EVPN.VTEP == "" || spec.EVPN.MACVRF == nil && spec.EVPN.IPVRF == nil {
		return nil, "spec.network has transport EVPN and needs evpn with a vtep and macVRF, ipVRF or both: add them"
	}
	if len(cudn.Spec.Uplinks) > 0 {
		// An older CRD has no such rule.
		return nil, "spec.uplinks can't be set with transport EVPN, whose packets leave through the VTEP: make the network without them"
	}
	decided := ids.evpnOf(ovnk.NetworkName(cudn.Name))
	return &model.NetworkEVPN{
		VTEP: spec.EVPN.VTEP, Gateways: layer2Gateways(spec),
		MACVRF: vpn(spec.EVPN.MACVRF, decided, func(e *ovnk.NADEVPN) ovnk.NADVPN { return e.MACVRF }),
		IPVRF:  vpn(spec.EVPN.IPVRF, decided, func(e *ovnk.NADEVPN) ovnk.NADVPN { return e.IPVRF }),
	}, ""
}

// layer2Gateways are those of a Layer2 network that can have a MAC-VRF.
func layer2Gateways(spec *ovnv1.NetworkSpec) []netip.Addr {
	if spec.EVPN.MACVRF == nil || spec.Layer2 == nil {
		return nil
	}
	var out []netip.Addr
	for _, text := range spec.Layer2.DefaultGatewayIPs {
		// The CRD lets in nothing else.
		if address, err := netip.ParseAddr(string(text)); err == nil {
			out = append(out, address.Unmap())
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, cidr := range spec.Layer2.Subnets {
		if prefix, fault := subnet("", cidr); fault == "" {
			out = append(out, ovnk.Layer2Gateway(prefix))
		}
	}
	return out
}

// vpn takes the lowest VLAN of definitions that are about the same VNI: those of a VNI
// that was there before are out of date.
func vpn(wanted *ovnv1.VRFConfig, decided []*ovnk.NADEVPN, of func(*ovnk.NADEVPN) ovnk.NADVPN) *model.VPN {
	if wanted == nil {
		return nil
	}
	out := &model.VPN{VNI: uint32(wanted.VNI), RouteTarget: string(wanted.RouteTarget)} //nolint:gosec // The CRD has it from 1 to 2^24-1.
	for _, e := range decided {
		if v := of(e); v.VNI == out.VNI && v.VID != 0 && (out.VID == 0 || v.VID < out.VID) {
			out.VID = v.VID
		}
	}
	return out
}

// evpnOf reads all definitions when it is first asked; what can't be read tells nothing.
func (ids *networkIDs) evpnOf(network string) []*ovnk.NADEVPN {
	if ids.evpn == nil {
		ids.evpn = map[string][]*ovnk.NADEVPN{}
		for i := range ids.objs.NADs {
			nad := &ids.objs.NADs[i]
			decided, err := ovnk.ParseNADEVPN(nad.Spec.Config)
			if err != nil || decided == nil {
				continue
			}
			if name := ids.networkOf(nad); name != "" {
				ids.evpn[name] = append(ids.evpn[name], decided)
			}
		}
	}
	return ids.evpn[network]
}

// vteps are all VTEPs, those included that can't be used: a network may name them.
func vteps(objects []ovnv1.VTEP, manage bool) []model.VTEP {
	out := make([]model.VTEP, 0, len(objects))
	keeper := VTEPKeeper(objects)
	for i := range objects {
		out = append(out, vtep(&objects[i], manage, keeper))
	}
	slices.SortFunc(out, func(a, b model.VTEP) int { return cmp.Compare(a.Name, b.Name) })
	for i := range out {
		v := &out[i]
		if overlap := overlapping(v, out); overlap != nil && (v.Problem == nil || v.Problem.Outcome == model.Pending) {
			v.Problem = overlap
		}
	}
	return out
}

// vtep reads one. keeper is the evidence that OVN-Kubernetes keeps the cluster's VTEPs.
func vtep(v *ovnv1.VTEP, manage bool, keeper string) model.VTEP {
	// The CRD defaults to Managed.
	out := model.VTEP{Name: v.Name, Created: v.CreationTimestamp.Time, Managed: v.Spec.Mode != ovnv1.VTEPModeUnmanaged}
	fault := ""
	if len(v.Spec.CIDRs) == 0 {
		fault = "spec.cidrs is empty: add a range that has the nodes' addresses"
	}
	for i, cidr := range v.Spec.CIDRs {
		prefix, wrong := subnet(fmt.Sprintf("spec.cidrs[%d]", i), ovnv1.CIDR(cidr))
		if wrong != "" {
			fault = cmp.Or(fault, wrong)
			continue
		}
		out.CIDRs = append(out.CIDRs, prefix)
	}
	slices.SortFunc(out.CIDRs, netip.Prefix.Compare)
	out.Allocated, out.Source = allocated(v, manage, keeper)
	v6 := slices.IndexFunc(out.CIDRs, func(p netip.Prefix) bool { return p.Addr().Is6() })
	switch reason, message := VTEPRefusal(v); {
	case fault != "":
		out.Problem = finding.InvalidVTEP(v.Name, fault)
	case out.Managed && manage && !out.Allocated:
		out.Problem = finding.ManagedByOVNKubernetes(v.Name, keeper)
	case out.Managed && !out.Allocated:
		out.Problem = finding.ManagedModeNotSupported(v.Name)
	case v6 >= 0:
		out.Problem = finding.EVPNIPv6NotSupported(v.Name, out.CIDRs[v6])
	case reason != "" && !out.Managed:
		out.Problem = finding.VTEPNotAccepted(v.Name, reason, message)
	}
	return out
}

// VTEPRefusal is why OVN-Kubernetes refuses the VTEP as a whole, "" if it does not.
// AllocationFailed is none: it is there as soon as one node has no address, which must
// not stop the others. A condition about an older spec says nothing.
func VTEPRefusal(v *ovnv1.VTEP) (reason, message string) {
	c := meta.FindStatusCondition(v.Status.Conditions, ovnv1.VTEPAccepted)
	if c == nil || c.Status != metav1.ConditionFalse || c.Reason == ovnv1.VTEPReasonAllocationFailed ||
		c.ObservedGeneration != 0 && c.ObservedGeneration < v.Generation {
		return "", ""
	}
	return c.Reason, c.Message
}

// overlapping finds the first VTEP that has addresses in common with v.
func overlapping(v *model.VTEP, all []model.VTEP) *model.Problem {
	for i := range all {
		other := &all[i]
		if other.Name == v.Name {
			continue
		}
		for _, mine := range v.CIDRs {
			for _, theirs := range other.CIDRs {
				if mine.Overlaps(theirs) {
					return finding.CIDROverlap(v.Name, mine, other.Name, theirs)
				}
			}
		}
	}
	return nil
}

// nodeVTEPs are the node's addresses by VTEP.
func nodeVTEPs(n *corev1.Node) (map[string][]netip.Addr, *model.Problem) {
	value, found := n.Annotations[ovnk.AnnotationVTEPs]
	if !found {
		return nil, nil
	}
	out, err := ovnk.ParseVTEPs(value)
	if err != nil {
		return nil, finding.AnnotationMalformed(err)
	}
	return out, nil
}
