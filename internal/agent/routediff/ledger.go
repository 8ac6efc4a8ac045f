package routediff

import (
	"maps"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Ledger remembers which of a network's routes are skipped and why, and holds
// back what exceeds the limit. What is imported it need not remember: the
// rows tell.
type Ledger struct {
	// Limit is how many prefixes may be imported; 0 is no limit.
	Limit   int
	skipped map[netip.Prefix]model.SkipReason
	counts  map[model.SkipReason]int
	// held are the prefixes skipped for the limit alone.
	held map[netip.Prefix]struct{}
}

// Admit reports whether another prefix may be imported when imported already
// are.
func (l *Ledger) Admit(imported int) bool { return l.Limit <= 0 || imported < l.Limit }

// Note records the verdict about a prefix: SkipNone where it is imported or
// gone from the kernel.
func (l *Ledger) Note(prefix netip.Prefix, reason model.SkipReason) {
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

// Reset forgets all verdicts, before all routes are judged again.
func (l *Ledger) Reset() {
	l.skipped = map[netip.Prefix]model.SkipReason{}
	l.counts = map[model.SkipReason]int{}
	l.held = map[netip.Prefix]struct{}{}
}

// Reason says why a prefix is skipped.
func (l *Ledger) Reason(prefix netip.Prefix) model.SkipReason { return l.skipped[prefix] }

// Counts returns how many prefixes are skipped by reason, zeros included for
// reasons that once occurred, so that a metric returns to zero.
func (l *Ledger) Counts() map[model.SkipReason]int { return maps.Clone(l.counts) }

// Held returns up to n of the prefixes that wait for room.
func (l *Ledger) Held(n int) []netip.Prefix {
	var out []netip.Prefix
	for p := range l.held {
		if len(out) >= n {
			break
		}
		out = append(out, p)
	}
	return out
}

// HeldCount is how many prefixes wait for room.
func (l *Ledger) HeldCount() int { return len(l.held) }
