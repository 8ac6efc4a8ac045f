package cni

import (
	"context"
	"fmt"
	"strings"
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
			if err := z.limitSNAT(ctx, n); err != nil {
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

// limitSNAT sets what the network's SNAT applies to. Rows are found by what
// they translate, as OVN has no names for them.
func (z *clusterZone) limitSNAT(ctx context.Context, n *clusterNetwork) error {
	s := &script{}
	for _, node := range z.local {
		for _, row := range z.snats(&n.Network, node, n.advertised != NotAdvertised) {
			find := []string{"--bare", "--no-headings", "--columns=_uuid", "find", "nat", "type=snat",
				fmt.Sprintf("logical_ip=%q", row.logical), fmt.Sprintf("external_ip=%q", row.external)}
			if !n.isDefault() {
				find = append(find, fmt.Sprintf("external_ids:%q=%q", "k8s.ovn.org/network", n.Name))
			}
			found, err := z.central.NB(ctx, find...)
			if err != nil {
				return err
			}
			for _, id := range strings.Fields(found) {
				s.set("nat", id, columns{"match": row.match})
			}
		}
	}
	_, err := z.central.NB(ctx, s.arguments()...)
	return err
}
