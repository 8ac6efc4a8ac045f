package render

import (
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func router(r *model.Router) frrk8sv1beta1.Router {
	out := frrk8sv1beta1.Router{ASN: r.ASN, ID: r.ID, VRF: r.VRF, Prefixes: prefixTexts(r.Routes)}
	for _, vrf := range r.Imports {
		out.Imports = append(out.Imports, frrk8sv1beta1.Import{VRF: vrf})
	}
	for i := range r.Neighbors {
		out.Neighbors = append(out.Neighbors, neighbor(&r.Neighbors[i], r.Routes, out.Prefixes))
	}
	out.EVPN = evpn(r.EVPN)
	return out
}

// neighbor writes out what the API server would default, so that what is
// rendered equals what is stored: both modes and the address families.
func neighbor(n *model.Neighbor, routes []model.Route, texts []string) frrk8sv1beta1.Neighbor {
	out := session(&n.Session)
	typed := typedRoutes(n.Advertise)
	out.ToAdvertise.Allowed = frrk8sv1beta1.AllowedOutPrefixes{
		Mode:     frrk8sv1beta1.AllowRestricted,
		Prefixes: subsetTexts(typed, routes, texts),
	}
	attributes(&out.ToAdvertise, typed)
	out.ToReceive.Allowed = frrk8sv1beta1.AllowedInPrefixes{Mode: frrk8sv1beta1.AllowRestricted}
	for _, m := range n.Receive {
		out.ToReceive.Allowed.Prefixes = append(out.ToReceive.Allowed.Prefixes, frrk8sv1beta1.PrefixSelector{
			Prefix: m.Prefix.String(),
			GE:     uint32(m.GE), //nolint:gosec // prefix lengths are at most 128
			LE:     uint32(m.LE), //nolint:gosec // prefix lengths are at most 128
		})
	}
	return out
}

func session(s *model.Session) frrk8sv1beta1.Neighbor {
	return frrk8sv1beta1.Neighbor{
		ASN:           s.ASN,
		DynamicASN:    frrk8sv1beta1.DynamicASNMode(s.DynamicASN),
		LocalASN:      s.LocalASN,
		SourceAddress: s.SourceAddress,
		Address:       s.Address,
		Interface:     s.Interface,
		Port:          s.Port,
		Password:      s.Password,
		PasswordSecret: frrk8sv1beta1.SecretReference{
			Namespace: s.PasswordSecret.Namespace,
			Name:      s.PasswordSecret.Name,
		},
		HoldTime:               duration(s.HoldTime),
		KeepaliveTime:          duration(s.KeepaliveTime),
		ConnectTime:            duration(s.ConnectTime),
		EBGPMultiHop:           s.EBGPMultiHop,
		BFDProfile:             s.BFDProfile,
		EnableGracefulRestart:  s.GracefulRestart,
		AllowAsIn:              frrk8sv1beta1.AllowAsInMode(s.AllowAsIn),
		DualStackAddressFamily: s.DualStackAddressFamily,
		AddressFamilies:        addressFamilies(s.AddressFamilies),
		ToAdvertise: frrk8sv1beta1.Advertise{
			NextHop: frrk8sv1beta1.NextHop{IPv4: s.NextHopIPv4, IPv6: s.NextHopIPv6},
		},
	}
}

func addressFamilies(names []string) []frrk8sv1beta1.AddressFamily {
	if len(names) == 0 {
		return []frrk8sv1beta1.AddressFamily{frrk8sv1beta1.AddressFamilyUnicast}
	}
	out := make([]frrk8sv1beta1.AddressFamily, 0, len(names))
	for _, name := range names {
		out = append(out, frrk8sv1beta1.AddressFamily(name))
	}
	return out
}

func duration(d *time.Duration) *metav1.Duration {
	if d == nil {
		return nil
	}
	return &metav1.Duration{Duration: *d}
}

func prefixTexts(routes []model.Route) []string {
	if len(routes) == 0 {
		return nil
	}
	out := make([]string, 0, len(routes))
	for i := range routes {
		out = append(out, routes[i].Prefix.String())
	}
	return out
}

// subsetTexts is prefixTexts for a sorted subset of routes whose texts are
// known: most of a large object are prefixes, once per neighbor.
func subsetTexts(subset, routes []model.Route, texts []string) []string {
	if len(subset) == 0 {
		return nil
	}
	out := make([]string, 0, len(subset))
	next := 0
	for i := range subset {
		for next < len(routes) && routes[next].Prefix != subset[i].Prefix {
			next++
		}
		if next == len(routes) {
			// Not in order, or not a subset: say what the plan says anyway.
			return prefixTexts(subset)
		}
		out = append(out, texts[next])
	}
	return out
}
