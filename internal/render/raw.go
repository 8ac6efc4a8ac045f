package render

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// RawPrefix starts every name that raw text gives to something of FRR's.
const RawPrefix = model.GeneratedPrefix + "-"

// rawConfig is what frr-k8s' API has no fields for, as FRR's configuration; "" for
// nothing. frr-k8s appends it to what it makes of the typed fields itself.
//
// It is the only writer of such text. It writes numbers, parsed prefixes and addresses,
// and names that model.RawFault finds no fault with; the planner lets no others through.
func rawConfig(c *model.NodeConfig) string {
	var out strings.Builder
	for i := range c.Routers {
		r := &c.Routers[i]
		for j := range r.Neighbors {
			writeRawRoutes(&out, r, &r.Neighbors[j])
		}
	}
	for i := range c.Routers {
		writeRawRouter(&out, &c.Routers[i])
	}
	if c.QuickRouteMaps {
		writeRouteMapDelay(&out, c.Routers)
	}
	return out.String()
}

// firstRawEntry is the sequence number of our first entry in a route-map of frr-k8s, which
// counts its own from 1. So ours see what none of these permits. FRR's last is 65535.
const firstRawEntry = 60000

// writeRawRoutes adds entries to the neighbor's outbound route-map for the routes whose
// attributes frr-k8s has no fields for.
//
// They fail closed: the typed part doesn't permit these routes, so if frr-k8s comes to
// name its route-maps otherwise, they are not announced.
func writeRawRoutes(out *strings.Builder, r *model.Router, n *model.Neighbor) {
	sequence := firstRawEntry
	for _, g := range rawGroups(n.Advertise) {
		routeMap := model.OutboundMap(r.VRF, n.ID())
		list := fmt.Sprintf("%s%s-%d", RawPrefix, routeMap, sequence)
		for i, prefix := range g.prefixes {
			fmt.Fprintf(out, "%s prefix-list %s seq %d permit %s\n", g.family(), list, i+1, prefix)
		}
		fmt.Fprintf(out, "route-map %s permit %d\n match %s address prefix-list %s\n", routeMap, sequence, g.family(), list)
		for _, line := range SetLines(g.attributes, cmp.Or(n.LocalASN, r.ASN)) {
			out.WriteString(" set " + line + "\n")
		}
		if hop := g.nextHop(&n.Session); hop != "" {
			out.WriteString(" set " + hop + "\n")
		}
		out.WriteString("exit\n")
		sequence++
	}
}

// rawGroup are routes of one family that are announced with the same attributes.
type rawGroup struct {
	attributes model.Attributes
	ipv6       bool
	prefixes   []netip.Prefix
}

func (g *rawGroup) family() string {
	if g.ipv6 {
		return "ipv6"
	}
	return "ip"
}

// nextHop repeats what frr-k8s' own entries set.
func (g *rawGroup) nextHop(s *model.Session) string {
	text, statement := s.NextHopIPv4, "ip next-hop "
	if g.ipv6 {
		text, statement = s.NextHopIPv6, "ipv6 next-hop global "
	}
	hop, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	return statement + hop.String()
}

// rawGroups are in the order of their first prefixes, so that the same plan has the same
// text.
func rawGroups(routes []model.Route) []rawGroup {
	var groups []rawGroup
	for i := range routes {
		r := &routes[i]
		if !r.Attributes.NeedsRaw() {
			continue
		}
		ipv6 := r.Prefix.Addr().Is6()
		at := slices.IndexFunc(groups, func(g rawGroup) bool { return g.attributes == r.Attributes && g.ipv6 == ipv6 })
		if at < 0 {
			at = len(groups)
			groups = append(groups, rawGroup{attributes: r.Attributes, ipv6: ipv6})
		}
		groups[at].prefixes = append(groups[at].prefixes, r.Prefix)
	}
	return groups
}

// SetLines are what follows "set" in an entry of a route-map that gives routes the
// attributes; asn is the AS number that the neighbor knows the router by. They are written
// as FRR prints them: frr-reload takes a line that is spelt in another way for a change, at
// each reload.
func SetLines(a model.Attributes, asn uint32) []string {
	v := a.Values()
	var lines, standard, large []string
	for _, c := range v.Communities {
		if c.Large {
			large = append(large, fmt.Sprintf("%d:%d:%d", c.Parts[0], c.Parts[1], c.Parts[2]))
		} else {
			standard = append(standard, communityName(c))
		}
	}
	if v.MED != nil {
		lines = append(lines, fmt.Sprintf("metric %d", *v.MED))
	}
	if v.LocalPreference != nil {
		lines = append(lines, fmt.Sprintf("local-preference %d", *v.LocalPreference))
	}
	if v.Prepend > 0 {
		lines = append(lines, "as-path prepend"+strings.Repeat(fmt.Sprintf(" %d", asn), int(v.Prepend)))
	}
	if len(standard) > 0 {
		lines = append(lines, "community "+strings.Join(standard, " ")+" additive")
	}
	if len(large) > 0 {
		lines = append(lines, "large-community "+strings.Join(large, " ")+" additive")
	}
	return lines
}

// namedByFRR are the communities that FRR prints by name, of those of AS 65535.
var namedByFRR = map[uint32]string{
	0: "graceful-shutdown", 1: "accept-own", 2: "route-filter-translated-v4", 3: "route-filter-v4", 4: "route-filter-translated-v6", 5: "route-filter-v6",
	6: "llgr-stale", 7: "no-llgr", 8: "accept-own-nexthop", 666: "blackhole",
	65281: "no-export", 65282: "no-advertise", 65283: "local-AS", 65284: "no-peer",
}

func communityName(c model.Community) string {
	if name := namedByFRR[c.Parts[1]]; c.Parts[0] == 65535 && name != "" {
		return name
	}
	return c.String()
}
