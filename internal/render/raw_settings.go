package render

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// FRR's defaults. It prints no line that equals its default, so that frr-reload would
// write such a line anew at each reload.
const (
	defaultRestart   = 120 // BGP_DEFAULT_RESTART_TIME
	defaultStalePath = 360 // BGP_DEFAULT_STALEPATH_TIME
	defaultDeferral  = 360 // BGP_DEFAULT_SELECT_DEFERRAL_TIME
	defaultThreshold = 75  // MAXIMUM_PREFIX_THRESHOLD_DEFAULT
)

// writeRouteMapDelay has FRR apply a changed route-map a second after the change, not
// five: a prefix that is new waits for its neighbors' filters.
//
// The line is for all routers, and FRR prints it outside of them. Within a router FRR
// takes it, too, but frr-reload then removes and adds it at each reload. What comes before
// may leave a router open, as frr-k8s' own text does, so one is closed first.
func writeRouteMapDelay(out *strings.Builder, routers []model.Router) {
	for i := range routers {
		if model.RawVRFFault(routers[i].VRF) == "" {
			openRouter(out, &routers[i])
			out.WriteString("exit\nbgp route-map delay-timer 1\n")
			return
		}
	}
}

// writeRawRouter reopens a router for the settings that frr-k8s has no fields for.
func writeRawRouter(out *strings.Builder, r *model.Router) {
	lines := routerLines(&r.Extra)
	families := map[string][]string{}
	for i := range r.Neighbors {
		n := &r.Neighbors[i]
		lines = append(lines, sessionLines(&n.Session)...)
		limit := &n.Extra.MaximumPrefixes
		for family, most := range map[string]uint32{"ipv4": limit.IPv4, "ipv6": limit.IPv6} {
			if most > 0 {
				families[family] = append(families[family], "neighbor "+rawID(&n.Session)+" "+limitText(limit, most))
			}
		}
	}
	if len(lines)+len(families) == 0 {
		return
	}
	openRouter(out, r)
	// One neighbor may be spelt in two ways.
	writeLines(out, " ", lines)
	for _, family := range []string{"ipv4", "ipv6"} {
		if len(families[family]) == 0 {
			continue
		}
		out.WriteString(" address-family " + family + " unicast\n")
		writeLines(out, "  ", families[family])
		out.WriteString(" exit-address-family\n")
	}
	out.WriteString("exit\n")
}

func openRouter(out *strings.Builder, r *model.Router) {
	fmt.Fprintf(out, "router bgp %d", r.ASN)
	if r.VRF != "" {
		out.WriteString(" vrf " + r.VRF)
	}
	out.WriteString("\n")
}

func writeLines(out *strings.Builder, indent string, lines []string) {
	for i, line := range lines {
		if !slices.Contains(lines[:i], line) {
			out.WriteString(indent + line + "\n")
		}
	}
}

func routerLines(e *model.RouterExtra) []string {
	var lines []string
	if e.MultipathRelax {
		lines = append(lines, "bgp bestpath as-path multipath-relax")
	}
	for _, t := range []struct {
		name           string
		seconds, unset uint16
	}{
		{"restart-time", e.GracefulRestart.Restart, defaultRestart},
		{"stalepath-time", e.GracefulRestart.StalePath, defaultStalePath},
		{"select-defer-time", e.GracefulRestart.Deferral, defaultDeferral},
	} {
		if t.seconds != 0 && t.seconds != t.unset {
			lines = append(lines, fmt.Sprintf("bgp graceful-restart %s %d", t.name, t.seconds))
		}
	}
	return lines
}

func sessionLines(s *model.Session) []string {
	var lines []string
	if s.Extra.Passive {
		lines = append(lines, "neighbor "+rawID(s)+" passive")
	}
	if hops := s.Extra.TTLSecurityHops; hops > 0 {
		lines = append(lines, fmt.Sprintf("neighbor %s ttl-security hops %d", rawID(s), hops))
	}
	return lines
}

// rawID spells an address as FRR prints it.
func rawID(s *model.Session) string {
	if address, err := netip.ParseAddr(s.Address); err == nil {
		return address.String()
	}
	return s.Interface
}

func limitText(l *model.PrefixLimit, most uint32) string {
	text := fmt.Sprintf("maximum-prefix %d", most)
	if threshold := cmp.Or(l.ThresholdPercent, defaultThreshold); threshold != defaultThreshold {
		text += fmt.Sprintf(" %d", threshold)
	}
	switch {
	case l.WarningOnly:
		text += " warning-only"
	case l.RestartMinutes > 0:
		text += fmt.Sprintf(" restart %d", l.RestartMinutes)
	}
	return text
}
