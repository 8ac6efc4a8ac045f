package routediff

import (
	"net/netip"
	"slices"
)

// PrefixSet is a set of addresses that can be asked about prefixes. The zero
// value is empty. Asking costs the logarithm of its size, because it is asked
// for every route of a table while networks may have hundreds of subnets.
type PrefixSet struct {
	// prefixes don't overlap and are sorted by address, IPv4 first.
	prefixes []netip.Prefix
}

// NewPrefixSet returns the set of all addresses in prefixes.
func NewPrefixSet(prefixes ...netip.Prefix) PrefixSet {
	sorted := make([]netip.Prefix, 0, len(prefixes))
	for _, p := range prefixes {
		if p.IsValid() {
			sorted = append(sorted, p.Masked())
		}
	}
	// A prefix sorts before all that lie within it.
	slices.SortFunc(sorted, ComparePrefixes)
	kept := sorted[:0]
	for _, p := range sorted {
		if n := len(kept); n > 0 && kept[n-1].Overlaps(p) {
			continue
		}
		kept = append(kept, p)
	}
	return PrefixSet{prefixes: kept}
}

// Within reports whether every address of p is in one prefix of the set.
func (s PrefixSet) Within(p netip.Prefix) bool {
	i := s.after(p)
	return i > 0 && s.prefixes[i-1].Bits() <= p.Bits() && s.prefixes[i-1].Overlaps(p)
}

// Covers reports whether p is wider than a prefix of the set and covers it.
func (s PrefixSet) Covers(p netip.Prefix) bool {
	i := s.after(p)
	return i < len(s.prefixes) && s.prefixes[i].Bits() > p.Bits() && s.prefixes[i].Overlaps(p)
}

// after is the index of the first prefix that sorts after p.
func (s PrefixSet) after(p netip.Prefix) int {
	i, found := slices.BinarySearchFunc(s.prefixes, p, ComparePrefixes)
	if found {
		i++
	}
	return i
}

// ComparePrefixes orders by family, address and length.
func ComparePrefixes(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}

// Equal reports whether two sets have the same prefixes.
func (s PrefixSet) Equal(o PrefixSet) bool { return slices.Equal(s.prefixes, o.prefixes) }
