package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Endpoints are the addresses of the ends of VXLAN tunnels. Routers and nodes
// have the numbers in them that they have on the fabric.
var Endpoints = netip.MustParsePrefix("192.168.102.0/24")

// What an end of VXLAN tunnels has: the address is on a device that does not go
// down with a link.
const (
	endpointDevice = "vtep0"
	tunnelBridge   = "evbr"
	tunnelDevice   = "evx4"
)

// EVPN are VXLAN tunnels between the nodes and an FRR router, which knows its
// ends by BGP. How nodes know theirs is what is tested.
type EVPN struct {
	Router *Router
	// VTEP is the object's name.
	VTEP string

	lab *Lab
	// nodes are those that have an end.
	nodes   []*Node
	tunnels *machine.Tunnels
	vpns    int
}

// StartEVPN gives the router, and nodes but some, an end of tunnels each. The router
// may be behind others, which pass on what BGP says of the tunnels, and their packets.
// Close ends them.
func (l *Lab) StartEVPN(ctx context.Context, r *Router, vtep string, without ...*Node) (*EVPN, error) {
	e := &EVPN{Router: r, VTEP: vtep, lab: l}
	ends := map[string]netip.Addr{}
	for _, n := range l.Nodes {
		if slices.Contains(without, n) {
			continue
		}
		e.nodes = append(e.nodes, n)
		ends[n.Name] = e.NodeEndpoint(n)
		if err := n.Machine.Dummy(endpointDevice, netip.PrefixFrom(ends[n.Name], 32).String()); err != nil {
			return e, err
		}
	}
	own := netip.PrefixFrom(e.Endpoint(), 32)
	if err := r.Machine.Dummy(endpointDevice, own.String()); err != nil {
		return e, err
	}
	var err error
	if e.tunnels, err = r.Machine.Tunnels(tunnelBridge, tunnelDevice, e.Endpoint(), 0); err != nil {
		return e, err
	}
	if err := l.CNI.AddVTEP(ctx, vtep, ends); err != nil {
		return e, err
	}
	err = e.configure(ctx, own, "")
	return e, err
}

// Endpoint is the router's end.
func (e *EVPN) Endpoint() netip.Addr { return numbered(Endpoints, e.Router.number).Addr() }

// NodeEndpoint is a node's end.
func (e *EVPN) NodeEndpoint(n *Node) netip.Addr { return numbered(Endpoints, n.number).Addr() }

// configure has BGP tell of the tunnels; no is "no " to end it.
func (e *EVPN) configure(ctx context.Context, own netip.Prefix, no string) error {
	for _, name := range e.Router.Behind {
		if err := e.lab.Router(name).carryEVPN(ctx, no); err != nil {
			return err
		}
	}
	instance := fmt.Sprintf("router bgp %d", e.Router.ASN)
	return errors.Join(e.Router.carryEVPN(ctx, no), e.Router.Configure(ctx, instance,
		"address-family ipv4 unicast", no+"network "+own.String(), "exit-address-family",
		"address-family l2vpn evpn", no+"advertise-all-vni", "exit-address-family"))
}

// carryEVPN has the router's sessions carry EVPN, too. FRR leaves next hops, which are
// ends of tunnels, as they are.
func (r *Router) carryEVPN(ctx context.Context, no string) error {
	config := []string{fmt.Sprintf("router bgp %d", r.ASN), "address-family l2vpn evpn"}
	if len(r.Behind) == 0 {
		config = append(config, no+"neighbor nodes-ipv4 activate")
	}
	for _, link := range r.links {
		config = append(config, no+"neighbor "+ofFamily(link.addresses, true).Addr().String()+" activate")
	}
	return r.Configure(ctx, append(config, "exit-address-family")...)
}

// Close takes everything away that StartEVPN made, once networks and VPNs are
// gone.
func (e *EVPN) Close(ctx context.Context) error {
	err := errors.Join(
		e.configure(ctx, netip.PrefixFrom(e.Endpoint(), 32), "no "),
		e.lab.CNI.RemoveVTEP(ctx, e.VTEP))
	if e.tunnels != nil {
		err = errors.Join(err, e.tunnels.Close())
	}
	err = errors.Join(err, e.Router.Machine.DeleteLink(endpointDevice))
	for _, n := range e.nodes {
		err = errors.Join(err, n.Machine.DeleteLink(endpointDevice))
	}
	return err
}

// nextVLAN is one of the router's own: VLANs mean nothing at the other end.
func (e *EVPN) nextVLAN() uint16 {
	e.vpns++
	return uint16(10 + e.vpns)
}

// IPVRF is a VRF of the router that others know by its VNI.
type IPVRF struct {
	VRF string
	// Table is its routing table on the router.
	Table int
	VNI   uint32

	evpn *EVPN
	vlan uint16
}

// AddIPVRF makes one. Its prefixes are announced as type 5.
func (e *EVPN) AddIPVRF(ctx context.Context, vrf string, vni uint32) (*IPVRF, error) {
	e.Router.vrfs++
	v := &IPVRF{VRF: vrf, VNI: vni, Table: firstRouterTable + e.Router.vrfs, evpn: e, vlan: e.nextVLAN()}
	if err := e.Router.Machine.VRF(vrf, uint32(v.Table)); err != nil {
		return v, err
	}
	if err := e.tunnels.Carry(v.vlan, vni); err != nil {
		return v, err
	}
	if err := e.tunnels.Interface(v.device(), v.vlan, vrf); err != nil {
		return v, err
	}
	config := []string{
		"vrf " + vrf, fmt.Sprintf("vni %d", vni), "exit-vrf",
		v.instance(), "bgp router-id " + e.Endpoint().String(), "no bgp default ipv4-unicast", "no bgp network import-check",
		"address-family l2vpn evpn",
	}
	for _, ipv4 := range e.lab.Families() {
		config = append(config, "advertise "+afi(ipv4)+" unicast")
	}
	return v, e.Router.Configure(ctx, append(config, "exit-address-family")...)
}

func (v *IPVRF) device() string { return "l3-" + v.VRF }

func (v *IPVRF) instance() string {
	return fmt.Sprintf("router bgp %d vrf %s", v.evpn.Router.ASN, v.VRF)
}

// AddServer puts a host behind the VRF and announces its subnets. Close removes
// it.
func (v *IPVRF) AddServer(ctx context.Context, name string, subnets ...netip.Prefix) (*Server, error) {
	s, err := v.evpn.Router.addServerIn(ctx, v.VRF, name, subnets...)
	if err != nil {
		return s, err
	}
	return s, v.evpn.Router.Configure(ctx, networks(v.instance(), subnets)...)
}

// Close takes the VRF away.
func (v *IPVRF) Close(ctx context.Context) error {
	m := v.evpn.Router.Machine
	return errors.Join(
		v.evpn.Router.Configure(ctx, "vrf "+v.VRF, fmt.Sprintf("no vni %d", v.VNI), "exit-vrf", "no "+v.instance()),
		m.DeleteLink(v.device()), v.evpn.tunnels.Drop(v.vlan, v.VNI), m.DeleteLink(v.VRF))
}

// MACVRF is a VLAN of the router that others know by its VNI.
type MACVRF struct {
	VNI uint32

	evpn *EVPN
	vlan uint16
}

// AddMACVRF makes one. FRR announces what its bridge learns.
func (e *EVPN) AddMACVRF(vni uint32) (*MACVRF, error) {
	v := &MACVRF{VNI: vni, evpn: e, vlan: e.nextVLAN()}
	return v, e.tunnels.Carry(v.vlan, vni)
}

// AddHost puts a host into the VLAN, with no way out of it. Close removes it.
func (v *MACVRF) AddHost(ctx context.Context, name string, subnets ...netip.Prefix) (*Server, error) {
	s, err := v.evpn.Router.addHost(ctx, name, nil, subnets)
	if err != nil {
		return s, err
	}
	if err := v.evpn.tunnels.Join(name, v.vlan); err != nil {
		return s, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close takes the VLAN away.
func (v *MACVRF) Close() error { return v.evpn.tunnels.Drop(v.vlan, v.VNI) }
