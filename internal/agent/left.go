package agent

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

const (
	// leftAfter is how long rows of OVN-Kubernetes' route import have to differ from
	// the kernel: while it is active it follows within a second or two.
	leftAfter = time.Minute
	// looksForLeft is how often they are looked at within that time.
	looksForLeft = 6
	// differencesAtMost bounds those that are remembered: one would do.
	differencesAtMost = 1000
	// differencesTold is how many of each kind are named.
	differencesTold = 3
)

// difference is a prefix that the kernel has a route for and route import no row,
// or the other way round.
type difference struct {
	prefix   netip.Prefix
	inKernel bool
}

// leftRows distinguishes rows that OVN-Kubernetes' route import left when it was
// switched off from those of an active one, which look the same.
type leftRows struct {
	after time.Duration
	// version is that of the rows, and touched when it last changed: a route import
	// that changes rows is active.
	version uint64
	touched time.Time
	// since is when each difference was first seen.
	since map[difference]time.Time
	// looked is when they were last looked at, and again when to look again.
	looked time.Time
	again  time.Duration
	// lasting are those that lasted, sorted.
	lasting []difference
}

// lookForLeft checks now and then whether route import still keeps its rows. Without
// a VRF route import doesn't touch them, so that then there is no evidence.
func (s *syncer) lookForLeft(now time.Time) {
	l := &s.left
	if !s.router.RouteImport || s.table == nil {
		*l = leftRows{after: l.after}
		return
	}
	interval := l.after / looksForLeft
	if l.again = l.looked.Add(interval).Sub(now); !l.looked.IsZero() && l.again > 0 {
		return
	}
	prefixes, version := s.rows.RouteImports()
	l.note(s.differences(prefixes), version, now)
	l.again = interval
}

// differences compares route import's rows with what the kernel has for it. What
// one of the two may leave out, by rules of its own, is none: default routes, of
// which OVN-Kubernetes has others, and what it does not import.
func (s *syncer) differences(onRouter []netip.Prefix) (out []difference) {
	rows := make(map[netip.Prefix]struct{}, len(onRouter))
	_, beyond := s.table.Len()
	for _, prefix := range onRouter {
		if _, again := rows[prefix]; again {
			continue
		}
		rows[prefix] = struct{}{}
		// With more routes than the mirror keeps, any may be in the kernel.
		if _, found := s.table.Path(prefix); !found && beyond == 0 && prefix.Bits() > 0 {
			out = append(out, difference{prefix: prefix})
		}
	}
	rules := s.rules
	rules.AllowWithin, rules.AnyLink, rules.IPv4ViaIPv6 = false, false, false
	var room [16]netip.Addr
	for _, prefix := range s.table.Prefixes() {
		if _, found := rows[prefix]; found || prefix.Bits() == 0 {
			continue
		}
		path, found := s.table.Path(prefix)
		if !found || path.Kind() != model.PathUnicast {
			continue
		}
		if hops, _ := rules.Judge(prefix, path, room[:0]); len(hops) > 0 {
			out = append(out, difference{prefix: prefix, inKernel: true})
		}
	}
	return out
}

// note takes what differs now.
func (l *leftRows) note(differences []difference, version uint64, now time.Time) {
	if l.looked.IsZero() || version != l.version {
		l.version, l.touched = version, now
	}
	l.looked = now
	since := make(map[difference]time.Time, min(len(differences), differencesAtMost))
	for _, d := range differences {
		if began, before := l.since[d]; before {
			since[d] = began
		}
	}
	for _, d := range differences {
		if _, known := since[d]; !known && len(since) < differencesAtMost {
			since[d] = now
		}
	}
	l.since, l.lasting = since, nil
	for d, began := range since {
		if now.Sub(began) >= l.after && now.Sub(l.touched) >= l.after {
			l.lasting = append(l.lasting, d)
		}
	}
	slices.SortFunc(l.lasting, func(a, b difference) int { return routediff.ComparePrefixes(a.prefix, b.prefix) })
}

func (l *leftRows) any() bool { return len(l.lasting) > 0 }

// tell says what shows that the rows are leftovers, and what to do.
func (l *leftRows) tell(router string) string {
	var onRouter, inKernel []netip.Prefix
	for _, d := range l.lasting {
		if d.inKernel {
			inKernel = append(inKernel, d.prefix)
		} else {
			onRouter = append(onRouter, d.prefix)
		}
	}
	var parts []string
	if len(onRouter) > 0 {
		parts = append(parts, "only the router has "+somePrefixes(onRouter))
	}
	if len(inKernel) > 0 {
		parts = append(parts, "only the kernel has "+somePrefixes(inKernel))
	}
	return fmt.Sprintf("rows of OVN-Kubernetes' route import are on %s, and for %s nobody has brought them in line with the kernel: %s. It was switched off, or is stuck, and this agent stands aside while they are there. "+
		"Once it is off on this node, remove them with agent cleanup --route-import; agent cleanup --route-import --dry-run counts them", router, l.after, strings.Join(parts, ", "))
}

func somePrefixes(prefixes []netip.Prefix) string {
	text := make([]string, 0, differencesTold)
	for _, prefix := range prefixes[:min(len(prefixes), differencesTold)] {
		text = append(text, prefix.String())
	}
	out := strings.Join(text, ", ")
	switch more := len(prefixes) - len(text); {
	case more == 0:
	case len(prefixes) >= differencesAtMost:
		out += " and many more"
	default:
		out += fmt.Sprintf(" and %d more", more)
	}
	return out
}
