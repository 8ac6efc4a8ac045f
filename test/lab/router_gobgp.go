package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/gobgp"
)

// goBGP is a router's GoBGP.
type goBGP struct{ *gobgp.Router }

func (r *Router) startGoBGP(ctx context.Context) error {
	config := gobgp.Config{ASN: r.ASN, RouterID: r.identifier()}
	for _, ipv4 := range r.lab.Families() {
		for _, node := range r.lab.nodeAddresses(ipv4) {
			config.Neighbors = append(config.Neighbors, gobgp.Neighbor{Address: node, ASN: NodeASN, BFD: r.BFD})
		}
	}
	router, err := gobgp.Start(ctx, r.Machine, config)
	r.BGP = goBGP{router}
	return err
}

// onlyDefault refuses what this router has not.
func (g goBGP) onlyDefault(vrf string) error {
	if vrf != "" && vrf != "default" {
		return fmt.Errorf("%s is asked about VRF %s: it has the default one only", g.Machine.Name, vrf)
	}
	return nil
}

func (g goBGP) Paths(ctx context.Context, vrf string, prefix netip.Prefix) ([]frr.Path, error) {
	if err := g.onlyDefault(vrf); err != nil {
		return nil, err
	}
	table, err := g.Table(ctx, prefix.Addr().Is4())
	if err != nil {
		return nil, err
	}
	var paths []frr.Path
	for _, p := range table[prefix] {
		asns := make([]string, len(p.ASPath))
		for i, asn := range p.ASPath {
			asns[i] = fmt.Sprint(asn)
		}
		paths = append(paths, frr.Path{From: p.From, NextHops: []netip.Addr{p.NextHop}, Best: p.Best, ASPath: strings.Join(asns, " ")})
	}
	return paths, nil
}

func (g goBGP) Prefixes(ctx context.Context, vrf string, ipv4 bool) ([]string, error) {
	if err := g.onlyDefault(vrf); err != nil {
		return nil, err
	}
	table, err := g.Table(ctx, ipv4)
	if err != nil {
		return nil, err
	}
	var prefixes []string
	for prefix := range table {
		prefixes = append(prefixes, prefix.String())
	}
	slices.Sort(prefixes)
	return prefixes, nil
}

func (g goBGP) Established(ctx context.Context, vrf string, neighbor netip.Addr) (bool, error) {
	if err := g.onlyDefault(vrf); err != nil {
		return false, err
	}
	return g.Router.Established(ctx, neighbor)
}

func (g goBGP) set(ctx context.Context, announce bool, prefixes []netip.Prefix) error {
	if announce {
		return g.Announce(ctx, prefixes...)
	}
	return g.Withdraw(ctx, prefixes...)
}
