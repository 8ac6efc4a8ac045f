package evpn

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
)

// world is a random node.
type world struct {
	*rand.Rand
	*machine
	endpoints map[string]netip.Addr
}

var networkNames = []string{"cluster_udn_a", "cluster_udn_b", "cluster_udn_c", "cluster_udn_a-longer-name"}

func newWorld(seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 1)), machine: newMachine(), endpoints: map[string]netip.Addr{
		"v1": netip.MustParseAddr("100.64.0.1"), "v2": netip.MustParseAddr("100.64.0.2"),
	}}
	for _, endpoint := range w.endpoints {
		w.Addresses[endpoint] = 1
	}
	for i := range networkNames {
		if w.often() {
			_ = w.make(Device{Name: fmt.Sprintf("vrf%d", i), Kind: kindVRF, Up: true})
		}
	}
	for _, name := range []string{"evbr-v1", "evx4-v2", "svl2-a", "svl3-b", "ovl2-c"} {
		if w.IntN(12) == 0 {
			_ = w.make(Device{Name: name, Kind: []string{kindBridge, kindVXLAN, kindVLAN, "dummy"}[w.IntN(4)], Up: true})
		}
	}
	if w.IntN(12) == 0 {
		w.Ports = append(w.Ports, vswitch.Port{Name: "ovl2-a"})
		_ = w.make(Device{Name: "ovl2-a"})
	}
	if w.IntN(15) == 0 {
		w.Ports = append(w.Ports, vswitch.Port{Name: "x", ByOVNKubernetes: true})
	}
	if w.IntN(15) == 0 {
		_ = w.make(Device{Name: "flannel.1", Kind: kindVXLAN, Up: true, VXLAN: VXLAN{UDPPort: 4789}})
	}
	return w
}

func (w *world) often() bool  { return w.IntN(4) > 0 }
func (w *world) seldom() bool { return w.IntN(15) == 0 }

// networks are random; several may want one number.
func (w *world) networks() []Network {
	var out []Network
	for i, name := range networkNames {
		if w.IntN(3) == 0 {
			continue
		}
		vtep := fmt.Sprintf("v%d", 1+w.IntN(2))
		n := Network{Name: name, VRF: fmt.Sprintf("vrf%d", i), ID: i + 1, VTEP: vtep, Endpoint: w.endpoints[vtep]}
		vpn := func(kind int) VPN {
			at := 2*i + kind
			if w.seldom() {
				at = w.IntN(8)
			}
			v := VPN{VNI: uint32(100 + at), VID: uint16(10 + at)}
			if w.seldom() {
				v.VID += 20
			}
			if w.seldom() {
				v.VNI += 20
			}
			// A VNI may be on one VTEP only, which the manager sees to.
			if vtep == "v2" {
				v.VNI += 1000
			}
			return v
		}
		if w.often() {
			n.MACVRF = vpn(0)
		}
		if w.often() || n.MACVRF.VNI == 0 {
			n.IPVRF = vpn(1)
		}
		if w.seldom() {
			n.Problem = "a problem"
		}
		if w.seldom() {
			n.ID = 0
		}
		if w.seldom() {
			n.MACVRF.VID = 0
		}
		out = append(out, n)
	}
	w.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func (w *world) hosts() map[string][]Host {
	if w.seldom() {
		return nil
	}
	out := map[string][]Host{}
	for _, name := range networkNames {
		for range w.IntN(4) {
			n := w.IntN(6)
			out[name] = append(out[name], Host{MAC: fmt.Sprintf("0a:00:00:00:00:0%d", n), Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(w.IntN(6))})}})
		}
	}
	return out
}

// harm is what may happen to a node behind the agent's back.
func (w *world) harm() {
	if len(w.Devices) == 0 {
		return
	}
	d := &w.Devices[w.IntN(len(w.Devices))]
	if !d.ours() {
		return
	}
	switch w.IntN(9) {
	case 0:
		w.remove(d.Name)
	case 1:
		d.Up = false
		delete(w.FixedAddresses, d.Index)
	case 2:
		d.Master = 0
		w.leave(d.Index)
	case 3:
		d.MAC, d.Alias, d.LinkLocal = "02:00:00:00:00:99", "", true
	case 4:
		d.Port, d.Bridge = Port{Learning: true}, Bridge{DefaultPVID: 1}
		w.leave(d.Index)
	case 5:
		d.VXLAN = VXLAN{UDPPort: 4790}
	case 6:
		w.VLANs[PortVLAN{d.Index, uint16(w.IntN(40))}] = VLAN{}
	case 7:
		if d.Kind == kindVXLAN {
			w.VNIs = append(w.VNIs, VNIRange{d.Index, 5000, 5000 + uint32(w.IntN(3))})
		}
	case 8:
		w.deleteVNIs(d.Index, 100, 105)
	}
}

// zebra has entries of other nodes' hosts.
func (w *world) zebra() {
	for _, d := range w.Devices {
		if d.Kind == kindVLAN && d.ours() && w.often() {
			for _, vxlan := range w.Devices {
				if vxlan.Kind == kindVXLAN && vxlan.Master == d.Parent && d.Parent != 0 {
					mac := MAC{0x0a, 0, 0, 0, 1, byte(w.IntN(9))}
					w.RemoteMACs[RemoteMAC{PortVLAN{vxlan.Index, d.VID}, mac}] = true
					if w.FixedAddresses[d.Index] == nil {
						w.FixedAddresses[d.Index] = map[netip.Addr]MAC{}
					}
					w.FixedAddresses[d.Index][netip.AddrFrom4([4]byte{10, 0, 1, mac[5]})] = mac
				}
			}
		}
	}
}

// TestPlanConverges: from any state, one pass makes all that is wanted, nothing is left
// for another, and an agent that is killed in between leaves nothing that the next one
// can't go on from. machine fails on a change of what is not the agent's.
func TestPlanConverges(t *testing.T) {
	for seed := range uint64(200) {
		w := newWorld(seed)
		networks, hosts := w.networks(), w.hosts()
		for step := range 6 {
			if w.IntN(2) == 0 {
				networks, hosts = w.networks(), w.hosts()
			}
			if err := w.step(networks, hosts); err != nil {
				t.Fatalf("seed %d, step %d: %v\n%+v\n%+v", seed, step, err, networks, hosts)
			}
			w.zebra()
			if err := w.zebraStays(networks, hosts); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
			for range w.IntN(10) {
				w.harm()
			}
		}
		if err := w.step(nil, nil); err != nil {
			t.Fatalf("seed %d, at last: %v", seed, err)
		}
		for i := range w.Devices {
			if w.Devices[i].ours() {
				t.Fatalf("seed %d: %s is left", seed, w.Devices[i].Name)
			}
		}
	}
}

func (w *world) step(networks []Network, hosts map[string][]Host) error {
	changes, _ := Plan(networks, hosts, &w.Observed, "node1")
	if !slices.IsSortedFunc(changes, func(a, b Change) int { return int(a.Verb) - int(b.Verb) }) {
		return fmt.Errorf("not in order: %v", changes)
	}
	shuffled := slices.Clone(networks)
	w.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if again, _ := Plan(shuffled, hosts, &w.Observed, "node1"); !reflect.DeepEqual(again, changes) {
		return fmt.Errorf("in another order: %v, not %v", again, changes)
	}
	killed := w.clone()
	for _, c := range changes[:w.IntN(len(changes)+1)] {
		if err := killed.do(c); err != nil {
			return err
		}
	}
	if err := killed.pass(networks, hosts); err != nil {
		return fmt.Errorf("after a kill: %w", err)
	}
	return w.pass(networks, hosts)
}

func (m *machine) pass(networks []Network, hosts map[string][]Host) error {
	changes, states := Plan(networks, hosts, &m.Observed, "node1")
	for _, c := range changes {
		if err := m.do(c); err != nil {
			return fmt.Errorf("%w, of %v", err, changes)
		}
	}
	if left, _ := Plan(networks, hosts, &m.Observed, "node1"); len(left) > 0 {
		return fmt.Errorf("left to do: %v, after %v", left, changes)
	}
	for i, s := range Check(networks, &m.Observed, true) {
		if states[i].Problem == "" && s.Problem != "" && s.Reason != ReasonVRFMissing {
			return fmt.Errorf("%s: %s, after %v", s.Network, s.Problem, changes)
		}
	}
	return nil
}

// zebraStays checks that a pass leaves alone what zebra learned.
func (w *world) zebraStays(networks []Network, hosts map[string][]Host) error {
	changes, _ := Plan(networks, hosts, &w.Observed, "node1")
	if len(changes) > 0 {
		return fmt.Errorf("on zebra's entries: %v", changes)
	}
	return nil
}
