package vrfs

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Network is a network that needs a VRF device on the node.
type Network struct {
	// Name is OVN's, "cluster_udn_<cudn>". It identifies the network.
	Name string
	// VRF is the name of the device, "" while it is not known.
	VRF string
	// ID is the cluster's number of the network, 0 if it has none.
	ID int
	// Subnets are those of the network's pods on all nodes.
	Subnets []netip.Prefix
	// NodeAddresses are the node's own, as far as the cluster knows them.
	NodeAddresses []netip.Addr
	// Exposed networks are reached through other VRFs, mostly the default one:
	// packets to their subnets that did not come in by the VRF are looked up in
	// its table. Networks that are not exposed may all have the same subnets.
	Exposed bool
	// Isolated networks leave the node only by routes of their own table, not
	// through the default VRF. They are never exposed.
	Isolated bool
	// Problem is why the network can't be worked on. What it has stays.
	Problem string
}

// State is what became of a network.
type State struct {
	Network string
	VRF     string
	// Table is 0 if the network has no device and gets none.
	Table uint32
	// Ours is set if the agent made the device, which then goes with the network.
	Ours bool
	// Problem is what was not done for the network, and what to do about it;
	// "" if everything is done. Reason is the first of several in one word.
	Reason  Reason
	Problem string
}

// Reason is why not everything could be done for a network, in one word.
type Reason string

// Reasons. With the first two the network's state is not known.
//
//reference:reasons NodeRouteState VRFReady
const (
	// Unknown: the name of the network's VRF device is not known yet, or the agent
	// can't work on the network.
	// Do: wait for OVN-Kubernetes to give the network an ID, or follow the message.
	ReasonNetworkUnknown Reason = "NetworkUnknown"
	// Unknown: the agent could not read the kernel's devices, rules or routes.
	// Do: fix the error in the message; the agent tries again by itself.
	ReasonKernelUnread Reason = "KernelUnread"
	// False: no device can have the network's name.
	// Do: give the network another name.
	ReasonNameUnusable Reason = "NameUnusable"
	// False: another device, or another network's VRF, has the name.
	// Do: rename the device, or all but one of the networks.
	ReasonNameTaken Reason = "NameTaken"
	// False: the routing table belongs to another VRF, or no table is free.
	// Do: remove what uses the table.
	ReasonTableTaken Reason = "TableTaken"
	// False: another network's ip rules lead to the same subnet.
	// Do: advertise at most one of the two over a VRF that is not its own.
	ReasonSubnetTaken Reason = "SubnetTaken"
	// False: the subnet is so wide that an ip rule for it would misroute the node's
	// own traffic.
	// Do: give the network a narrower subnet.
	ReasonSubnetTooWide Reason = "SubnetTooWide"
	// False: the subnet covers one of the node's own addresses, so an ip rule for
	// it would send the node's own traffic into the network.
	// Do: give the network a subnet that doesn't overlap the nodes' addresses.
	ReasonNodeCovered Reason = "NodeCovered"
	// False: the VRF device, which the agent did not create, is down.
	// Do: set it up: ip link set NAME up.
	ReasonDeviceDown Reason = "DeviceDown"
	// False: the kernel refused a change.
	// Do: fix the error in the message, mostly a missing capability (NET_ADMIN) or
	// kernel module (vrf).
	ReasonKernelRefused Reason = "KernelRefused"
)

// Decided reports whether it is known that something is wrong.
func (r Reason) Decided() bool { return r != ReasonNetworkUnknown && r != ReasonKernelUnread }

func (s *State) trouble(reason Reason, format string, args ...any) {
	if s.Problem != "" {
		s.Problem += "; "
	} else {
		s.Reason = reason
	}
	s.Problem += fmt.Sprintf(format, args...)
}

// unread are the states of networks while the kernel can't be read.
func unread(networks []Network, err error) []State {
	var out []State
	for _, n := range sorted(networks) {
		s := State{Network: n.Name, VRF: n.VRF}
		s.trouble(ReasonKernelUnread, "%s", err)
		out = append(out, s)
	}
	return out
}

// Names that have a meaning of their own in FRR or in the kernel's sysctl tree.
var reservedNames = []string{"default", "all", "lo", ".", ".."}

// nameProblem says why no device can have a name.
func nameProblem(name string) (Reason, string) {
	const longest = 15 // IFNAMSIZ without its terminator
	switch {
	case name == "":
		return ReasonNetworkUnknown, "the name of its VRF device is not known yet"
	case len(name) > longest:
		return ReasonNameUnusable, fmt.Sprintf("no device can be called %q: names have at most %d characters", name, longest)
	case slices.Contains(reservedNames, name), strings.ContainsAny(name, "/:% \t\n\v\f\r"):
		return ReasonNameUnusable, fmt.Sprintf("no VRF device can be called %q; give the network another name", name)
	default:
		return "", ""
	}
}

// sorted returns the networks in a steady order, with clean subnets.
func sorted(networks []Network) []Network {
	out := slices.Clone(networks)
	slices.SortStableFunc(out, func(a, b Network) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.VRF, b.VRF), cmp.Compare(a.ID, b.ID))
	})
	for i := range out {
		subnets := make([]netip.Prefix, 0, len(out[i].Subnets))
		for _, p := range out[i].Subnets {
			if p.Addr().Is4In6() && p.Bits() >= 96 {
				p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
			}
			if p.IsValid() {
				subnets = append(subnets, p.Masked())
			}
		}
		// Every prefix comes before those that lie within it.
		slices.SortFunc(subnets, netip.Prefix.Compare)
		out[i].Subnets = slices.Compact(subnets)
	}
	return out
}
