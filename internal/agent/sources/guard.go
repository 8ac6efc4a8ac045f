package sources

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
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
func guards(view *View, settings *Settings) []routediff.Protected {
	var out []routediff.Protected
	addresses, subnets := nodeAddresses(view.Node)
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
		out = append(out, routediff.Protected{Reason: model.SkipAPIServer, Subnets: routediff.NewPrefixSet(hosts(view.APIServer)...), OnlyWithin: true, Strict: true, Hops: true})
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

// nodeAddresses are the node's own addresses, as far as its annotations tell
// them, and the subnets that they are in. What can't be read is told by who
// needs it.
func nodeAddresses(node *corev1.Node) (addresses, subnets []netip.Prefix) {
	var all []netip.Prefix
	if list, err := ovnk.ParseHostCIDRs(node.Annotations[ovnk.AnnotationHostCIDRs]); err == nil {
		all = append(all, list...)
	}
	if list, err := ovnk.ParsePrimaryAddresses(node.Annotations[ovnk.AnnotationPrimaryAddress]); err == nil {
		all = append(all, list...)
	}
	if gateway, err := ovnk.ParseGatewayConfig(node.Annotations[ovnk.AnnotationGatewayConfig]); err == nil {
		all = append(all, gateway.Addresses...)
	}
	for _, p := range all {
		addresses = append(addresses, netip.PrefixFrom(p.Addr(), p.Addr().BitLen()))
		if p.Bits() < p.Addr().BitLen() {
			subnets = append(subnets, p.Masked())
		}
	}
	return addresses, subnets
}

// Contradictions are where the flags leave out what the cluster tells.
func Contradictions(view *View, settings *Settings) []string {
	_, out := effective(view, settings)
	return out
}

// effective returns the settings with the subnets that the cluster tells itself, and
// where the flags leave some of these out.
func effective(view *View, settings *Settings) (out Settings, contradictions []string) {
	out = *settings
	add := func(list *[]netip.Prefix, flag, source string, found []netip.Prefix) {
		within := routediff.NewPrefixSet(*list...)
		for _, p := range found {
			p = p.Masked()
			if within.Within(p) {
				continue
			}
			contradictions = append(contradictions, fmt.Sprintf("%s tells %s, which --%s (%s) leaves out", source, p, flag, listed(*list)))
			// What flags say stays: a cluster may have more than is told.
			*list = append(slices.Clip(*list), p)
		}
	}
	annotated := func(list *[]netip.Prefix, flag, annotation string) {
		if found, err := ovnk.ParsePrimaryAddresses(view.Node.Annotations[annotation]); err == nil {
			add(list, flag, "the node's annotation "+annotation, found)
		}
	}
	if subnets, err := ovnk.ParseNodeSubnets(view.Node.Annotations[ovnk.AnnotationNodeSubnets], nil); err == nil {
		add(&out.Pods, "cluster-subnets", "the node's annotation "+ovnk.AnnotationNodeSubnets, subnets[model.DefaultNetwork])
	}
	add(&out.Services, "service-subnets", "the cluster's ServiceCIDR", view.ServiceCIDRs)
	annotated(&out.Masquerade, "masquerade-subnets", ovnk.AnnotationMasqueradeSubnet)
	annotated(&out.Transit, "transit-subnets", ovnk.AnnotationTransitAddress)
	return out, contradictions
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

// meetings tells which networks meet in a VRF: a route in one's table may only
// lead astray what goes to networks that it meets there. Where it is not known
// what is advertised, every network may meet every other.
type meetings struct {
	known bool
	// vrfs are a network's: its own, and those that its pods are advertised in.
	vrfs map[string][]string
}

func newMeetings(view *View) meetings {
	out := meetings{known: view.AdvertisementsKnown, vrfs: map[string][]string{}}
	if !out.known {
		return out
	}
	add := func(network, own string, cudn *ovnv1.ClusterUserDefinedNetwork) {
		list := []string{own}
		for i := range view.RouteAdvertisements {
			ra := &view.RouteAdvertisements[i]
			if !advertisesPods(ra) || !selects(ra, cudn) {
				continue
			}
			switch target := ra.Spec.TargetVRF; target {
			case ovnv1.TargetVRFAuto:
			case "", model.DefaultNetwork:
				list = append(list, "")
			default:
				list = append(list, target)
			}
		}
		out.vrfs[network] = list
	}
	add(model.DefaultNetwork, "", nil)
	for i := range view.CUDNs {
		cudn := &view.CUDNs[i]
		if !primaryRouted(cudn) {
			continue
		}
		own := vrf(cudn, view)
		if own == "" {
			// Nothing else is called so.
			own = "network " + cudn.Name
		}
		add(ovnk.NetworkName(cudn.Name), own, cudn)
	}
	return out
}

func (m meetings) meet(a, b string) bool {
	return !m.known || a == b || slices.ContainsFunc(m.vrfs[a], func(vrf string) bool { return slices.Contains(m.vrfs[b], vrf) })
}
