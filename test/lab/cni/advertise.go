package cni

import (
	"context"
	"fmt"
)

// Advertisement is how a network's pods are known outside.
type Advertisement uint8

// NotAdvertised pods leave with their nodes' addresses.
const (
	NotAdvertised Advertisement = iota
	// OverDefaultVRF has them reached through the nodes' default VRF.
	OverDefaultVRF
	// OverOwnVRF has them reached through their own VRF and by no other way.
	OverOwnVRF
)

// SetAdvertised has the nodes carry a network's pods with their own addresses,
// or stop doing so: it is what OVN-Kubernetes' node components do when they see
// that a network's route advertisements are accepted.
func (c *Cluster) SetAdvertised(ctx context.Context, network string, how Advertisement) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	n := c.find(network)
	if n == nil {
		return fmt.Errorf("there is no network %s", network)
	}
	if n.advertised == how {
		return nil
	}
	n.advertised = how
	if !c.options.LeaveSNAT {
		for _, z := range c.zones {
			if err := z.syncSNAT(ctx, n); err != nil {
				return err
			}
		}
	}
	return c.onNodes(ctx, c.syncNode)
}

// Advertised tells whether the nodes treat a network as advertised.
func (c *Cluster) Advertised(network string) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	n := c.find(network)
	return n != nil && n.advertised != NotAdvertised
}
