package vrfs

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// Plan returns what has to be changed, in the order it has to be done, and
// the state of each network once it is. A new table is tableStart and the index
// of the network's management port, as OVN-Kubernetes makes it.
func Plan(networks []Network, observed *Observed, tableStart uint32) ([]Change, []State) {
	p := &planner{
		observed: observed,
		networks: sorted(networks),
		byName:   make(map[string]Device, len(observed.Devices)),
		tables:   tables{},
		start:    tableStart,
		keep:     map[uint32]bool{},
		moved:    map[uint32]string{},
	}
	for _, d := range observed.Devices {
		p.byName[d.Name] = d
	}
	p.begin()
	p.existing()
	p.fresh()
	p.devices()
	p.rules()
	p.routes()
	slices.SortStableFunc(p.changes, func(a, b Change) int { return cmp.Compare(a.Verb, b.Verb) })
	states := make([]State, len(p.places))
	for i := range p.places {
		states[i] = p.places[i].State
	}
	return p.changes, states
}

type planner struct {
	observed *Observed
	networks []Network
	byName   map[string]Device
	// places are parallel to networks.
	places []place
	tables tables
	start  uint32
	// keep has the tables whose rules and routes are not touched.
	keep map[uint32]bool
	// moved has tables that a network's rules leave for another.
	moved   map[uint32]string
	changes []Change
}

// place is where a network is on the node.
type place struct {
	State
	device Device
	exists bool
	// held networks stay exactly as they are. Of pending ones not even that is
	// sure where they are.
	held, pending bool
}

func (p *planner) change(c Change) { p.changes = append(p.changes, c) }

// begin finds the networks' devices, and the networks that have to be left
// alone.
func (p *planner) begin() {
	users := map[string][]string{}
	for i := range p.networks {
		if n := &p.networks[i]; n.VRF != "" {
			users[n.VRF] = append(users[n.VRF], n.Name)
		}
	}
	p.places = make([]place, len(p.networks))
	for i := range p.networks {
		n, at := &p.networks[i], &p.places[i]
		at.Network, at.VRF = n.Name, n.VRF
		at.device, at.exists = p.byName[n.VRF]
		if n.Problem != "" {
			at.trouble(ReasonNetworkUnknown, "%s", n.Problem)
		}
		if reason, problem := nameProblem(n.VRF); problem != "" && (n.VRF != "" || n.Problem == "") {
			at.trouble(reason, "%s", problem)
		}
		if sharing := users[n.VRF]; len(sharing) > 1 {
			at.trouble(ReasonNameTaken, "the VRF device %s is wanted by the networks %v, and can serve one only; rename all but one of them", n.VRF, sharing)
		}
		if at.exists && at.device.Kind != kindVRF {
			at.trouble(ReasonNameTaken, "there is a device %s on the node that is no VRF but a %s; rename the device or the network",
				n.VRF, cmp.Or(at.device.Kind, "physical one"))
			at.exists = false
		}
		if at.exists {
			at.Table, at.Ours = at.device.Table, at.device.ours()
		}
		at.pending = at.Problem != ""
		at.held = at.pending
	}
}

// existing finds who has which table.
func (p *planner) existing() {
	wanted := map[string]string{}
	for i := range p.places {
		if at := &p.places[i]; at.exists {
			wanted[at.VRF] = at.Network
		}
	}
	for _, d := range p.observed.Devices {
		network, used := wanted[d.Name]
		if d.Kind != kindVRF || !used && d.ours() && p.pendingOf(d) == "" {
			continue
		}
		if has, taken := p.tables[d.Table]; taken {
			p.shared(d, network, has)
			continue
		}
		p.tables[d.Table] = owner{network: cmp.Or(network, p.pendingOf(d)), text: "VRF device " + d.Name}
	}
	for _, r := range p.observed.Rules {
		// Those of the priority that OVN-Kubernetes' rules have are the
		// network's own, whoever made them.
		if _, taken := p.tables[r.Table]; !taken && r.Priority != RulePriority && r.Table != 0 {
			p.tables[r.Table] = owner{text: fmt.Sprintf("an ip rule of priority %d", r.Priority)}
		}
	}
}

// shared notes that two devices have one table, so that their networks' routes
// are mixed.
func (p *planner) shared(d Device, network string, has owner) {
	for i := range p.places {
		if at := &p.places[i]; at.exists && (at.Network == network || at.Network == has.network) {
			at.held = true
			at.trouble(ReasonTableTaken, "VRF device %s has routing table %d, as has %s; one of them has to be deleted or given another table", d.Name, d.Table, has.text)
		}
	}
}

// pendingOf returns the network that a device was made for, if that network can't be
// worked on just now, and may have it under another name.
func (p *planner) pendingOf(d Device) string {
	for i := range p.places {
		if at := &p.places[i]; at.pending && d.Alias == aliasOf(at.Network) {
			return at.Network
		}
	}
	return ""
}

// fresh gives tables to the networks that have no device yet.
func (p *planner) fresh() {
	for i := range p.networks {
		n, at := &p.networks[i], &p.places[i]
		if at.held || at.exists {
			continue
		}
		table, err := p.tables.choose(n, p.byName, p.start)
		if err != nil {
			at.held = true
			at.trouble(ReasonTableTaken, "%s", err)
			continue
		}
		at.Table, at.Ours = table, true
	}
}

func (p *planner) devices() {
	stays := map[string]bool{}
	for i := range p.places {
		at := &p.places[i]
		stays[at.VRF] = true
		if at.held {
			if at.exists {
				p.keep[at.Table] = true
			}
			continue
		}
		want := Device{Name: at.VRF, Kind: kindVRF, Table: at.Table, Group: Group, Alias: aliasOf(at.Network), Up: true}
		if !at.exists {
			p.change(Change{Verb: CreateDevice, Network: at.Network, Device: want})
			continue
		}
		want.Index = at.device.Index
		if at.Ours && at.device.Alias != want.Alias {
			p.change(Change{Verb: SetAlias, Network: at.Network, Device: want})
		}
		if at.Ours && !at.device.Up {
			p.change(Change{Verb: SetUp, Network: at.Network, Device: want})
		}
		if !at.Ours && !at.device.Up {
			at.trouble(ReasonDeviceDown, "VRF device %s is down. This agent did not create it and leaves it alone; set it up (ip link set %s up), or delete it", at.VRF, at.VRF)
		}
	}
	for _, d := range p.observed.Devices {
		if !d.ours() || stays[d.Name] {
			continue
		}
		if p.pendingOf(d) != "" {
			p.keep[d.Table] = true
			continue
		}
		p.change(Change{Verb: DeleteDevice, Device: d})
	}
}

// rules makes and removes the rules that lead to networks' tables.
func (p *planner) rules() {
	there := map[Rule]bool{}
	for _, r := range p.observed.Rules {
		there[r.effect()] = true
	}
	wanted := p.wantedRules(there)
	for _, w := range wanted {
		if !w.there {
			p.change(Change{Verb: AddRule, Network: p.places[w.network].Network, Rule: w.rule})
		}
	}
	to := make(map[netip.Prefix]int, len(wanted))
	exactly := make(map[Rule]bool, len(wanted))
	for _, w := range wanted {
		to[w.rule.To], exactly[w.rule] = w.network, true
	}
	for _, r := range p.observed.Rules {
		if !r.ours() || exactly[r] || p.keep[r.Table] {
			continue
		}
		// While the new rule can't be made the old one still keeps packets
		// out of the main table, and is kept with its table's stop.
		network := ""
		if i, replaced := to[r.To]; replaced {
			network = p.places[i].Network
			p.moved[r.Table] = network
		}
		p.change(Change{Verb: DeleteRule, Network: network, Rule: r})
	}
}

// routes closes the tables of isolated networks, and opens all others.
func (p *planner) routes() {
	closed := map[Route]bool{}
	for _, r := range p.observed.Routes {
		closed[r.effect()] = true
	}
	wanted := map[Route]bool{}
	for i := range p.places {
		at := &p.places[i]
		if at.held || !p.networks[i].Isolated {
			continue
		}
		for _, ipv6 := range []bool{false, true} {
			stop := stopIn(at.Table, ipv6)
			wanted[stop] = true
			if !closed[stop.effect()] && (!ipv6 || !p.observed.WithoutIPv6) {
				p.change(Change{Verb: AddRoute, Network: at.Network, Route: stop})
			}
		}
	}
	for _, r := range p.observed.Routes {
		if r.ours() && !wanted[r] && !p.keep[r.Table] {
			p.change(Change{Verb: DeleteRoute, Network: p.moved[r.Table], Route: r})
		}
	}
}
