package snapshot

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// refused returns what frr-k8s (v0.0.26, api_to_config.go) would refuse in an
// FRRConfiguration by itself, nil for nothing. A cluster with frr-k8s' webhook has
// no such object. Elsewhere, and in files, such an object invalidates the whole
// configuration of every node that it selects.
func refused(c *frrk8sv1beta1.FRRConfiguration) *model.Problem {
	return refusedFor(c, refusedIn(&c.Spec.BGP))
}

func refusedFor(c *frrk8sv1beta1.FRRConfiguration, fault string) *model.Problem {
	if fault == "" {
		return nil
	}
	return finding.RefusedByFRRK8s(c.Namespace+"/"+c.Name, fault)
}

func refusedIn(bgp *frrk8sv1beta1.BGPConfig) string {
	names := map[string]bool{}
	for i := range bgp.BFDProfiles {
		name := bgp.BFDProfiles[i].Name
		if names[name] {
			return fmt.Sprintf("BFD profile %q is in it twice: remove one", name)
		}
		names[name] = true
	}
	prefixes := map[string][]string{}
	for i := range bgp.Routers {
		prefixes[bgp.Routers[i].VRF] = bgp.Routers[i].Prefixes
	}
	for i := range bgp.Routers {
		if fault := refusedRouter(&bgp.Routers[i], prefixes); fault != "" {
			return fmt.Sprintf("the router in VRF %q %s", cmp.Or(bgp.Routers[i].VRF, model.DefaultVRF), fault)
		}
	}
	return ""
}

func refusedRouter(r *frrk8sv1beta1.Router, byVRF map[string][]string) string {
	if strings.ContainsFunc(r.VRF, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }) {
		// frr-k8s passes it on, and FRR takes what follows for another word.
		return "has white space in its vrf, which no VRF's name can have: correct it"
	}
	for _, text := range r.Prefixes {
		if _, ok := prefixOf(text); !ok {
			return fmt.Sprintf("has the prefix %q, which is none: correct it", text)
		}
	}
	known := slices.Clone(r.Prefixes)
	for _, i := range r.Imports {
		vrf := i.VRF
		if vrf == model.DefaultVRF {
			vrf = ""
		}
		imported, found := byVRF[vrf]
		if !found {
			return fmt.Sprintf("imports VRF %q, for which the object has no router: add one", cmp.Or(i.VRF, model.DefaultVRF))
		}
		known = append(known, imported...)
	}
	for i := range r.Neighbors {
		n := &r.Neighbors[i]
		for _, refuse := range []func(*frrk8sv1beta1.Router, *frrk8sv1beta1.Neighbor) string{
			refusedSession, refusedTimers, refusedReceive,
			func(_ *frrk8sv1beta1.Router, n *frrk8sv1beta1.Neighbor) string { return refusedAdvertise(n, known) },
		} {
			if fault := refuse(r, n); fault != "" {
				return fmt.Sprintf("has neighbor %s, whose %s", cmp.Or(n.Address, n.Interface, "without address"), fault)
			}
		}
	}
	return ""
}

func refusedSession(r *frrk8sv1beta1.Router, n *frrk8sv1beta1.Neighbor) string {
	switch {
	case n.LocalASN != 0 && n.ASN != 0 && n.ASN == r.ASN:
		return fmt.Sprintf("localASN %d is set although its ASN is the router's own: remove localASN, which is for eBGP only", n.LocalASN)
	case n.Password != "" && n.PasswordSecret.Name != "":
		return "password and passwordSecret are both set: remove one of them"
	case n.DynamicASN != "" && n.DynamicASN != frrk8sv1beta1.InternalASNMode && n.DynamicASN != frrk8sv1beta1.ExternalASNMode:
		return fmt.Sprintf("dynamicASN %q is neither %q nor %q: correct it", n.DynamicASN, frrk8sv1beta1.InternalASNMode, frrk8sv1beta1.ExternalASNMode)
	}
	hop := n.ToAdvertise.NextHop
	takes4, takes6 := families(n)
	if address := net.ParseIP(hop.IPv4); hop.IPv4 != "" && (address == nil || address.To4() == nil || !takes4) {
		return fmt.Sprintf("toAdvertise.nextHop.ipv4 %q is no IPv4 address, or the neighbor's session is not for IPv4: correct or remove it", hop.IPv4)
	}
	if address := net.ParseIP(hop.IPv6); hop.IPv6 != "" && (address == nil || address.To4() != nil || !takes6) {
		return fmt.Sprintf("toAdvertise.nextHop.ipv6 %q is no IPv6 address, or the neighbor's session is not for IPv6: correct or remove it", hop.IPv6)
	}
	return ""
}

// families are those that the neighbor's address takes; an address that is none
// is found elsewhere.
func families(n *frrk8sv1beta1.Neighbor) (ipv4, ipv6 bool) {
	address := net.ParseIP(n.Address)
	if n.Interface != "" || n.DualStackAddressFamily || address == nil {
		return true, true
	}
	return address.To4() != nil, address.To4() == nil
}

func refusedTimers(_ *frrk8sv1beta1.Router, n *frrk8sv1beta1.Neighbor) string {
	hold, keepalive := n.HoldTime, n.KeepaliveTime
	switch {
	case hold == nil && keepalive == nil:
		return ""
	case hold == nil:
		return "keepaliveTime is set without holdTime: set both or none"
	case keepalive == nil:
		return "holdTime is set without keepaliveTime: set both or none"
	case hold.Duration >= time.Second && hold.Duration < 3*time.Second:
		return fmt.Sprintf("holdTime is %s: it takes 0 or at least 3s", hold.Duration)
	case keepalive.Duration > hold.Duration:
		return fmt.Sprintf("keepaliveTime %s is longer than holdTime %s: make it a third of that", keepalive.Duration, hold.Duration)
	default:
		return ""
	}
}

func refusedReceive(_ *frrk8sv1beta1.Router, n *frrk8sv1beta1.Neighbor) string {
	if n.ToReceive.Allowed.Mode == frrk8sv1beta1.AllowAll {
		return ""
	}
	for _, s := range n.ToReceive.Allowed.Prefixes {
		prefix, ok := prefixOf(s.Prefix)
		switch bits := uint32(prefix.Bits()); { //nolint:gosec // a prefix length is 0 to 128
		case !ok:
			return fmt.Sprintf("toReceive has the prefix %q, which is none: correct it", s.Prefix)
		case s.GE == 0 && s.LE == 0:
		case s.LE > 0 && s.GE > s.LE:
			return fmt.Sprintf("toReceive prefix %s has ge %d above le %d: swap them", s.Prefix, s.GE, s.LE)
		case s.LE > 0 && bits > s.LE:
			return fmt.Sprintf("toReceive prefix %s has le %d below its own length: raise le", s.Prefix, s.LE)
		case s.GE > 0 && bits > s.GE:
			return fmt.Sprintf("toReceive prefix %s has ge %d below its own length: raise ge", s.Prefix, s.GE)
		}
	}
	return ""
}

// refusedAdvertise looks at what a neighbor gets of the prefixes that the router
// has or imports.
func refusedAdvertise(n *frrk8sv1beta1.Neighbor, known []string) string {
	out := &n.ToAdvertise
	allowed := out.Allowed.Prefixes
	if out.Allowed.Mode == frrk8sv1beta1.AllowAll {
		allowed = known
	} else if fault := refusedPrefixes(n, "toAdvertise.allowed.prefixes", allowed, known,
		"which is not among the router's prefixes: add it there"); fault != "" {
		return fault
	}
	const missing = "which the neighbor does not get: add it to toAdvertise.allowed.prefixes and to the router's prefixes, " +
		"or leave it to a RouteAdvertisements object to advertise it"
	preferences := map[string]uint32{}
	lists := map[string]bool{}
	for _, p := range out.PrefixesWithLocalPref {
		field := fmt.Sprintf("toAdvertise.withLocalPref %d", p.LocalPref)
		if fault := refusedPrefixes(n, field, p.Prefixes, allowed, missing); fault != "" {
			return fault
		}
		for _, text := range p.Prefixes {
			if other, found := preferences[text]; found && other != p.LocalPref {
				return fmt.Sprintf("toAdvertise.withLocalPref gives %s the local preferences %d and %d: choose one", text, other, p.LocalPref)
			}
			preferences[text] = p.LocalPref
		}
		if fault := twice(lists, field, p.Prefixes); fault != "" {
			return fault
		}
	}
	for _, p := range out.PrefixesWithCommunity {
		value, ok := community(p.Community)
		if !ok {
			return fmt.Sprintf("toAdvertise.withCommunity has %q, which is no community: write it as 64512:100 or large:64512:100:200", p.Community)
		}
		field := fmt.Sprintf("toAdvertise.withCommunity %s", value)
		if fault := refusedPrefixes(n, field, p.Prefixes, allowed, missing); fault != "" {
			return fault
		}
		if fault := twice(lists, field, p.Prefixes); fault != "" {
			return fault
		}
	}
	return ""
}

// community reads a community as frr-k8s does, RFC 1997's or RFC 8092's, and returns
// it as it is compared.
func community(text string) (string, bool) {
	parts, bits := strings.Split(text, ":"), 16
	switch {
	case len(parts) == 4 && parts[0] == "large":
		parts, bits = parts[1:], 32
	case len(parts) != 2:
		return "", false
	}
	for i, part := range parts {
		value, err := strconv.ParseUint(part, 10, bits)
		if err != nil {
			return "", false
		}
		parts[i] = strconv.FormatUint(value, 10)
	}
	return strings.Join(parts, ":"), true
}

// twice finds what frr-k8s takes once only: an attribute, and a prefix in its list.
func twice(lists map[string]bool, field string, prefixes []string) string {
	if len(prefixes) == 0 {
		return ""
	}
	if lists[field] {
		return field + " is in it twice: put all prefixes into one list"
	}
	lists[field] = true
	seen := map[string]bool{}
	for _, text := range prefixes {
		if seen[text] {
			return fmt.Sprintf("%s has the prefix %s twice: remove one", field, text)
		}
		seen[text] = true
	}
	return ""
}

func refusedPrefixes(n *frrk8sv1beta1.Neighbor, field string, prefixes, known []string, missing string) string {
	takes4, takes6 := families(n)
	for _, text := range prefixes {
		prefix, ok := prefixOf(text)
		switch is4 := prefix.Addr().Unmap().Is4(); {
		case !ok:
			return fmt.Sprintf("%s has the prefix %q, which is none: correct it", field, text)
		case is4 && !takes4, !is4 && !takes6:
			return fmt.Sprintf("%s has the prefix %s, which is not of the neighbor's IP family: remove it", field, text)
		case !slices.Contains(known, text):
			return fmt.Sprintf("%s has the prefix %s, %s", field, text, missing)
		}
	}
	return ""
}

// prefixOf reads a prefix as net.ParseCIDR does, which frr-k8s uses.
func prefixOf(text string) (netip.Prefix, bool) {
	_, parsed, err := net.ParseCIDR(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	address, _ := netip.AddrFromSlice(parsed.IP)
	bits, _ := parsed.Mask.Size()
	return netip.PrefixFrom(address, bits), true
}
