package cni

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Resync writes the flows of a node's bridge anew, as OVN-Kubernetes' node
// component does when Open vSwitch has been restarted, which forgets them.
func (c *Cluster) Resync(ctx context.Context, name string) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	node, err := c.node(name)
	if err != nil {
		return err
	}
	clear(node.patches)
	return c.syncNode(ctx, node)
}

// Reboot makes a node anew on another machine of the same name, as it is after
// a reboot: its OVN starts from nothing, and its pods are gone.
func (c *Cluster) Reboot(ctx context.Context, on *machine.Machine) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	node, err := c.node(on.Name)
	if err != nil {
		return err
	}
	if c.options.SharedOVN != nil {
		return errors.New("with one OVN for all nodes a reboot of one is not played")
	}
	if len(c.vteps) > 0 {
		return errors.New("a reboot of a node with a VTEP is not played")
	}
	mac, err := on.ReadFile("/sys/class/net/" + node.uplink + "/address")
	if err != nil {
		return fmt.Errorf("the uplink of %s: %w", on.Name, err)
	}
	node.machine, node.MAC = on, strings.TrimSpace(mac)
	clear(node.patches)
	for key, pod := range c.pods {
		if pod.Node != node.Name {
			continue
		}
		delete(c.pods, key)
		if err := c.forget(ctx, pod, node.zone); err != nil {
			return err
		}
	}
	if err := c.startZone(ctx, node.zone, on, node.zone.central.Address()); err != nil {
		return err
	}
	networks := c.networks
	c.networks = nil
	if err := c.startNode(ctx, node); err != nil {
		return err
	}
	c.networks = networks
	for _, n := range networks {
		if _, err := node.zone.central.NB(ctx, node.zone.create(&n.Network).arguments()...); err != nil {
			return err
		}
		if !c.options.LeaveSNAT {
			if err := node.zone.syncSNAT(ctx, n); err != nil {
				return err
			}
		}
		if err := c.addManagementInterface(ctx, node, n); err != nil {
			return err
		}
	}
	return errors.Join(c.restorePods(ctx, node), c.syncNode(ctx, node))
}

// forget removes a pod from the other zones: in its own nothing is left.
func (c *Cluster) forget(ctx context.Context, pod *Pod, own *clusterZone) error {
	if n := c.find(pod.Network); n != nil {
		for _, address := range pod.Addresses {
			delete(n.allocated, address.Addr())
		}
	}
	for _, z := range c.zones {
		if z == own {
			continue
		}
		if _, err := z.central.NB(ctx, "--if-exists", "lsp-del", pod.port); err != nil {
			return err
		}
	}
	return nil
}

// restorePods tells a node's new OVN of the pods of other nodes.
func (c *Cluster) restorePods(ctx context.Context, node *clusterNode) error {
	for _, pod := range c.pods {
		where, err := c.node(pod.Node)
		if err != nil {
			return err
		}
		if s := node.zone.podPort(&c.find(pod.Network).Network, pod, &where.Node); s != nil {
			if _, err := node.zone.central.NB(ctx, s.arguments()...); err != nil {
				return err
			}
		}
	}
	return nil
}
