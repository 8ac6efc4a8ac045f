package ovnk

import (
	"fmt"
	"net/netip"
)

// prefix parses an address with a length, host bits kept.
func prefix(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q is not an address with a prefix length, such as 10.244.1.0/24", text)
	case p.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%q is an IPv4 address in IPv6 notation: write it as IPv4", text)
	}
	return p, nil
}

func address(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return netip.Addr{}, fmt.Errorf("%q is not an IP address", text)
	case a.Zone() != "":
		return netip.Addr{}, fmt.Errorf("%q has a zone, which means nothing outside its node", text)
	case a.Is4In6():
		return netip.Addr{}, fmt.Errorf("%q is an IPv4 address in IPv6 notation: write it as IPv4", text)
	}
	return a, nil
}

// prefix reads an address with a length.
func (s *scanner) prefix() (netip.Prefix, error) {
	text, err := s.text()
	if err != nil {
		return netip.Prefix{}, err
	}
	return prefix(text)
}

// prefixes reads a list of addresses with lengths.
func (s *scanner) prefixes() ([]netip.Prefix, error) {
	var out []netip.Prefix
	err := s.list(func() error {
		p, err := s.prefix()
		out = append(out, p)
		return err
	})
	return out, err
}

// ParsePrimaryAddresses parses node-primary-ifaddr: the node's own addresses
// with the lengths of their subnets, IPv4 first.
func ParsePrimaryAddresses(value string) ([]netip.Prefix, error) {
	var v4, v6 netip.Prefix
	err := read(AnnotationPrimaryAddress, value, func(s *scanner) error {
		return s.object(func(key string) error {
			switch key {
			case "ipv4":
				return s.primaryAddress(key, &v4, netip.Addr.Is4)
			case "ipv6":
				return s.primaryAddress(key, &v6, netip.Addr.Is6)
			default:
				return s.skip()
			}
		})
	})
	if err != nil {
		return nil, err
	}
	var out []netip.Prefix
	for _, p := range []netip.Prefix{v4, v6} {
		if p.IsValid() {
			out = append(out, p)
		}
	}
	return out, nil
}

// primaryAddress reads one family's address; OVN-Kubernetes may leave the
// string of a family that the node does not have empty.
func (s *scanner) primaryAddress(key string, out *netip.Prefix, family func(netip.Addr) bool) error {
	if out.IsValid() {
		return twice("key", key)
	}
	text, err := s.text()
	if err != nil || text == "" {
		return err
	}
	if *out, err = prefix(text); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if !family(out.Addr()) {
		return fmt.Errorf("%s: %q is of the other address family", key, text)
	}
	return nil
}

// ParseHostCIDRs parses host-cidrs: every address of the node with the length
// of its subnet, in the order written.
func ParseHostCIDRs(value string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	err := read(AnnotationHostCIDRs, value, func(s *scanner) (err error) {
		out, err = s.prefixes()
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ParseVTEPs parses vteps: the addresses of the node by VTEP object.
func ParseVTEPs(value string) (map[string][]netip.Addr, error) {
	out := map[string][]netip.Addr{}
	err := read(AnnotationVTEPs, value, func(s *scanner) error {
		return s.object(func(vtep string) error {
			if _, found := out[vtep]; found {
				return twice("VTEP", vtep)
			}
			ips, err := s.vtepAddresses()
			out[vtep] = ips
			if err != nil {
				return fmt.Errorf("VTEP %q: %w", vtep, err)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *scanner) vtepAddresses() ([]netip.Addr, error) {
	var out []netip.Addr
	found := false
	err := s.object(func(key string) error {
		if key != "ips" {
			return s.skip()
		}
		if found {
			return twice("key", key)
		}
		found = true
		return s.list(func() error {
			text, err := s.text()
			if err != nil {
				return err
			}
			a, err := address(text)
			out = append(out, a)
			return err
		})
	})
	return out, err
}
