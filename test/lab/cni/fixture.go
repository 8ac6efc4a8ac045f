package cni

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/ovn"
)

// NodeSpec is a machine that becomes a node.
type NodeSpec struct {
	Machine *machine.Machine
	// Uplink is the link that leaves the node. It becomes a port of the
	// gateway bridge, which takes over its MAC, and gets Addresses, and default
	// routes by NextHops.
	Uplink    string
	Addresses []netip.Prefix
	NextHops  []netip.Addr
}

// Options are what holds for all nodes.
type Options struct {
	Nodes []NodeSpec
	// LocalGateway has pods leave through the nodes' kernels instead of OVN's
	// gateway routers.
	LocalGateway bool
	// SharedOVN is where one OVN for all nodes runs, and the machine's address.
	// Without it each node has an OVN of its own, as OVN-Kubernetes'
	// interconnect has it, and only then are there Layer2 networks.
	SharedOVN        *machine.Machine
	SharedOVNAddress netip.Addr
	// LeaveVRFs, LeaveSNAT and LeaveEVPN leave to the agent what its --manage-vrfs,
	// --manage-snat and --manage-evpn do, and what OVN-Kubernetes does where it is complete. With
	// LeaveSNAT the nodes' address sets are there as if egress IPs used them:
	// the agent makes none.
	LeaveVRFs, LeaveSNAT, LeaveEVPN bool
	// Datapath of Open vSwitch; the kernel's where it has one, unless set.
	Datapath ovn.Datapath
}

// Cluster is the fixture: the networks and pods of a cluster.
type Cluster struct {
	options Options

	mutex    sync.Mutex
	nodes    []*clusterNode
	zones    []*clusterZone
	networks []*clusterNetwork
	pods     map[string]*Pod
	ports    int
	// egressWays are those of all EgressIP objects.
	egressWays []egressWay
	// vteps are nodes' addresses by VTEP; nil if there never was one.
	vteps map[string]map[string]netip.Addr
}

// clusterNode is a node with what runs on it.
type clusterNode struct {
	Node
	machine *machine.Machine
	uplink  string
	vswitch *ovn.Switch
	zone    *clusterZone
	// patches are the numbers of the bridge's ports to networks.
	patches map[string]string
	// tunnels are the node's devices by VTEP.
	tunnels map[string]*machine.Tunnels
}

// clusterZone is a zone with its OVN.
type clusterZone struct {
	zone
	central *ovn.Central
}

// clusterNetwork is a network with what became of it.
type clusterNetwork struct {
	Network
	advertised    Advertisement
	allocated     map[netip.Addr]bool
	lastTunnelKey int
}

// New starts OVN and Open vSwitch on the nodes and joins the nodes' uplinks to
// their gateway bridges.
func New(ctx context.Context, options Options) (*Cluster, error) {
	c := &Cluster{options: options, pods: map[string]*Pod{}}
	for i, spec := range options.Nodes {
		mac, err := spec.Machine.ReadFile("/sys/class/net/" + spec.Uplink + "/address")
		if err != nil {
			return c, fmt.Errorf("the uplink of %s: %w", spec.Machine.Name, err)
		}
		if len(spec.Addresses) == 0 {
			return c, fmt.Errorf("node %s has no addresses", spec.Machine.Name)
		}
		c.nodes = append(c.nodes, &clusterNode{
			Node: Node{
				Name: spec.Machine.Name, ID: firstNodeID + i, MAC: strings.TrimSpace(mac),
				Addresses: spec.Addresses, NextHops: spec.NextHops, Tunnel: spec.Addresses[0].Addr(),
			},
			machine: spec.Machine, uplink: spec.Uplink, patches: map[string]string{}, tunnels: map[string]*machine.Tunnels{},
		})
	}
	if err := c.startZones(ctx); err != nil {
		return c, err
	}
	err := c.onNodes(ctx, c.startNode)
	return c, err
}

// onNodes does the same on all nodes at once: much of it is waiting.
func (c *Cluster) onNodes(ctx context.Context, do func(context.Context, *clusterNode) error) error {
	together, ctx := errgroup.WithContext(ctx)
	for _, node := range c.nodes {
		together.Go(func() error { return do(ctx, node) })
	}
	return together.Wait()
}

// allNodes as other nodes know them.
func (c *Cluster) allNodes() []*Node {
	all := make([]*Node, len(c.nodes))
	for i, node := range c.nodes {
		all[i] = &node.Node
	}
	return all
}

func (c *Cluster) startZones(ctx context.Context) error {
	all := c.allNodes()
	if c.options.SharedOVN != nil {
		z := &clusterZone{zone: zone{local: all, localGateway: c.options.LocalGateway}}
		c.zones = append(c.zones, z)
		for _, node := range c.nodes {
			node.zone = z
		}
		return c.startZone(ctx, z, c.options.SharedOVN, c.options.SharedOVNAddress)
	}
	for i, node := range c.nodes {
		node.zone = &clusterZone{zone: zone{
			local: all[i : i+1], remote: slices.Delete(slices.Clone(all), i, i+1), localGateway: c.options.LocalGateway,
		}}
		c.zones = append(c.zones, node.zone)
	}
	return c.onNodes(ctx, func(ctx context.Context, node *clusterNode) error {
		return c.startZone(ctx, node.zone, node.machine, netip.Addr{})
	})
}

func (c *Cluster) startZone(ctx context.Context, z *clusterZone, on *machine.Machine, address netip.Addr) error {
	var err error
	if z.central, err = ovn.StartCentral(ctx, on, address); err != nil {
		return err
	}
	if _, err := z.central.NB(ctx, z.start().arguments()...); err != nil {
		return err
	}
	if c.options.LeaveSNAT {
		if err := z.ensureNodeSets(ctx); err != nil {
			return err
		}
	}
	for _, other := range z.remote {
		if err := z.central.AddRemoteChassis(ctx, ChassisID(other.Name), other.Name, other.Tunnel); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) startNode(ctx context.Context, node *clusterNode) error {
	var err error
	node.vswitch, err = ovn.StartSwitch(ctx, node.machine, ovn.SwitchConfig{
		ChassisID: ChassisID(node.Name), Tunnel: node.Tunnel, Central: node.zone.central, Datapath: c.options.Datapath,
		Mappings: map[string]string{physicalNetwork: Bridge}, Interconnect: c.options.SharedOVN == nil,
	})
	if err != nil {
		return err
	}
	if err := node.vswitch.AddBridge(ctx, Bridge, node.uplink); err != nil {
		return err
	}
	if err := node.moveAddresses(); err != nil {
		return err
	}
	return c.syncFlows(ctx, node)
}

// AddNetwork makes a network on all nodes, not advertised.
func (c *Cluster) AddNetwork(ctx context.Context, network Network) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err := network.check(); err != nil {
		return err
	}
	if network.EVPN != nil && (c.vteps[network.EVPN.VTEP] == nil || !c.options.LocalGateway || c.options.LeaveVRFs || !machine.HasVRF()) {
		return fmt.Errorf("network %s: EVPN needs VTEP %s, local gateway and the fixture's VRFs", network.Name, network.EVPN.VTEP)
	}
	if c.find(network.Name) != nil {
		return fmt.Errorf("network %s is there already", network.Name)
	}
	if network.Topology == Layer2 && c.options.SharedOVN != nil {
		return fmt.Errorf("network %s: OVN-Kubernetes has %s networks only where each node has an OVN of its own", network.Name, Layer2)
	}
	network.leaveEVPN = c.options.LeaveEVPN
	n := &clusterNetwork{Network: network, allocated: map[netip.Addr]bool{}, lastTunnelKey: 100}
	c.networks = append(c.networks, n)
	for _, z := range c.zones {
		if _, err := z.central.NB(ctx, z.create(&n.Network).arguments()...); err != nil {
			return err
		}
	}
	return c.onNodes(ctx, func(ctx context.Context, node *clusterNode) error { return c.joinNetwork(ctx, node, n) })
}

// joinNetwork is the node's own part of a network.
func (c *Cluster) joinNetwork(ctx context.Context, node *clusterNode, n *clusterNetwork) error {
	if err := c.addManagementInterface(ctx, node, n); err != nil {
		return err
	}
	return c.syncNode(ctx, node)
}

// RemoveNetwork removes a network with its pods.
func (c *Cluster) RemoveNetwork(ctx context.Context, name string) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	n := c.find(name)
	if n == nil {
		return nil
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(c.pods)) {
		if c.pods[key].Network == name {
			errs = append(errs, c.deletePod(ctx, c.pods[key]))
		}
	}
	c.networks = slices.DeleteFunc(c.networks, func(other *clusterNetwork) bool { return other == n })
	for _, node := range c.nodes {
		delete(node.patches, name)
		errs = append(errs, c.syncNode(ctx, node), c.removeManagementInterface(ctx, node, n))
	}
	for _, z := range c.zones {
		for _, s := range []*script{z.remove(&n.Network), z.removeSets(&n.Network)} {
			_, err := z.central.NB(ctx, s.arguments()...)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (c *Cluster) find(name string) *clusterNetwork {
	for _, n := range c.networks {
		if n.Name == name {
			return n
		}
	}
	return nil
}

func (c *Cluster) node(name string) (*clusterNode, error) {
	for _, node := range c.nodes {
		if node.Name == name {
			return node, nil
		}
	}
	return nil, fmt.Errorf("there is no node %s", name)
}

// Central is the OVN that a node is part of; Switch its Open vSwitch. Both are
// for tests that stop them.
func (c *Cluster) Central(node string) *ovn.Central {
	if found, err := c.node(node); err == nil {
		return found.zone.central
	}
	return nil
}

// Switch is a node's Open vSwitch.
func (c *Cluster) Switch(node string) *ovn.Switch {
	if found, err := c.node(node); err == nil {
		return found.vswitch
	}
	return nil
}

// syncNode has the node's bridge and kernel follow what is advertised.
func (c *Cluster) syncNode(ctx context.Context, node *clusterNode) error {
	if err := c.syncFlows(ctx, node); err != nil {
		return err
	}
	return c.syncKernel(ctx, node)
}

func (c *Cluster) syncFlows(ctx context.Context, node *clusterNode) error {
	b := bridge{node: &node.Node, uplink: node.uplink, localGateway: c.options.LocalGateway}
	for _, n := range c.networks {
		port, err := node.portOf(ctx, &n.Network)
		if err != nil {
			return err
		}
		b.networks = append(b.networks, attached{Network: &n.Network, advertised: n.advertised == OverDefaultVRF, port: port})
	}
	return node.vswitch.ReplaceFlows(ctx, Bridge, b.flows())
}

// portOf waits for the port that ovn-controller makes on the bridge for a
// network. Flows need its number: OpenFlow's names of ports are shorter.
func (node *clusterNode) portOf(ctx context.Context, n *Network) (string, error) {
	name := n.localnetPatch(node.Name)
	if number, known := node.patches[n.Name]; known {
		return number, nil
	}
	number, err := node.vswitch.VS(ctx, "wait-until", "interface", name, "ofport>0", "--", "get", "interface", name, "ofport")
	if err != nil {
		return "", fmt.Errorf("ovn-controller made no port of network %s on %s of %s: %w", n.Name, Bridge, node.Name, err)
	}
	node.patches[n.Name] = strings.TrimSpace(number)
	return node.patches[n.Name], nil
}

// Sync waits until OVN has done on all nodes what its databases say.
func (c *Cluster) Sync(ctx context.Context) error {
	for _, z := range c.zones {
		if err := z.central.Sync(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Dump is what a person wants to see of all nodes when something failed, by
// the name of a file.
func (c *Cluster) Dump(ctx context.Context) map[string]string {
	out := map[string]string{}
	for i, z := range c.zones {
		for name, text := range z.central.Dump(ctx) {
			out["ovn"+strconv.Itoa(i+1)+"-"+name] = text
		}
	}
	for _, node := range c.nodes {
		if node.vswitch == nil {
			continue
		}
		for name, text := range node.vswitch.Dump(ctx) {
			out[node.Name+"-"+name] = text
		}
	}
	return out
}
