package routediff

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// SkippedRoutes remembers which of a network's routes are skipped and why, and keeps
// the network within the limit. It need not remember what is imported: the rows show
// that.
type SkippedRoutes struct {
	// Limit is how many rows there may be, of which a route with several next
	// hops has several; 0 is no limit.
	Limit   int
	skipped map[netip.Prefix]model.SkipReason
	counts  map[model.SkipReason]int
	// held are the prefixes skipped for the limit alone, and those that have
	// fewer rows than next hops for it.
	held map[netip.Prefix]struct{}
	// uneven are the imported prefixes whose next hops have weights, which OVN
	// doesn't know.
	uneven map[netip.Prefix]struct{}
}

// Fit returns the next hops that a prefix may have while there are rows on the
// router: all of them if there is room. What is there stays, new prefixes
// wait, and of those that grow some next hops do. The order of want may change.
func (l *SkippedRoutes) Fit(want []netip.Addr, have []model.RouterRow, rows int) (fitting []netip.Addr, held bool) {
	if l.Limit <= 0 || rows-len(have)+len(want) <= l.Limit {
		return want, false
	}
	room := max(l.Limit-rows, 0) + len(have)
	if len(have) == 0 || len(want) <= len(have) {
		// As many as there are already are no more rows.
		room = len(have)
	}
	if len(want) <= room {
		return want, false
	}
	next := 0
	for i, hop := range want {
		if slices.ContainsFunc(have, func(row model.RouterRow) bool { return row.NextHop == hop }) {
			want[i], want[next] = want[next], hop
			next++
		}
	}
	return want[:room], true
}

// Room is how many rows fit beside those there are.
func (l *SkippedRoutes) Room(rows int) int { return max(l.Limit-rows, 0) }

// Record records the verdict about a prefix: SkipNone where it is imported or
// gone from the kernel.
func (l *SkippedRoutes) Record(prefix netip.Prefix, reason model.SkipReason) {
	before := l.skipped[prefix]
	if before == reason {
		return
	}
	if l.skipped == nil {
		l.Reset()
	}
	if before != model.SkipNone {
		l.counts[before]--
		delete(l.held, prefix)
	}
	if reason == model.SkipNone {
		delete(l.skipped, prefix)
		return
	}
	l.skipped[prefix] = reason
	l.counts[reason]++
	if reason == model.SkipOverLimit {
		l.held[prefix] = struct{}{}
	}
}

// RecordUneven records whether an imported prefix has next hops with weights.
func (l *SkippedRoutes) RecordUneven(prefix netip.Prefix, uneven bool) {
	if !uneven {
		delete(l.uneven, prefix)
		return
	}
	if l.uneven == nil {
		l.uneven = map[netip.Prefix]struct{}{}
	}
	l.uneven[prefix] = struct{}{}
}

// Uneven is how many imported prefixes have next hops with weights.
func (l *SkippedRoutes) Uneven() int { return len(l.uneven) }

// Reset forgets all verdicts, before all routes are judged again.
func (l *SkippedRoutes) Reset() {
	l.skipped = map[netip.Prefix]model.SkipReason{}
	l.counts = map[model.SkipReason]int{}
	l.held = map[netip.Prefix]struct{}{}
	l.uneven = nil
}

// Reason says why a prefix is skipped.
func (l *SkippedRoutes) Reason(prefix netip.Prefix) model.SkipReason { return l.skipped[prefix] }

// Counts returns how many prefixes are skipped by reason, zeros included for
// reasons that once occurred, so that a metric returns to zero.
func (l *SkippedRoutes) Counts() map[model.SkipReason]int { return maps.Clone(l.counts) }

// OverLimit returns up to n of the prefixes that wait for room.
func (l *SkippedRoutes) OverLimit(n int) []netip.Prefix {
	var out []netip.Prefix
	for p := range l.held {
		if len(out) >= n {
			break
		}
		out = append(out, p)
	}
	return out
}

// OverLimitCount is how many prefixes wait for room.
func (l *SkippedRoutes) OverLimitCount() int { return len(l.held) }
