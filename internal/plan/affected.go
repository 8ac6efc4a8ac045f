package plan

import (
	"maps"
	"net/netip"
	"reflect"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Affected says which nodes have to be planned again after old: all of them,
// or those that are named. Nodes whose own state changed are not its business.
func (c *Compiled) Affected(old *Compiled) (all bool, nodes []string) {
	if old == nil || !c.sameForAllNodes(old) {
		return true, nil
	}
	if c.guardsOthers(old) {
		return true, nil
	}
	names := map[string]bool{}
	changedKeys(c.cluster.Disputes, old.cluster.Disputes, func(node string) { names[node] = true })
	changedKeys(c.egress, old.egress, func(node string) { names[node] = true })
	changedKeys(c.sharedHostnames, old.sharedHostnames, func(hostname string) {
		for _, node := range slices.Concat(c.sharedHostnames[hostname], old.sharedHostnames[hostname]) {
			names[node] = true
		}
	})
	for _, t := range changedTemplates(c.templates, old.templates) {
		for i := range c.cluster.Hosts {
			if h := &c.cluster.Hosts[i]; t.NodeSelector.Matches(h.Labels) {
				names[h.Name] = true
			}
		}
	}
	return false, slices.Sorted(maps.Keys(names))
}

// sameForAllNodes compares what every node's plan depends on.
func (c *Compiled) sameForAllNodes(old *Compiled) bool {
	return reflect.DeepEqual(c.cluster.RouteAdvertisements, old.cluster.RouteAdvertisements) &&
		reflect.DeepEqual(c.cluster.Networks, old.cluster.Networks) &&
		reflect.DeepEqual(c.cluster.Settings, old.cluster.Settings) && c.cluster.DynamicAllocation == old.cluster.DynamicAllocation &&
		slices.EqualFunc(c.advertisers, old.advertisers, sameSelection)
}

// guardsOthers reports whether an address that no prefix may cover came or went
// within a network. Nodes come and go, and mostly none of them does.
func (c *Compiled) guardsOthers(old *Compiled) bool {
	inside := func(address netip.Addr) bool {
		for _, networks := range [][]model.Network{c.cluster.Networks, old.cluster.Networks} {
			for i := range networks {
				for _, subnet := range networks[i].Subnets {
					if subnet.Prefix.Contains(address) {
						return true
					}
				}
			}
		}
		return slices.ContainsFunc(c.cluster.Settings.ClusterSubnets, func(s model.NetworkSubnet) bool { return s.Prefix.Contains(address) })
	}
	return c.guarded.differs(old.guarded, inside)
}

// sameSelection reports whether an object still selects the same networks;
// changed templates are looked at one by one.
func sameSelection(a, b *advertiser) bool {
	return a.idle == b.idle && slices.EqualFunc(a.networks, b.networks, func(x, y *advertisedNetwork) bool { return x.Name == y.Name })
}

func changedKeys[V any](a, b map[string]V, changed func(string)) {
	for key, value := range a {
		if other, found := b[key]; !found || !reflect.DeepEqual(value, other) {
			changed(key)
		}
	}
	for key := range b {
		if _, found := a[key]; !found {
			changed(key)
		}
	}
}

// changedTemplates returns the versions that are in one index only.
func changedTemplates(a, b *templateIndex) []*model.Template {
	byName := func(index *templateIndex) map[string]*model.Template {
		out := make(map[string]*model.Template, len(index.all))
		for _, t := range index.all {
			out[t.displayName()] = t.Template
		}
		return out
	}
	templatesA, templatesB := byName(a), byName(b)
	var out []*model.Template
	changedKeys(templatesA, templatesB, func(name string) {
		for _, index := range []map[string]*model.Template{templatesA, templatesB} {
			if t := index[name]; t != nil {
				out = append(out, t)
			}
		}
	})
	return out
}
