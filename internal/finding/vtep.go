package finding

import (
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// What is wrong with a VTEP, and so with the networks that use it. OVN-Kubernetes'
// own reasons keep their names.

var invalidVTEP = enter("InvalidVTEP", invalid, ofNetwork,
	"A VTEP has no ranges, or one that is not a subnet.",
	"Correct spec.cidrs. The CRD refuses such an object if it is current.")

// InvalidVTEP is for a VTEP whose spec can't be used.
func InvalidVTEP(vtep, fault string) *model.Problem {
	return invalidVTEP.problem("VTEP %q: %s", vtep, fault)
}

var cidrOverlap = enter("CIDROverlap", invalid, ofNetwork,
	"Ranges of two VTEPs overlap, so that an address may be either's. OVN-Kubernetes refuses both, too.",
	"Change spec.cidrs of one of them.")

// CIDROverlap is for a VTEP whose range overlaps another's.
func CIDROverlap(vtep string, cidr netip.Prefix, other string, others netip.Prefix) *model.Problem {
	return cidrOverlap.problem("VTEP %q: %s overlaps %s of VTEP %q: change spec.cidrs of one of them", vtep, cidr, others, other)
}

var managedModeNotSupported = enter("ManagedModeNotSupported", invalid, ofNetwork,
	"A VTEP has mode Managed, in which somebody has to give nodes their addresses. OVN-Kubernetes does not, and the operator does so with --manage-vteps, where OVN-Kubernetes does not keep the VTEP.",
	"Start manager and agents with --manage-vteps. Beside OVN-Kubernetes' own VTEP controller, also set spec.mode to Unmanaged and the annotation ovnbgp.io/allocate to true.")

// ManagedModeNotSupported is for a VTEP with mode Managed that nobody gives addresses of.
func ManagedModeNotSupported(vtep string) *model.Problem {
	return managedModeNotSupported.problem("VTEP %q has mode Managed, and nobody gives nodes its addresses: start manager and agents with --manage-vteps, "+
		"or give nodes addresses within spec.cidrs yourself, and set spec.mode to Unmanaged", vtep)
}

// ManagedByOVNKubernetes is for one that OVN-Kubernetes keeps, and refuses. The evidence
// is a clause.
func ManagedByOVNKubernetes(vtep, evidence string) *model.Problem {
	return managedModeNotSupported.problem("VTEP %q has mode Managed, which OVN-Kubernetes refuses, and it keeps the cluster's VTEPs (%s): "+
		"set spec.mode to Unmanaged and the annotation %s to \"true\", and the operator gives nodes its addresses", vtep, evidence, model.AnnotationAllocate)
}

var evpnIPv6NotSupported = enter("EVPNIPv6NotSupported", invalid, ofNetwork,
	"A VTEP that an EVPN network uses has an IPv6 range, over which OVN-Kubernetes does not set up tunnels.",
	"Leave only IPv4 ranges in spec.cidrs.")

// EVPNIPv6NotSupported is for a VTEP with an IPv6 range.
func EVPNIPv6NotSupported(vtep string, cidr netip.Prefix) *model.Problem {
	return evpnIPv6NotSupported.problem("VTEP %q has the IPv6 range %s, and EVPN tunnels run over IPv4 only: leave only IPv4 ranges in spec.cidrs", vtep, cidr)
}

var vtepNotAccepted = enter("VTEPNotAccepted", pending, ofNetwork,
	"OVN-Kubernetes has not accepted a VTEP, for the reason that the message repeats.",
	"Follow that reason. The network is looked at again when the VTEP's condition Accepted changes.")

// VTEPNotAccepted is for a VTEP that OVN-Kubernetes refuses.
func VTEPNotAccepted(vtep, reason, message string) *model.Problem {
	return vtepNotAccepted.problem("OVN-Kubernetes has not accepted VTEP %q (%s: %s)", vtep, reason, message)
}
