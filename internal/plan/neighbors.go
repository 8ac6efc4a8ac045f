package plan

import (
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
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
			conflict := finding.NextHopConflict(n.ID(), *field)
			return session, &conflict
		}
		*field = hop.String()
	}
	return session, nil
}

// acceptOwnASN has FRR take routes of other nodes from a neighbor. All nodes have
// one AS number, so that over eBGP these routes carry the node's own, for which
// FRR would drop every one of them (RFC 4271, 9.1.2: AS loop). What a template
// says is left to it; refused is told if it says that they are to be dropped.
func acceptOwnASN(session *model.Session, n *templateNeighbor, refused func(neighbor string) model.Finding, part *model.NodePart) {
	switch session.AllowAsIn {
	case "":
		session.AllowAsIn = "origin"
	case "none":
		part.Findings = append(part.Findings, refused(n.ID()))
	}
}

// asnOfNoPath is reserved (RFC 7300), so that no AS path has it.
const asnOfNoPath = 65535

// external reports whether a neighbor of the router is of another AS.
func (r *routerBuilder) external() bool {
	for _, n := range r.neighbors {
		if n.DynamicASN == "external" || n.DynamicASN == "" && n.ASN != r.asn {
			return true
		}
	}
	return false
}

// importsNoOwnASN reports a VRF into which FRR imports nothing of other nodes.
// Unlike a neighbor, an import has no allowAsIn: FRR looks for the VRF's own AS
// number in each path, and over eBGP that is every node's number (FRR issue 17607).
// If the VRF is ours alone, it has a number that no path has.
func importsNoOwnASN(n *advertisedNetwork, asn uint32) model.Finding {
	return finding.VRFSharesASN(n.DisplayName(), n.VRF, asn)
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
