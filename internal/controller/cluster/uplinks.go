package cluster

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// uplinkVersions returns, by node, the versions of the UplinkStates with which a
// revision reads nodes. The planner doesn't see them: they are part of the nodes.
func uplinkVersions(states []unstructured.Unstructured) map[string]string {
	byNode := map[string][]string{}
	for i := range states {
		node, _, _ := unstructured.NestedString(states[i].Object, "spec", "nodeName")
		byNode[node] = append(byNode[node], string(states[i].GetUID())+"@"+states[i].GetResourceVersion())
	}
	versions := make(map[string]string, len(byNode))
	for node, states := range byNode {
		slices.Sort(states)
		versions[node] = strings.Join(states, " ")
	}
	return versions
}

// changedKeys returns the keys whose values differ.
func changedKeys(next, old map[string]string) []string {
	var keys []string
	for key, value := range next {
		if before, found := old[key]; !found || before != value {
			keys = append(keys, key)
		}
	}
	for key := range old {
		if _, found := next[key]; !found {
			keys = append(keys, key)
		}
	}
	return keys
}
