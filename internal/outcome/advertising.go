package outcome

import (
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// countAdvertising adds what a node's parts advertise, or takes it away, but for what
// the other parts of the same node advertise just so. It returns the objects for which
// a network got its first node or lost its last one, and those for which the first node
// came of which that is not known, or the last such node went.
func (t *Counts) countAdvertising(parts, others []model.NodePart, sign int) (changed []string) {
	for i := range parts {
		part := &parts[i]
		var other *model.NodePart
		if j := slices.IndexFunc(others, func(o model.NodePart) bool { return o.RA == part.RA }); j >= 0 {
			other = &others[j]
		}
		counted := t.of(part.RA)
		if unknown(part) && (other == nil || !unknown(other)) {
			before := counted.unknown
			counted.unknown += sign
			if before == 0 || counted.unknown == 0 {
				changed = append(changed, part.RA)
			}
		}
		networks := advertising(part)
		if other != nil && sameList(networks, advertising(other)) {
			continue
		}
		for _, network := range networks {
			before := counted.advertising[network]
			if counted.advertising[network] += sign; counted.advertising[network] == 0 {
				delete(counted.advertising, network)
			}
			if before == 0 || before+sign == 0 {
				changed = append(changed, part.RA)
			}
		}
	}
	return slices.Compact(changed)
}

// advertising are the networks whose pods the part tells neighbors of. Those of a part
// that is kept are what it would tell if it were applied: see unknown.
func advertising(part *model.NodePart) []string {
	if !part.State.Rendered() {
		return nil
	}
	return part.PodNetworks
}

// unknown reports whether what was applied for the part stays, whatever it is: the
// plan says nothing of it then, or the API server has not taken the plan.
func unknown(part *model.NodePart) bool {
	switch part.State {
	case model.PartUndecided, model.PartKept, model.PartRefused:
		return true
	default:
		return false
	}
}

// sameList is quick for lists that nodes share.
func sameList(a, b []string) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
}
