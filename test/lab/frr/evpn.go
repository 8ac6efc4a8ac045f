package frr

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// EVPNRoute is a path that EVPN carries.
type EVPNRoute struct {
	// RD is the route distinguisher, which tells VRFs apart.
	RD string
	// Prefix is that of a type 5 (RFC 9136).
	Prefix netip.Prefix
	// MAC is that of a type 2 (RFC 7432), and IP its address, if it has one.
	MAC string
	IP  netip.Addr
	// NextHops are ends of tunnels.
	NextHops []netip.Addr
	// RouteTargets say which VRFs take the route, as "64512:200". RouterMAC is
	// whom routed packets are for at the other end, empty for what is bridged only.
	RouteTargets []string
	RouterMAC    string
}

// TypeTwos are all valid paths to hosts that bgpd has.
func (f *FRR) TypeTwos(ctx context.Context) ([]EVPNRoute, error) {
	return f.evpnRoutes(ctx, "macip", "[2]:")
}

// TypeThrees are all valid paths of those who want what is for all; their Prefix is the
// end of the tunnel.
func (f *FRR) TypeThrees(ctx context.Context) ([]EVPNRoute, error) {
	return f.evpnRoutes(ctx, "multicast", "[3]:")
}

// TypeFives are all valid paths to prefixes that bgpd has.
func (f *FRR) TypeFives(ctx context.Context) ([]EVPNRoute, error) {
	return f.evpnRoutes(ctx, "prefix", "[5]:")
}

func (f *FRR) evpnRoutes(ctx context.Context, kind, start string) ([]EVPNRoute, error) {
	// By route distinguisher, beside counters.
	var answer map[string]json.RawMessage
	if err := f.ShowJSON(ctx, "show bgp l2vpn evpn route type "+kind+" json", &answer); err != nil {
		return nil, err
	}
	var out []EVPNRoute
	for rd, routes := range answer {
		if !strings.Contains(rd, ":") {
			continue
		}
		// By route, beside the distinguisher once more.
		var byRoute map[string]json.RawMessage
		if err := json.Unmarshal(routes, &byRoute); err != nil {
			return nil, fmt.Errorf("routes of %s: %w", rd, err)
		}
		for route, text := range byRoute {
			if !strings.HasPrefix(route, start) {
				continue
			}
			paths, err := evpnPaths(rd, text)
			if err != nil {
				return nil, fmt.Errorf("route %s of %s: %w", route, rd, err)
			}
			out = append(out, paths...)
		}
	}
	slices.SortFunc(out, func(a, b EVPNRoute) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return out, nil
}

func evpnPaths(rd string, text []byte) ([]EVPNRoute, error) {
	var route struct {
		Paths [][]struct {
			Valid    bool
			IPLen    int
			IP       netip.Addr
			MAC      string
			NextHops []struct{ IP netip.Addr }
			// As in "RT:64512:200 ET:8 Rmac:02:00:00:00:00:01".
			ExtendedCommunity struct{ String string }
		}
	}
	if err := json.Unmarshal(text, &route); err != nil {
		return nil, err
	}
	var out []EVPNRoute
	for _, path := range slices.Concat(route.Paths...) {
		if !path.Valid {
			continue
		}
		one := EVPNRoute{RD: rd, MAC: path.MAC, IP: path.IP}
		if path.MAC == "" {
			one.Prefix, one.IP = netip.PrefixFrom(path.IP, path.IPLen), netip.Addr{}
		}
		for _, hop := range path.NextHops {
			one.NextHops = append(one.NextHops, hop.IP)
		}
		for word := range strings.FieldsSeq(path.ExtendedCommunity.String) {
			if target, is := strings.CutPrefix(word, "RT:"); is {
				one.RouteTargets = append(one.RouteTargets, target)
			} else if mac, is := strings.CutPrefix(word, "Rmac:"); is {
				one.RouterMAC = mac
			}
		}
		out = append(out, one)
	}
	return out, nil
}
