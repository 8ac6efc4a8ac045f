package ovn

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// IntegrationBridge is OVN's own.
const IntegrationBridge = "br-int"

// AddBridge makes a bridge with a link of the machine on it, whose MAC it takes
// over, both up. The addresses of the link, and routes, are the caller's to
// move.
func (s *Switch) AddBridge(ctx context.Context, name, link string) error {
	device, err := s.Machine.Netlink().LinkByName(link)
	if err != nil {
		return fmt.Errorf("%s on %s: %w", link, s.Machine.Name, err)
	}
	_, err = s.VS(ctx,
		"add-br", name, "--", "set", "bridge", name, "datapath_type="+string(s.Datapath), "other-config:disable-in-band=true",
		fmt.Sprintf("other-config:hwaddr=%q", device.Attrs().HardwareAddr), "--", "add-port", name, link)
	if err != nil {
		return err
	}
	if s.Datapath == Userspace {
		if err := s.hide(device); err != nil {
			return err
		}
	}
	if err := s.Machine.TXChecksumOff(name); err != nil {
		return err
	}
	return s.Machine.SetLink(name, true)
}

// hide keeps the kernel from what arrives by a link that Open vSwitch reads.
// The kernel's datapath takes packets away; the one in userspace gets copies,
// and the kernel would answer, too, for addresses that are now the bridge's.
func (s *Switch) hide(link netlink.Link) error {
	name := link.Attrs().Name
	other := slices.Clone(link.Attrs().HardwareAddr)
	other[0] ^= 0x08
	if err := s.Machine.Netlink().LinkSetHardwareAddr(link, other); err != nil {
		return fmt.Errorf("change the MAC of %s on %s: %w", name, s.Machine.Name, err)
	}
	for setting, value := range map[string]string{
		"net/ipv4/conf/" + name + "/arp_ignore":   "1",
		"net/ipv6/conf/" + name + "/disable_ipv6": "1",
	} {
		if err := s.Machine.Sysctl(setting, value); err != nil {
			return err
		}
	}
	return nil
}

// Port is a port of the integration bridge that leads to a logical switch port.
type Port struct {
	// Name of the device, and of the network that it is in if it gets one.
	Name string
	// LogicalPort is the port's name in the Northbound database.
	LogicalPort string
	// MAC is Open vSwitch's choice if it is empty.
	MAC       string
	MTU       int
	Addresses []netip.Prefix
	// Gateways get default routes.
	Gateways []netip.Addr
}

// AddPort makes a port whose device is in a network of its own, as a pod's is.
// The device keeps its name there: the kernel's datapath names ports after
// their devices, and ovs-vswitchd replaces one whose name it does not know.
func (s *Switch) AddPort(ctx context.Context, port Port) (*machine.Machine, error) {
	if err := s.AddHostPort(ctx, port); err != nil {
		return nil, err
	}
	pod, err := s.Machine.Pod(port.LogicalPort)
	if err != nil {
		return nil, err
	}
	return pod, moveIn(s.Machine, pod, port)
}

func moveIn(node, pod *machine.Machine, port Port) error {
	link, err := node.Netlink().LinkByName(port.Name)
	if err != nil {
		return fmt.Errorf("%s on %s: %w", port.Name, node.Name, err)
	}
	if err := node.Netlink().LinkSetNsFd(link, pod.Network()); err != nil {
		return fmt.Errorf("move %s of %s into %s: %w", port.Name, node.Name, pod.Name, err)
	}
	if err := pod.TXChecksumOff(port.Name); err != nil {
		return err
	}
	if err := pod.SetLink(port.Name, true); err != nil {
		return err
	}
	if err := pod.AddAddresses(port.Name, words(port.Addresses)...); err != nil {
		return err
	}
	for _, gateway := range port.Gateways {
		if err := pod.AddRoute(netip.PrefixFrom(gateway, 0).Masked(), gateway, 0); err != nil {
			return err
		}
	}
	return nil
}

func words(prefixes []netip.Prefix) []string {
	out := make([]string, len(prefixes))
	for i, prefix := range prefixes {
		out[i] = prefix.String()
	}
	return out
}

// AddHostPort makes a port whose device stays in the node, not yet up and
// without addresses.
func (s *Switch) AddHostPort(ctx context.Context, port Port) error {
	arguments := []string{
		"--may-exist", "add-port", IntegrationBridge, port.Name, "--", "set", "interface", port.Name, "type=internal",
		"external_ids:iface-id=" + port.LogicalPort,
	}
	if port.MAC != "" {
		arguments = append(arguments, fmt.Sprintf("mac=%q", port.MAC))
	}
	if port.MTU > 0 {
		arguments = append(arguments, fmt.Sprintf("mtu_request=%d", port.MTU))
	}
	if _, err := s.VS(ctx, arguments...); err != nil {
		return err
	}
	// ovs-vsctl has waited until ovs-vswitchd made the device.
	if _, err := s.Machine.Netlink().LinkByName(port.Name); err != nil {
		problem, _ := s.VS(ctx, "get", "interface", port.Name, "error")
		return fmt.Errorf("no %s on %s was made by Open vSwitch, which says %q: %w", port.Name, s.Machine.Name, problem, err)
	}
	return s.Machine.TXChecksumOff(port.Name)
}

// DeletePort removes a port, and with it the device.
func (s *Switch) DeletePort(ctx context.Context, name string) error {
	_, err := s.VS(ctx, "--if-exists", "del-port", name)
	return err
}
