package cni

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/ovn"
)

// PodSpec is a pod to be.
type PodSpec struct {
	Namespace, Name, Node string
	// Network; the default one unless set.
	Network string
	// NAD is "namespace/name" of the network's definition in the pod's
	// namespace, for networks but the default one.
	NAD string
}

// Pod is a pod: a network of its own on a node, with addresses of its network.
type Pod struct {
	PodSpec
	// Machine is where the pod's commands run.
	Machine   *machine.Machine
	MAC       string
	Addresses []netip.Prefix

	device    string
	port      string
	tunnelKey int
}

// Address is the pod's address of a family, the zero value if it has none.
func (p *Pod) Address(ipv4 bool) netip.Addr {
	for _, address := range p.Addresses {
		if address.Addr().Is4() == ipv4 {
			return address.Addr()
		}
	}
	return netip.Addr{}
}

func (p *Pod) key() string { return p.Namespace + "/" + p.Name }

// AddPod starts a pod and waits until OVN has attached it.
func (c *Cluster) AddPod(ctx context.Context, spec PodSpec) (*Pod, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if spec.Network == "" {
		spec.Network = Default
	}
	n := c.find(spec.Network)
	if n == nil {
		return nil, fmt.Errorf("there is no network %s", spec.Network)
	}
	node, err := c.node(spec.Node)
	if err != nil {
		return nil, err
	}
	pod := &Pod{PodSpec: spec, port: n.podPort(spec.NAD, spec.Namespace, spec.Name)}
	if c.pods[pod.key()] != nil {
		return nil, fmt.Errorf("pod %s is there already", pod.key())
	}
	for _, subnet := range n.HostSubnets(&node.Node) {
		pod.Addresses = append(pod.Addresses, n.allocate(subnet))
	}
	pod.MAC = macOfAll(pod.Addresses)
	n.lastTunnelKey++
	pod.tunnelKey = n.lastTunnelKey
	c.pods[pod.key()] = pod
	return pod, c.attach(ctx, pod, n, node)
}

// allocate takes an address that no pod has: the first two are the gateway's
// and the node's own.
func (n *clusterNetwork) allocate(subnet netip.Prefix) netip.Prefix {
	for i := 3; ; i++ {
		if address := nth(subnet, i); !n.allocated[address.Addr()] {
			n.allocated[address.Addr()] = true
			return address
		}
	}
}

// MovePod moves a pod of a Layer2 network to another node, where it has the
// same MAC and addresses, as a migrated virtual machine has.
func (c *Cluster) MovePod(ctx context.Context, pod *Pod, to string) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	n := c.find(pod.Network)
	if n == nil || n.Topology != Layer2 {
		return fmt.Errorf("pod %s can't move: its network %s is not %s", pod.key(), pod.Network, Layer2)
	}
	node, err := c.node(to)
	if err != nil {
		return err
	}
	if err := c.detach(ctx, pod); err != nil {
		return err
	}
	pod.Node = to
	return c.attach(ctx, pod, n, node)
}

// DeletePod ends a pod.
func (c *Cluster) DeletePod(ctx context.Context, pod *Pod) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.deletePod(ctx, pod)
}

func (c *Cluster) deletePod(ctx context.Context, pod *Pod) error {
	delete(c.pods, pod.key())
	if n := c.find(pod.Network); n != nil {
		for _, address := range pod.Addresses {
			delete(n.allocated, address.Addr())
		}
	}
	for _, z := range c.zones {
		if _, err := z.central.NB(ctx, "--if-exists", "lsp-del", pod.port); err != nil {
			return err
		}
	}
	return c.detach(ctx, pod)
}

func (c *Cluster) attach(ctx context.Context, pod *Pod, n *clusterNetwork, node *clusterNode) error {
	for _, z := range c.zones {
		s := z.podPort(&n.Network, pod, &node.Node)
		if s == nil {
			continue
		}
		if _, err := z.central.NB(ctx, s.arguments()...); err != nil {
			return err
		}
	}
	c.ports++
	pod.device = "pod" + strconv.Itoa(c.ports)
	var err error
	pod.Machine, err = node.vswitch.AddPort(ctx, ovn.Port{
		Name: pod.device, LogicalPort: pod.port, MAC: pod.MAC, MTU: podMTU,
		Addresses: pod.Addresses, Gateways: addressesOf(nths(n.HostSubnets(&node.Node), 1)),
	})
	if err != nil {
		return err
	}
	if _, err := node.zone.central.NB(ctx, "wait-until", "logical_switch_port", pod.port, "up=true"); err != nil {
		return fmt.Errorf("ovn-controller on %s did not attach pod %s: %w", node.Name, pod.key(), err)
	}
	return c.setHost(node, n, pod, true)
}

func (c *Cluster) detach(ctx context.Context, pod *Pod) error {
	node, err := c.node(pod.Node)
	if err != nil {
		return err
	}
	if n := c.find(pod.Network); n != nil {
		if err := c.setHost(node, n, pod, false); err != nil {
			return err
		}
	}
	if err := node.vswitch.DeletePort(ctx, pod.device); err != nil {
		return err
	}
	if pod.Machine == nil {
		return nil
	}
	return pod.Machine.Close()
}

// podPort is the pod's switch port in a zone, in place of any that it had: the
// pod's own, or one that leads to the pod's node. Other zones of a Layer3
// network know of the node's subnet only.
func (z *zone) podPort(n *Network, pod *Pod, node *Node) *script {
	values := columns{
		"addresses":    []string{portAddresses(pod.MAC, addressesOf(pod.Addresses))},
		"external_ids": with(map[string]string{"pod": "true", "namespace": pod.Namespace}, n.identity()),
	}
	options := map[string]string{"requested-chassis": node.Name}
	if n.Topology == Layer2 && n.geneve() {
		options["requested-tnl-key"] = strconv.Itoa(pod.tunnelKey)
	}
	if pod.NAD != "" {
		values["external_ids"].(map[string]string)["k8s.ovn.org/nad"] = pod.NAD
	}
	switch {
	case among(node, z.local):
		values["port_security"] = values["addresses"]
	case n.Topology == Layer2 && n.geneve():
		values["type"] = "remote"
	default:
		return nil
	}
	values["options"] = options
	s := &script{}
	s.add("--if-exists", "lsp-del", pod.port)
	s.add("lsp-add", n.podSwitch(node.Name), pod.port)
	s.set("logical_switch_port", pod.port, values)
	return s
}
