package plan

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Affected says which nodes have to be planned again after old: all of them,
// or those that are named. Nodes whose own state changed are not its business.
//
// It asks all that a node's plan depends on: the sources and the functions below. Each
// may name a node too many, if only the node's own state shows whether its plan
// changes, but never one too few.
func (c *Compiled) Affected(old *Compiled) (all bool, nodes []string) {
	if old == nil {
		return true, nil
	}
	touched := &touchedNodes{names: map[string]bool{}}
	for _, dependency := range []func(c, old *Compiled, nodes *touchedNodes){
		touchedBySettings, touchedByPublished, touchedByAdvertisers, touchedByPolicies, touchedByDrains, touchedByTemplates, touchedByHostnames,
	} {
		dependency(c, old, touched)
	}
	for i, s := range c.sources {
		s.touched(c, old.sources[i], old, touched)
	}
	if touched.all {
		return true, nil
	}
	return false, slices.Sorted(maps.Keys(touched.names))
}

// touchedNodes are those that have to be planned again.
type touchedNodes struct {
	all   bool
	names map[string]bool
}

func (t *touchedNodes) add(name string) { t.names[name] = true }

func (t *touchedNodes) addAll() { t.all = true }

// addSelected adds nodes that all of the selectors match.
func (t *touchedNodes) addSelected(hosts []model.NodeSummary, selectors ...model.Selector) {
	for i := range hosts {
		if !slices.ContainsFunc(selectors, func(s model.Selector) bool { return !s.Matches(hosts[i].Labels) }) {
			t.add(hosts[i].Name)
		}
	}
}

// uses reports whether an object that is planned has routes of a network by a source, or
// tells why it has none: beside EVPN networks it does so without a template for others.
func (c *Compiled) uses(s source, network string) bool {
	return slices.ContainsFunc(c.advertisers, func(a *advertiser) bool {
		return !a.idle && slices.Contains(a.sources, s) && a.byName[network] != nil && !slices.Contains(a.byName[network].refusedBy, s)
	})
}

// touchedBySettings is for flags, which change with the process, and in previews, and
// for what OVN-Kubernetes does in all of the cluster.
func touchedBySettings(c, old *Compiled, nodes *touchedNodes) {
	if c.cluster.DynamicAllocation != old.cluster.DynamicAllocation || c.cluster.Settings.FRRRaw != old.cluster.Settings.FRRRaw ||
		!slices.Equal(c.cluster.Settings.ServiceSubnets, old.cluster.Settings.ServiceSubnets) ||
		!slices.Equal(c.cluster.Settings.ClusterSubnets, old.cluster.Settings.ClusterSubnets) {
		nodes.addAll()
	}
	if evpnChanged(c, old) {
		nodes.addAll()
	}
}

// touchedByPublished is for what is published to every node, whatever is advertised
// from it: each network's part, the addresses of VTEPs, and the API server's addresses.
func touchedByPublished(c, old *Compiled, nodes *touchedNodes) {
	if !slices.Equal(c.cluster.APIServer, old.cluster.APIServer) || !slices.Equal(c.allocatedVTEPs(), old.allocatedVTEPs()) || !reflect.DeepEqual(c.common, old.common) {
		nodes.addAll()
	}
}

// touchedByAdvertisers compares the objects that are planned. One that changed
// touches all nodes that it selects, though a node may lack the network by which
// it differs; one that changed places with another counts as changed, though the
// two may never meet.
func touchedByAdvertisers(c, old *Compiled, nodes *touchedNodes) {
	now, before := c.planned(), old.planned()
	touch := func(a *advertiser) { nodes.addSelected(c.cluster.Hosts, a.NodeSelector) }
	both := func(list []*advertiser, others *Compiled) []*advertiser {
		return slices.DeleteFunc(slices.Clone(list), func(a *advertiser) bool {
			other := others.byName[a.Name]
			gone := other == nil || other.idle
			if gone {
				touch(a)
			}
			return gone
		})
	}
	now, before = both(now, old), both(before, c)
	for i, a := range now {
		other := old.byName[a.Name]
		if before[i] != other || !a.plannedAs(other) {
			touch(a)
			touch(other)
			continue
		}
		for _, t := range changedMatches(a, other) {
			nodes.addSelected(c.cluster.Hosts, a.NodeSelector, t.NodeSelector)
		}
	}
}

// planned are the objects that there is something to plan for.
func (c *Compiled) planned() []*advertiser {
	return slices.DeleteFunc(slices.Clone(c.advertisers), func(a *advertiser) bool { return a.idle })
}

// plannedAs reports whether nodes' plans are the same for the object as for other,
// but for templates, which are looked at one by one.
func (a *advertiser) plannedAs(other *advertiser) bool {
	return a.aside == other.aside && a.Managed == other.Managed && a.TargetVRF == other.TargetVRF &&
		reflect.DeepEqual(a.NodeSelector, other.NodeSelector) && slices.EqualFunc(a.sources, other.sources, sameKind) &&
		slices.EqualFunc(a.networks, other.networks, (*advertisedNetwork).plannedAs) && slices.EqualFunc(a.evpn, other.evpn, (*advertisedNetwork).plannedAs)
}

func (n *advertisedNetwork) plannedAs(other *advertisedNetwork) bool {
	// What the object made of these has been compared already.
	irrelevant := func(n model.Network) model.Network {
		n.Labels, n.NamespaceSelector, n.SubnetsNotice, n.ManagedRouting = nil, nil, nil, false
		n.Created = time.Time{}
		return n
	}
	return slices.EqualFunc(n.refusedBy, other.refusedBy, sameKind) && sameVTEP(n.vtep, other.vtep) && reflect.DeepEqual(irrelevant(*n.Network), irrelevant(*other.Network))
}

// touchedByPolicies is for rules that changed, or changed places. Those before the first
// and after the last of these are for the same routes as before.
func touchedByPolicies(c, old *Compiled, nodes *touchedNodes) {
	for _, a := range c.advertisers {
		other := old.byName[a.Name]
		if other == nil || a.idle || other.idle {
			continue // The object itself changed.
		}
		now, before := a.rules, other.rules
		for len(now) > 0 && len(before) > 0 && now[0].plannedAs(before[0]) {
			now, before = now[1:], before[1:]
		}
		for len(now) > 0 && len(before) > 0 && now[len(now)-1].plannedAs(before[len(before)-1]) {
			now, before = now[:len(now)-1], before[:len(before)-1]
		}
		for _, r := range slices.Concat(now, before) {
			nodes.addSelected(c.cluster.Hosts, a.NodeSelector, r.Match.Nodes)
		}
	}
}

// plannedAs reports whether nodes' plans are the same for the rule as for other. What its
// network selector matches has been compared as its effect.
func (r *policyRule) plannedAs(other *policyRule) bool {
	effect := func(r *policyRule) policyRule {
		out := *r
		out.Match.Networks = nil
		return out
	}
	return reflect.DeepEqual(effect(r), effect(other))
}

func sameKind(a, b source) bool { return a.advertisement() == b.advertisement() }

// touchedByTemplates is for templates and the objects beside them. A changed object
// touches the nodes that it selects and on which something is advertised, even if the
// change may not matter, and even in another namespace: frr-k8s' webhook takes objects
// of all namespaces for one configuration, so that it may now accept an object of ours
// that it refused.
func touchedByTemplates(c, old *Compiled, nodes *touchedNodes) {
	for _, t := range changedTemplates(c, old) {
		for i := range c.cluster.Hosts {
			h := &c.cluster.Hosts[i]
			if t.NodeSelector.Matches(h.Labels) && (c.advertisesOn(h) || old.advertisesOn(h)) {
				nodes.add(h.Name)
			}
		}
	}
}

// advertisesOn reports whether an object advertises from the node.
func (c *Compiled) advertisesOn(h *model.NodeSummary) bool {
	return slices.ContainsFunc(c.advertisers, func(a *advertiser) bool {
		return !a.idle && a.NodeSelector.Matches(h.Labels) && slices.ContainsFunc(a.used(), func(t *template) bool {
			return t.NodeSelector.Matches(h.Labels)
		})
	})
}

// changedTemplates returns the versions that are in one of the two only, and those
// that objects select in one of the two only.
func changedTemplates(c, old *Compiled) []*model.Template {
	type version struct {
		model.Template
		selected bool
	}
	byName := func(c *Compiled) map[string]version {
		out := make(map[string]version, len(c.templates.all))
		for _, t := range c.templates.all {
			v := version{*t.Template, c.selected[t]}
			// What is selected by them has been compared already.
			if v.Labels = nil; t.managed() {
				v.Labels = map[string]string{model.LabelManaged: "true"}
			}
			out[t.displayName()] = v
		}
		return out
	}
	now, before := byName(c), byName(old)
	var out []*model.Template
	changedKeys(now, before, func(name string) {
		for _, versions := range []map[string]version{now, before} {
			if v, found := versions[name]; found {
				out = append(out, &v.Template)
			}
		}
	})
	return out
}

// changedMatches are the templates that only one of two versions of an object uses.
func changedMatches(a, b *advertiser) []*template {
	only := func(list, others []*template) []*template {
		return slices.DeleteFunc(slices.Clone(list), func(t *template) bool {
			return slices.ContainsFunc(others, func(other *template) bool { return other.displayName() == t.displayName() })
		})
	}
	return slices.Concat(only(a.matched(), b.matched()), only(b.matched(), a.matched()), only(a.carrying(), b.carrying()), only(b.carrying(), a.carrying()))
}

// used are the templates by which the object advertises.
func (a *advertiser) used() []*template { return slices.Concat(a.matched(), a.carrying()) }

func (a *advertiser) matched() []*template {
	out := make([]*template, 0, len(a.templates))
	for _, t := range a.templates {
		out = append(out, t.template)
	}
	return out
}

func (a *advertiser) carrying() []*template {
	out := make([]*template, 0, len(a.underlays))
	for _, u := range a.underlays {
		out = append(out, u.template)
	}
	return out
}

// touchedByHostnames is for labels that several nodes have or had.
func touchedByHostnames(c, old *Compiled, nodes *touchedNodes) {
	changedKeys(c.sharedHostnames, old.sharedHostnames, func(hostname string) {
		for _, node := range slices.Concat(c.sharedHostnames[hostname], old.sharedHostnames[hostname]) {
			nodes.add(node)
		}
	})
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
