package frr

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Path is one of the paths to a prefix.
type Path struct {
	// From is the neighbor that it was learned from; invalid for the router's
	// own.
	From netip.Addr
	// NextHops, the global one first.
	NextHops []netip.Addr
	Best     bool
	ASPath   string
	// Communities are those that the neighbor sent and the router's own filters set, as
	// FRR writes them; LocalPreference is 0 where none is set.
	Communities     string
	LocalPreference uint32
}

// afi names a prefix's address family as FRR's commands do.
func afi(is4 bool) string {
	if is4 {
		return "ipv4"
	}
	return "ipv6"
}

// scope is " vrf NAME", or empty for the default VRF.
func scope(vrf string) string {
	if vrf == "" || vrf == "default" {
		return ""
	}
	return " vrf " + vrf
}

// Paths are bgpd's valid paths to exactly this prefix in a VRF; "" is the
// default VRF. None is no error.
func (f *FRR) Paths(ctx context.Context, vrf string, prefix netip.Prefix) ([]Path, error) {
	var answer struct {
		Prefix string
		Paths  []struct {
			Valid     bool
			Bestpath  struct{ Overall bool }
			AsPath    struct{ String string } `json:"aspath"`
			Community struct{ String string }
			LocPrf    uint32
			NextHops  []struct {
				IP    netip.Addr
				Scope string
			}
			Peer struct{ PeerID string }
		}
	}
	question := fmt.Sprintf("show bgp%s %s unicast %s json", scope(vrf), afi(prefix.Addr().Is4()), prefix)
	if err := f.ShowJSON(ctx, question, &answer); err != nil {
		return nil, err
	}
	// Asked for a network, bgpd answers with what covers it.
	if answer.Prefix != prefix.String() {
		return nil, nil
	}
	var paths []Path
	for _, p := range answer.Paths {
		if !p.Valid {
			continue
		}
		path := Path{Best: p.Bestpath.Overall, ASPath: p.AsPath.String, Communities: p.Community.String, LocalPreference: p.LocPrf}
		if from, err := netip.ParseAddr(p.Peer.PeerID); err == nil && !from.IsUnspecified() {
			path.From = from
		}
		for _, hop := range p.NextHops {
			path.NextHops = append(path.NextHops, hop.IP)
		}
		slices.SortStableFunc(path.NextHops, func(a, b netip.Addr) int {
			return boolInt(a.IsLinkLocalUnicast()) - boolInt(b.IsLinkLocalUnicast())
		})
		paths = append(paths, path)
	}
	return paths, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Prefixes are all prefixes of a family that bgpd has in a VRF.
func (f *FRR) Prefixes(ctx context.Context, vrf string, ipv4 bool) ([]string, error) {
	var answer struct {
		Routes map[string]any
	}
	if err := f.ShowJSON(ctx, fmt.Sprintf("show bgp%s %s unicast json", scope(vrf), afi(ipv4)), &answer); err != nil {
		// bgpd says so, and not in JSON, of a VRF that it does not know.
		if strings.Contains(err.Error(), "nknown") {
			return nil, nil
		}
		return nil, err
	}
	var prefixes []string
	for prefix := range answer.Routes {
		prefixes = append(prefixes, prefix)
	}
	slices.Sort(prefixes)
	return prefixes, nil
}

// Established tells whether the session with a neighbor is up.
func (f *FRR) Established(ctx context.Context, vrf string, neighbor netip.Addr) (bool, error) {
	var answer map[string]struct {
		BgpState string
	}
	question := fmt.Sprintf("show bgp%s neighbors %s json", scope(vrf), neighbor)
	if err := f.ShowJSON(ctx, question, &answer); err != nil {
		return false, err
	}
	return answer[neighbor.String()].BgpState == "Established", nil
}

// Sessions are the states of all sessions, by "neighbor" in the default VRF and
// "neighbor in VRF vrf" elsewhere.
func (f *FRR) Sessions(ctx context.Context) (map[string]string, error) {
	// By VRF, then by address family.
	var answer map[string]map[string]struct {
		Peers map[string]struct{ State string }
	}
	if err := f.ShowJSON(ctx, "show bgp vrf all summary json", &answer); err != nil {
		return nil, err
	}
	sessions := map[string]string{}
	for vrf, families := range answer {
		for _, family := range families {
			for neighbor, peer := range family.Peers {
				if vrf != "default" {
					neighbor += " in VRF " + vrf
				}
				sessions[neighbor] = peer.State
			}
		}
	}
	return sessions, nil
}
