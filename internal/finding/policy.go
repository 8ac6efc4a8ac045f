package finding

import (
	"fmt"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/spelling"
)

// What is wrong with a RoutePolicy, or has no effect.

var ofPolicy = []model.ScopeKind{model.ScopeRoutePolicy}

var invalidPolicy = enter("InvalidRoutePolicy", invalid, ofPolicy,
	"The spec of a RoutePolicy has a value that can't be used. None of its rules applies.",
	"Correct the field that the message names. The API server refuses such an object if the CRD is current.")

// InvalidPolicy is for a RoutePolicy, by the path of its field.
func InvalidPolicy(field, fault string) *model.Problem {
	return invalidPolicy.problem("%s can't be used: %s: correct it", field, fault)
}

var targetNotFound = enter("TargetNotFound", pending, ofPolicy,
	"There is no RouteAdvertisements object of the name that a RoutePolicy has in spec.targetRefs.",
	"Correct the name, or create the object.")

// TargetNotFound is for a target that is not among the RouteAdvertisements.
func TargetNotFound(policy, ra string, known []string) model.Finding {
	hint := "correct the name in spec.targetRefs, or create the object"
	if meant := spelling.Closest(ra, known, spelling.MaxEdits); meant != "" {
		hint = fmt.Sprintf("did you mean %q?", meant)
	}
	return targetNotFound.about(policy, "there is no RouteAdvertisements %q: %s", ra, hint)
}

var targetStandsAside = enter("TargetStandsAside", pending, ofPolicy,
	"OVN-Kubernetes' own controller works on the RouteAdvertisements object that a RoutePolicy is for. That controller knows no policies.",
	"Switch that controller off, or take the object over as MIGRATION.md says.")

// TargetStandsAside is for a target that another controller works on.
func TargetStandsAside(policy, ra string) model.Finding {
	return targetStandsAside.about(policy, "OVN-Kubernetes' own controller works on RouteAdvertisements %q and knows no policies: "+
		"switch that controller off, or take the object over", ra)
}

var targetNotPlanned = enter("TargetNotPlanned", pending, ofPolicy,
	"The RouteAdvertisements object that a RoutePolicy is for is not accepted, so there are no routes to apply the rules to.",
	"See the conditions of the RouteAdvertisements object.")

// TargetNotPlanned is for a target of which nothing is planned.
func TargetNotPlanned(policy, ra string) model.Finding {
	return targetNotPlanned.about(policy, "RouteAdvertisements %q has no routes to apply the rules to: see its conditions", ra)
}

var noEffect = enter("NoEffect", notice, ofPolicy,
	"A rule sets localPreference, and all neighbors that it is for are of another AS: BGP carries LOCAL_PREF within one AS only. Or it sets prepend, and all of them are of the router's own AS, where a longer path would be dropped.",
	"Remove the field, or set a community that the neighbors' own filters turn into a preference.")

// PreferenceWithoutEffect is for a rule with a local preference that no neighbor gets to see.
func PreferenceWithoutEffect(policy, ra string, rule int) model.Finding {
	return noEffect.about(policy, "%s sets localPreference, but its neighbors of RouteAdvertisements %q are all of another AS, and BGP carries LOCAL_PREF within one AS only: "+
		"set a community that their filters turn into a preference", Rule(rule), ra)
}

// PrependWithoutEffect is for a rule that prepends for neighbors of the own AS alone.
func PrependWithoutEffect(policy, ra string, rule int) model.Finding {
	return noEffect.about(policy, "%s sets prepend, but its neighbors of RouteAdvertisements %q are all of the router's own AS, and would drop a path with their own AS number: "+
		"set localPreference instead", Rule(rule), ra)
}

var medAcrossASes = enter("MEDAcrossASes", notice, ofPolicy,
	"A rule sets med, and one of its neighbors hears nodes of several ASes. Routers compare MED among paths of one AS only.",
	"Give the nodes one AS number, have the neighbor compare all (FRR: bgp always-compare-med), or set prepend instead.")

// MEDAcrossASes is for a rule with a MED that a neighbor compares only for some nodes.
func MEDAcrossASes(policy, ra string, rule int, neighbor string, asns []uint32) model.Finding {
	return medAcrossASes.about(policy, "%s sets med, and neighbor %s of RouteAdvertisements %q hears nodes of AS %d and AS %d, while routers compare MED among paths of one AS only: "+
		"give the nodes one AS number, or set prepend instead", Rule(rule), neighbor, ra, asns[0], asns[1])
}

var ruleMatchesNothing = enter("RuleMatchesNothing", notice, ofPolicy,
	"A rule of a RoutePolicy matches none of its target's routes.",
	"Correct spec.rules[].match; the message says what nearly matched.")

// RuleMatchesNothing is for a rule without a route, with the reasons.
func RuleMatchesNothing(policy, ra string, rule int, why []string) model.Finding {
	return ruleMatchesNothing.about(policy, "%s matches no route of RouteAdvertisements %q: %s", Rule(rule), ra, strings.Join(why, "; "))
}

// NoRouteMatches is why a rule matches nothing, if none of its parts says it.
const NoRouteMatches = "no route matches all of match at once, or rules before it suppress those that do"

// Rule is how messages call a rule.
func Rule(index int) string { return fmt.Sprintf("spec.rules[%d]", index) }

// NoNeighborMatches is why a rule matches nothing, if it is for neighbors that the target
// doesn't have.
func NoNeighborMatches(wanted, known []string) string {
	for _, w := range wanted {
		if meant := spelling.Closest(w, known, spelling.MaxEdits); meant != "" {
			return fmt.Sprintf("match.neighbors has %s, which is no neighbor: did you mean %s?", w, meant)
		}
	}
	if len(known) == 0 {
		return "there are no neighbors"
	}
	return fmt.Sprintf("match.neighbors has %s, and the neighbors are %s", phrase.List(wanted, maxNames), phrase.List(known, maxNames))
}

// NoKindMatches is why a rule matches nothing, if its target has no routes of its kinds.
func NoKindMatches(kinds []model.Advertisement) string {
	names := make([]string, 0, len(kinds))
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return "match.kinds has " + phrase.List(names, maxNames) + ", which is not among the object's advertisements"
}

// PrefixAlone is why a rule matches nothing, if it has a prefix without ge and le.
func PrefixAlone(m model.PrefixMatch) string {
	return fmt.Sprintf("match.prefixes has %s, which matches that prefix alone: add le: %d for all within it", m.Prefix, m.Prefix.Addr().BitLen())
}

// TransportWithoutPolicies is why a rule matches nothing, if it is for EVPN networks.
func TransportWithoutPolicies(network string) string {
	return fmt.Sprintf("network %q has transport EVPN, and frr-k8s has no attributes for EVPN routes", network)
}

var overridden = enter("Overridden", notice, ofPolicy,
	"A localPreference, med or prepend of a RoutePolicy is not used for routes for which an older policy sets another one.",
	"Remove one of the two, or change spec.rules[].match so that the routes differ.")

// Overridden is for a rule with an attribute, by its field, that an older policy's replaces.
func Overridden(policy string, rule int, field, older string) model.Finding {
	return overridden.about(policy, "the %s of %s is not used for routes for which RoutePolicy %q, which is older, sets another one: "+
		"remove one of the two, or change match", field, Rule(rule), older)
}

// OverriddenByOlder is for a rule of whose prefixes some are those of an older
// RouteAdvertisements object, too.
func OverriddenByOlder(policy, neighbor string, rule int, field, ra string) model.Finding {
	return overridden.about(policy, "the %s of %s is not used for prefixes that an object older than RouteAdvertisements %q also advertises to neighbor %s, with another one: "+
		"BGP has one path per prefix, so remove one of the two", field, Rule(rule), ra, neighbor)
}

var localPreferenceConflict = enter("LocalPreferenceConflict", notice, ofPolicy,
	"An FRRConfiguration sets another local preference for a prefix and neighbor than a RoutePolicy. frr-k8s would refuse the node's whole configuration for two, so that of the FRRConfiguration counts.",
	"Remove the prefix from toAdvertise.withLocalPref of the FRRConfiguration, or the localPreference from the policy.")

// LocalPreferenceConflict is for a local preference that would contradict an
// FRRConfiguration.
func LocalPreferenceConflict(policy string, rule int, neighbor, template string) model.Finding {
	return localPreferenceConflict.about(policy, "the localPreference of %s is not used for prefixes for which FRRConfiguration %s sets another one for neighbor %s: "+
		"frr-k8s takes one, so remove withLocalPref there, or localPreference here", Rule(rule), template, neighbor)
}
