package snapshot

import (
	"net/netip"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// uplinks are the uplinks that networks name and their states on nodes.
type uplinks struct {
	names  map[string]bool
	states map[uplinkOnNode]*unstructured.Unstructured
}

type uplinkOnNode struct{ uplink, node string }

func newUplinks(objs *Objects) uplinks {
	out := uplinks{names: map[string]bool{}, states: make(map[uplinkOnNode]*unstructured.Unstructured, len(objs.UplinkStates))}
	for i := range objs.CUDNs {
		for _, name := range objs.CUDNs[i].Spec.Uplinks {
			out.names[name] = true
		}
	}
	for i := range objs.UplinkStates {
		state := &objs.UplinkStates[i]
		// Names of these objects may be hashes, which say nothing.
		uplink, _, _ := unstructured.NestedString(state.Object, "spec", "uplinkName")
		node, _, _ := unstructured.NestedString(state.Object, "spec", "nodeName")
		key := uplinkOnNode{uplink, node}
		if known := out.states[key]; known == nil || compareNamespacedNames(state, known) < 0 {
			out.states[key] = state
		}
	}
	return out
}

// read finds the next hops by uplink on a DPU host.
func (u *uplinks) read(node string, out *model.Node) {
	if len(u.names) == 0 {
		return
	}
	out.UplinkNextHops = make(map[string][]netip.Addr, len(u.names))
	out.UplinkProblems = map[string]*model.Problem{}
	for uplink := range u.names {
		hops, problem := uplinkNextHops(uplink, u.states[uplinkOnNode{uplink, node}])
		if problem != nil {
			out.UplinkProblems[uplink] = problem
			continue
		}
		out.UplinkNextHops[uplink] = hops
	}
}

func uplinkNextHops(uplink string, state *unstructured.Unstructured) ([]netip.Addr, *model.Problem) {
	if state == nil {
		return nil, finding.UplinkWithoutState(uplink)
	}
	if resolved, reason := uplinkResolved(state); !resolved {
		return nil, finding.UplinkNotResolved(uplink, reason)
	}
	texts, _, err := unstructured.NestedStringSlice(state.Object, "status", "ipAddresses")
	if err != nil {
		return nil, finding.UplinkStateMalformed(uplink)
	}
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, finding.UplinkAddressMalformed(uplink, text)
		}
		prefixes = append(prefixes, p)
	}
	hops := firstOfEachFamily(prefixes)
	if len(hops) == 0 {
		return nil, finding.UplinkWithoutAddress(uplink)
	}
	return hops, nil
}

// uplinkResolved reads the condition and its reason.
func uplinkResolved(state *unstructured.Unstructured) (resolved bool, reason string) {
	conditions, _, _ := unstructured.NestedSlice(state.Object, "status", "conditions")
	for _, c := range conditions {
		condition, ok := c.(map[string]any)
		if !ok || condition["type"] != ovnk.UplinkStateResolved {
			continue
		}
		reason, _ = condition["reason"].(string)
		return condition["status"] == "True", reason
	}
	return false, ""
}
