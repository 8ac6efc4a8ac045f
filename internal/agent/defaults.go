package agent

import (
	"context"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// A default route of the kernel's is carried as two halves, because
// OVN-Kubernetes takes every default route of its gateway routers for its own.
// They go before OVN-Kubernetes' default, which is there again when they go.
var (
	halvesIPv4 = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/1"), netip.MustParsePrefix("128.0.0.0/1")}
	halvesIPv6 = []netip.Prefix{netip.MustParsePrefix("::/1"), netip.MustParsePrefix("8000::/1")}
)

func halvesOf(prefix netip.Prefix) []netip.Prefix {
	if prefix.Addr().Is4() {
		return halvesIPv4
	}
	return halvesIPv6
}

// withHalves adds the halves of default routes among prefixes, so that they
// are looked at, too. No prefix may be there twice.
func withHalves(prefixes []netip.Prefix) []netip.Prefix {
	for _, prefix := range prefixes {
		if prefix.Bits() != 0 {
			continue
		}
		for _, half := range halvesOf(prefix) {
			if !slices.Contains(prefixes, half) {
				prefixes = append(prefixes, half)
			}
		}
	}
	return prefixes
}

// hopsOf appends the next hops that the kernel has for what a prefix carries.
func (s *syncer) hopsOf(prefix netip.Prefix, out []model.NextHop) []model.NextHop {
	if path, found := s.table.Path(prefix); found {
		out = path.NextHops(out)
	}
	if prefix.Bits() == 1 {
		if path, found := s.table.Path(wholeOf(prefix)); found {
			out = path.NextHops(out)
		}
	}
	return out
}

func wholeOf(half netip.Prefix) netip.Prefix { return netip.PrefixFrom(half.Addr(), 0).Masked() }

// judge returns the next hops that a prefix must have on the router. A half of a
// default route is as the kernel has it, or else as the default route.
func (s *syncer) judge(prefix netip.Prefix, aside bool, out []netip.Addr) (want []netip.Addr, reason model.SkipReason, uneven bool) {
	want, reason, uneven = s.judgeRoute(prefix, aside, out)
	switch {
	case prefix.Bits() == 0 && reason == model.SkipGatewayUnknown:
		// Its halves stay, and they report that.
		return nil, model.SkipNone, uneven
	case prefix.Bits() == 0:
		return nil, reason, uneven
	case prefix.Bits() != 1 || len(want) > 0 || aside:
		return want, reason, uneven
	}
	want, whole, _ := s.judgeRoute(wholeOf(prefix), aside, out)
	if reason == model.SkipNone && whole == model.SkipGatewayUnknown {
		reason = whole
	}
	return want, reason, false
}

// dropDefaults removes default routes that earlier versions wrote, after their
// halves are there.
func (s *syncer) dropDefaults(ctx context.Context) (dropped int, err error) {
	if dropped = s.rows.Defaults(); dropped == 0 || s.gatewayUnknown() {
		return 0, nil
	}
	if s.readOnly {
		return dropped, nil
	}
	return dropped, s.rows.DropDefaults(ctx)
}
