package routediff

import (
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Protected are subnets of the cluster that no imported route may redirect,
// with the reason that is given for skipping one that would.
type Protected struct {
	Reason  model.SkipReason
	Subnets PrefixSet
	// OnlyWithin is set where a route that covers them does no harm, because the
	// router has a narrower one of its own or needs the way there.
	OnlyWithin bool
	// Strict ones are not the cluster's, so that AllowWithin says nothing of them.
	Strict bool
	// Hops is set where next hops may lie within them, OnlyHops where everything
	// else may, too.
	Hops, OnlyHops bool
}

// Equal reports whether two protect the same in the same way.
func (p Protected) Equal(o Protected) bool {
	return p.Reason == o.Reason && p.OnlyWithin == o.OnlyWithin && p.Strict == o.Strict && p.Hops == o.Hops && p.OnlyHops == o.OnlyHops && p.Subnets.Equal(o.Subnets)
}

// Rules say which of a network's kernel routes belong on its gateway router.
type Rules struct {
	Protected []Protected
	// AllowWithin imports routes that lie within protected subnets.
	AllowWithin bool
	// AllowCovering imports routes that cover protected subnets, as a default
	// route does.
	AllowCovering bool
	// Links are the indexes of the links that the gateway router reaches the
	// outside by; nil where that is not known yet.
	Links []int32
	// AnyLink imports routes out of any link.
	AnyLink bool
	// IPv4ViaIPv6 is set where OVN takes an IPv6 next hop for an IPv4 prefix.
	IPv4ViaIPv6 bool
}

// Judge appends the next hops that prefix must have on the gateway router to
// out, sorted; the zero Addr stands for discarding. Where the route doesn't
// belong there it appends nothing and says why.
func (r *Rules) Judge(prefix netip.Prefix, path model.Path, out []netip.Addr) ([]netip.Addr, model.SkipReason) {
	if reason := r.protects(prefix); reason != model.SkipNone {
		return out, reason
	}
	switch path.Kind() {
	case model.PathDiscard:
		return append(out, netip.Addr{}), model.SkipNone
	case model.PathUnicast:
		return r.nextHops(prefix, path, out)
	case model.PathConditional:
		return out, model.SkipConditional
	case model.PathShadowed:
		return out, model.SkipShadowed
	default:
		return out, model.SkipUnsupported
	}
}

func (r *Rules) protects(prefix netip.Prefix) model.SkipReason {
	for i := range r.Protected {
		p := &r.Protected[i]
		if p.OnlyHops {
			continue
		}
		if r.guardsWithin(p) && p.Subnets.Within(prefix) || !r.AllowCovering && !p.OnlyWithin && p.Subnets.Covers(prefix) {
			return p.Reason
		}
	}
	return model.SkipNone
}

func (r *Rules) guardsWithin(p *Protected) bool { return p.Strict || !r.AllowWithin }

// bars reports whether a next hop lies within protected subnets.
func (r *Rules) bars(hop netip.Addr) bool {
	for i := range r.Protected {
		p := &r.Protected[i]
		if !p.Hops && r.guardsWithin(p) && p.Subnets.Within(netip.PrefixFrom(hop, hop.BitLen())) {
			return true
		}
	}
	return false
}

func (r *Rules) nextHops(prefix netip.Prefix, path model.Path, out []netip.Addr) ([]netip.Addr, model.SkipReason) {
	start := len(out)
	// The reason of the next hop that came closest to being used is given.
	reason := model.SkipNoNextHop
	var room [8]model.NextHop
	for _, hop := range path.NextHops(room[:0]) {
		switch {
		case hop.Dead || !hop.Addr.IsValid() || hop.Addr.IsUnspecified():
		case !r.AnyLink && r.Links == nil:
			reason = model.SkipGatewayUnknown
		case !r.AnyLink && !slices.Contains(r.Links, hop.Link):
			if reason == model.SkipNoNextHop {
				reason = model.SkipForeignLink
			}
		case hop.Addr == model.StandIn:
			reason = model.SkipLinkLocalHop
		case r.bars(hop.Addr):
			reason = model.SkipNextHop
		case prefix.Addr().Is4() && !hop.Addr.Is4() && !r.IPv4ViaIPv6:
			reason = model.SkipIPv4ViaIPv6
		default:
			// A path's next hops are sorted by address; the same address over
			// two links is one row.
			if n := len(out); n == start || out[n-1] != hop.Addr {
				out = append(out, hop.Addr)
			}
		}
	}
	if len(out) > start {
		reason = model.SkipNone
	}
	return out, reason
}
