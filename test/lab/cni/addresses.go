package cni

import (
	"crypto/sha256"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"slices"
)

// OVN-Kubernetes' defaults of the subnets that it keeps for itself, one per
// family.
var (
	joinSubnets       = []netip.Prefix{netip.MustParsePrefix("100.64.0.0/16"), netip.MustParsePrefix("fd98::/64")}
	udnJoinSubnets    = []netip.Prefix{netip.MustParsePrefix("100.65.0.0/16"), netip.MustParsePrefix("fd99::/64")}
	transitSubnets    = []netip.Prefix{netip.MustParsePrefix("100.88.0.0/16"), netip.MustParsePrefix("fd97::/64")}
	masqueradeSubnets = []netip.Prefix{netip.MustParsePrefix("169.254.0.0/17"), netip.MustParsePrefix("fd69::/112")}
)

const (
	// ownNode is the masquerade address that stands for the node itself,
	// dummyNextHop the one that the gateway router sends masqueraded traffic
	// to.
	ownNode      = 2
	dummyNextHop = 4
	// udnMasqueradeBase: network n of a user has the masquerade addresses
	// base+2n-1 (its gateway routers) and base+2n (its management ports).
	udnMasqueradeBase = 10
	// firstNodeID: the first address of a join subnet is the cluster router's.
	firstNodeID = 2
)

// nth is an address of a subnet with the subnet's length.
func nth(subnet netip.Prefix, n int) netip.Prefix {
	bytes := subnet.Masked().Addr().AsSlice()
	for i := len(bytes) - 1; n > 0 && i >= 0; i-- {
		n += int(bytes[i])
		bytes[i] = byte(n)
		n >>= 8
	}
	address, _ := netip.AddrFromSlice(bytes)
	return netip.PrefixFrom(address, subnet.Bits())
}

// nths is nth in each of the subnets.
func nths(subnets []netip.Prefix, n int) []netip.Prefix {
	out := make([]netip.Prefix, len(subnets))
	for i, subnet := range subnets {
		out[i] = nth(subnet, n)
	}
	return out
}

// pair are the two ends of the link between a node's gateway router and the
// transit router of a Layer2 network.
func pair(nodeID int, like []netip.Prefix) (transit, gateway []netip.Prefix) {
	for _, subnet := range sameFamilies(transitSubnets, like) {
		for i, out := range []*[]netip.Prefix{&transit, &gateway} {
			address := nth(subnet, 2*nodeID+i).Addr()
			*out = append(*out, netip.PrefixFrom(address, address.BitLen()-1))
		}
	}
	return transit, gateway
}

// sameFamilies are those of the prefixes whose family others has too.
func sameFamilies(prefixes, others []netip.Prefix) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(prefixes), func(p netip.Prefix) bool {
		return !slices.ContainsFunc(others, func(o netip.Prefix) bool { return o.Addr().Is4() == p.Addr().Is4() })
	})
}

// ofFamily is the first of the prefixes with the family of another; the zero
// value if there is none.
func ofFamily(prefixes []netip.Prefix, like netip.Prefix) netip.Prefix {
	for _, p := range prefixes {
		if p.Addr().Is4() == like.Addr().Is4() {
			return p
		}
	}
	return netip.Prefix{}
}

// macOf is the MAC that OVN-Kubernetes derives from an address: 0a:58 and the
// IPv4 address, or four bytes of the IPv6 address' SHA-256.
func macOf(address netip.Addr) string {
	mac := net.HardwareAddr{0x0a, 0x58, 0, 0, 0, 0}
	if address.Is4() {
		bytes := address.As4()
		copy(mac[2:], bytes[:])
	} else {
		sum := sha256.Sum256([]byte(address.String()))
		copy(mac[2:], sum[:4])
	}
	return mac.String()
}

// macOfAll is the MAC of a port with several addresses: of IPv4 if it can be.
func macOfAll(addresses []netip.Prefix) string {
	for _, a := range addresses {
		if a.Addr().Is4() {
			return macOf(a.Addr())
		}
	}
	return macOf(addresses[0].Addr())
}

// ChassisID is the identifier, a UUID as elsewhere, that a node's Open vSwitch
// has for OVN.
func ChassisID(node string) string {
	sum := sha256.Sum256([]byte(node))
	return fmt.Sprintf("%x-%x-4%03x-8%03x-%x", sum[:4], sum[4:6], uint16(sum[6])<<4|uint16(sum[7])>>4, uint16(sum[8])<<4|uint16(sum[9])>>4, sum[10:16])
}

// hashed is the name of an object of OVN whose own name has characters that
// OVN's expressions don't take.
func hashed(name string) string {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(name))
	return fmt.Sprintf("a%d", hash.Sum64())
}

// text are prefixes as OVN takes them.
func text(prefixes []netip.Prefix) []string {
	out := make([]string, len(prefixes))
	for i, p := range prefixes {
		out[i] = p.String()
	}
	return out
}

func hostPrefix(address netip.Addr) netip.Prefix {
	return netip.PrefixFrom(address, address.BitLen())
}

// hostPrefixes are the addresses alone.
func hostPrefixes(prefixes []netip.Prefix) []netip.Prefix {
	out := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		out[i] = hostPrefix(p.Addr())
	}
	return out
}

func addressesOf(prefixes []netip.Prefix) []netip.Addr {
	out := make([]netip.Addr, len(prefixes))
	for i, p := range prefixes {
		out[i] = p.Addr()
	}
	return out
}
