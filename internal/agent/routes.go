package agent

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// RouteRow is one route of the node, for people.
type RouteRow struct {
	Network, VRF string
	Prefix       netip.Prefix
	// More is set in place of the prefix: so many routes are not looked at.
	More int
	// Kernel are the next hops in the kernel, OVN those on the gateway router;
	// empty where there is no route.
	Kernel, OVN []string
	// Reason is why they differ, "" where they don't.
	Reason string
}

// Unsettled returns the networks that are not done with yet, and false while
// even the networks are not known.
func (a *Agent) Unsettled() (names []string, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.arranged {
		return nil, false
	}
	for _, name := range slices.Sorted(maps.Keys(a.syncers)) {
		switch a.syncers[name].snapshot().Reason {
		case ReasonSynced, ReasonRouteImport, ReasonRouteImportLeft, ReasonDynamicRouting, ReasonVRFMissing, ReasonNoGatewayRouter, ReasonInvalid, ReasonGatewayUnknown,
			ReasonObserveOnly, ReasonOverLimit, ReasonUnmarkedRows:
		default:
			names = append(names, name)
		}
	}
	return names, true
}

// Routes lists every route of the node. It ends the syncers, so it is for
// read-only agents.
func (a *Agent) Routes() []RouteRow {
	a.stopAll()
	a.mu.Lock()
	defer a.mu.Unlock()
	links := a.mirror.Links()
	var out []RouteRow
	for _, name := range slices.Sorted(maps.Keys(a.syncers)) {
		s := a.syncers[name].syncer
		imported := s.rows.RowCount()
		for _, prefix := range s.union() {
			row := RouteRow{Network: name, VRF: s.vrf, Prefix: prefix}
			if s.table != nil {
				if path, found := s.table.Path(prefix); found {
					row.Kernel = describePath(path, func(index int32) string { return links[index].Name })
				}
			}
			want, have, reason := s.explain(prefix)
			for _, r := range have {
				row.OVN = append(row.OVN, describeHop(r.NextHop))
			}
			slices.Sort(row.OVN)
			row.Reason = string(reason)
			switch {
			case reason != model.SkipNone:
			case s.overLimit(want, have, imported):
				row.Reason = string(model.SkipOverLimit)
			case len(routediff.Diff(prefix, want, have, nil)) > 0:
				row.Reason = "NotWrittenYet"
			}
			out = append(out, row)
		}
		for _, row := range s.rows.Unmarked() {
			out = append(out, RouteRow{Network: name, VRF: s.vrf, Prefix: row.Prefix, OVN: []string{describeHop(row.NextHop)},
				Reason: ReasonUnmarkedRows + " " + row.UUID()})
		}
		if s.table == nil {
			continue
		}
		if _, beyond := s.table.Len(); beyond > 0 {
			out = append(out, RouteRow{Network: name, VRF: s.vrf, More: beyond, Reason: string(model.SkipOverLimit)})
		}
	}
	return out
}

func (s *syncer) overLimit(want []netip.Addr, have []model.RouterRow, rows int) bool {
	_, over := s.skipped.Fit(slices.Clone(want), have, rows)
	return over
}

// union is every prefix in the kernel or in OVN, sorted.
func (s *syncer) union() []netip.Prefix {
	out := s.rows.Prefixes()
	if s.table != nil {
		out = append(out, s.table.Prefixes()...)
	}
	slices.SortFunc(out, routediff.ComparePrefixes)
	return slices.Compact(out)
}

func describeHop(hop netip.Addr) string {
	if !hop.IsValid() {
		return "discard"
	}
	return hop.String()
}

func describePath(path model.Path, link func(int32) string) []string {
	switch path.Kind() {
	case model.PathDiscard:
		return []string{"discard"}
	case model.PathOther:
		return []string{"other"}
	}
	var out []string
	for _, hop := range path.NextHops(nil) {
		text := "dev " + link(hop.Link)
		if hop.Addr.IsValid() {
			text = fmt.Sprintf("%s dev %s", hop.Addr, link(hop.Link))
		}
		if hop.Dead {
			text += " dead"
		}
		out = append(out, text)
	}
	return out
}
