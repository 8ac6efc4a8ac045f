package agent

import "slices"

// gateways finds the links of a network's gateways, sorted; listed is false until the
// node's links are known.
func (a *Agent) gateways(n Network) (links []int32, listed bool) {
	for _, name := range n.Gateways {
		link, found, known := a.mirror.Link(name)
		if !known {
			return nil, false
		}
		if found {
			links = append(links, link.Index)
		}
	}
	slices.Sort(links)
	return links, true
}

// table finds a network's table; 0 where its VRF is not there.
func (a *Agent) table(n Network) (table uint32, known bool) {
	if n.Table != 0 {
		return n.Table, true
	}
	if n.VRF == "" {
		return mainTable, true
	}
	link, found, known := a.mirror.Link(n.VRF)
	if !found || !known {
		return 0, known
	}
	return link.VRFTable, true
}
