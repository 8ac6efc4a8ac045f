package model

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"unique"
)

// PathKind is what the kernel does with packets that a route matches.
type PathKind uint8

// The kinds of paths.
const (
	// PathUnicast forwards to one of the path's next hops.
	PathUnicast PathKind = iota
	// PathDiscard drops: the kernel's blackhole, unreachable and prohibit.
	PathDiscard
	// PathOther is anything that has no counterpart on a logical router.
	PathOther
	// PathConditional is for some packets of the destination only: those with a
	// type of service, or from some sources.
	PathConditional
	// PathShadowed is not used, because another protocol's route of the same
	// destination comes first.
	PathShadowed
)

// NextHop is one next hop of a kernel route. It is comparable.
type NextHop struct {
	// Addr has no zone; it is invalid where the destination is on the link.
	Addr netip.Addr
	// Link is the index of the kernel link.
	Link int32
	// Dead is set where the kernel itself no longer uses the next hop.
	Dead bool
	// Weight is the next hop's share of the packets beside others; 0 is 1.
	Weight uint8
}

// StandIn is the next hop that FRR gives IPv4 routes whose next hop is an IPv6
// one (RFC 8950), where it doesn't install that itself: it makes a neighbor
// entry on the link with the hardware address that belongs to the real one.
var StandIn = netip.AddrFrom4([4]byte{169, 254, 0, 1})

// Path is where a route leads. A full BGP table has few different paths, so
// they are interned: a Path takes the room of a pointer and is compared as
// one.
type Path struct{ interned unique.Handle[string] }

const (
	pathHopDead = 1 << iota
	pathHopV4
	pathHopV6
	pathHopWeight
)

// MakePath returns the path with these next hops, in whatever order they come
// and however often each of them comes.
func MakePath(kind PathKind, hops ...NextHop) Path {
	if kind != PathUnicast {
		hops = nil
	}
	if len(hops) > 1 {
		hops = slices.Clone(hops)
		slices.SortFunc(hops, compareNextHops)
		hops = slices.Compact(hops)
	}
	var room [128]byte
	return Path{unique.Make(string(appendPath(room[:0], kind, hops)))}
}

func compareNextHops(a, b NextHop) int {
	if c := a.Addr.Compare(b.Addr); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Link, b.Link); c != 0 {
		return c
	}
	switch {
	case a.Dead == b.Dead:
		return cmp.Compare(a.Weight, b.Weight)
	case a.Dead:
		return 1
	default:
		return -1
	}
}

func appendPath(out []byte, kind PathKind, hops []NextHop) []byte {
	out = append(out, byte(kind))
	for _, hop := range hops {
		var flags byte
		if hop.Dead {
			flags |= pathHopDead
		}
		switch {
		case hop.Addr.Is4():
			flags |= pathHopV4
		case hop.Addr.Is6():
			flags |= pathHopV6
		}
		if hop.Weight > 1 {
			flags |= pathHopWeight
		}
		out = append(out, flags)
		out = binary.BigEndian.AppendUint32(out, uint32(hop.Link))
		out = append(out, hop.Addr.AsSlice()...)
		if hop.Weight > 1 {
			out = append(out, hop.Weight)
		}
	}
	return out
}

// Valid reports whether the path is one that MakePath returned.
func (p Path) Valid() bool { return p != Path{} }

// Kind is what becomes of packets.
func (p Path) Kind() PathKind { return PathKind(p.interned.Value()[0]) }

// NextHops appends the next hops to out, sorted by address.
func (p Path) NextHops(out []NextHop) []NextHop {
	for rest := p.interned.Value()[1:]; rest != ""; {
		flags := rest[0]
		hop := NextHop{
			Link: int32(binary.BigEndian.Uint32([]byte(rest[1:5]))),
			Dead: flags&pathHopDead != 0,
		}
		rest = rest[5:]
		switch {
		case flags&pathHopV4 != 0:
			hop.Addr = netip.AddrFrom4([4]byte([]byte(rest[:4])))
			rest = rest[4:]
		case flags&pathHopV6 != 0:
			hop.Addr = netip.AddrFrom16([16]byte([]byte(rest[:16])))
			rest = rest[16:]
		}
		if flags&pathHopWeight != 0 {
			hop.Weight, rest = rest[0], rest[1:]
		}
		out = append(out, hop)
	}
	return out
}

// Uneven reports whether the next hops have different shares of the packets.
func (p Path) Uneven() bool {
	var room [16]NextHop
	hops := p.NextHops(room[:0])
	for _, hop := range hops {
		if max(hop.Weight, 1) != max(hops[0].Weight, 1) {
			return true
		}
	}
	return false
}

// RowID is the UUID of a row in an OVSDB database.
type RowID [16]byte

// RouterRow is a static route that we own on a gateway router.
type RouterRow struct {
	ID RowID
	// NextHop is the zero Addr for a route that discards.
	NextHop netip.Addr
	// Intact is false if another column of the row was changed, so that the row has
	// to be written again.
	Intact bool
}

// RowVerb is what a RowChange does.
type RowVerb uint8

// What can be done to a row.
const (
	RowInsert RowVerb = iota
	// RowUpdate writes every column of an existing row.
	RowUpdate
	RowDelete
)

// RowChange is one change of our static routes on a gateway router. ID is
// that of an existing row, so it has no meaning for RowInsert.
type RowChange struct {
	Verb    RowVerb
	ID      RowID
	Prefix  netip.Prefix
	NextHop netip.Addr
}

// SkipReason says why a route that the kernel has is not on the gateway
// router; "" means that it belongs there.
type SkipReason string

// Why routes are skipped. The values appear in metrics and in the status of
// nodes, so they stay as they are.
//
//reference:skipped
const (
	SkipNone SkipReason = ""
	// The route lies within subnets of pods, or covers them.
	// Do: usually nothing, because FRR learned the cluster's own prefixes. To import
	// it, set --allow-within-cluster-subnets or --allow-covering-cluster-subnets.
	SkipPodSubnet SkipReason = "PodSubnet"
	// The route lies within subnets of Services, or covers them.
	// Do: as for PodSubnet.
	SkipServiceSubnet SkipReason = "ServiceSubnet"
	// The route lies within the subnets between OVN's routers, or covers them.
	// Do: as for PodSubnet; --join-subnets sets these subnets.
	SkipJoinSubnet SkipReason = "JoinSubnet"
	// The route lies within the subnets that OVN-Kubernetes uses for masquerading,
	// or covers them.
	// Do: as for PodSubnet; --masquerade-subnets sets these subnets.
	SkipMasquerade SkipReason = "MasqueradeSubnet"
	// The route lies within the subnets of the transit switch, or covers them.
	// Do: as for PodSubnet; --transit-subnets sets these subnets.
	SkipTransitSubnet SkipReason = "TransitSubnet"
	// The route's next hops are dead, or have no address.
	// Do: set the link up; "ip route show proto bgp" on the node shows it.
	SkipNoNextHop SkipReason = "NoUsableNextHop"
	// The route's next hop lies within the cluster's own subnets, or is an address
	// of the node itself.
	// Do: let the neighbor announce a next hop of its own.
	SkipNextHop SkipReason = "ProtectedNextHop"
	// The route's next hop is 169.254.0.1, FRR's placeholder for an IPv6 next hop,
	// and the IPv6 address can't be found.
	// Do: run "ip neigh show 169.254.0.1" on the node; peer over IPv4, or use an FRR
	// that installs IPv6 next hops.
	SkipLinkLocalHop SkipReason = "LinkLocalNextHop"
	// The route leaves by a link that is not the network's gateway. OVN's router
	// can't reach that link.
	// Do: peer over the gateway's link, or set --allow-any-link if OVN's router can
	// reach the next hop.
	SkipForeignLink SkipReason = "ForeignLink"
	// It is an IPv4 route via an IPv6 next hop, which OVN before 25.03 does not
	// support.
	// Do: upgrade OVN, or peer over IPv4.
	SkipIPv4ViaIPv6 SkipReason = "IPv4ViaIPv6"
	// The route lies within unroutable address space (loopback, link-local,
	// multicast, reserved and the rest of RFC 6890), or covers such space.
	// Do: let the neighbor filter its routes. To import it, set --allow-martians.
	SkipMartian SkipReason = "Martian"
	// The route leads to an address of this node.
	// Do: let the neighbor filter its routes. To import it, set
	// --allow-node-addresses.
	SkipNodeAddress SkipReason = "NodeAddress"
	// The route lies within a subnet of one of this node's links, which other nodes
	// share.
	// Do: as for NodeAddress.
	SkipNodeSubnet SkipReason = "NodeSubnet"
	// The route leads to an address of the API server.
	// Do: let the neighbor filter its routes. To import it, set --allow-api-server.
	SkipAPIServer SkipReason = "APIServer"
	// The route leads to a single host, and pods on the router have external
	// gateways of their own (AdminPolicyBasedExternalRoute). OVN would also send
	// these pods' packets along the route.
	// Do: let the neighbor announce a shorter prefix, such as a /31 or /127.
	SkipExternalGateway SkipReason = "ExternalGateway"
	// OVN has no row for the route's type or encapsulation.
	// Do: nothing.
	SkipUnsupported SkipReason = "Unsupported"
	// The route is only for packets with one type of service, or from some sources.
	// In OVN it would apply to all packets.
	// Do: let FRR install routes without a condition.
	SkipConditional SkipReason = "Conditional"
	// The kernel doesn't use the route: a route to the same destination from another
	// protocol has a lower metric.
	// Do: remove one of the two; "ip route show" on the node has both.
	SkipShadowed SkipReason = "Shadowed"
	// The network has more routes than --max-routes-per-vrf.
	// Do: let the neighbors send fewer, or raise the flag.
	SkipOverLimit SkipReason = "OverLimit"
	// Something else imports routes to the router; the condition Synced says what.
	// Do: switch one of the two off.
	SkipStandAside SkipReason = "StandAside"
	// The gateway router is not in the database.
	// Do: as the condition Synced says.
	SkipNoRouter SkipReason = "NoGatewayRouter"
	// The gateway's link is not known.
	// Do: as the condition Synced says.
	SkipGatewayUnknown SkipReason = "GatewayUnknown"
)
