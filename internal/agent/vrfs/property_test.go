package vrfs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"testing"
)

// machine is a kernel that refuses what the real one refuses.
type machine struct {
	Observed
	next int32
}

var errRefused = errors.New("refused")

func (m *machine) do(c Change) error {
	foreign := func(ours bool) error {
		if !ours {
			return fmt.Errorf("%s: not ours", c)
		}
		return nil
	}
	device := slices.IndexFunc(m.Devices, func(d Device) bool { return d.Name == c.Device.Name })
	switch c.Verb {
	case CreateDevice:
		if device >= 0 {
			return errRefused
		}
		m.next++
		d := c.Device
		d.Index = m.next
		m.Devices = append(m.Devices, d)
		return foreign(d.Group == 0x6f766e62)
	case DeleteDevice, SetAlias, SetUp:
		if device < 0 || m.Devices[device].Index != c.Device.Index {
			return errRefused
		}
		d := &m.Devices[device]
		if err := foreign(d.Group == 0x6f766e62 && d.Kind == "vrf"); err != nil {
			return err
		}
		switch c.Verb {
		case SetAlias:
			d.Alias = c.Device.Alias
		case SetUp:
			d.Up = true
		default:
			m.Devices = slices.Delete(m.Devices, device, device+1)
		}
		return nil
	case AddRule:
		if slices.Contains(m.Rules, c.Rule) {
			return errRefused
		}
		m.Rules = append(m.Rules, c.Rule)
		return foreign(c.Rule.Protocol == 173)
	case DeleteRule:
		i := slices.Index(m.Rules, c.Rule)
		if i < 0 {
			return errRefused
		}
		m.Rules = slices.Delete(m.Rules, i, i+1)
		return foreign(c.Rule.Protocol == 173)
	case AddRoute:
		if slices.ContainsFunc(m.Routes, func(r Route) bool {
			return r.Table == c.Route.Table && r.IPv6 == c.Route.IPv6 && r.Metric == c.Route.Metric
		}) {
			return errRefused
		}
		m.Routes = append(m.Routes, c.Route)
		return foreign(c.Route.Protocol == 173)
	default:
		i := slices.Index(m.Routes, c.Route)
		if i < 0 {
			return errRefused
		}
		m.Routes = slices.Delete(m.Routes, i, i+1)
		return foreign(c.Route.Protocol == 173)
	}
}

func (m *machine) clone() *machine {
	out := *m
	out.Devices, out.Rules, out.Routes = slices.Clone(m.Devices), slices.Clone(m.Rules), slices.Clone(m.Routes)
	return &out
}

// foreign returns everything that isn't ours, as text.
func (m *machine) foreign() []string {
	var out []string
	for _, d := range m.Devices {
		if d.Kind != "vrf" || d.Group != 0x6f766e62 {
			out = append(out, fmt.Sprintf("%+v", d))
		}
	}
	for _, r := range m.Rules {
		if r.Protocol != 173 || !r.Plain || r.Priority != 2000 {
			out = append(out, fmt.Sprintf("%+v", r))
		}
	}
	for _, r := range m.Routes {
		if r.Protocol != 173 || r.Metric != 4278198272 {
			out = append(out, fmt.Sprintf("%+v", r))
		}
	}
	slices.Sort(out)
	return out
}

// Few of everything, so that it clashes often.
var (
	someNames    = []string{"blue", "green", "red", "mp5-udn-vrf", "ovn-k8s-mp1", "ovn-k8s-mp2"}
	someNetworks = []string{"n1", "n2", "n3", "n4"}
	someSubnets  = prefixes("10.0.0.0/8", "10.10.0.0/16", "10.20.0.0/16", "172.16.0.0/12", "fd10::/48", "fd00::/8", "10.10.1.0/24", "0.0.0.0/0")
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func randomTable(r *rand.Rand, index int32) uint32 {
	return pick(r, []uint32{1001, 1002, 1003, 1004, 1000000001, 1000000002, 1000000003, uint32(index) + 1000})
}

func randomMachine(r *rand.Rand) *machine {
	m := &machine{}
	for _, name := range someNames {
		if r.IntN(2) == 0 {
			continue
		}
		m.next++
		d := Device{Index: m.next, Name: name, Kind: pick(r, []string{"vrf", "vrf", "vrf", "bridge"}), Up: r.IntN(2) == 0}
		if d.Kind == "vrf" {
			d.Table = randomTable(r, m.next)
		}
		if r.IntN(2) == 0 {
			d.Group = 0x6f766e62
			d.Alias = pick(r, []string{"", "ovnbgp.io/managed n1", "ovnbgp.io/managed n2", "mine"})
		}
		m.Devices = append(m.Devices, d)
	}
	for range r.IntN(8) {
		rule := Rule{
			Priority: pick(r, []uint32{2000, 2000, 2000, 1000}), To: pick(r, someSubnets), Table: randomTable(r, 1),
			Protocol: pick(r, []uint8{173, 173, 3}), Plain: r.IntN(4) > 0,
		}
		if !slices.Contains(m.Rules, rule) {
			m.Rules = append(m.Rules, rule)
		}
	}
	for range r.IntN(6) {
		route := Route{Table: randomTable(r, 1), IPv6: r.IntN(2) == 0, Metric: pick(r, []uint32{4278198272, 4278198272, 1024}), Protocol: pick(r, []uint8{173, 173, 3})}
		if !slices.ContainsFunc(m.Routes, func(o Route) bool { return o.effect() == route.effect() }) {
			m.Routes = append(m.Routes, route)
		}
	}
	m.WithoutIPv6 = r.IntN(6) == 0
	if m.WithoutIPv6 {
		m.Rules = slices.DeleteFunc(m.Rules, func(r Rule) bool { return r.To.Addr().Is6() })
		m.Routes = slices.DeleteFunc(m.Routes, func(r Route) bool { return r.IPv6 })
	}
	return m
}

func randomNetworks(r *rand.Rand) []Network {
	var out []Network
	for _, name := range someNetworks {
		if r.IntN(3) == 0 {
			continue
		}
		n := Network{Name: name, VRF: pick(r, []string{"blue", "green", "red", "mp5-udn-vrf", "yellow", "default", ""}), ID: r.IntN(4), Exposed: r.IntN(2) == 0, Isolated: r.IntN(3) == 0}
		for range r.IntN(4) {
			n.Subnets = append(n.Subnets, pick(r, someSubnets))
		}
		if r.IntN(8) == 0 {
			n.Problem = "something is wrong"
		}
		out = append(out, n)
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// TestConverges starts anywhere, is interrupted anywhere, and has to end where
// one pass changes nothing any more and everything is as wanted.
func TestConverges(t *testing.T) {
	seeds := uint64(30000)
	if os.Getenv("OVNBGP_VM") != "" {
		// Nothing here depends on the kernel, and emulated it takes minutes.
		seeds = 1000
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 1))
		m := randomMachine(r)
		before := m.foreign()
		if r.IntN(2) == 0 {
			// An agent that wanted something else was killed half-way.
			run(t, seed, m, randomNetworks(r), r.IntN(6))
		}
		networks := randomNetworks(r)
		if r.IntN(3) == 0 {
			run(t, seed, m, networks, r.IntN(6))
		}
		start := m.clone()
		run(t, seed, m, networks, -1)
		changes, states := Plan(networks, &m.Observed, DefaultTableStart)
		if len(changes) > 0 {
			t.Fatalf("seed %d: the second pass wants to %v", seed, changes)
		}
		if after := m.foreign(); !slices.Equal(before, after) {
			t.Fatalf("seed %d: what isn't ours was\n%v\nand is\n%v", seed, before, after)
		}
		check(t, seed, start, m, networks, states)
		shuffled := m.clone()
		r.Shuffle(len(shuffled.Devices), func(i, j int) {
			shuffled.Devices[i], shuffled.Devices[j] = shuffled.Devices[j], shuffled.Devices[i]
		})
		if changes, _ := Plan(networks, &shuffled.Observed, DefaultTableStart); len(changes) > 0 {
			t.Fatalf("seed %d: with the devices in another order it wants to %v", seed, changes)
		}
	}
}

// run makes a pass, or only its first changes.
func run(t *testing.T, seed uint64, m *machine, networks []Network, only int) {
	t.Helper()
	changes, _ := Plan(networks, &m.Observed, DefaultTableStart)
	if only >= 0 {
		changes = changes[:min(only, len(changes))]
	}
	for _, c := range changes {
		if err := m.do(c); err != nil {
			t.Fatalf("seed %d: %s: %v", seed, c, err)
		}
	}
}

// check looks at networks without a problem, and at what is left of others.
func check(t *testing.T, seed uint64, start, m *machine, networks []Network, states []State) {
	t.Helper()
	left := m.clone()
	troubled := false
	for _, s := range states {
		i := slices.IndexFunc(networks, func(n Network) bool { return n.Name == s.Network })
		n := networks[i]
		if s.Problem != "" {
			troubled = true
			continue
		}
		d := slices.IndexFunc(m.Devices, func(d Device) bool { return d.Name == n.VRF })
		if d < 0 || m.Devices[d].Kind != "vrf" || m.Devices[d].Table != s.Table {
			t.Fatalf("seed %d: network %+v has no device with table %d: %+v", seed, n, s.Table, m.Devices)
		}
		if s.Ours && (!m.Devices[d].Up || m.Devices[d].Alias != "ovnbgp.io/managed "+n.Name) {
			t.Fatalf("seed %d: the device of %+v is %+v", seed, n, m.Devices[d])
		}
		if was := slices.IndexFunc(start.Devices, func(d Device) bool { return d.Name == n.VRF }); was >= 0 && start.Devices[was].Table != s.Table {
			t.Fatalf("seed %d: the table of %+v became %d", seed, start.Devices[was], s.Table)
		}
		for _, other := range m.Devices {
			if other.Kind == "vrf" && other.Table == s.Table && other.Name != n.VRF {
				t.Fatalf("seed %d: devices %s and %s share table %d", seed, n.VRF, other.Name, s.Table)
			}
		}
		left.Devices = slices.DeleteFunc(left.Devices, func(d Device) bool { return d.Name == n.VRF })
		for _, to := range n.Subnets {
			if n.Exposed && !n.Isolated && (!m.WithoutIPv6 || to.Addr().Is4()) {
				covered := func(r Rule) bool { return r.Plain && r.Priority == 2000 && r.To == to && r.Table == s.Table }
				if !slices.ContainsFunc(m.Rules, covered) {
					t.Fatalf("seed %d: %+v has no rule to %s in %+v", seed, n, to, m.Rules)
				}
				left.Rules = slices.DeleteFunc(left.Rules, covered)
			}
		}
		if n.Isolated {
			for _, ipv6 := range []bool{false, true} {
				stops := func(r Route) bool { return r.Table == s.Table && r.IPv6 == ipv6 && r.Metric == 4278198272 }
				if !slices.ContainsFunc(m.Routes, stops) && (!ipv6 || !m.WithoutIPv6) {
					t.Fatalf("seed %d: %+v is not closed: %+v", seed, n, m.Routes)
				}
				left.Routes = slices.DeleteFunc(left.Routes, stops)
			}
		}
	}
	if troubled {
		return
	}
	for _, d := range left.Devices {
		if d.Group == 0x6f766e62 && d.Kind == "vrf" {
			t.Fatalf("seed %d: device %+v is left", seed, d)
		}
	}
	for _, r := range left.Rules {
		if r.Protocol == 173 && r.Plain && r.Priority == 2000 && r.To != (netip.Prefix{}) {
			t.Fatalf("seed %d: rule %+v is left", seed, r)
		}
	}
	for _, r := range left.Routes {
		if r.Protocol == 173 && r.Metric == 4278198272 {
			t.Fatalf("seed %d: route %+v is left", seed, r)
		}
	}
}
