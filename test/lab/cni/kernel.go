package cni

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/ovn"
)

const (
	// podMTU leaves room for geneve over either family.
	podMTU = 1400
	// tableOffset: a network's table is numbered after the link of its
	// management port.
	tableOffset = 1000
	// rulePriority is that of the rules that lead into networks' tables.
	rulePriority = 2000
)

// managementInterface is the node's own interface in a network.
func (n *Network) managementInterface() string { return "ovn-k8s-mp" + strconv.Itoa(n.ID) }

// vrf is the network's VRF device, "" for the default network.
func (n *Network) vrf() string {
	if n.isDefault() {
		return ""
	}
	name := strings.TrimPrefix(n.Name, "cluster_udn_")
	if len(name) > 15 || name == Default {
		return fmt.Sprintf("mp%d-udn-vrf", n.ID)
	}
	return name
}

// moveAddresses gives the bridge the addresses that the uplink had.
func (node *clusterNode) moveAddresses() error {
	links := node.machine.Netlink()
	uplink, err := links.LinkByName(node.uplink)
	if err != nil {
		return err
	}
	addresses, err := links.AddrList(uplink, netlink.FAMILY_ALL)
	if err != nil {
		return err
	}
	for _, address := range addresses {
		if !address.IP.IsLinkLocalUnicast() {
			if err := links.AddrDel(uplink, &address); err != nil {
				return fmt.Errorf("take %s from %s of %s: %w", address.IPNet, node.uplink, node.Name, err)
			}
		}
	}
	if err := node.machine.AddAddresses(Bridge, text(node.Addresses)...); err != nil {
		return err
	}
	for _, nextHop := range node.NextHops {
		if err := node.machine.AddRoute(netip.PrefixFrom(nextHop, 0).Masked(), nextHop, 0); err != nil {
			return err
		}
	}
	return nil
}

// addManagementInterface makes the node's own interface in a network and, for
// networks but the default one, its VRF.
func (c *Cluster) addManagementInterface(ctx context.Context, node *clusterNode, n *clusterNetwork) error {
	name, addresses := n.managementInterface(), nths(n.HostSubnets(&node.Node), 2)
	err := node.vswitch.AddHostPort(ctx, ovn.Port{
		Name: name, LogicalPort: n.managementPort(node.Name), MAC: macOfAll(addresses), MTU: podMTU,
	})
	if err != nil {
		return err
	}
	if err := c.addVRF(node, n); err != nil {
		return err
	}
	if err := node.machine.SetLink(name, true); err != nil {
		return err
	}
	if err := node.machine.AddAddresses(name, text(addresses)...); err != nil {
		return err
	}
	table := c.table(node, n)
	for _, route := range c.managementRoutes(node, n) {
		if err := addRoute(node.machine, route.to, route.via, name, table); err != nil {
			return err
		}
	}
	return c.joinVPNs(ctx, node, n)
}

type managementRoute struct {
	to  netip.Prefix
	via netip.Addr
}

// managementRoutes lead to the network's pods on other nodes, and back to pods
// that left hidden behind the network's masquerade address.
func (c *Cluster) managementRoutes(node *clusterNode, n *clusterNetwork) []managementRoute {
	var out []managementRoute
	gateways := nths(n.HostSubnets(&node.Node), 1)
	if n.Topology == Layer3 && n.geneve() {
		for _, subnet := range n.Subnets {
			out = append(out, managementRoute{subnet, ofFamily(gateways, subnet).Addr()})
		}
	}
	if !n.isDefault() && c.hasVRF(n) {
		for _, masquerade := range n.managementMasquerade() {
			out = append(out, managementRoute{masquerade, ofFamily(gateways, masquerade).Addr()})
		}
	}
	return out
}

func addRoute(m *machine.Machine, to netip.Prefix, via netip.Addr, device string, table int) error {
	link, err := m.Netlink().LinkByName(device)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", device, m.Name, err)
	}
	route := &netlink.Route{Dst: ipNet(to), Gw: via.AsSlice(), LinkIndex: link.Attrs().Index, Table: table}
	if err := m.Netlink().RouteReplace(route); err != nil {
		return fmt.Errorf("route %s via %s dev %s table %d in %s: %w", to, via, device, table, m.Name, err)
	}
	return nil
}

func ipNet(prefix netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: prefix.Masked().Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}
}

// hasVRF tells whether this fixture keeps a VRF for the network.
func (c *Cluster) hasVRF(n *clusterNetwork) bool {
	return !n.isDefault() && !c.options.LeaveVRFs && machine.HasVRF()
}

// table is the routing table of a network on a node.
func (c *Cluster) table(node *clusterNode, n *clusterNetwork) int {
	if !c.hasVRF(n) {
		return unix.RT_TABLE_MAIN
	}
	link, err := node.machine.Netlink().LinkByName(n.managementInterface())
	if err != nil {
		return unix.RT_TABLE_MAIN
	}
	return link.Attrs().Index + tableOffset
}

func (c *Cluster) addVRF(node *clusterNode, n *clusterNetwork) error {
	if !c.hasVRF(n) {
		return nil
	}
	if err := node.machine.VRF(n.vrf(), uint32(c.table(node, n))); err != nil {
		return err
	}
	links := node.machine.Netlink()
	master, err := links.LinkByName(n.vrf())
	if err != nil {
		return err
	}
	port, err := links.LinkByName(n.managementInterface())
	if err != nil {
		return err
	}
	if err := links.LinkSetMaster(port, master); err != nil {
		return fmt.Errorf("put %s of %s into %s: %w", n.managementInterface(), node.Name, n.vrf(), err)
	}
	// What the table does not know must not be looked up in another one.
	for _, subnet := range n.Subnets {
		unreachable := &netlink.Route{
			Type: unix.RTN_UNREACHABLE, Dst: ipNet(netip.PrefixFrom(subnet.Addr(), 0)), Table: c.table(node, n), Priority: lastMetric,
		}
		if err := links.RouteReplace(unreachable); err != nil {
			return fmt.Errorf("close the table of %s on %s: %w", n.vrf(), node.Name, err)
		}
	}
	return c.syncWayOut(node, n)
}

// lastMetric is that of OVN-Kubernetes' last route in a network's table.
const lastMetric = 4278198272

// syncWayOut has a network's VRF lead into the default one where pods leave
// through the kernel, unless they are to be reached over their own VRF only.
func (c *Cluster) syncWayOut(node *clusterNode, n *clusterNetwork) error {
	if !c.options.LocalGateway || !c.hasVRF(n) {
		return nil
	}
	for _, nextHop := range node.NextHops {
		everywhere := netip.PrefixFrom(nextHop, 0).Masked()
		if n.advertised != OverOwnVRF {
			if err := addRoute(node.machine, everywhere, nextHop, Bridge, c.table(node, n)); err != nil {
				return err
			}
			continue
		}
		route := &netlink.Route{Dst: ipNet(everywhere), Gw: nextHop.AsSlice(), Table: c.table(node, n)}
		if err := node.machine.Netlink().RouteDel(route); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("take the way out of %s on %s: %w", n.vrf(), node.Name, err)
		}
	}
	return nil
}

func (c *Cluster) removeManagementInterface(ctx context.Context, node *clusterNode, n *clusterNetwork) error {
	var errs []error
	errs = append(errs, c.leaveVPNs(ctx, node, n))
	if c.hasVRF(n) {
		links := node.machine.Netlink()
		if link, err := links.LinkByName(n.vrf()); err == nil {
			errs = append(errs, links.LinkDel(link))
		}
	}
	return errors.Join(append(errs, node.vswitch.DeletePort(ctx, n.managementInterface()))...)
}

// syncKernel keeps what the node's kernel does for pods: the rules that lead to
// networks' tables and, where pods leave through it, NAT.
func (c *Cluster) syncKernel(ctx context.Context, node *clusterNode) error {
	if err := c.syncRules(node); err != nil {
		return err
	}
	for _, n := range c.networks {
		if err := c.syncWayOut(node, n); err != nil {
			return err
		}
	}
	if !c.options.LocalGateway {
		return nil
	}
	command := node.machine.Command(ctx, "nft", "-f", "-")
	command.Stdin = strings.NewReader(c.masquerading(node))
	_, err := command.Output()
	return err
}

// syncRules writes the rules of networks' VRFs.
func (c *Cluster) syncRules(node *clusterNode) error {
	wanted := map[netip.Prefix]int{}
	for _, n := range c.networks {
		if !c.hasVRF(n) {
			continue
		}
		for _, masquerade := range n.managementMasquerade() {
			wanted[masquerade] = c.table(node, n)
		}
		if n.advertised == OverDefaultVRF && c.options.LocalGateway {
			for _, subnet := range n.HostSubnets(&node.Node) {
				wanted[subnet.Masked()] = c.table(node, n)
			}
		}
	}
	links := node.machine.Netlink()
	rules, err := links.RuleList(netlink.FAMILY_ALL)
	if err != nil {
		return err
	}
	for _, rule := range rules {
		if rule.Priority != rulePriority || rule.Dst == nil {
			continue
		}
		address, _ := netip.AddrFromSlice(rule.Dst.IP)
		bits, _ := rule.Dst.Mask.Size()
		to := netip.PrefixFrom(address.Unmap(), bits)
		if wanted[to] == rule.Table {
			delete(wanted, to)
			continue
		}
		if err := links.RuleDel(&rule); err != nil {
			return err
		}
	}
	for to, table := range wanted {
		rule := netlink.NewRule()
		rule.Priority, rule.Dst, rule.Table = rulePriority, ipNet(to), table
		rule.Family = netlink.FAMILY_V4
		if !to.Addr().Is4() {
			rule.Family = netlink.FAMILY_V6
		}
		if err := links.RuleAdd(rule); err != nil {
			return fmt.Errorf("rule to %s in %s: %w", to, node.Name, err)
		}
	}
	return nil
}

// masquerading is the node's NAT as an nftables script. Pods of an advertised
// network are hidden from nodes only, as in OVN.
func (c *Cluster) masquerading(node *clusterNode) string {
	var rules []string
	rule := func(format string, arguments ...any) { rules = append(rules, fmt.Sprintf(format, arguments...)) }
	for _, n := range c.networks {
		sources := n.HostSubnets(&node.Node)
		if !n.isDefault() {
			// OVN has hidden them behind the network's own address.
			sources = n.managementMasquerade()
		}
		for _, source := range sources {
			ip, limit := "ip", ""
			if !source.Addr().Is4() {
				ip = "ip6"
			}
			if n.isDefault() && n.advertised != NotAdvertised && !c.options.LeaveSNAT {
				if limit = c.nodesOf(ip, source); limit == "" {
					continue
				}
			}
			rule("oifname %q %s saddr %s %s masquerade", Bridge, ip, source.Masked(), limit)
		}
	}
	return "table inet ovn-kubernetes\ndelete table inet ovn-kubernetes\ntable inet ovn-kubernetes {\n" +
		" chain postrouting {\n  type nat hook postrouting priority srcnat\n  " + strings.Join(rules, "\n  ") + "\n }\n}\n"
}

// nodesOf is a match of all nodes' addresses of a family.
func (c *Cluster) nodesOf(ip string, like netip.Prefix) string {
	var nodes []string
	for _, node := range c.nodes {
		if address := ofFamily(node.Addresses, like); address.IsValid() {
			nodes = append(nodes, address.Addr().String())
		}
	}
	slices.Sort(nodes)
	if len(nodes) == 0 {
		return ""
	}
	return ip + " daddr { " + strings.Join(nodes, ", ") + " }"
}
