package plan

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// configBuilder gathers what all advertisers have to say on one node in one
// namespace, and refuses what contradicts an earlier one: frr-k8s would drop
// the whole node's configuration for it.
type configBuilder struct {
	namespace    string
	contributors map[string]bool
	routers      map[string]*routerBuilder
	profiles     map[string]*model.BFDProfile
}

type routerBuilder struct {
	asn uint32
	id  string
	vrf string
	// owner was the first to ask for the router, with this template.
	owner     string
	template  *template
	routes    [][]model.Route
	imports   []string
	neighbors map[string]*neighborBuilder
	extras    extras[model.RouterExtra]
	// evpn has its l2vnis by number and its endpoints by VTEP until it is built.
	evpn      *model.RouterEVPN
	endpoints map[string]netip.Addr
	l2vnis    map[uint32]model.RouterVNI
}

type neighborBuilder struct {
	model.Session
	owner     string
	template  *template
	profile   *model.BFDProfile
	advertise [][]model.Route
	receive   []model.PrefixMatch
	extras    extras[model.SessionExtra]
}

func (p *nodePlanner) config(namespace string) *configBuilder {
	config := p.configs[namespace]
	if config == nil {
		config = &configBuilder{
			namespace:    namespace,
			contributors: map[string]bool{},
			routers:      map[string]*routerBuilder{},
			profiles:     map[string]*model.BFDProfile{},
		}
		p.configs[namespace] = config
	}
	return config
}

func (c *configBuilder) add(vrf string, asn uint32, id, owner string) *routerBuilder {
	router := &routerBuilder{vrf: vrf, asn: asn, id: id, owner: owner}
	c.routers[vrf] = router
	return router
}

// forget removes a router that nothing was put into, and reports whether it is one.
func (c *configBuilder) forget(r *routerBuilder) bool {
	empty := len(r.routes) == 0 && len(r.imports) == 0 && len(r.neighbors) == 0 && r.evpn == nil
	if empty {
		delete(c.routers, r.vrf)
	}
	return empty
}

// router returns the router of a VRF. A VRF has one router, so its ASN and ID
// are those of whoever asked first.
func (c *configBuilder) router(ra string, t *template, r *templateRouter) (*routerBuilder, *model.Finding) {
	vrf, asn, id := r.VRF, r.ASN, r.ID
	router := c.routers[vrf]
	if router == nil {
		router = c.add(vrf, asn, id, ra)
		router.template = t
		return router, nil
	}
	conflict := func(setting finding.RouterSetting) (*routerBuilder, *model.Finding) {
		first := ""
		if router.template != nil {
			first = router.template.displayName()
		}
		f := finding.RouterOfOther(ra, vrf, t.displayName(), first, router.owner, setting)
		return nil, &f
	}
	switch {
	case router.asn != asn:
		return conflict(finding.ASNs(asn, router.asn))
	case router.id != "" && id != "" && router.id != id:
		return conflict(finding.RouterIDs(id, router.id))
	}
	router.id = cmp.Or(router.id, id)
	return router, nil
}

// profileConflict says where another neighbor, in whatever VRF, has a BFD
// profile of the same name with other values: in frr-k8s, a name means one
// profile on the whole node.
func (c *configBuilder) profileConflict(t *template, n *templateNeighbor) *model.Finding {
	if n.bfdProfile == nil {
		return nil
	}
	known := c.profiles[n.BFDProfile]
	if known == nil || equalProfiles(known, n.bfdProfile) {
		return nil
	}
	f := finding.BFDProfileOfOther(t.neighborName(n), n.BFDProfile)
	return &f
}

// neighbor adds prefixes to a neighbor, or says why it can't.
func (r *routerBuilder) neighbor(ra string, t *template, n *templateNeighbor, session model.Session, advertise []model.Route, receive []model.PrefixMatch) *model.Finding {
	if r.neighbors == nil {
		r.neighbors = map[string]*neighborBuilder{}
	}
	builder := r.neighbors[n.ID()]
	if builder == nil {
		builder = &neighborBuilder{Session: session, owner: ra, template: t, profile: n.bfdProfile}
		r.neighbors[n.ID()] = builder
	} else if field := builder.conflict(session, n.bfdProfile); field != "" {
		f := finding.NeighborOfOther(t.neighborName(n), r.vrf, field, builder.template.displayName(), builder.owner)
		return &f
	}
	builder.merge(session)
	builder.advertise = append(builder.advertise, advertise)
	builder.receive = append(builder.receive, receive...)
	return nil
}

// conflict names the first setting by which frr-k8s would refuse to merge the
// session with another of the same neighbor, "" if there is none. Unset ports
// and timers equal their defaults there.
func (n *neighborBuilder) conflict(s model.Session, profile *model.BFDProfile) string {
	for _, setting := range []struct {
		name  string
		equal bool
	}{
		{"ASN", n.ASN == s.ASN && n.DynamicASN == s.DynamicASN},
		{"local ASN", n.LocalASN == s.LocalASN},
		{"port", orDefault(n.Port, 179) == orDefault(s.Port, 179)},
		{"source address", n.SourceAddress == s.SourceAddress},
		{"password", n.Password == s.Password && n.PasswordSecret == s.PasswordSecret},
		{"BFD profile", n.BFDProfile == "" || s.BFDProfile == "" || n.BFDProfile == s.BFDProfile && equalProfiles(n.profile, profile)},
		{"dualStackAddressFamily", n.Interface != "" || n.DualStackAddressFamily == s.DualStackAddressFamily},
		{"ebgpMultiHop", n.EBGPMultiHop == s.EBGPMultiHop},
		{"hold time", orDefault(n.HoldTime, 180*time.Second) == orDefault(s.HoldTime, 180*time.Second)},
		{"keepalive time", orDefault(n.KeepaliveTime, 60*time.Second) == orDefault(s.KeepaliveTime, 60*time.Second)},
		{"connect time", orDefault(n.ConnectTime, 60*time.Second) == orDefault(s.ConnectTime, 60*time.Second)},
		{"allowAsIn", n.AllowAsIn == s.AllowAsIn || n.AllowAsIn != "none" && s.AllowAsIn != "none" || n.AllowAsIn == "" || s.AllowAsIn == ""},
		{"next hop", equalOrUnset(n.NextHopIPv4, s.NextHopIPv4) && equalOrUnset(n.NextHopIPv6, s.NextHopIPv6)},
		{"local preference for a prefix", agree(n.LocalPreferences, s.LocalPreferences)},
	} {
		if !setting.equal {
			return setting.name
		}
	}
	return ""
}

// merge takes over what only one of two sessions sets.
func (n *neighborBuilder) merge(s model.Session) {
	n.BFDProfile = cmp.Or(n.BFDProfile, s.BFDProfile)
	n.NextHopIPv4 = cmp.Or(n.NextHopIPv4, s.NextHopIPv4)
	n.NextHopIPv6 = cmp.Or(n.NextHopIPv6, s.NextHopIPv6)
	n.AllowAsIn = leastRestrictive(n.AllowAsIn, s.AllowAsIn)
	n.GracefulRestart = n.GracefulRestart || s.GracefulRestart
	if len(s.LocalPreferences) > 0 {
		all := maps.Clone(s.LocalPreferences)
		maps.Copy(all, n.LocalPreferences)
		n.LocalPreferences = all
	}
	n.AddressFamilies = slices.Concat(n.AddressFamilies, s.AddressFamilies)
	slices.Sort(n.AddressFamilies)
	n.AddressFamilies = slices.Compact(n.AddressFamilies)
}

// leastRestrictive orders allowAsIn's values as frr-k8s does: unset, "origin",
// then by number, in which longer is larger ("10" is the only one of its length).
func leastRestrictive(a, b string) string {
	rank := func(s string) int {
		switch {
		case s == "":
			return 0
		case s == "none":
			return 1
		case s == "origin":
			return 2
		default:
			return 1 + 2*len(s)
		}
	}
	return slices.MaxFunc([]string{a, b}, func(x, y string) int { return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x, y)) })
}

func orDefault[T any](value *T, unset T) T {
	if value == nil {
		return unset
	}
	return *value
}

// agree reports whether no key has two values.
func agree(a, b map[string]uint32) bool {
	for key, value := range a {
		if other, found := b[key]; found && other != value {
			return false
		}
	}
	return true
}

func equalOrUnset(a, b string) bool { return a == "" || b == "" || a == b }

// equalProfiles compares as frr-k8s does, where an unset mode is off.
func equalProfiles(a, b *model.BFDProfile) bool {
	if a == nil || b == nil {
		return a == b
	}
	return equalPointers(a.ReceiveInterval, b.ReceiveInterval) && equalPointers(a.TransmitInterval, b.TransmitInterval) &&
		equalPointers(a.DetectMultiplier, b.DetectMultiplier) && equalPointers(a.EchoInterval, b.EchoInterval) &&
		equalPointers(a.MinimumTTL, b.MinimumTTL) &&
		orDefault(a.EchoMode, false) == orDefault(b.EchoMode, false) && orDefault(a.PassiveMode, false) == orDefault(b.PassiveMode, false)
}

func equalPointers[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// build returns the node's configurations, in order.
func (p *nodePlanner) build() []model.NodeConfig {
	out := make([]model.NodeConfig, 0, len(p.configs))
	for _, namespace := range slices.Sorted(maps.Keys(p.configs)) {
		config := p.configs[namespace]
		if len(config.routers) == 0 {
			continue
		}
		built := model.NodeConfig{
			Namespace:    namespace,
			Contributors: slices.Sorted(maps.Keys(config.contributors)),
			Routers:      make([]model.Router, 0, len(config.routers)),
			// Without raw text, FRR's five seconds it is.
			QuickRouteMaps: p.node.Raw.On(),
		}
		for _, vrf := range slices.Sorted(maps.Keys(config.routers)) {
			built.Routers = append(built.Routers, config.routers[vrf].build())
		}
		for _, name := range slices.Sorted(maps.Keys(config.profiles)) {
			built.BFDProfiles = append(built.BFDProfiles, *config.profiles[name])
		}
		out = append(out, built)
	}
	return out
}

func (r *routerBuilder) build() model.Router {
	r.uniteSpellings()
	slices.Sort(r.imports)
	out := model.Router{
		ASN: r.asn, ID: r.id, VRF: r.vrf,
		Routes:  mergeRoutes(r.routes),
		Imports: slices.Compact(r.imports),
		EVPN:    r.buildEVPN(),
		Extra:   r.extras.all(),
	}
	for _, id := range slices.Sorted(maps.Keys(r.neighbors)) {
		n := r.neighbors[id]
		slices.SortFunc(n.receive, compareMatches)
		n.Extra = n.extras.all()
		out.Neighbors = append(out.Neighbors, model.Neighbor{
			Session:   n.Session,
			Advertise: mergeRoutes(n.advertise),
			Receive:   slices.Compact(n.receive),
		})
	}
	return out
}
