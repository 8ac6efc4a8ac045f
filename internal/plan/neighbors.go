package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// withNextHops returns the neighbor's session with the next hops that it must
// announce on a DPU host: there the gateway router has addresses of its own,
// not those of the session.
func withNextHops(n *templateNeighbor, hops []netip.Addr) (model.Session, *model.Finding) {
	session := *n.Session
	for _, hop := range hops {
		field, takes := &session.NextHopIPv4, n.takesIPv4
		if hop.Is6() {
			field, takes = &session.NextHopIPv6, n.takesIPv6
		}
		if !takes {
			continue
		}
		if *field != "" && *field != hop.String() {
			return session, &model.Finding{
				Outcome: model.Invalid, Reason: "NextHopConflict",
				Scope: model.Scope{Kind: model.ScopeNeighbor, Name: n.ID()},
				Message: fmt.Sprintf("neighbor %s has toAdvertise.nextHop %s in its FRRConfiguration, but on a DPU host its next hop has to be the gateway's: remove toAdvertise.nextHop",
					n.ID(), *field),
			}
		}
		*field = hop.String()
	}
	return session, nil
}

// acceptOwnASN has FRR take routes of other nodes from a neighbor. All nodes have
// one AS number, so that over eBGP these routes carry the node's own, for which
// FRR would drop every one of them (RFC 4271, 9.1.2: AS loop). What a template
// says is left to it.
//
// A network's own VRF looks for the loop again when it imports what the target
// VRF accepted, and knows the neighbor's allowance only as a number: "origin" is
// none there (FRR issue 17797).
func acceptOwnASN(session *model.Session, n *templateNeighbor, imported bool, part *model.NodePart) {
	enough := "origin"
	if imported {
		enough = "1"
	}
	note := func(reason, consequence string) {
		part.Findings = append(part.Findings, model.Finding{
			Outcome: model.Notice, Reason: reason, Scope: model.Scope{Kind: model.ScopeNeighbor, Name: n.ID()},
			Message: fmt.Sprintf("neighbor %s has allowAsIn %q, with which FRR %s over eBGP, and a network without overlay needs that: remove allowAsIn, or set it to %q",
				n.ID(), session.AllowAsIn, consequence, enough),
		})
	}
	switch {
	case session.AllowAsIn == "":
		session.AllowAsIn = enough
	case session.AllowAsIn == "none":
		note("AllowAsInNone", "drops what other nodes announce")
	case session.AllowAsIn == "origin" && imported:
		note("AllowAsInOrigin", "imports nothing that other nodes announce into the network's VRF")
	}
}

// importsReceived reports whether a network without overlay imports into its own
// VRF what the router's neighbors announce in another.
func (c *contribution) importsReceived(r *matchedRouter) bool {
	return r.network == nil && slices.ContainsFunc(c.networks, func(n *advertisedNetwork) bool {
		return n.Transport == model.TransportNoOverlay && n.VRF != r.VRF
	})
}

// receiveForNeighbor takes the matches of the neighbor's family.
func receiveForNeighbor(matches []model.PrefixMatch, n *templateNeighbor) []model.PrefixMatch {
	var out []model.PrefixMatch
	for _, m := range matches {
		if m.Prefix.Addr().Is4() && n.takesIPv4 || m.Prefix.Addr().Is6() && n.takesIPv6 {
			out = append(out, m)
		}
	}
	return out
}
