package snapshot

import (
	"os"
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// settingsTemplate has two neighbors with addresses and one without in the default VRF,
// and one in VRF blue.
const settingsTemplate = `
metadata: {namespace: frr-k8s-system, name: tor}
spec:
  bgp:
    routers:
    - asn: 64512
      neighbors: [{address: 192.0.2.1, asn: 64513}, {address: "2001:DB8::1", asn: 64513}, {interface: eth1, dynamicASN: external}]
    - asn: 64512
      vrf: blue
      neighbors: [{address: 192.0.2.1, asn: 64514, ebgpMultiHop: true}]`

func TestSessionSettings(t *testing.T) {
	limit := func(l model.PrefixLimit) model.SessionExtra { return model.SessionExtra{MaximumPrefixes: l} }
	for name, row := range map[string]struct {
		settings string
		// sessions are what the neighbors get, by VRF and ID.
		sessions map[string]model.SessionExtra
		routers  map[string]model.RouterExtra
	}{
		"nothing": {settings: `{}`},
		"one neighbor of each kind": {
			settings: `{neighbors: [{address: 192.0.2.1, passive: true}, {address: "2001:db8:0::1", ttlSecurityHops: 254}, {interface: eth1, passive: true, ttlSecurityHops: 1}]}`,
			sessions: map[string]model.SessionExtra{
				" 192.0.2.1": {Passive: true}, " 2001:DB8::1": {TTLSecurityHops: 254}, " eth1": {Passive: true, TTLSecurityHops: 1},
			},
		},
		"a neighbor in a VRF": {
			settings: `{neighbors: [{address: 192.0.2.1, vrf: blue, passive: true}]}`,
			sessions: map[string]model.SessionExtra{"blue 192.0.2.1": {Passive: true}},
		},
		"the default VRF by name": {
			settings: `{neighbors: [{address: 192.0.2.1, vrf: default, passive: true}], routers: [{vrf: default, multipathRelax: true}]}`,
			sessions: map[string]model.SessionExtra{" 192.0.2.1": {Passive: true}},
			routers:  map[string]model.RouterExtra{"": {MultipathRelax: true}},
		},
		"all neighbors, but for one": {
			settings: `{allNeighbors: {passive: true, maximumPrefixes: {ipv4: 1000, ipv6: 500}}, neighbors: [{interface: eth1, passive: false, maximumPrefixes: {}}]}`,
			sessions: map[string]model.SessionExtra{
				" 192.0.2.1":     {Passive: true, MaximumPrefixes: model.PrefixLimit{IPv4: 1000}},
				" 2001:DB8::1":   {Passive: true, MaximumPrefixes: model.PrefixLimit{IPv6: 500}},
				"blue 192.0.2.1": {Passive: true, MaximumPrefixes: model.PrefixLimit{IPv4: 1000}},
			},
		},
		"limits that only warn, or end for a time": {
			settings: `{neighbors: [{address: 192.0.2.1, maximumPrefixes: {ipv4: 4294967295, thresholdPercent: 100, warningOnly: true}}, {interface: eth1, maximumPrefixes: {ipv4: 1, ipv6: 2, restartMinutes: 65535}}]}`,
			sessions: map[string]model.SessionExtra{
				" 192.0.2.1": limit(model.PrefixLimit{IPv4: 4294967295, ThresholdPercent: 100, WarningOnly: true}),
				" eth1":      limit(model.PrefixLimit{IPv4: 1, IPv6: 2, RestartMinutes: 65535}),
			},
		},
		"routers": {
			settings: `{routers: [{multipathRelax: true}, {vrf: blue, gracefulRestart: {restartSeconds: 4095, stalePathSeconds: 4095, deferralSeconds: 3600}}]}`,
			routers: map[string]model.RouterExtra{
				"": {MultipathRelax: true}, "blue": {GracefulRestart: model.RestartTimes{Restart: 4095, StalePath: 4095, Deferral: 3600}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			read := templateWith(t, row.settings)
			if len(read.SettingsFindings) > 0 {
				t.Errorf("found %v", read.SettingsFindings)
			}
			expectExtras(t, read, row.sessions, row.routers)
		})
	}
}

// What can't be used is left out and told, and the rest goes on: each row also sets
// passive for eth1, which is there in the end.
func TestSessionSettingsThatCannotBeUsed(t *testing.T) {
	for name, row := range map[string]struct{ settings, wanted string }{
		"a field with a typo":      {`neighbors: [{interface: eth1, passive: true, ttlSecurityHop: 1}]`, `there is no field neighbors[0].ttlSecurityHop, did you mean ttlSecurityHops?`},
		"a field in capitals":      {`neighbors: [{interface: eth1, passive: true}], Routers: []`, `there is no field Routers, did you mean routers?`},
		"a neighbor with a typo":   {`neighbors: [{interface: eth1, passive: true}, {address: 192.0.2.2, passive: true}]`, `neighbors[1] is for neighbor 192.0.2.2 in VRF "default", which the object doesn't have: its neighbors are 192.0.2.1, 2001:DB8::1, eth1`},
		"a neighbor's other VRF":   {`neighbors: [{interface: eth1, passive: true}, {interface: eth1, vrf: blue}]`, `neighbors[1] is for neighbor eth1 in VRF "blue", which the object doesn't have: it has one in VRF "default"`},
		"a neighbor twice":         {`neighbors: [{interface: eth1, passive: true}, {address: "2001:db8::1"}, {address: "2001:db8:0::1"}]`, `neighbors[2] is for neighbor 2001:db8::1 in VRF "default", as an entry before it is: make one of them`},
		"a neighbor of no name":    {`neighbors: [{interface: eth1, passive: true}, {passive: true}]`, `neighbors[1] has neither an address nor an interface, or both: set one of them`},
		"too many hops":            {`neighbors: [{interface: eth1, passive: true, ttlSecurityHops: 255}]`, `neighbors[0].ttlSecurityHops 255 is not between 0, which is off, and 254`},
		"hops and ebgpMultiHop":    {`neighbors: [{interface: eth1, passive: true}, {address: 192.0.2.1, vrf: blue, ttlSecurityHops: 2}]`, `neighbor 192.0.2.1 has ebgpMultiHop and, by annotation ovnbgp.io/session-settings, ttlSecurityHops, which FRR doesn't take together`},
		"a limit of no family":     {`neighbors: [{interface: eth1, passive: true, maximumPrefixes: {warningOnly: true}}]`, `neighbors[0].maximumPrefixes has neither ipv4 nor ipv6: set one of them`},
		"a limit of none":          {`neighbors: [{interface: eth1, passive: true, maximumPrefixes: {ipv4: 0}}]`, `neighbors[0].maximumPrefixes.ipv4 0 is not between 1 and 4294967295`},
		"a limit out of range":     {`neighbors: [{interface: eth1, passive: true, maximumPrefixes: {ipv4: 1, restartMinutes: 65536}}]`, `neighbors[0].maximumPrefixes.restartMinutes 65536 is not between 1 and 65535`},
		"a limit that contradicts": {`neighbors: [{interface: eth1, passive: true, maximumPrefixes: {ipv4: 1, warningOnly: true, restartMinutes: 1}}]`, `neighbors[0].maximumPrefixes has warningOnly, which never ends the session, and restartMinutes: remove one of them`},
		"a limit of another family": {
			`neighbors: [{interface: eth1, passive: true}, {address: 192.0.2.1, maximumPrefixes: {ipv6: 1}}]`,
			`neighbor 192.0.2.1 has maximumPrefixes.ipv6 by annotation ovnbgp.io/session-settings, but its session carries no such prefixes: remove it`,
		},
		"a router of no VRF":     {`neighbors: [{interface: eth1, passive: true}], routers: [{vrf: red, multipathRelax: true}]`, `routers[0] is for VRF "red", in which the object has no router`},
		"a router twice":         {`neighbors: [{interface: eth1, passive: true}], routers: [{vrf: blue}, {vrf: blue}]`, `routers[1] is for VRF "blue", as an entry before it is: make one of them`},
		"a time out of range":    {`neighbors: [{interface: eth1, passive: true}], routers: [{gracefulRestart: {restartSeconds: 4096}}]`, `routers[0].gracefulRestart.restartSeconds 4096 is not between 1 and 4095`},
		"a time that is no time": {`neighbors: [{interface: eth1, passive: true}], routers: [{gracefulRestart: {deferralSeconds: 0}}]`, `routers[0].gracefulRestart.deferralSeconds 0 is not between 1 and 3600`},
	} {
		t.Run(name, func(t *testing.T) {
			read := templateWith(t, "{"+row.settings+"}")
			expectFinding(t, read, row.wanted)
			expectExtras(t, read, map[string]model.SessionExtra{" eth1": {Passive: true}}, nil)
		})
	}
}

// Of what can't be read nothing counts.
func TestSessionSettingsThatCannotBeRead(t *testing.T) {
	for name, row := range map[string]struct{ settings, wanted string }{
		"no YAML":          {`{neighbors: [`, `did not find expected node content`},
		"another type":     {`{allNeighbors: {passive: true, ttlSecurityHops: one}}`, `allNeighbors.ttlSecurityHops has a value of the wrong type: string`},
		"a list":           {`[]`, `the whole of it has a value of the wrong type: array`},
		"a field twice":    {`{allNeighbors: {passive: true}, allNeighbors: {}}`, `key "allNeighbors" already set in map`},
		"lines of its own": {"{allNeighbors: {passive: true}}\n---\n{}\nrouter bgp 1", `it has several YAML documents`},
	} {
		t.Run(name, func(t *testing.T) {
			read := templateWith(t, row.settings)
			expectFinding(t, read, row.wanted)
			expectExtras(t, read, nil, nil)
		})
	}
}

func templateWith(t *testing.T, settings string) model.Template {
	t.Helper()
	o := object[frrk8sv1beta1.FRRConfiguration](t, settingsTemplate)
	o.Annotations = map[string]string{model.AnnotationSessionSettings: settings}
	return template(&o)
}

func expectFinding(t *testing.T, read model.Template, wanted string) {
	t.Helper()
	if len(read.SettingsFindings) != 1 || !strings.Contains(read.SettingsFindings[0].Message, wanted) {
		t.Errorf("found %v, want %q", read.SettingsFindings, wanted)
	}
	if read.Problem != nil {
		t.Errorf("the template has the problem %v", read.Problem)
	}
}

func expectExtras(t *testing.T, read model.Template, sessions map[string]model.SessionExtra, routers map[string]model.RouterExtra) {
	t.Helper()
	gotSessions, gotRouters := map[string]model.SessionExtra{}, map[string]model.RouterExtra{}
	for _, r := range read.Routers {
		if r.Extra != (model.RouterExtra{}) {
			gotRouters[r.VRF] = r.Extra
		}
		for _, n := range r.Neighbors {
			if n.Extra != (model.SessionExtra{}) {
				gotSessions[r.VRF+" "+n.ID()] = n.Extra
			}
		}
	}
	same(t, gotSessions, orEmpty(sessions))
	same(t, gotRouters, orEmpty(routers))
}

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

// The names of the annotation's fields, for suggestions, are all that there are.
func TestSettingsFields(t *testing.T) {
	data := `{neighbors: [{address: a, interface: a, vrf: a, passive: true, ttlSecurityHops: 1, maximumPrefixes: {ipv4: 1, ipv6: 1, thresholdPercent: 1, warningOnly: true, restartMinutes: 1}}],
		routers: [{vrf: a, multipathRelax: true, gracefulRestart: {restartSeconds: 1, stalePathSeconds: 1, deferralSeconds: 1}}], allNeighbors: {}}`
	if _, faults := decodeSettings(data); len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, name := range settingsFields {
		if !strings.Contains(data, name+":") {
			t.Errorf("%s is no field", name)
		}
	}
}

// The page's example is one.
func TestSessionSettingsOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../config/SESSIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ = strings.Cut(example, "```\n")
	o := object[frrk8sv1beta1.FRRConfiguration](t, example)
	read := template(&o)
	if len(read.SettingsFindings) > 0 {
		t.Errorf("found %v", read.SettingsFindings)
	}
	limit := model.PrefixLimit{IPv4: 1000, RestartMinutes: 5}
	expectExtras(t, read, map[string]model.SessionExtra{" 192.168.100.10": {Passive: true, TTLSecurityHops: 1, MaximumPrefixes: limit}},
		map[string]model.RouterExtra{"": {MultipathRelax: true, GracefulRestart: model.RestartTimes{Restart: 60, StalePath: 180, Deferral: 90}}})
	for _, field := range settingsFields {
		if !strings.Contains(string(page), field) {
			t.Errorf("the page has nothing about %s", field)
		}
	}
}
