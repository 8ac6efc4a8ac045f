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
)

// NextHop is one next hop of a kernel route. It is comparable.
type NextHop struct {
	// Addr has no zone; it is invalid where the destination is on the link.
	Addr netip.Addr
	// Link is the index of the kernel link.
	Link int32
	// Dead is set where the kernel itself no longer uses the next hop.
	Dead bool
}

// Path is where a route leads. A full BGP table has few different paths, so
// they are interned: a Path takes the room of a pointer and is compared as
// one.
type Path struct{ interned unique.Handle[string] }

const (
	pathHopDead = 1 << iota
	pathHopV4
	pathHopV6
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
		return 0
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
		out = append(out, flags)
		out = binary.BigEndian.AppendUint32(out, uint32(hop.Link))
		out = append(out, hop.Addr.AsSlice()...)
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
		out = append(out, hop)
	}
	return out
}

// RowID is the UUID of a row in an OVSDB database.
type RowID [16]byte

// RouterRow is a static route that we own on a gateway router.
type RouterRow struct {
	ID RowID
	// NextHop is the zero Addr for a route that discards.
	NextHop netip.Addr
	// Intact is false where somebody changed another column of the row, so
	// that it has to be written again.
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
const (
	SkipNone           SkipReason = ""
	SkipPodSubnet      SkipReason = "PodSubnet"
	SkipServiceSubnet  SkipReason = "ServiceSubnet"
	SkipJoinSubnet     SkipReason = "JoinSubnet"
	SkipMasquerade     SkipReason = "MasqueradeSubnet"
	SkipTransitSubnet  SkipReason = "TransitSubnet"
	SkipNoNextHop      SkipReason = "NoUsableNextHop"
	SkipForeignLink    SkipReason = "ForeignLink"
	SkipIPv4ViaIPv6    SkipReason = "IPv4ViaIPv6"
	SkipUnsupported    SkipReason = "Unsupported"
	SkipOverLimit      SkipReason = "OverLimit"
	SkipStandAside     SkipReason = "StandAside"
	SkipNoRouter       SkipReason = "NoGatewayRouter"
	SkipGatewayUnknown SkipReason = "GatewayUnknown"
)
