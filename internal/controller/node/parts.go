package node

import (
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
)

// withRefused returns the parts of the plan without the refused objects, with
// theirs put back in their places.
func withRefused(whole, rest []model.NodePart, refused map[string]error, node string) []model.NodePart {
	parts := make([]model.NodePart, 0, len(whole))
	for _, part := range whole {
		reason, isRefused := refused[part.RA]
		if !isRefused {
			if i := slices.IndexFunc(rest, func(p model.NodePart) bool { return p.RA == part.RA }); i >= 0 {
				parts = append(parts, rest[i])
			}
			continue
		}
		outcome.Move(&part, model.PartRefused, refusal(reason, node)...)
		parts = append(parts, part)
	}
	return parts
}

// keeps says which objects have to stay when only the rest of a plan is applied. In a
// namespace where nothing is left of the plan, the object would be deleted, which no
// webhook can refuse: the refusal of one part would withdraw all that was fine before.
// An object that also comes from a RouteAdvertisements object that is gone has to go
// anyway.
func keeps(whole, rest *model.NodePlan) func(apply.LiveObject) bool {
	wanted := map[string][]string{}
	for i := range whole.Configs {
		wanted[whole.Configs[i].Namespace] = whole.Configs[i].Contributors
	}
	for i := range rest.Configs {
		delete(wanted, rest.Configs[i].Namespace)
	}
	return func(live apply.LiveObject) bool {
		contributors, found := wanted[live.Namespace]
		return found && len(live.Contributors) > 0 &&
			!slices.ContainsFunc(live.Contributors, func(ra string) bool { return !slices.Contains(contributors, ra) })
	}
}

// markKept marks the refused parts of which an object stays.
func markKept(parts []model.NodePart, refused map[string]error, live []apply.LiveObject, keep func(apply.LiveObject) bool) {
	for i := range parts {
		if _, isRefused := refused[parts[i].RA]; !isRefused {
			continue
		}
		if slices.ContainsFunc(live, func(l apply.LiveObject) bool { return keep(l) && slices.Contains(l.Contributors, parts[i].RA) }) {
			outcome.Move(&parts[i], model.PartKept)
		}
	}
}

// withApplied returns the parts of a node that keeps what was last applied, as read
// from what that is. An object that has nothing to advertise there any more, or that
// is gone, is still advertised until the node can be planned again; users should not
// have to find that out on a router.
func withApplied(parts []model.NodePart, live []apply.LiveObject) []model.NodePart {
	var applied []string
	for i := range live {
		applied = append(applied, live[i].Contributors...)
	}
	slices.Sort(applied)
	applied = slices.Compact(applied)

	out := slices.Clone(parts)
	for i := range out {
		at, found := slices.BinarySearch(applied, out[i].RA)
		if !found {
			continue
		}
		applied = slices.Delete(applied, at, at+1)
		outcome.Move(&out[i], model.PartKept, finding.NodeKept())
	}
	if len(applied) == 0 {
		return out
	}
	for i := range out {
		if out[i].State == model.PartKept {
			out[i].Findings = append(slices.Clone(out[i].Findings), finding.OthersKept(applied))
		}
	}
	return out
}

func refusal(reason error, node string) []model.Finding {
	var findings []model.Finding
	for _, e := range apply.Errors(reason) {
		findings = append(findings, notWritten(e, node))
	}
	return findings
}

// withFailures returns the plan's parts, written but for those that contribute to an
// object that could not be written. An error that names no object concerns all.
func withFailures(p *model.NodePlan, err error) []model.NodePart {
	failures := apply.Errors(err)
	parts := slices.Clone(p.Parts)
	for i := range parts {
		var findings []model.Finding
		if len(failures) == 0 {
			findings = []model.Finding{finding.NotWritten(finding.Unavailable, err.Error())}
		}
		for _, e := range failures {
			if contributes(p, parts[i].RA, e.Object.Namespace) {
				findings = append(findings, notWritten(e, p.Node))
			}
		}
		if len(findings) > 0 {
			outcome.Move(&parts[i], model.PartRefused, findings...)
		}
	}
	return outcome.MoveAll(parts, model.PartWritten)
}

func contributes(p *model.NodePlan, ra, namespace string) bool {
	for i := range p.Configs {
		if c := &p.Configs[i]; c.Namespace == namespace && slices.Contains(c.Contributors, ra) {
			return true
		}
	}
	return false
}

// writeFailures are the reasons of failed writes.
var writeFailures = map[apply.Kind]finding.WriteFailure{
	apply.Unavailable:   finding.Unavailable,
	apply.Refused:       finding.Refused,
	apply.Forbidden:     finding.Forbidden,
	apply.QuotaExceeded: finding.QuotaExceeded,
	apply.Conflict:      finding.Conflict,
	apply.NotOurs:       finding.NotOurs,
}

// notWritten reports a failed write without naming the node, so that the same failure
// on many nodes is one finding.
func notWritten(e *apply.Error, node string) model.Finding {
	text := strings.ReplaceAll(e.Error(), e.Object.Name, strings.Replace(e.Object.Name, node, "<node>", 1))
	text = strings.ReplaceAll(text, "node "+node+"\n", "this node\n")
	if rest, found := strings.CutSuffix(text, "node "+node); found {
		text = rest + "this node"
	}
	return finding.NotWritten(writeFailures[e.Kind], text)
}
