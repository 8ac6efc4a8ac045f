package evpn

import (
	"context"
	"errors"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// spot is where a network's hosts get their entries. Indexes are 0 where there is none.
type spot struct {
	Change
	port, svi int32
	router    MAC
	// devices are those that are known by name.
	devices map[string]int32
}

// spots are those of the networks that are worked on.
func (p *planner) spots() map[string]spot {
	out := map[string]spot{}
	for _, at := range p.places {
		v := &at.State.MACVRF
		if at.held || v.VNI == 0 || at.vtep.bridge == nil || at.vtep.vxlan == nil {
			continue
		}
		s := spot{
			Change:  Change{VTEP: at.vtep.name, Network: at.State.Network, Bridge: at.vtep.Bridge, VPN: v.VPN},
			router:  routerMAC(at.vtep.name, p.node),
			devices: map[string]int32{at.vtep.Bridge: at.vtep.bridge.Index, at.vtep.VXLAN: at.vtep.vxlan.Index},
		}
		if d := p.byName[at.names.Port]; at.joined && d != nil && d.Master == at.vtep.bridge.Index {
			s.port = d.Index
		}
		if at.svi == sviStays {
			s.svi = at.sviIndex
		}
		out[at.State.Network] = s
	}
	return out
}

// Locate writes the entries of hosts that came or went since they were last written,
// without a look at the node: a host that moved here is waited for. It reports whether all
// could be done; the next pass finds what could not.
func (k *Keeper) Locate(ctx context.Context, hosts map[string][]Host) bool {
	return k.locate(ctx, func() map[string][]Host { return hosts })
}

func (k *Keeper) locate(ctx context.Context, latest func() map[string][]Host) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	hosts := latest()
	k.located++
	if hosts == nil || k.hosts == nil {
		return false
	}
	whole := true
	var changes []Change
	known := map[string]int32{}
	consider := func(network string) {
		before, now := k.hosts[network], hosts[network]
		if slices.EqualFunc(before, now, Host.equal) {
			return
		}
		s, found := k.spots[network]
		whole = whole && found && s.port != 0 && s.svi != 0
		for name, index := range s.devices {
			known[name] = index
		}
		changes = append(changes, s.between(before, now)...)
	}
	for network := range k.hosts {
		consider(network)
	}
	for network := range hosts {
		if _, considered := k.hosts[network]; !considered {
			consider(network)
		}
	}
	k.hosts = hosts
	return k.writeEntries(ctx, changes, known) && whole
}

func (h Host) equal(other Host) bool {
	return h.MAC == other.MAC && slices.Equal(h.Addresses, other.Addresses)
}

// between are the changes from some hosts to others: first those that somebody waits for.
func (s *spot) between(before, now []Host) []Change {
	oldMACs, oldAddresses := located(before, s.router)
	macs, addresses := located(now, s.router)
	var out []Change
	add := func(verb Verb, index int32, change func(*Change)) {
		if index == 0 {
			return
		}
		c := s.Change
		c.Verb, c.Index = verb, index
		change(&c)
		out = append(out, c)
	}
	for _, mac := range sortedMACs(macs) {
		if !oldMACs[mac] {
			add(SetMAC, s.port, func(c *Change) { c.MAC = mac })
		}
	}
	for _, a := range sortedAddresses(addresses) {
		if oldAddresses[a] != addresses[a] {
			add(SetNeighbor, s.svi, func(c *Change) { c.Address, c.MAC = a, addresses[a] })
		}
	}
	for _, a := range sortedAddresses(oldAddresses) {
		if _, stays := addresses[a]; !stays {
			add(DeleteNeighbor, s.svi, func(c *Change) { c.Address, c.MAC = a, oldAddresses[a] })
		}
	}
	for _, mac := range sortedMACs(oldMACs) {
		if !macs[mac] {
			add(DeleteMAC, s.port, func(c *Change) { c.MAC = mac })
		}
	}
	return out
}

func (k *Keeper) writeEntries(ctx context.Context, changes []Change, known map[string]int32) bool {
	if len(changes) == 0 {
		return true
	}
	kernel, err := rtnetlink.NewConversation(k.Namespace)
	if err != nil {
		k.Log.Error(err, "Entries of hosts could not be written; trying again")
		return false
	}
	defer kernel.Close()
	w := &writer{kernel: kernel, indexes: known}
	out := outcome{failures: map[string]error{}}
	k.write(ctx, &out, changes, w.do)
	if err := errors.Join(out.all...); err != nil {
		k.Log.Error(err, "Entries of hosts could not be written; trying again")
	}
	return len(out.failures) == 0
}
