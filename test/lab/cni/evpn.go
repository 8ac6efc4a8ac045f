package cni

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/ovn"
)

// EVPN is what a network has instead of Geneve. There has to be a VTEP of the
// name before the network.
type EVPN struct {
	VTEP string
	// MACVRF joins the Layer2 network's parts on all nodes, and whoever else has
	// its VNI. IPVRF routes between nodes, and to others.
	MACVRF, IPVRF *VPN
}

// VPN is one of a network's VNIs.
type VPN struct {
	VNI         uint32
	RouteTarget string
	// VID is the VLAN on nodes' bridges: the cluster manager's choice.
	VID uint16
}

// definition is the part of a network's definition.
func (e *EVPN) definition() map[string]any {
	out := map[string]any{"vtep": e.VTEP}
	for name, vpn := range map[string]*VPN{"macVRF": e.MACVRF, "ipVRF": e.IPVRF} {
		if vpn == nil {
			continue
		}
		one := map[string]any{"vni": vpn.VNI, "vid": vpn.VID}
		if vpn.RouteTarget != "" {
			one["routeTarget"] = vpn.RouteTarget
		}
		out[name] = one
	}
	return out
}

// AddVTEP has nodes be ends of VXLAN tunnels by these addresses, which they have
// already. Publish tells the API server of it.
func (c *Cluster) AddVTEP(ctx context.Context, name string, addresses map[string]netip.Addr) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.vteps == nil {
		c.vteps = map[string]map[string]netip.Addr{}
	}
	c.vteps[name] = maps.Clone(addresses)
	return c.onNodes(ctx, func(_ context.Context, node *clusterNode) error { return c.addTunnels(node, name) })
}

func (c *Cluster) addTunnels(node *clusterNode, vtep string) error {
	address, here := c.vteps[vtep][node.Name]
	if !here || c.options.LeaveEVPN {
		return nil
	}
	tunnels, err := node.machine.Tunnels(tunnelBridge(vtep), tunnelDevice(vtep), address, podMTU)
	node.tunnels[vtep] = tunnels
	if err != nil {
		return err
	}
	// A bridge's own choice is its lowest port's, and with each change of it all
	// that the node announces is announced anew.
	return node.machine.SetMAC(tunnels.Bridge, macOf(address))
}

// RemoveVTEP ends what AddVTEP began, when no network uses it any more.
func (c *Cluster) RemoveVTEP(ctx context.Context, name string) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.vteps, name)
	return c.onNodes(ctx, func(_ context.Context, node *clusterNode) error {
		tunnels := node.tunnels[name]
		delete(node.tunnels, name)
		if tunnels == nil {
			return nil
		}
		return tunnels.Close()
	})
}

// vtepAddresses are a node's as its annotation has them.
func (c *Cluster) vtepAddresses(node *clusterNode) map[string]any {
	out := map[string]any{}
	for name, addresses := range c.vteps {
		if address, here := addresses[node.Name]; here {
			out[name] = map[string]any{"ips": []string{address.String()}}
		}
	}
	return out
}

// joinVPNs is the node's part of a network with EVPN: a VLAN for each VNI and an
// interface in it, in the network's VRF. It needs the VRF.
func (c *Cluster) joinVPNs(ctx context.Context, node *clusterNode, n *clusterNetwork) error {
	tunnels := node.tunnelsOf(n)
	if tunnels == nil {
		return nil
	}
	for _, part := range n.vpns() {
		if err := tunnels.Carry(part.VID, part.VNI); err != nil {
			return err
		}
		if err := tunnels.Interface(part.device, part.VID, n.vrf()); err != nil {
			return err
		}
	}
	if n.EVPN.MACVRF == nil {
		return nil
	}
	port := n.macVRFDevice()
	if err := node.vswitch.AddHostPort(ctx, ovn.Port{Name: port, LogicalPort: n.macVRFPort(), MTU: podMTU}); err != nil {
		return err
	}
	if err := tunnels.Join(port, n.EVPN.MACVRF.VID); err != nil {
		return err
	}
	return node.machine.SetLink(port, true)
}

func (c *Cluster) leaveVPNs(ctx context.Context, node *clusterNode, n *clusterNetwork) error {
	tunnels := node.tunnelsOf(n)
	if tunnels == nil {
		return nil
	}
	var errs []error
	if n.EVPN.MACVRF != nil {
		errs = append(errs, node.vswitch.DeletePort(ctx, n.macVRFDevice()))
	}
	for _, part := range slices.Backward(n.vpns()) {
		errs = append(errs, node.machine.DeleteLink(part.device), tunnels.Drop(part.VID, part.VNI))
	}
	return errors.Join(errs...)
}

// vpn is a VPN with the node's interface in it.
type vpn struct {
	*VPN
	device string
}

// vpns are the network's, in the order in which they are made.
func (n *Network) vpns() []vpn {
	var out []vpn
	if n.EVPN.IPVRF != nil {
		out = append(out, vpn{n.EVPN.IPVRF, n.routedInterface()})
	}
	if n.EVPN.MACVRF != nil {
		out = append(out, vpn{n.EVPN.MACVRF, n.switchedInterface()})
	}
	return out
}

func (node *clusterNode) tunnelsOf(n *clusterNetwork) *machine.Tunnels {
	if n.EVPN == nil {
		return nil
	}
	return node.tunnels[n.EVPN.VTEP]
}

// setHost has the node tell of a pod of its own, or of one that is no more: FRR
// announces what the bridge and the interface in the MAC-VRF know.
func (c *Cluster) setHost(node *clusterNode, n *clusterNetwork, pod *Pod, there bool) error {
	tunnels := node.tunnelsOf(n)
	if tunnels == nil || n.EVPN.MACVRF == nil {
		return nil
	}
	mac, err := net.ParseMAC(pod.MAC)
	if err != nil {
		return err
	}
	change, neighbor := tunnels.Pin, node.machine.Netlink().NeighSet
	if !there {
		change, neighbor = tunnels.Unpin, node.machine.Netlink().NeighDel
	}
	if err := change(n.macVRFDevice(), mac, n.EVPN.MACVRF.VID); err != nil {
		return err
	}
	link, err := node.machine.Netlink().LinkByName(n.switchedInterface())
	if err != nil {
		return fmt.Errorf("%s of %s: %w", n.switchedInterface(), node.Name, err)
	}
	for _, address := range pod.Addresses {
		entry := &netlink.Neigh{
			LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT, IP: address.Addr().AsSlice(), HardwareAddr: mac,
		}
		if err := neighbor(entry); err != nil && (there || !errors.Is(err, unix.ENOENT)) {
			return fmt.Errorf("neighbor %s on %s of %s: %w", address.Addr(), n.switchedInterface(), node.Name, err)
		}
	}
	return nil
}

// addMACVRFPort joins the network's switch with the MAC-VRF. Each node has the
// gateway itself, and none answers for another.
func (n *Network) addMACVRFPort(s *script) {
	port := n.macVRFPort()
	s.add("lsp-add", n.podSwitch(""), port)
	s.set("logical_switch_port", port, columns{"addresses": []string{"unknown"}, "external_ids": n.identity()})
	s.set("logical_switch", n.podSwitch(""), columns{"other_config": map[string]string{
		"mcast_snoop": "true", "mcast_querier": "false", "mcast_flood_unregistered": "true",
	}})
	for _, gateway := range nths(n.Subnets, 1) {
		asked := "arp.tpa == " + gateway.Addr().String()
		if !gateway.Addr().Is4() {
			asked = "nd.target == " + gateway.Addr().String()
		}
		for direction, end := range map[string]string{"from-lport": "inport", "to-lport": "outport"} {
			s.add("acl-add", n.podSwitch(""), direction, "1100", fmt.Sprintf("%s == %q && %s", end, port, asked), "drop")
		}
	}
}
