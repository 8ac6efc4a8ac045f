package snapshot

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// readSessionSettings gives the template's neighbors and routers the settings of its
// annotation. What can't be used is left out and told; the template itself goes on.
func readSessionSettings(c *frrk8sv1beta1.FRRConfiguration, t *model.Template) {
	text, annotated := c.Annotations[model.AnnotationSessionSettings]
	if !annotated {
		return
	}
	s := settingsReader{template: t, name: t.Namespace + "/" + t.Name}
	read, faults := decodeSettings(text)
	for _, fault := range faults {
		s.refuse("%s", fault)
	}
	s.neighbors(&read)
	s.routers(read.Routers)
}

// settingsReader collects what can't be used.
type settingsReader struct {
	template *model.Template
	name     string
}

func (s *settingsReader) refuse(format string, args ...any) {
	s.template.SettingsFindings = append(s.template.SettingsFindings, finding.InvalidSessionSettings(s.name, fmt.Sprintf(format, args...)))
}

func (s *settingsReader) refuseOf(neighbor *model.Session, f func(finding.Neighbor) model.Finding) {
	s.template.SettingsFindings = append(s.template.SettingsFindings, f(finding.Neighbor{Template: s.name, ID: neighbor.ID()}))
}

func (s *settingsReader) neighbors(read *sessionSettings) {
	all := s.checked("allNeighbors", read.AllNeighbors)
	own := make([]neighborSettings, len(read.Neighbors))
	for i := range read.Neighbors {
		field := fmt.Sprintf("neighbors[%d]", i)
		own[i] = s.checked(field, read.Neighbors[i].neighborSettings)
		s.find(field, &read.Neighbors[i], read.Neighbors[:i])
	}
	for i := range s.template.Routers {
		r := &s.template.Routers[i]
		for j := range r.Neighbors {
			n := &r.Neighbors[j]
			at := slices.IndexFunc(read.Neighbors, func(entry settingsNeighbor) bool { return entry.means(r.VRF, n) })
			if at < 0 {
				s.give(n, all, neighborSettings{})
			} else {
				s.give(n, all, own[at])
			}
		}
	}
}

// find reports an entry that names no neighbor of the template, or that of an entry before.
func (s *settingsReader) find(field string, entry *settingsNeighbor, before []settingsNeighbor) {
	if (entry.Address == "") == (entry.Interface == "") {
		s.refuse("%s has neither an address nor an interface, or both: set one of them", field)
		return
	}
	if slices.ContainsFunc(before, func(other settingsNeighbor) bool { return other.id() == entry.id() && other.vrf() == entry.vrf() }) {
		s.refuse("%s is for neighbor %s in VRF %q, as an entry before it is: make one of them", field, entry.id(), cmp.Or(entry.vrf(), model.DefaultVRF))
		return
	}
	var known []string
	elsewhere := ""
	for i := range s.template.Routers {
		r := &s.template.Routers[i]
		for j := range r.Neighbors {
			n := &r.Neighbors[j]
			if entry.means(r.VRF, n) {
				return
			}
			if entry.means(entry.vrf(), n) {
				elsewhere = fmt.Sprintf("it has one in VRF %q", cmp.Or(r.VRF, model.DefaultVRF))
			}
			known = append(known, n.ID())
		}
	}
	hint := cmp.Or(elsewhere, "its neighbors are "+phrase.List(slices.Compact(slices.Sorted(slices.Values(known))), maxNeighbors))
	if len(known) == 0 {
		hint = "it has none"
	}
	s.refuse("%s is for neighbor %s in VRF %q, which the object doesn't have: %s", field, phrase.Line(entry.id()), cmp.Or(entry.vrf(), model.DefaultVRF), hint)
}

// maxNeighbors is how many neighbors a message names.
const maxNeighbors = 5

// vrf is as frr-k8s' routers write it.
func (e *settingsNeighbor) vrf() string { return routerVRF(e.VRF) }

func routerVRF(vrf string) string {
	if vrf == model.DefaultVRF {
		return ""
	}
	return vrf
}

func (e *settingsNeighbor) id() string { return neighborID(e.Address, e.Interface) }

// neighborID spells an address in one way.
func neighborID(address, device string) string {
	if parsed, err := netip.ParseAddr(address); err == nil {
		return parsed.Unmap().String()
	}
	return cmp.Or(address, device)
}

func (e *settingsNeighbor) means(vrf string, n *model.Session) bool {
	return e.vrf() == vrf && e.id() == neighborID(n.Address, n.Interface) && (e.Address == "") == (n.Address == "")
}

// checked leaves out what is out of range.
func (s *settingsReader) checked(field string, settings neighborSettings) neighborSettings {
	if hops := settings.TTLSecurityHops; hops != nil && (*hops < 0 || *hops > 254) {
		s.refuse("%s.ttlSecurityHops %d is not between 0, which is off, and 254", field, *hops)
		settings.TTLSecurityHops = nil
	}
	if settings.MaximumPrefixes != nil {
		if fault := settings.MaximumPrefixes.fault(); fault != "" {
			s.refuse("%s.maximumPrefixes%s", field, fault)
			settings.MaximumPrefixes = nil
		}
	}
	return settings
}

func (l *prefixLimit) fault() string {
	for _, f := range []struct {
		name  string
		value *int64
		most  int64
	}{
		{"ipv4", l.IPv4, 1<<32 - 1}, {"ipv6", l.IPv6, 1<<32 - 1},
		{"thresholdPercent", l.ThresholdPercent, 100}, {"restartMinutes", l.RestartMinutes, 1<<16 - 1},
	} {
		if f.value != nil && (*f.value < 1 || *f.value > f.most) {
			return fmt.Sprintf(".%s %d is not between 1 and %d", f.name, *f.value, f.most)
		}
	}
	switch {
	case l.IPv4 == nil && l.IPv6 == nil && *l != (prefixLimit{}):
		return " has neither ipv4 nor ipv6: set one of them"
	case l.WarningOnly && l.RestartMinutes != nil:
		return " has warningOnly, which never ends the session, and restartMinutes: remove one of them"
	}
	return ""
}

// give gives a neighbor its own settings and those for all.
func (s *settingsReader) give(n *model.Session, all, own neighborSettings) {
	extra := &n.Extra
	if passive := cmp.Or(own.Passive, all.Passive); passive != nil {
		extra.Passive = *passive
	}
	if hops := cmp.Or(own.TTLSecurityHops, all.TTLSecurityHops); hops != nil && *hops > 0 {
		if n.EBGPMultiHop {
			s.refuseOf(n, finding.TTLSecurityWithMultiHop)
		} else {
			extra.TTLSecurityHops = uint8(*hops) //nolint:gosec // 254 at most
		}
	}
	if limit := cmp.Or(own.MaximumPrefixes, all.MaximumPrefixes); limit != nil {
		extra.MaximumPrefixes = s.limit(n, limit, own.MaximumPrefixes != nil)
	}
}

// limit leaves out what is for a family that the session doesn't carry. That is told if
// the neighbor is the only one meant.
func (s *settingsReader) limit(n *model.Session, l *prefixLimit, own bool) model.PrefixLimit {
	out := model.PrefixLimit{
		IPv4: uint32(value(l.IPv4)), IPv6: uint32(value(l.IPv6)), //nolint:gosec // checked
		ThresholdPercent: uint8(value(l.ThresholdPercent)), RestartMinutes: uint16(value(l.RestartMinutes)), //nolint:gosec // checked
		WarningOnly: l.WarningOnly,
	}
	ipv4, ipv6 := sessionFamilies(n)
	for _, f := range []struct {
		name    string
		carried bool
		limit   *uint32
	}{{"ipv4", ipv4, &out.IPv4}, {"ipv6", ipv6, &out.IPv6}} {
		if f.carried || *f.limit == 0 {
			continue
		}
		*f.limit = 0
		if own {
			s.refuseOf(n, func(n finding.Neighbor) model.Finding { return finding.LimitOfOtherFamily(n, f.name) })
		}
	}
	if out.IPv4 == 0 && out.IPv6 == 0 {
		return model.PrefixLimit{}
	}
	return out
}

// sessionFamilies are those whose prefixes the session carries.
func sessionFamilies(n *model.Session) (ipv4, ipv6 bool) {
	if !slices.Contains(n.AddressFamilies, string(frrk8sv1beta1.AddressFamilyUnicast)) {
		return false, false
	}
	return families(&frrk8sv1beta1.Neighbor{Address: n.Address, Interface: n.Interface, DualStackAddressFamily: n.DualStackAddressFamily})
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

func (s *settingsReader) routers(entries []settingsRouter) {
	for i := range entries {
		entry, field := &entries[i], fmt.Sprintf("routers[%d]", i)
		vrf := routerVRF(entry.VRF)
		if slices.ContainsFunc(entries[:i], func(other settingsRouter) bool { return routerVRF(other.VRF) == vrf }) {
			s.refuse("%s is for VRF %q, as an entry before it is: make one of them", field, cmp.Or(vrf, model.DefaultVRF))
			continue
		}
		extra := model.RouterExtra{MultipathRelax: entry.MultipathRelax}
		if entry.GracefulRestart != nil {
			extra.GracefulRestart = s.restartTimes(field+".gracefulRestart", entry.GracefulRestart)
		}
		found := false
		for j := range s.template.Routers {
			if r := &s.template.Routers[j]; r.VRF == vrf {
				r.Extra, found = extra, true
			}
		}
		if !found {
			s.refuse("%s is for VRF %q, in which the object has no router", field, cmp.Or(vrf, model.DefaultVRF))
		}
	}
}

func (s *settingsReader) restartTimes(field string, times *restartTimes) model.RestartTimes {
	var out model.RestartTimes
	for _, f := range []struct {
		name string
		from *int64
		to   *uint16
		most int64
	}{
		{"restartSeconds", times.RestartSeconds, &out.Restart, 4095},
		{"stalePathSeconds", times.StalePathSeconds, &out.StalePath, 4095},
		{"deferralSeconds", times.DeferralSeconds, &out.Deferral, 3600},
	} {
		switch {
		case f.from == nil:
		case *f.from < 1 || *f.from > f.most:
			s.refuse("%s.%s %d is not between 1 and %d", field, f.name, *f.from, f.most)
		default:
			*f.to = uint16(*f.from) //nolint:gosec // 4095 at most
		}
	}
	return out
}
