package vteps

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
)

// Plan returns what has to be changed, in the order it has to be done, and the state of
// each VTEP once it is.
func Plan(vteps []VTEP, observed *Observed) ([]Change, []State) {
	p := &planner{observed: observed, states: begin(vteps), byName: make(map[string]*Device, len(observed.Devices)), byIndex: make(map[int32]*Device, len(observed.Devices))}
	for i := range observed.Devices {
		d := &observed.Devices[i]
		p.byName[d.Name], p.byIndex[d.Index] = d, d
	}
	wanted := map[string]bool{}
	for i := range p.states {
		wanted[p.states[i].Device] = true
		p.vtep(&p.states[i])
	}
	for i := range observed.Devices {
		if d := &observed.Devices[i]; d.ours() && !wanted[d.Name] {
			p.changes = append(p.changes, Change{Verb: DeleteDevice, Device: *d})
		}
	}
	slices.SortStableFunc(p.changes, func(a, b Change) int { return cmp.Compare(a.Verb, b.Verb) })
	return p.changes, p.states
}

// Check returns the state of each VTEP for an agent that must not change anything: where
// an address is doesn't matter then. why continues a sentence.
func Check(vteps []VTEP, observed *Observed, why string) []State {
	out := begin(vteps)
	for i := range out {
		s := &out[i]
		for _, address := range s.Addresses {
			if !slices.ContainsFunc(observed.Addresses, func(a Address) bool { return a.Prefix.Addr() == address }) {
				s.trouble(ReasonNotManaged, "no link has address %s, which the manager gave to the node: %s", address, why)
			}
		}
	}
	return out
}

type planner struct {
	observed *Observed
	states   []State
	byName   map[string]*Device
	byIndex  map[int32]*Device
	changes  []Change
}

func (p *planner) vtep(s *State) {
	want := Device{Name: s.Device, Kind: kindDummy, Group: Group, Alias: aliasOf(s.VTEP), Up: true}
	change := func(verb Verb, address netip.Prefix) {
		p.changes = append(p.changes, Change{Verb: verb, VTEP: s.VTEP, Device: want, Address: address})
	}
	there := p.byName[s.Device]
	switch {
	case there == nil:
		change(CreateDevice, netip.Prefix{})
		change(SetUp, netip.Prefix{})
	case !there.ours():
		s.trouble(ReasonNameTaken, "there is a %s device %s on the node that this agent did not make: rename or delete it", cmp.Or(there.Kind, "physical"), s.Device)
		return
	default:
		want.Index = there.Index
		if !there.Up {
			change(SetUp, netip.Prefix{})
		}
	}
	if there == nil || there.Alias != want.Alias {
		change(SetAlias, netip.Prefix{})
	}
	has := map[netip.Prefix]bool{}
	for _, a := range p.observed.Addresses {
		if there != nil && a.Device == there.Index {
			has[a.Prefix] = true
		}
	}
	for _, address := range s.Addresses {
		host := netip.PrefixFrom(address, address.BitLen())
		if taken := p.taken(address); taken != "" {
			s.trouble(ReasonAddressTaken, "address %s is on %s, and stops with it: remove it there, and it comes on %s", address, taken, s.Device)
		} else if !has[host] {
			change(AddAddress, host)
		}
		delete(has, host)
	}
	for _, old := range slices.SortedFunc(maps.Keys(has), netip.Prefix.Compare) {
		change(DeleteAddress, old)
	}
}

// taken is the name of a device of somebody else that has the address.
func (p *planner) taken(address netip.Addr) string {
	for _, a := range p.observed.Addresses {
		if d := p.byIndex[a.Device]; a.Prefix.Addr() == address && d != nil && !d.ours() {
			return d.Name
		}
	}
	return ""
}
