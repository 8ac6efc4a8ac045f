package snapshot

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// routePolicies leaves out objects that are being deleted, as routeAdvertisements does.
func routePolicies(objects []v1alpha1.RoutePolicy) []model.RoutePolicy {
	out := make([]model.RoutePolicy, 0, len(objects))
	for i := range objects {
		if objects[i].DeletionTimestamp == nil {
			out = append(out, routePolicy(&objects[i]))
		}
	}
	slices.SortFunc(out, func(a, b model.RoutePolicy) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// PolicyTargets are the names of the RouteAdvertisements that a policy is for, sorted.
func PolicyTargets(policy *v1alpha1.RoutePolicy) []string {
	names := make([]string, 0, len(policy.Spec.TargetRefs))
	for _, t := range policy.Spec.TargetRefs {
		names = append(names, t.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// routePolicy converts an object. Most of what it reports the CRD refuses, too.
func routePolicy(policy *v1alpha1.RoutePolicy) model.RoutePolicy {
	out := model.RoutePolicy{
		Name: policy.Name, Created: policy.CreationTimestamp.Time, Generation: policy.Generation, Targets: PolicyTargets(policy),
	}
	if len(policy.Spec.Rules) > model.MaxPolicyRules {
		out.Problem = finding.InvalidPolicy("spec.rules", fmt.Sprintf("%d rules are more than %d", len(policy.Spec.Rules), model.MaxPolicyRules))
		return out
	}
	for i := range policy.Spec.Rules {
		rule, problem := policyRule(&policy.Spec.Rules[i], fmt.Sprintf("spec.rules[%d]", i))
		if problem != nil {
			out.Problem, out.Rules = problem, nil
			return out
		}
		out.Rules = append(out.Rules, rule)
	}
	return out
}

func policyRule(rule *v1alpha1.PolicyRule, field string) (model.PolicyRule, *model.Problem) {
	match, problem := policyMatch(&rule.Match, field+".match")
	if problem != nil {
		return model.PolicyRule{}, problem
	}
	out := model.PolicyRule{Match: match, Suppress: rule.Suppress}
	if rule.Suppress == (rule.Set != nil) {
		return out, finding.InvalidPolicy(field, "a rule has either set or suppress: true")
	}
	if rule.Set != nil {
		out.Set, problem = policyAttributes(rule.Set, field+".set")
	}
	return out, problem
}

func policyMatch(match *v1alpha1.PolicyMatch, field string) (model.PolicyMatch, *model.Problem) {
	var out model.PolicyMatch
	for _, s := range []struct {
		to   *model.Selector
		from *metav1.LabelSelector
		name string
	}{{&out.Networks, match.NetworkSelector, ".networkSelector"}, {&out.Nodes, match.NodeSelector, ".nodeSelector"}} {
		if s.from == nil {
			continue
		}
		converted, problem := selector(s.from, field+s.name)
		if problem != nil {
			return out, problem
		}
		*s.to = converted
	}
	for _, text := range match.Neighbors {
		neighbor := string(text)
		if address, err := netip.ParseAddr(neighbor); err == nil {
			neighbor = address.Unmap().WithZone("").String()
		}
		out.Neighbors = append(out.Neighbors, neighbor)
	}
	slices.Sort(out.Neighbors)
	for i := range match.Prefixes {
		prefix, fault := policyPrefix(&match.Prefixes[i])
		if fault != "" {
			return out, finding.InvalidPolicy(fmt.Sprintf("%s.prefixes[%d]", field, i), fault)
		}
		out.Prefixes = append(out.Prefixes, prefix)
	}
	for _, kind := range match.Kinds {
		advertisement := model.Advertisement(kind)
		if advertisement != model.AdvertisePodNetwork && advertisement != model.AdvertiseEgressIP {
			return out, finding.InvalidPolicy(field+".kinds", fmt.Sprintf("%q is neither PodNetwork nor EgressIP", kind))
		}
		out.Kinds = append(out.Kinds, advertisement)
	}
	slices.Sort(out.Kinds)
	return out, nil
}

// policyPrefix has bounds for both lengths if there is one.
func policyPrefix(match *v1alpha1.PrefixMatch) (model.PrefixMatch, string) {
	prefix, err := netip.ParsePrefix(match.Prefix)
	if err != nil || prefix != prefix.Masked() {
		return model.PrefixMatch{}, fmt.Sprintf("%q is no subnet without host bits", match.Prefix)
	}
	out := model.PrefixMatch{Prefix: prefix}
	if match.GE == nil && match.LE == nil {
		return out, ""
	}
	out.GE, out.LE = prefix.Bits(), prefix.Addr().BitLen()
	if match.GE != nil {
		out.GE = int(*match.GE)
	}
	if match.LE != nil {
		out.LE = int(*match.LE)
	}
	if out.GE < prefix.Bits() || out.GE > out.LE || out.LE > prefix.Addr().BitLen() {
		return out, fmt.Sprintf("ge and le are not in the order %d ≤ ge ≤ le ≤ %d", prefix.Bits(), prefix.Addr().BitLen())
	}
	return out, ""
}

// maxPrepend keeps paths far below the lengths that routers refuse: 50 is a usual limit.
const maxPrepend = 10

func policyAttributes(set *v1alpha1.PolicyAttributes, field string) (model.Attributes, *model.Problem) {
	var values model.AttributeValues
	for _, text := range set.Communities {
		community, ok := parseCommunity(string(text))
		if !ok {
			return model.Attributes{}, finding.InvalidPolicy(field+".communities", fmt.Sprintf("%q is no community", text))
		}
		values.Communities = append(values.Communities, community)
	}
	for _, number := range []struct {
		to   **uint32
		from *int64
		name string
	}{{&values.LocalPreference, set.LocalPreference, ".localPreference"}, {&values.MED, set.MED, ".med"}} {
		if number.from == nil {
			continue
		}
		value := uint32(*number.from) //nolint:gosec // compared below
		if int64(value) != *number.from {
			return model.Attributes{}, finding.InvalidPolicy(field+number.name, fmt.Sprintf("%d is not between 0 and 4294967295", *number.from))
		}
		*number.to = &value
	}
	if set.Prepend != nil {
		if *set.Prepend < 1 || *set.Prepend > maxPrepend {
			return model.Attributes{}, finding.InvalidPolicy(field+".prepend", fmt.Sprintf("%d is not between 1 and %d", *set.Prepend, maxPrepend))
		}
		values.Prepend = uint8(*set.Prepend) //nolint:gosec // compared above
	}
	return model.MakeAttributes(values), nil
}

// wellKnown are the communities of IANA's registry "BGP Well-known Communities" that
// have a meaning for routers that get them. They are written as numbers, because frr-k8s
// takes no names.
var wellKnown = map[string]uint32{
	"graceful-shutdown":   0, // RFC 8326
	"accept-own":          1, // RFC 7611
	"llgr-stale":          6, // RFC 9494
	"no-llgr":             7,
	"blackhole":           666,   // RFC 7999
	"no-export":           65281, // RFC 1997
	"no-advertise":        65282,
	"no-export-subconfed": 65283,
	"no-peer":             65284, // RFC 3765
}

func parseCommunity(text string) (model.Community, bool) {
	if number, found := wellKnown[text]; found {
		return model.Community{Parts: [3]uint32{65535, number}}, true
	}
	out, bits := model.Community{}, 16
	parts := strings.Split(text, ":")
	if len(parts) == 4 && parts[0] == "large" {
		out.Large, bits, parts = true, 32, parts[1:]
	} else if len(parts) != 2 {
		return out, false
	}
	for i, part := range parts {
		value, err := strconv.ParseUint(part, 10, bits)
		if err != nil {
			return out, false
		}
		out.Parts[i] = uint32(value) //nolint:gosec // it has as many bits at most
	}
	return out, true
}
