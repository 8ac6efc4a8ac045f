package evpn

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
)

// machine is a kernel with Open vSwitch that refuses what the real ones refuse, and any
// change of what the agent did not make.
type machine struct {
	Observed
	next int32
}

var errRefused = errors.New("refused")

func newMachine() *machine {
	return &machine{Observed: Observed{
		VLANs: map[PortVLAN]VLAN{}, Tunnels: map[PortVLAN]uint32{}, Addresses: map[netip.Addr]int32{},
		FixedMACs: map[int32][]VLANMAC{}, FixedAddresses: map[int32]map[netip.Addr]MAC{}, RemoteMACs: map[RemoteMAC]bool{},
	}, next: 10}
}

func (m *machine) clone() *machine {
	out := &machine{Observed: m.Observed, next: m.next}
	out.Devices, out.VNIs, out.Ports = slices.Clone(m.Devices), slices.Clone(m.VNIs), slices.Clone(m.Ports)
	out.VLANs, out.Tunnels, out.RemoteMACs = maps.Clone(m.VLANs), maps.Clone(m.Tunnels), maps.Clone(m.RemoteMACs)
	out.FixedMACs, out.FixedAddresses = map[int32][]VLANMAC{}, map[int32]map[netip.Addr]MAC{}
	for device, macs := range m.FixedMACs {
		out.FixedMACs[device] = slices.Clone(macs)
	}
	for device, addresses := range m.FixedAddresses {
		out.FixedAddresses[device] = maps.Clone(addresses)
	}
	return out
}

func (m *machine) named(name string) *Device {
	for i := range m.Devices {
		if m.Devices[i].Name == name {
			return &m.Devices[i]
		}
	}
	return nil
}

func (m *machine) make(d Device) error {
	if m.named(d.Name) != nil {
		return fmt.Errorf("%w: %s is there", errRefused, d.Name)
	}
	m.next++
	d.Index = m.next
	m.Devices = append(m.Devices, d)
	return nil
}

// remove deletes a device with all that is on it.
func (m *machine) remove(name string) {
	d := m.named(name)
	if d == nil {
		return
	}
	index := d.Index
	m.Devices = slices.DeleteFunc(m.Devices, func(d Device) bool { return d.Name == name })
	m.leave(index)
	maps.DeleteFunc(m.VLANs, func(at PortVLAN, _ VLAN) bool { return at.Device == index })
	m.VNIs = slices.DeleteFunc(m.VNIs, func(r VNIRange) bool { return r.Device == index })
	delete(m.FixedAddresses, index)
	for _, other := range slices.Clone(m.Devices) {
		if other.Parent == index {
			m.remove(other.Name)
		}
		if other.Master == index {
			m.named(other.Name).Master = 0
			m.leave(other.Index)
		}
	}
}

// leave is what a port loses when it leaves its bridge.
func (m *machine) leave(port int32) {
	maps.DeleteFunc(m.VLANs, func(at PortVLAN, _ VLAN) bool { return at.Device == port })
	maps.DeleteFunc(m.Tunnels, func(at PortVLAN, _ uint32) bool { return at.Device == port })
	maps.DeleteFunc(m.RemoteMACs, func(at RemoteMAC, _ bool) bool { return at.Device == port })
	delete(m.FixedMACs, port)
	for i := range m.Devices {
		if m.Devices[i].Index == port {
			m.Devices[i].Port = Port{Learning: true}
		}
	}
}

func (m *machine) do(c Change) error {
	err := m.attempt(c)
	if err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	return nil
}

func (m *machine) attempt(c Change) error {
	bridge := m.named(c.Bridge)
	switch c.Verb {
	case CreateBridge:
		return m.make(Device{Name: c.Device, Kind: kindBridge, MAC: c.MAC.String(), Group: 0x6f766e62, LinkLocal: true, Bridge: Bridge{VLANFiltering: true}})
	case CreateVXLAN:
		if bridge == nil {
			return errRefused
		}
		return m.make(Device{Name: c.Device, Kind: kindVXLAN, Master: bridge.Index, MTU: c.MTU, Group: 0x6f766e62, LinkLocal: true,
			VXLAN: VXLAN{External: true, VNIFilter: true, Local: c.Local, UDPPort: 4789}, Port: Port{Learning: true}})
	case CreateL3SVI, CreateL2SVI:
		return m.makeSVI(c, bridge)
	case AddPort:
		return m.addPort(c)
	case DeletePort:
		m.Ports = slices.DeleteFunc(m.Ports, func(p vswitch.Port) bool { return p.Name == c.Device && p.Ours })
		m.remove(c.Device)
		return nil
	}
	d := m.named(c.Device)
	if d == nil || c.Index != 0 && c.Index != d.Index {
		return fmt.Errorf("%w: no such device", errRefused)
	}
	if !d.ours() && !slices.ContainsFunc(m.Ports, func(p vswitch.Port) bool { return p.Name == d.Name && p.Ours }) {
		return errors.New("it is not the agent's")
	}
	return m.change(c, d, bridge)
}

func (m *machine) makeSVI(c Change, bridge *Device) error {
	vrf := m.named(c.VRF)
	if bridge == nil || vrf == nil || vrf.Kind != kindVRF {
		return errRefused
	}
	for _, d := range m.Devices {
		if d.Parent == bridge.Index && d.VID == c.VID {
			return fmt.Errorf("%w: %s has the VLAN", errRefused, d.Name)
		}
	}
	return m.make(Device{Name: c.Device, Kind: kindVLAN, Parent: bridge.Index, VID: c.VID, Master: vrf.Index, Group: 0x6f766e62, LinkLocal: true})
}

func (m *machine) addPort(c Change) error {
	i := slices.IndexFunc(m.Ports, func(p vswitch.Port) bool { return p.Name == c.Port.Name })
	if i < 0 {
		m.Ports = append(m.Ports, c.Port)
		return m.make(Device{Name: c.Port.Name, Kind: "openvswitch", MTU: c.Port.MTU})
	}
	if !m.Ports[i].Ours {
		return errors.New("it is not the agent's")
	}
	m.Ports[i] = c.Port
	return nil
}

// change changes a device of the agent's.
func (m *machine) change(c Change, d, bridge *Device) error {
	switch c.Verb {
	case DeleteSVI, DeleteVXLAN, DeleteBridge:
		if want := map[Verb]string{DeleteSVI: kindVLAN, DeleteVXLAN: kindVXLAN, DeleteBridge: kindBridge}[c.Verb]; d.Kind != want {
			return errRefused
		}
		m.remove(c.Device)
	case SetBridge:
		if c.MAC != (MAC{}) {
			d.MAC = c.MAC.String()
			m.flushOn(d.Index)
		}
		d.Bridge, d.Alias, d.LinkLocal, d.Up = Bridge{VLANFiltering: true}, c.Alias, false, true
	case SetVXLAN:
		if c.Local.IsValid() {
			d.VXLAN.Local = c.Local
		}
		d.MTU = cmp.Or(c.MTU, d.MTU)
		d.Alias, d.LinkLocal, d.Up = c.Alias, false, true
		m.enslave(d, bridge)
	case SetL3SVI, SetL2SVI:
		if vrf := m.named(c.VRF); d.Master != vrf.Index || !d.Up {
			d.Master = vrf.Index
			delete(m.FixedAddresses, d.Index)
		}
		d.Alias, d.LinkLocal, d.Up = c.Alias, false, true
	case JoinPort:
		d.Up = true
		m.enslave(d, bridge)
		for at, vlan := range m.VLANs {
			if at.Device == d.Index {
				vlan.PVID = false
				m.VLANs[at] = vlan
			}
		}
		m.VLANs[PortVLAN{d.Index, c.VID}] = VLAN{PVID: true, Untagged: true}
	default:
		return m.changeNumbers(c, d)
	}
	return nil
}

func (m *machine) flushOn(bridge int32) {
	for _, d := range m.Devices {
		if d.Parent == bridge {
			delete(m.FixedAddresses, d.Index)
		}
	}
}

func (m *machine) enslave(d, bridge *Device) {
	if d.Master != bridge.Index {
		m.leave(d.Index)
		d.Master = bridge.Index
	}
}

func (m *machine) changeNumbers(c Change, d *Device) error {
	at := PortVLAN{d.Index, c.VID}
	_, member := m.VLANs[at]
	switch c.Verb {
	case SetVXLANPort:
		d.Port = ofVXLAN
	case AddPortVLAN, AddBridgeVLAN:
		if c.Verb == AddPortVLAN && d.Master == 0 {
			return errRefused
		}
		m.VLANs[at] = VLAN{}
	case DeletePortVLAN, DeleteBridgeVLAN:
		delete(m.VLANs, at)
		delete(m.Tunnels, at)
	case AddTunnel:
		return m.addTunnel(at, c.VNI, d, member)
	case DeleteTunnel:
		delete(m.Tunnels, at)
	case AddVNI:
		for _, r := range m.VNIs {
			if r.First <= c.VNI && c.VNI <= r.Last {
				return fmt.Errorf("%w: device %d has the VNI", errRefused, r.Device)
			}
		}
		m.VNIs = append(m.VNIs, VNIRange{d.Index, c.VNI, c.VNI})
	case DeleteVNI:
		m.deleteVNIs(d.Index, c.VNI, max(c.VNI, c.LastVNI))
	default:
		return m.changeEntry(c, d)
	}
	return nil
}

func (m *machine) addTunnel(at PortVLAN, vni uint32, d *Device, member bool) error {
	if !member || !d.Port.VLANTunnel || m.Tunnels[at] != 0 {
		return errRefused
	}
	for other, has := range m.Tunnels {
		if other.Device == d.Index && has == vni {
			return errRefused
		}
	}
	m.Tunnels[at] = vni
	return nil
}

func (m *machine) deleteVNIs(device int32, first, last uint32) {
	var out []VNIRange
	for _, r := range m.VNIs {
		if r.Device != device || r.Last < first || r.First > last {
			out = append(out, r)
			continue
		}
		if r.First < first {
			out = append(out, VNIRange{device, r.First, first - 1})
		}
		if r.Last > last {
			out = append(out, VNIRange{device, last + 1, r.Last})
		}
	}
	m.VNIs = out
}

func (m *machine) changeEntry(c Change, d *Device) error {
	entry := VLANMAC{c.VID, c.MAC}
	switch c.Verb {
	case SetMAC:
		if d.Master == 0 {
			return errRefused
		}
		// A MAC address is behind one port of a bridge.
		for at := range m.RemoteMACs {
			if at.VID == c.VID && at.MAC == c.MAC && slices.ContainsFunc(m.Devices, func(o Device) bool { return o.Index == at.Device && o.Master == d.Master }) {
				delete(m.RemoteMACs, at)
			}
		}
		if !slices.Contains(m.FixedMACs[d.Index], entry) {
			m.FixedMACs[d.Index] = append(m.FixedMACs[d.Index], entry)
		}
	case DeleteMAC:
		m.FixedMACs[d.Index] = slices.DeleteFunc(m.FixedMACs[d.Index], func(e VLANMAC) bool { return e == entry })
	case SetNeighbor:
		if m.FixedAddresses[d.Index] == nil {
			m.FixedAddresses[d.Index] = map[netip.Addr]MAC{}
		}
		m.FixedAddresses[d.Index][c.Address] = c.MAC
	case DeleteNeighbor:
		delete(m.FixedAddresses[d.Index], c.Address)
	default:
		return fmt.Errorf("there is no verb %d", c.Verb)
	}
	return nil
}
