package snapshot

import (
	"fmt"
	"net/netip"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
		// Names of these objects may be hashes and tell nothing.
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
	pending := func(what string) *model.Problem {
		return &model.Problem{Reason: "UplinkNotResolved", Pending: true, Message: fmt.Sprintf(
			"uplink %q %s: waiting for OVN-Kubernetes, which finds it by the Uplink object of that name; see there and in the log of the DPU's ovnkube-node", uplink, what)}
	}
	if state == nil {
		return nil, pending("has no UplinkState for the node yet")
	}
	if resolved, why := uplinkResolved(state); !resolved {
		return nil, pending("is not resolved on the node yet" + why)
	}
	texts, _, err := unstructured.NestedStringSlice(state.Object, "status", "ipAddresses")
	if err != nil {
		return nil, uplinkFault(uplink, "is no list of strings")
	}
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, uplinkFault(uplink, fmt.Sprintf("has %q, which is not an address with a prefix length", text))
		}
		prefixes = append(prefixes, p)
	}
	hops := firstOfEachFamily(prefixes)
	if len(hops) == 0 {
		return nil, pending("has no addresses on the node yet, which neighbors need as next hops")
	}
	return hops, nil
}

func uplinkFault(uplink, what string) *model.Problem {
	return &model.Problem{Reason: "UplinkStateMalformed", Message: fmt.Sprintf(
		"the UplinkState of uplink %q for the node can't be used: status.ipAddresses %s: remove the object so that OVN-Kubernetes writes it again", uplink, what)}
}

// uplinkResolved reads the condition; why is its reason, for a message.
func uplinkResolved(state *unstructured.Unstructured) (resolved bool, why string) {
	conditions, _, _ := unstructured.NestedSlice(state.Object, "status", "conditions")
	for _, c := range conditions {
		condition, ok := c.(map[string]any)
		if !ok || condition["type"] != ovnk.UplinkStateResolved {
			continue
		}
		if reason, _ := condition["reason"].(string); reason != "" {
			why = " (" + reason + ")"
		}
		return condition["status"] == "True", why
	}
	return false, ""
}
