package plan

import (
	"maps"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// routerID is an ID that templates give to the routers of a VRF.
type routerID struct{ namespace, vrf, id string }

// idHolders are the nodes that get a router ID, and the templates that give it.
type idHolders struct {
	nodes     map[string]bool
	templates []string
	// shared is made once for all objects: it names nodes, of which there may be many.
	shared model.Finding
}

// sharedRouterIDs finds IDs that several nodes would get. A BGP speaker is known
// by its ID (RFC 6286, 2.1): an internal peer with the same one is refused (RFC
// 4271, 6.2), a route with one's own as its originator is dropped (RFC 4456, 8),
// and of two connections with one ID the wrong one may be closed (RFC 4271, 6.8).
func sharedRouterIDs(index *templateIndex, hosts []model.NodeSummary) map[routerID]*idHolders {
	byHostname := make(map[string][]*model.NodeSummary, len(hosts))
	for i := range hosts {
		byHostname[hosts[i].Hostname] = append(byHostname[hosts[i].Hostname], &hosts[i])
	}
	out := map[routerID]*idHolders{}
	for _, t := range index.all {
		var nodes []string
		for _, r := range t.routers {
			if r.ID == "" || t.Problem != nil {
				continue
			}
			if nodes == nil {
				nodes = t.nodes(hosts, byHostname)
			}
			key := routerID{t.Namespace, r.VRF, r.ID}
			if out[key] == nil {
				out[key] = &idHolders{nodes: map[string]bool{}}
			}
			out[key].templates = append(out[key].templates, t.displayName())
			for _, node := range nodes {
				out[key].nodes[node] = true
			}
		}
	}
	maps.DeleteFunc(out, func(_ routerID, holders *idHolders) bool { return len(holders.nodes) < 2 })
	for key, holders := range out {
		slices.Sort(holders.templates)
		holders.templates = slices.Compact(holders.templates)
		holders.shared = finding.RouterIDShared(key.vrf, key.id, slices.Sorted(maps.Keys(holders.nodes)), holders.templates)
	}
	return out
}

// nodes that the template selects. One that is pinned to a node costs that node.
func (t *template) nodes(hosts []model.NodeSummary, byHostname map[string][]*model.NodeSummary) []string {
	out := []string{}
	if hostname, pinned := pinnedTo(t.NodeSelector); pinned {
		for _, h := range byHostname[hostname] {
			if t.NodeSelector.Matches(h.Labels) {
				out = append(out, h.Name)
			}
		}
		return out
	}
	for i := range hosts {
		if t.NodeSelector.Matches(hosts[i].Labels) {
			out = append(out, hosts[i].Name)
		}
	}
	return out
}

// noteSharedRouterIDs reports those that the object's routers would have. Sessions to
// external peers may still work, so nothing is held back.
func (a *advertiser) noteSharedRouterIDs(shared map[routerID]*idHolders, hosts []model.NodeSummary) {
	for key, holders := range shared {
		if a.usesRouter(key, holders.nodes, hosts) {
			a.find(holders.shared)
		}
	}
}

// usesRouter reports whether one of the nodes is one that the object advertises
// from by a router of this VRF.
func (a *advertiser) usesRouter(key routerID, nodes map[string]bool, hosts []model.NodeSummary) bool {
	if a.usesIPVRF(key) {
		return slices.ContainsFunc(hosts, func(h model.NodeSummary) bool { return nodes[h.Name] && a.NodeSelector.Matches(h.Labels) })
	}
	for _, t := range a.templates {
		if t.Namespace != key.namespace || !slices.ContainsFunc(t.routers, func(r matchedRouter) bool { return r.VRF == key.vrf }) {
			continue
		}
		for i := range hosts {
			if h := &hosts[i]; nodes[h.Name] && a.NodeSelector.Matches(h.Labels) && t.NodeSelector.Matches(h.Labels) {
				return true
			}
		}
	}
	return false
}
