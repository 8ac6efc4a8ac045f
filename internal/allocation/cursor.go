package allocation

import (
	"net/netip"
	"slices"
)

// span is a run of addresses, both ends included.
type span struct{ first, last netip.Addr }

// usableOf are the addresses of a range that a node can have. A node can't have the
// network's own address and the one for broadcasts (RFC 3021: but in a /31 it can), nor
// the routers' anycast address of an IPv6 subnet (RFC 4291, 2.6.1).
func usableOf(cidr netip.Prefix) span {
	out := span{cidr.Masked().Addr(), lastOf(cidr)}
	switch {
	case cidr.Addr().Is4() && cidr.Bits() <= 30:
		return span{out.first.Next(), out.last.Prev()}
	case cidr.Addr().Is6() && cidr.Bits() <= 126:
		return span{out.first.Next(), out.last}
	default:
		return out
	}
}

func lastOf(cidr netip.Prefix) netip.Addr {
	bytes := cidr.Addr().AsSlice()
	for bit := cidr.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

func usable(address netip.Addr, p *Pool) bool {
	return !within(address, p.Others) && slices.ContainsFunc(p.CIDRs, func(c netip.Prefix) bool {
		s := usableOf(c)
		return c.Contains(address) && s.first.Compare(address) <= 0 && address.Compare(s.last) <= 0
	})
}

// cursor goes once through a pool's addresses of a family. It begins behind the last one
// that is held, so that one that was given back is come to last.
type cursor struct {
	rest   []span
	others []netip.Prefix
}

// newCursor returns nil if the pool has no range of the family.
func newCursor(p *Pool, family func(netip.Addr) bool, held []netip.Addr) *cursor {
	var spans []span
	last, at := netip.Addr{}, -1
	for _, cidr := range p.CIDRs {
		if !family(cidr.Addr()) {
			continue
		}
		spans = append(spans, usableOf(cidr))
		for _, address := range held {
			if cidr.Contains(address) && (at < len(spans)-1 || last.Less(address)) {
				last, at = address, len(spans)-1
			}
		}
	}
	if len(spans) == 0 {
		return nil
	}
	if at < 0 {
		return &cursor{rest: spans, others: p.Others}
	}
	behind, before := span{last.Next(), spans[at].last}, span{spans[at].first, last}
	rest := append([]span{behind}, spans[at+1:]...)
	return &cursor{rest: append(append(rest, spans[:at]...), before), others: p.Others}
}

// next is the next address that is free. It goes by whole ranges where others overlap:
// there may be very many addresses in one.
func (c *cursor) next(free func(netip.Addr) bool) (netip.Addr, bool) {
	for len(c.rest) > 0 {
		s := &c.rest[0]
		if !s.first.IsValid() || s.last.Less(s.first) {
			c.rest = c.rest[1:]
			continue
		}
		candidate := s.first
		if i := slices.IndexFunc(c.others, func(o netip.Prefix) bool { return o.Contains(candidate) }); i >= 0 {
			s.first = lastOf(c.others[i]).Next()
			continue
		}
		s.first = candidate.Next()
		if free(candidate) {
			return candidate, true
		}
	}
	return netip.Addr{}, false
}
