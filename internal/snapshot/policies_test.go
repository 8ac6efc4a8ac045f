package snapshot

import (
	"net/netip"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestRoutePolicy(t *testing.T) {
	prefix := netip.MustParsePrefix
	preference, med := uint32(0), uint32(4294967295)
	for _, row := range []struct {
		name, manifest string
		wanted         model.RoutePolicy
	}{
		{name: "everything", manifest: `
metadata: {name: a, creationTimestamp: "2026-01-02T03:04:05Z", generation: 7}
spec:
  targetRefs: [{group: k8s.ovn.org, kind: RouteAdvertisements, name: tlv}, {group: k8s.ovn.org, kind: RouteAdvertisements, name: ams}]
  rules:
  - match:
      networkSelector: {matchLabels: {tenant: red}}
      nodeSelector: {matchLabels: {z: a}}
      neighbors: [eth1, "2001:DB8:0::1", "::ffff:192.0.2.1"]
      prefixes: [{prefix: 10.0.0.0/8}, {prefix: 10.0.0.0/8, ge: 24}, {prefix: 10.0.0.0/8, le: 16}, {prefix: "::/0", ge: 0}, {prefix: "fd00::/8", ge: 48, le: 64}]
      kinds: [PodNetwork, EgressIP]
    set: {communities: ["64512:100", "large:1:2:4294967295", graceful-shutdown, no-export], localPreference: 0, med: 4294967295, prepend: 10}
  - suppress: true`,
			wanted: model.RoutePolicy{
				Name: "a", Created: at("2026-01-02T03:04:05Z"), Generation: 7, Targets: []string{"ams", "tlv"},
				Rules: []model.PolicyRule{
					{Match: model.PolicyMatch{
						Networks: model.Selector{in("tenant", "red")}, Nodes: model.Selector{in("z", "a")},
						Neighbors: []string{"192.0.2.1", "2001:db8::1", "eth1"},
						Prefixes: []model.PrefixMatch{
							{Prefix: prefix("10.0.0.0/8")}, {Prefix: prefix("10.0.0.0/8"), GE: 24, LE: 32}, {Prefix: prefix("10.0.0.0/8"), GE: 8, LE: 16},
							{Prefix: prefix("::/0"), GE: 0, LE: 128}, {Prefix: prefix("fd00::/8"), GE: 48, LE: 64},
						},
						Kinds: []model.Advertisement{model.AdvertiseEgressIP, model.AdvertisePodNetwork},
					}, Set: model.MakeAttributes(model.AttributeValues{
						Communities: []model.Community{
							{Parts: [3]uint32{64512, 100}}, {Large: true, Parts: [3]uint32{1, 2, 4294967295}}, {Parts: [3]uint32{65535, 0}}, {Parts: [3]uint32{65535, 65281}},
						}, LocalPreference: &preference, MED: &med, Prepend: 10,
					})},
					{Suppress: true},
				},
			}},
		{name: "a community that is none", manifest: `{metadata: {name: a}, spec: {rules: [{set: {communities: ["64512:65536"]}}]}}`,
			wanted: invalidPolicy(`spec.rules[0].set.communities can't be used: "64512:65536" is no community: correct it`)},
		{name: "a local preference out of range", manifest: `{metadata: {name: a}, spec: {rules: [{suppress: true}, {set: {localPreference: 4294967296}}]}}`,
			wanted: invalidPolicy(`spec.rules[1].set.localPreference can't be used: 4294967296 is not between 0 and 4294967295: correct it`)},
		{name: "a med out of range", manifest: `{metadata: {name: a}, spec: {rules: [{set: {med: -1}}]}}`,
			wanted: invalidPolicy(`spec.rules[0].set.med can't be used: -1 is not between 0 and 4294967295: correct it`)},
		{name: "a prepend out of range", manifest: `{metadata: {name: a}, spec: {rules: [{set: {prepend: 11}}]}}`,
			wanted: invalidPolicy(`spec.rules[0].set.prepend can't be used: 11 is not between 1 and 10: correct it`)},
		{name: "a prefix with host bits", manifest: `{metadata: {name: a}, spec: {rules: [{match: {prefixes: [{prefix: 10.0.0.1/8}]}, suppress: true}]}}`,
			wanted: invalidPolicy(`spec.rules[0].match.prefixes[0] can't be used: "10.0.0.1/8" is no subnet without host bits: correct it`)},
		{name: "lengths in disorder", manifest: `{metadata: {name: a}, spec: {rules: [{match: {prefixes: [{prefix: 10.0.0.0/8, ge: 24, le: 16}]}, suppress: true}]}}`,
			wanted: invalidPolicy(`spec.rules[0].match.prefixes[0] can't be used: ge and le are not in the order 8 ≤ ge ≤ le ≤ 32: correct it`)},
		{name: "an unknown kind", manifest: `{metadata: {name: a}, spec: {rules: [{match: {kinds: [Service]}, suppress: true}]}}`,
			wanted: invalidPolicy(`spec.rules[0].match.kinds can't be used: "Service" is neither PodNetwork nor EgressIP: correct it`)},
		{name: "a rule that does nothing", manifest: `{metadata: {name: a}, spec: {rules: [{match: {}}]}}`,
			wanted: invalidPolicy(`spec.rules[0] can't be used: a rule has either set or suppress: true: correct it`)},
		{name: "a bad selector", manifest: `{metadata: {name: a}, spec: {rules: [{match: {networkSelector: {matchExpressions: [{key: x, operator: In}]}}, suppress: true}]}}`,
			wanted: model.RoutePolicy{Name: "a", Problem: &model.Problem{Outcome: model.Invalid, Reason: "InvalidSelector",
				Message: `spec.rules[0].match.networkSelector can't be used: operator In for key "x" needs values: add some, or use Exists or DoesNotExist`}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			policy := object[v1alpha1.RoutePolicy](t, row.manifest)
			same(t, routePolicy(&policy), row.wanted)
		})
	}
}

func invalidPolicy(message string) model.RoutePolicy {
	return model.RoutePolicy{Name: "a", Problem: &model.Problem{Outcome: model.Invalid, Reason: "InvalidRoutePolicy", Message: message}}
}
