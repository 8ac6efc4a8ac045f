package cni

import (
	"errors"
	"maps"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// TellOfPods has a node tell again of all pods that it has: a device that goes down
// forgets its neighbors, also those that are to stay.
func (c *Cluster) TellOfPods(name string) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	node, err := c.node(name)
	if err != nil {
		return err
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(c.pods)) {
		if pod := c.pods[key]; pod.Node == name {
			errs = append(errs, c.setHost(node, c.find(pod.Network), pod, true))
		}
	}
	return errors.Join(errs...)
}

// Tunnels are a node's devices of a VTEP, nil where it has none.
func (c *Cluster) Tunnels(name, vtep string) *machine.Tunnels {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	node, err := c.node(name)
	if err != nil {
		return nil
	}
	return node.tunnels[vtep]
}
