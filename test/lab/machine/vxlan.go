package machine

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// vxlanPort is IANA's.
const vxlanPort = 4789

// Tunnels are a bridge and the one VXLAN device on it that carries all of the
// bridge's VLANs, each as a VNI. The bridge learns nothing from the device: who
// is at which end is for a routing program to say.
type Tunnels struct {
	Machine *Machine
	// Bridge and VXLAN are the names of the devices.
	Bridge, VXLAN string
}

// Tunnels makes both, with packets that have the local address. An MTU of 0 is
// the kernel's.
func (m *Machine) Tunnels(bridge, vxlan string, local netip.Addr, mtu int) (*Tunnels, error) {
	t := &Tunnels{Machine: m, Bridge: bridge, VXLAN: vxlan}
	filtering, noVLAN := true, uint16(0)
	if err := m.add(&netlink.Bridge{LinkAttrs: named(bridge), VlanFiltering: &filtering, VlanDefaultPVID: &noVLAN}); err != nil {
		return t, err
	}
	device := &netlink.Vxlan{LinkAttrs: named(vxlan), SrcAddr: local.AsSlice(), Port: vxlanPort, FlowBased: true, VniFilter: true}
	device.MTU = mtu
	if err := m.add(device); err != nil {
		return t, err
	}
	if err := m.Enslave(vxlan, bridge); err != nil {
		return t, err
	}
	for name, set := range map[string]func(netlink.Link, bool) error{
		"vlan_tunnel": m.links.LinkSetVlanTunnel, "neigh_suppress": m.links.LinkSetBrNeighSuppress, "isolated": m.links.LinkSetIsolated,
	} {
		if err := set(device, true); err != nil {
			return t, fmt.Errorf("set %s of %s in %s: %w", name, vxlan, m.Name, err)
		}
	}
	if err := m.links.LinkSetLearning(device, false); err != nil {
		return t, fmt.Errorf("have %s of %s not learn: %w", bridge, m.Name, err)
	}
	return t, nil
}

// Close deletes the devices, and with them what is made of them.
func (t *Tunnels) Close() error {
	return errors.Join(t.Machine.DeleteLink(t.VXLAN), t.Machine.DeleteLink(t.Bridge))
}

// Carry has a VLAN of the bridge carried as a VNI.
func (t *Tunnels) Carry(vlan uint16, vni uint32) error {
	links := t.Machine.links
	return t.each(vlan, vni, func(bridge, vxlan netlink.Link) []error {
		return []error{
			// A VNI can be a VLAN's only when the device takes it.
			links.BridgeVlanAdd(vxlan, vlan, false, false, false, true),
			links.BridgeVniAdd(vxlan, vni),
			links.BridgeVlanAddTunnelInfo(vxlan, vlan, 0, vni, 0, false, true),
			links.BridgeVlanAdd(bridge, vlan, false, false, true, false),
		}
	})
}

// Drop ends what Carry began.
func (t *Tunnels) Drop(vlan uint16, vni uint32) error {
	links := t.Machine.links
	return t.each(vlan, vni, func(bridge, vxlan netlink.Link) []error {
		return []error{
			links.BridgeVlanDel(bridge, vlan, false, false, true, false),
			links.BridgeVlanDelTunnelInfo(vxlan, vlan, 0, vni, 0, false, true),
			links.BridgeVniDel(vxlan, vni),
			links.BridgeVlanDel(vxlan, vlan, false, false, false, true),
		}
	})
}

func (t *Tunnels) each(vlan uint16, vni uint32, do func(bridge, vxlan netlink.Link) []error) error {
	bridge, err := t.Machine.links.LinkByName(t.Bridge)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", t.Bridge, t.Machine.Name, err)
	}
	vxlan, err := t.Machine.links.LinkByName(t.VXLAN)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", t.VXLAN, t.Machine.Name, err)
	}
	if err := errors.Join(do(bridge, vxlan)...); err != nil {
		return fmt.Errorf("VLAN %d as VNI %d in %s: %w", vlan, vni, t.Machine.Name, err)
	}
	return nil
}

// Interface makes the machine's own interface in a VLAN of the bridge, in a VRF
// and without addresses.
func (t *Tunnels) Interface(name string, vlan uint16, vrf string) error {
	bridge, err := t.Machine.links.LinkByName(t.Bridge)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", t.Bridge, t.Machine.Name, err)
	}
	attrs := named(name)
	attrs.ParentIndex = bridge.Attrs().Index
	if err := t.Machine.add(&netlink.Vlan{LinkAttrs: attrs, VlanId: int(vlan)}); err != nil {
		return err
	}
	return t.Machine.Enslave(name, vrf)
}

// Join has a device's packets belong to a VLAN of the bridge.
func (t *Tunnels) Join(device string, vlan uint16) error {
	if err := t.Machine.Enslave(device, t.Bridge); err != nil {
		return err
	}
	link, err := t.Machine.links.LinkByName(device)
	if err != nil {
		return err
	}
	if err := t.Machine.links.BridgeVlanAdd(link, vlan, true, true, false, true); err != nil {
		return fmt.Errorf("put %s of %s into VLAN %d: %w", device, t.Machine.Name, vlan, err)
	}
	return nil
}

// Pin has the bridge know a MAC behind a device, for as long as the device is
// there.
func (t *Tunnels) Pin(device string, mac []byte, vlan uint16) error {
	entry, err := t.entry(device, mac, vlan)
	if err != nil {
		return err
	}
	if err := t.Machine.links.NeighSet(entry); err != nil {
		return fmt.Errorf("pin a MAC to %s of %s: %w", device, t.Machine.Name, err)
	}
	return nil
}

// Unpin ends what Pin began.
func (t *Tunnels) Unpin(device string, mac []byte, vlan uint16) error {
	entry, err := t.entry(device, mac, vlan)
	if err != nil {
		return err
	}
	if err := t.Machine.links.NeighDel(entry); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unpin a MAC from %s of %s: %w", device, t.Machine.Name, err)
	}
	return nil
}

func (t *Tunnels) entry(device string, mac []byte, vlan uint16) (*netlink.Neigh, error) {
	link, err := t.Machine.links.LinkByName(device)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", device, t.Machine.Name, err)
	}
	return &netlink.Neigh{
		LinkIndex: link.Attrs().Index, Family: unix.AF_BRIDGE, State: netlink.NUD_NOARP, Flags: netlink.NTF_MASTER,
		HardwareAddr: mac, Vlan: int(vlan),
	}, nil
}
