package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// VRFLink is a segment between a VRF of a router and the VRF of the same name
// on each node, apart from the fabric: what VRF-Lite needs. The router has a
// BGP instance in its VRF. What it announces and learns is asked for there.
type VRFLink struct {
	Router *Router
	// VRF is its name, at most 11 characters: devices are named after it.
	VRF string
	// Subnets are the segment's. Nodes have the numbers in them that they have
	// on the fabric.
	Subnets []netip.Prefix

	lab      *Lab
	password string
}

// firstRouterTable is that of a router's first VRF.
const firstRouterTable = 1001

// JoinVRF makes a VRF on an FRR router and links it to the VRF of that name on
// all nodes, where it has to be already. The router's sessions want the
// password, and are watched by BFD.
func (l *Lab) JoinVRF(ctx context.Context, r *Router, vrf, password string, subnets ...netip.Prefix) (*VRFLink, error) {
	v := &VRFLink{Router: r, VRF: vrf, Subnets: subnets, lab: l, password: password}
	if err := v.connect(); err != nil {
		return v, err
	}
	return v, r.Configure(ctx, v.config()...)
}

// Address is the router's.
func (v *VRFLink) Address(ipv4 bool) netip.Addr {
	return numbered(ofFamily(v.Subnets, ipv4), routerNumber).Addr()
}

// NodeAddress is a node's.
func (v *VRFLink) NodeAddress(n *Node, ipv4 bool) netip.Addr {
	return numbered(ofFamily(v.Subnets, ipv4), n.number).Addr()
}

// segment is the router's bridge, device a node's end of its link to it.
func (v *VRFLink) segment() string { return "br-" + v.VRF }
func (v *VRFLink) device() string  { return v.VRF + "-up" }

func (v *VRFLink) connect() error {
	m := v.Router.Machine
	v.Router.vrfs++
	if err := m.VRF(v.VRF, uint32(firstRouterTable+v.Router.vrfs)); err != nil {
		return err
	}
	if err := m.Bridge(v.segment()); err != nil {
		return err
	}
	if err := m.Enslave(v.segment(), v.VRF); err != nil {
		return err
	}
	if err := m.AddAddresses(v.segment(), texts(v.numbered(routerNumber))...); err != nil {
		return err
	}
	for i, n := range v.lab.Nodes {
		err := machine.Link(
			machine.End{Machine: m, Name: fmt.Sprintf("%s-%d", v.VRF, i+1), Master: v.segment()},
			machine.End{Machine: n.Machine, Name: v.device(), Master: v.VRF, Addresses: texts(v.numbered(n.number))})
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *VRFLink) numbered(number byte) []netip.Prefix {
	out := make([]netip.Prefix, len(v.Subnets))
	for i, subnet := range v.Subnets {
		out[i] = numbered(subnet, number)
	}
	return out
}

func (v *VRFLink) instance() string {
	return fmt.Sprintf("router bgp %d vrf %s", v.Router.ASN, v.VRF)
}

// config has BFD look ten times as rarely as FRR does by itself: an emulated
// machine pauses for longer than a second.
func (v *VRFLink) config() []string {
	out := []string{
		v.instance(), "bgp router-id " + v.Router.identifier().String(),
		"no bgp ebgp-requires-policy", "no bgp default ipv4-unicast", "no bgp network import-check", "timers bgp 3 9",
	}
	for _, subnet := range v.Subnets {
		for _, n := range v.lab.Nodes {
			neighbor := "neighbor " + numbered(subnet, n.number).Addr().String()
			out = append(out, fmt.Sprintf("%s remote-as %d", neighbor, NodeASN), neighbor+" timers connect 1",
				neighbor+" password "+v.password, neighbor+" bfd 3 1000 1000",
				"address-family "+afi(subnet.Addr().Is4())+" unicast", neighbor+" activate", "exit-address-family")
		}
	}
	return out
}

// Announce announces prefixes in the VRF.
func (v *VRFLink) Announce(ctx context.Context, prefixes ...netip.Prefix) error {
	return v.Router.Configure(ctx, networks(v.instance(), prefixes)...)
}

// networks are commands that have a BGP instance announce prefixes.
func networks(instance string, prefixes []netip.Prefix) []string {
	commands := []string{instance}
	for _, p := range prefixes {
		commands = append(commands, "address-family "+afi(p.Addr().Is4())+" unicast", "network "+p.String(), "exit-address-family")
	}
	return commands
}

// SetSessions has the router keep the sessions of the VRF down, or up.
func (v *VRFLink) SetSessions(ctx context.Context, up bool) error {
	commands := []string{v.instance()}
	for _, subnet := range v.Subnets {
		for _, n := range v.lab.Nodes {
			command := fmt.Sprintf("neighbor %s shutdown", numbered(subnet, n.number).Addr())
			if up {
				command = "no " + command
			}
			commands = append(commands, command)
		}
	}
	return v.Router.Configure(ctx, commands...)
}

// AddServer puts a host behind the router's VRF. Close removes it.
func (v *VRFLink) AddServer(ctx context.Context, name string, subnets ...netip.Prefix) (*Server, error) {
	return v.Router.addServerIn(ctx, v.VRF, name, subnets...)
}

// Close takes the VRF and its links away, from the router and from the nodes.
func (v *VRFLink) Close(ctx context.Context) error {
	err := v.Router.Configure(ctx, "no "+v.instance())
	m := v.Router.Machine
	for i := range v.lab.Nodes {
		err = errors.Join(err, m.DeleteLink(fmt.Sprintf("%s-%d", v.VRF, i+1)))
	}
	return errors.Join(err, m.DeleteLink(v.segment()), m.DeleteLink(v.VRF))
}
