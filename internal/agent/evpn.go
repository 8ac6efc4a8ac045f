package agent

import (
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// EVPN is how a network reaches into the fabric from the node. Imports don't depend on
// it.
type EVPN struct {
	VTEP string
	// Endpoint is the node's address of the VTEP, not valid where it is not known.
	Endpoint netip.Addr
	// Allocated is set if the manager gave the node that address.
	Allocated bool
	// Gateways are the addresses of the network's gateway, which every node has itself.
	Gateways []netip.Addr
	// MACVRF and IPVRF are nil where there is none.
	MACVRF, IPVRF *model.VPN
	// Problem is the manager's alone: what stands in the way of imports doesn't stand in
	// that of EVPN.
	Problem string
}
