package agent

import (
	"maps"
	"slices"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// absentAfter is how long a gateway router has to be missing: OVN-Kubernetes takes
// seconds to set up a new network, and recreates a router now and then.
const absentAfter = 10 * time.Second

// Layer2 says which Layer2 networks OVN-Kubernetes has set up on the node: with
// dynamic allocation, those that pods of the node are on.
type Layer2 struct {
	// Known is false while that can't be known. Then Networks is how many there are
	// as far as is known, and nothing else counts.
	Known bool
	// Networks is how many Layer2 networks were looked for.
	Networks int
	// Absent are those that are not there, Undecided those whose router has not
	// been missing for long; both are sorted.
	Absent, Undecided []string
}

// layer2 looks for the gateway routers of Layer2 networks. Most of a large
// cluster's networks are not on the node and have no syncer.
type layer2 struct {
	// missing is since when a network's router is.
	missing map[string]time.Time
	found   Layer2
}

// routers is what is asked of the database.
type routers interface {
	Look(routers []string)
	HasRouter(name string) (present, known bool)
}

// look updates what was found. It returns whether that changed, and when to look
// again, 0 for when something changes.
func (l *layer2) look(node string, networks map[string]Network, complete bool, ovn routers, after time.Duration, now time.Time) (changed bool, again time.Duration) {
	old := l.found
	l.found, again = l.find(node, networks, complete, ovn, after, now)
	same := old.Known == l.found.Known && old.Networks == l.found.Networks &&
		slices.Equal(old.Absent, l.found.Absent) && slices.Equal(old.Undecided, l.found.Undecided)
	return !same, again
}

func (l *layer2) find(node string, networks map[string]Network, complete bool, ovn routers, after time.Duration, now time.Time) (found Layer2, again time.Duration) {
	var names, gateways []string
	for _, name := range slices.Sorted(maps.Keys(networks)) {
		if networks[name].Layer2 {
			names, gateways = append(names, name), append(gateways, ovnk.NamesOf(name).GatewayRouter(node))
		}
	}
	found.Networks = len(names)
	// Every node is on the default network: an agent that does not find it looks
	// into another zone's database and knows nothing.
	standard := ovnk.NamesOf(model.DefaultNetwork).GatewayRouter(node)
	if len(names) == 0 {
		ovn.Look(nil)
	} else {
		ovn.Look(append(gateways, standard))
	}
	missing := map[string]time.Time{}
	defer func() { l.missing = missing }()
	if !complete || len(names) == 0 {
		found.Known = complete
		return found, 0
	}
	if here, known := ovn.HasRouter(standard); !here || !known {
		return found, 0
	}
	found.Known = true
	for i, name := range names {
		here, known := ovn.HasRouter(gateways[i])
		if !known {
			missing = nil
			return Layer2{Networks: len(names)}, 0
		}
		if here {
			continue
		}
		since, before := l.missing[name]
		if !before {
			since = now
		}
		missing[name] = since
		if left := since.Add(after).Sub(now); left > 0 {
			found.Undecided = append(found.Undecided, name)
			again = sooner(again, left)
			continue
		}
		found.Absent = append(found.Absent, name)
	}
	return found, again
}

// sooner is the shorter of two waits, of which 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// lookForLayer2 looks which Layer2 networks are on the node.
func (a *Agent) lookForLayer2() (again time.Duration) {
	a.mu.Lock()
	changed, again := a.layer2.look(a.options.OVN.Node, a.networks, a.complete, a.ovn, a.options.AbsentAfter, time.Now())
	a.mu.Unlock()
	if changed && a.options.Changed != nil {
		a.options.Changed()
	}
	return again
}

// Layer2 returns which Layer2 networks are on the node.
func (a *Agent) Layer2() Layer2 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.layer2.found
}
