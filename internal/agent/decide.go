package agent

import (
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// decide is judge within the limit, with what it decides written down.
func (s *syncer) decide(prefix netip.Prefix, aside bool, have []model.RouterRow, rows int, out []netip.Addr) (want []netip.Addr) {
	want, reason, uneven := s.judge(prefix, aside, out)
	if reason == model.SkipGatewayUnknown {
		want = s.stillThere(prefix, have, want)
	} else if len(want) > 0 {
		var over bool
		if want, over = s.skipped.Fit(want, have, rows); over {
			reason = model.SkipOverLimit
		}
	}
	s.skipped.Record(prefix, reason)
	s.skipped.RecordUneven(prefix, uneven)
	return want
}

// stillThere appends the next hops that a prefix has in the kernel as well as
// on the router.
func (s *syncer) stillThere(prefix netip.Prefix, have []model.RouterRow, out []netip.Addr) []netip.Addr {
	var room [16]model.NextHop
	hops := s.hopsOf(prefix, room[:0])
	for _, row := range have {
		usable := func(hop model.NextHop) bool { return hop.Addr == row.NextHop && !hop.Dead }
		if slices.ContainsFunc(hops, usable) && !slices.Contains(out, row.NextHop) {
			out = append(out, row.NextHop)
		}
	}
	return out
}

// judgeRoute is judge for the kernel's route of just the prefix.
func (s *syncer) judgeRoute(prefix netip.Prefix, aside bool, out []netip.Addr) (want []netip.Addr, reason model.SkipReason, uneven bool) {
	if s.table == nil {
		return nil, model.SkipNone, false
	}
	path, found := s.table.Path(prefix)
	switch {
	case !found:
		return nil, model.SkipNone, false
	case aside:
		return nil, model.SkipStandAside, false
	case s.overtakesSources(prefix):
		return nil, model.SkipExternalGateway, false
	default:
		want, reason = s.rules.Judge(prefix, path, out)
		return want, reason, len(want) > 1 && path.Uneven()
	}
}

// overtakesSources reports whether a route would go before those of pods with
// external gateways of their own. OVN takes the longer prefix, and of two that
// are equally long the one of the destination: a pod's address as the source goes
// before all destinations but single hosts (northd's route_flow priorities).
func (s *syncer) overtakesSources(prefix netip.Prefix) bool {
	if !prefix.IsSingleIP() {
		return false
	}
	if prefix.Addr().Is4() {
		return s.router.SourceIPv4
	}
	return s.router.SourceIPv6
}

// explain is judge for people: what is wanted, what is there, and why not.
func (s *syncer) explain(prefix netip.Prefix) (want []netip.Addr, have []model.RouterRow, reason model.SkipReason) {
	want, reason, _ = s.judge(prefix, s.router.RouteImport || s.router.DynamicRouting, nil)
	if over := s.skipped.Reason(prefix); reason == model.SkipNone && over != model.SkipNone {
		reason = over
	}
	return want, s.rows.Rows(prefix, nil), reason
}
