package evpn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// errNotYet says that Open vSwitch has not made a port's device yet. Its coming is an
// event.
var errNotYet = errors.New("the port's device is not there yet")

// writer makes changes in one network namespace.
type writer struct {
	kernel  *rtnetlink.Conversation
	vswitch Switch
	// indexes are of devices by their names.
	indexes map[string]int32
}

func newWriter(kernel *rtnetlink.Conversation, vswitch Switch, observed *Observed) *writer {
	w := &writer{kernel: kernel, vswitch: vswitch, indexes: make(map[string]int32, len(observed.Devices))}
	for i := range observed.Devices {
		w.indexes[observed.Devices[i].Name] = observed.Devices[i].Index
	}
	return w
}

// do makes a change. It is no error if what is to go is gone. A device that came in between
// is not the agent's, and needs another plan.
func (w *writer) do(ctx context.Context, c Change) error {
	err := w.attempt(ctx, c)
	switch {
	case c.Verb.removes() && (errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.ENOENT)):
		return nil
	case c.Verb >= JoinPort && errors.Is(err, syscall.ENODEV) && c.Index == 0:
		return errNotYet
	case err != nil:
		return fmt.Errorf("cannot %s: %w%s", c, err, remedy(c, err))
	}
	return nil
}

// remedy is what people can do about an error.
func remedy(c Change, err error) string {
	switch {
	case errors.Is(err, syscall.EPERM):
		return " (the agent needs the capability NET_ADMIN)"
	case c.Verb == CreateBridge && errors.Is(err, syscall.EOPNOTSUPP):
		return " (the node's kernel has no bridges that filter VLANs: load the module bridge, CONFIG_BRIDGE_VLAN_FILTERING)"
	case c.Verb == CreateVXLAN && errors.Is(err, syscall.EOPNOTSUPP):
		return " (the node's kernel has no VXLAN devices with VNI filters, which Linux has since 5.18: load the module vxlan)"
	case (c.Verb == CreateL3SVI || c.Verb == CreateL2SVI) && errors.Is(err, syscall.EOPNOTSUPP):
		return " (the node's kernel has no VLAN devices: load the module 8021q)"
	case c.Verb == CreateVXLAN && errors.Is(err, syscall.EINVAL):
		return " (kernels before 5.18 have no VNI filters)"
	case c.Verb == SetVXLAN && errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf(" (something else on the node has UDP port %d)", udpPort)
	case c.Verb == AddVNI && errors.Is(err, syscall.EEXIST):
		return " (another VXLAN device of the node has the VNI)"
	default:
		return ""
	}
}

func (w *writer) attempt(ctx context.Context, c Change) error {
	if w.vswitch == nil && (c.Verb == AddPort || c.Verb == DeletePort) {
		return errors.New("the agent has no connection to Open vSwitch")
	}
	switch c.Verb {
	case AddPort:
		return w.vswitch.Add(ctx, c.Port)
	case DeletePort:
		delete(w.indexes, c.Device)
		return w.vswitch.Delete(ctx, c.Device)
	case DeleteSVI, DeleteVXLAN, DeleteBridge:
		delete(w.indexes, c.Device)
		return w.ask(deleteLinkRequest(c.Index))
	case CreateBridge:
		return w.create(c, nl.NewRtAttr(unix.IFLA_ADDRESS, c.MAC[:]), filtersVLANs())
	case CreateVXLAN:
		return w.createVXLAN(c)
	case CreateL3SVI, CreateL2SVI:
		return w.createSVI(c)
	case SetBridge:
		of := []*nl.RtAttr{filtersVLANs()}
		if c.MAC != (MAC{}) {
			of = append(of, nl.NewRtAttr(unix.IFLA_ADDRESS, c.MAC[:]))
		}
		return w.set(c, of...)
	case SetVXLAN:
		return w.setVXLAN(c)
	case SetL3SVI, SetL2SVI:
		vrf, err := w.index(c.VRF)
		if err != nil {
			return err
		}
		return w.set(c, deviceOf(unix.IFLA_MASTER, vrf))
	case JoinPort:
		return w.join(c)
	default:
		return w.attemptNumbers(c)
	}
}

// attemptNumbers makes changes of VLANs, VNIs and entries.
func (w *writer) attemptNumbers(c Change) error {
	device, err := w.indexOf(c)
	if err != nil {
		return err
	}
	switch c.Verb {
	case SetVXLANPort:
		return w.ask(bridgeRequest(unix.RTM_SETLINK, device, portSettings(ofVXLAN)))
	case AddPortVLAN, AddBridgeVLAN:
		return w.ask(bridgeRequest(unix.RTM_SETLINK, device, vlans(c.Verb == AddBridgeVLAN, vlan(c.VID, 0))))
	case DeletePortVLAN, DeleteBridgeVLAN:
		return w.ask(bridgeRequest(unix.RTM_DELLINK, device, vlans(c.Verb == DeleteBridgeVLAN, vlan(c.VID, 0))))
	case AddTunnel:
		return w.ask(bridgeRequest(unix.RTM_SETLINK, device, vlans(false, tunnel(c.VID, c.VNI, 0))))
	case DeleteTunnel:
		return w.ask(bridgeRequest(unix.RTM_DELLINK, device, vlans(false, tunnel(c.VID, c.VNI, 0))))
	case AddVNI:
		return w.ask(filterRequest(unix.RTM_NEWTUNNEL, device, c.VNI, c.LastVNI))
	case DeleteVNI:
		return w.ask(filterRequest(unix.RTM_DELTUNNEL, device, c.VNI, c.LastVNI))
	case SetMAC:
		return w.ask(forwardingRequest(unix.RTM_NEWNEIGH, ensure, device, c.VID, c.MAC, unix.NUD_NOARP))
	case DeleteMAC:
		// The kernel refuses to where the address is behind another port by now.
		return w.ask(forwardingRequest(unix.RTM_DELNEIGH, unix.NLM_F_ACK, device, c.VID, c.MAC, 0))
	case SetNeighbor:
		return w.ask(addressRequest(unix.RTM_NEWNEIGH, ensure, device, c.Address, unix.NUD_PERMANENT, c.MAC.attribute()))
	case DeleteNeighbor:
		return w.deleteNeighbor(c, device)
	default:
		return fmt.Errorf("there is no verb %d", c.Verb)
	}
}

func (w *writer) ask(request *nl.NetlinkRequest) error {
	_, err := w.kernel.Ask(request)
	return err
}

// indexOf is the index of a change's device.
func (w *writer) indexOf(c Change) (int32, error) {
	if c.Index != 0 {
		return c.Index, nil
	}
	return w.index(c.Device)
}

func (w *writer) index(name string) (int32, error) {
	if index := w.indexes[name]; index != 0 {
		return index, nil
	}
	answers, err := w.kernel.Ask(indexRequest(name))
	if err != nil {
		return 0, err
	}
	for _, payload := range answers {
		d, err := decodeDevice(payload)
		if err != nil {
			return 0, err
		}
		w.indexes[name] = d.Index
	}
	return w.indexes[name], nil
}

// create makes a device with its mark. The index of one that had the name is no more.
func (w *writer) create(c Change, attributes ...*nl.RtAttr) error {
	delete(w.indexes, c.Device)
	return w.ask(linkRequest(create, c.Device, 0, append(attributes, number(unix.IFLA_GROUP, devices.Group))...))
}

func (w *writer) createVXLAN(c Change) error {
	bridge, err := w.index(c.Bridge)
	if err != nil {
		return err
	}
	port := make([]byte, 2)
	port[0], port[1] = udpPort>>8, udpPort&0xff
	of := []*nl.RtAttr{deviceOf(unix.IFLA_MASTER, bridge), settings(kindVXLAN,
		toggle(nl.IFLA_VXLAN_FLOWBASED, true), toggle(nl.IFLA_VXLAN_VNIFILTER, true), toggle(nl.IFLA_VXLAN_LEARNING, false),
		localAddress(c.Local), nl.NewRtAttr(nl.IFLA_VXLAN_PORT, port))}
	if c.MTU != 0 {
		of = append(of, number(unix.IFLA_MTU, c.MTU))
	}
	return w.create(c, of...)
}

func (w *writer) createSVI(c Change) error {
	bridge, err := w.index(c.Bridge)
	if err != nil {
		return err
	}
	vrf, err := w.index(c.VRF)
	if err != nil {
		return err
	}
	return w.create(c, deviceOf(unix.IFLA_LINK, bridge), deviceOf(unix.IFLA_MASTER, vrf),
		settings(kindVLAN, nl.NewRtAttr(nl.IFLA_VLAN_ID, nl.Uint16Attr(c.VID))))
}

func (w *writer) setVXLAN(c Change) error {
	bridge, err := w.index(c.Bridge)
	if err != nil {
		return err
	}
	of := []*nl.RtAttr{deviceOf(unix.IFLA_MASTER, bridge)}
	if c.Local.IsValid() {
		of = append(of, settings(kindVXLAN, localAddress(c.Local)))
	}
	if c.MTU != 0 {
		of = append(of, number(unix.IFLA_MTU, c.MTU))
	}
	return w.set(c, of...)
}

// set corrects a device, and sets it up when all else is right: before, the kernel would
// give it IPv6 addresses.
func (w *writer) set(c Change, attributes ...*nl.RtAttr) error {
	attributes = append(attributes, nl.NewRtAttr(unix.IFLA_IFALIAS, nl.NonZeroTerminated(c.Alias)))
	err := w.ask(linkRequest(modify, c.Device, c.Index, append(slices.Clone(attributes), noIPv6())...))
	if errors.Is(err, syscall.EAFNOSUPPORT) {
		// The kernel has IPv6 switched off.
		err = w.ask(linkRequest(modify, c.Device, c.Index, attributes...))
	}
	if err != nil {
		return err
	}
	return w.ask(upRequest(c.Device, c.Index))
}

// join puts OVN's port into the bridge, and into its VLAN.
func (w *writer) join(c Change) error {
	bridge, err := w.index(c.Bridge)
	if err != nil {
		return err
	}
	device, err := w.indexOf(c)
	if err != nil {
		return err
	}
	if err := w.ask(upRequest(c.Device, device, deviceOf(unix.IFLA_MASTER, bridge))); err != nil {
		return err
	}
	return w.ask(bridgeRequest(unix.RTM_SETLINK, device, vlans(false, vlan(c.VID, nl.BRIDGE_VLAN_INFO_PVID|nl.BRIDGE_VLAN_INFO_UNTAGGED))))
}

// deleteNeighbor looks once more whether the entry is the agent's: zebra takes it over
// when its host has moved to another node.
func (w *writer) deleteNeighbor(c Change, device int32) error {
	bridge, err := w.index(c.Bridge)
	if err != nil {
		return err
	}
	behind, err := w.neighbor(neighborRequest(unix.RTM_GETNEIGH, 0, unix.AF_BRIDGE, bridge, 0, unix.NTF_SELF,
		c.MAC.attribute(), nl.NewRtAttr(unix.NDA_VLAN, nl.Uint16Attr(c.VID))))
	if err == nil && behind.device == w.indexes[ovnk.VTEPDevicesOf(c.VTEP).VXLAN] {
		return nil
	}
	if err != nil && !errors.Is(err, syscall.ENOENT) {
		return err
	}
	n, err := w.neighbor(addressRequest(unix.RTM_GETNEIGH, 0, device, c.Address, 0))
	if err != nil || n.state&unix.NUD_PERMANENT == 0 || n.mac != c.MAC {
		return err
	}
	return w.ask(addressRequest(unix.RTM_DELNEIGH, unix.NLM_F_ACK, device, c.Address, 0))
}

// neighbor asks for one entry.
func (w *writer) neighbor(request *nl.NetlinkRequest) (neighbor, error) {
	answers, err := w.kernel.Ask(request)
	if err != nil {
		return neighbor{}, err
	}
	for _, payload := range answers {
		return decodeNeighbor(payload)
	}
	return neighbor{}, syscall.ENOENT
}
