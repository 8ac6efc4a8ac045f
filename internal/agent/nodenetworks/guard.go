package nodenetworks

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Allowed are the classes of routes that are imported although no peer should
// announce them.
type Allowed struct {
	// Martians are space that isn't routed, NodeAddresses those of this node and
	// the subnets that it has links in, APIServer the API server's addresses.
	Martians, NodeAddresses, APIServer bool
}

func parsed(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

var (
	// unroutable is what can't be routed to at all, so that a route which covers
	// it is no sane one: this host, loopback, link-local, multicast, reserved.
	unroutable = routediff.NewPrefixSet(parsed("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
		"::/128", "::1/128", "fe80::/10", "ff00::/8")...)
	// martians are these, and what else RFC 6890 and its successors say can be
	// no destination, or must not be forwarded.
	martians = routediff.NewPrefixSet(parsed("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24",
		"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "::ffff:0:0/96", "2001:db8::/32", "3fff::/20", "5f00::/16",
		"fe80::/10", "fec0::/10", "ff00::/8")...)
)

// guards are what no peer should announce, whatever subnets the cluster has.
func guards(d *Decision, settings *Settings) []routediff.Protected {
	var out []routediff.Protected
	addresses, subnets := nodeAddresses(d.addresses)
	// Next hops are other nodes and routers in the node's subnets, but never the
	// node itself, whatever is allowed.
	own := routediff.Protected{Reason: model.SkipNodeAddress, Subnets: routediff.NewPrefixSet(addresses...), OnlyWithin: true, Strict: true}
	if settings.Allowed.NodeAddresses {
		own.OnlyHops = true
	}
	out = append(out, own)
	if !settings.Allowed.NodeAddresses {
		// The router is in the subnet itself: a wider route does no harm.
		out = append(out, routediff.Protected{Reason: model.SkipNodeSubnet, Subnets: routediff.NewPrefixSet(subnets...), OnlyWithin: true, Strict: true, Hops: true})
	}
	if !settings.Allowed.APIServer {
		servers := slices.Concat(d.apiServer, settings.APIServer)
		out = append(out, routediff.Protected{Reason: model.SkipAPIServer, Subnets: routediff.NewPrefixSet(hosts(servers)...), OnlyWithin: true, Strict: true, Hops: true})
	}
	if !settings.Allowed.Martians {
		out = append(out,
			routediff.Protected{Reason: model.SkipMartian, Subnets: martians, OnlyWithin: true, Strict: true, Hops: true},
			routediff.Protected{Reason: model.SkipMartian, Subnets: unroutable, Strict: true, Hops: true})
	}
	return out
}

func hosts(addresses []netip.Addr) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(addresses))
	for _, a := range addresses {
		out = append(out, netip.PrefixFrom(a, a.BitLen()))
	}
	return out
}

// nodeAddresses are the node's own addresses as single hosts, and the subnets that
// they are in.
func nodeAddresses(all []netip.Prefix) (addresses, subnets []netip.Prefix) {
	for _, p := range all {
		addresses = append(addresses, netip.PrefixFrom(p.Addr(), p.Addr().BitLen()))
		if p.Bits() < p.Addr().BitLen() {
			subnets = append(subnets, p.Masked())
		}
	}
	return addresses, subnets
}

// Contradictions are subnets of the manager's object that the flags leave out.
func Contradictions(d *Decision, settings *Settings) []string {
	_, out := effective(d, settings)
	return out
}

// effective returns the settings with the subnets of the manager's object added, and
// which of these the flags leave out.
func effective(d *Decision, settings *Settings) (out Settings, contradictions []string) {
	out = *settings
	add := func(list *[]netip.Prefix, flag string, told bool, found []netip.Prefix) {
		within := routediff.NewPrefixSet(*list...)
		flags := *list
		for _, p := range found {
			if within.Within(p) {
				continue
			}
			if told {
				contradictions = append(contradictions, fmt.Sprintf("the cluster has %s, which --%s (%s) leaves out", p, flag, listed(flags)))
			}
			// What flags say stays: a cluster may have more than the object names.
			*list = append(slices.Clip(*list), p)
		}
	}
	for i := range d.networks {
		if n := &d.networks[i]; isDefault(n) {
			add(&out.Pods, "cluster-subnets", settings.PodsTold, slices.Concat(n.subnets, n.hostSubnets))
		}
	}
	add(&out.Services, "service-subnets", settings.ServicesTold, d.services)
	add(&out.Masquerade, "masquerade-subnets", len(out.Masquerade) > 0, d.masquerade)
	add(&out.Transit, "transit-subnets", len(out.Transit) > 0, d.transit)
	// Those are of single networks, which no flag names.
	out.Join = slices.Concat(out.Join, d.join)
	return out, contradictions
}

// missing says what neither the object nor the flags name and has to be known: a
// peer's route must not misroute traffic to other nodes' pods, or to Services.
func missing(d *Decision, settings *Settings) string {
	knowsPods := settings.PodsTold || slices.ContainsFunc(d.networks, func(n network) bool { return isDefault(&n) && len(n.subnets) > 0 })
	switch {
	case !knowsPods:
		return "the default network's subnets are not known, and no imported route may redirect traffic to pods: set --cluster-subnets of the manager or of the agent, as the cluster was installed"
	case !settings.ServicesTold && len(settings.Services) == 0:
		return "the subnets of Services are not known, and no imported route may redirect traffic to them: set --service-subnets of the manager or of the agent, as the cluster was installed"
	}
	return ""
}

func listed(prefixes []netip.Prefix) string {
	if len(prefixes) == 0 {
		return "none"
	}
	texts := make([]string, len(prefixes))
	for i, p := range prefixes {
		texts[i] = p.String()
	}
	return strings.Join(texts, ",")
}
