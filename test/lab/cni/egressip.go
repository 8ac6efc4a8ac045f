package cni

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"

	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
)

// Priorities of cluster routers' policies: for pods with an egress IP, and for
// what these send to other pods.
const (
	egressIPPriority   = 100
	noEgressIPPriority = 102
)

// egressIPOwner is the owner type of all that is there for egress IPs.
const egressIPOwner = "EgressIP"

// EgressAddress is an egress IP and the node that holds it.
type EgressAddress struct {
	Address netip.Addr
	Node    string
}

// egressWay is how a pod leaves with an egress IP.
type egressWay struct {
	object                 string
	pod                    *Pod
	from, address          netip.Addr
	podNode, holder        *Node
	toHolder, holderRouter netip.Addr
}

// AssignEgressIP has pods of the default network leave with the addresses of
// an EgressIP object, each through the node that holds it, and no longer as
// before. It writes the object's status, as OVN-Kubernetes' cluster manager
// does when it has chosen the nodes.
func (c *Cluster) AssignEgressIP(ctx context.Context, api client.Client, name string, pods []*Pod, addresses ...EgressAddress) error {
	if err := c.ReleaseEgressIP(ctx, name); err != nil {
		return err
	}
	if err := c.writeEgressIP(ctx, name, pods, addresses); err != nil {
		return err
	}
	object, status := &ovnv1.EgressIP{}, ovnv1.EgressIPStatus{Items: []ovnv1.EgressIPStatusItem{}}
	object.Name = name
	for _, a := range addresses {
		status.Items = append(status.Items, ovnv1.EgressIPStatusItem{Node: a.Node, EgressIP: a.Address.String()})
	}
	return api.Patch(ctx, object, client.RawPatch("application/merge-patch+json", []byte(encoded(map[string]any{"status": status}))))
}

func (c *Cluster) writeEgressIP(ctx context.Context, name string, pods []*Pod, addresses []EgressAddress) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	n := c.find(Default)
	for _, pod := range pods {
		for _, a := range addresses {
			way, err := c.egressWay(n, name, pod, a)
			if err != nil {
				return err
			}
			if way.from.IsValid() {
				c.egressWays = append(c.egressWays, way)
			}
		}
	}
	for _, z := range c.zones {
		if err := z.ensureNodeSets(ctx); err != nil {
			return err
		}
	}
	return c.eachZone(ctx, name, func(z *zone, ways []egressWay) *script { return z.leave(&n.Network, ways) })
}

// ReleaseEgressIP has pods leave again as if there were no EgressIP object of
// this name.
func (c *Cluster) ReleaseEgressIP(ctx context.Context, name string) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	n := c.find(Default)
	err := c.eachZone(ctx, name, func(z *zone, ways []egressWay) *script { return z.leaveNoMore(&n.Network, ways) })
	var others []egressWay
	for _, way := range c.egressWays {
		if way.object != name {
			others = append(others, way)
		}
	}
	c.egressWays = others
	return err
}

func (c *Cluster) eachZone(ctx context.Context, object string, write func(*zone, []egressWay) *script) error {
	var ways []egressWay
	for _, way := range c.egressWays {
		if way.object == object {
			ways = append(ways, way)
		}
	}
	for _, z := range c.zones {
		s := write(&z.zone, ways)
		if len(s.commands) == 0 {
			continue
		}
		if _, err := z.central.NB(ctx, s.arguments()...); err != nil {
			return fmt.Errorf("egress IPs of %s: %w", object, err)
		}
	}
	return nil
}

// egressWay has no valid address where the pod has none of the family.
func (c *Cluster) egressWay(n *clusterNetwork, object string, pod *Pod, a EgressAddress) (egressWay, error) {
	way := egressWay{object: object, pod: pod, address: a.Address, from: pod.Address(a.Address.Is4())}
	podNode, err := c.node(pod.Node)
	if err != nil {
		return way, err
	}
	holder, err := c.node(a.Node)
	if err != nil {
		return way, err
	}
	way.podNode, way.holder = &podNode.Node, &holder.Node
	like := hostPrefix(a.Address)
	way.holderRouter = ofFamily(n.gatewayJoin(way.holder), like).Addr()
	way.toHolder = ofFamily(nths(sameFamilies(transitSubnets, n.Subnets), way.holder.ID), like).Addr()
	return way, nil
}

// name is what OVN-Kubernetes calls the way in the identifiers of its rows.
func (w *egressWay) name() string { return w.object + "_" + w.pod.key() }

func matchSource(way egressWay) string {
	if way.from.Is4() {
		return "ip4.src == " + way.from.String()
	}
	return "ip6.src == " + way.from.String()
}

func matchWithin(subnet netip.Prefix) string {
	ip := "ip4"
	if !subnet.Addr().Is4() {
		ip = "ip6"
	}
	return fmt.Sprintf("%s.src == %s && %s.dst == %s", ip, subnet, ip, subnet)
}

// leave writes a zone's part: where the pod is, the cluster router sends what
// it sends to the holder; where the holder is, that goes on to the gateway
// router, also when it came from another zone, and is given the egress IP
// there.
func (z *zone) leave(n *Network, ways []egressWay) *script {
	s := &script{}
	for _, way := range ways {
		from := hostPrefix(way.from)
		subnet := ofFamily(n.Subnets, from)
		if among(way.podNode, z.local) {
			s.add("--may-exist", "lr-policy-add", n.clusterRouter(), strconv.Itoa(noEgressIPPriority), matchWithin(subnet), "allow")
			nextHop := way.toHolder
			if among(way.holder, z.local) {
				nextHop = way.holderRouter
			}
			s.child("logical_router_policy", columns{
				"priority": egressIPPriority, "match": matchSource(way), "action": "reroute",
				"nexthops": []string{nextHop.String()}, "external_ids": objectIDs(everybodysController, egressIPOwner,
					"priority", strconv.Itoa(egressIPPriority), nameKey, way.name(), familyKey, protocolOf(from), networkKey, n.Name),
			}, "logical_router", n.clusterRouter(), "policies")
		}
		if among(way.holder, z.local) {
			s.child("nat", columns{
				"type": "snat", "logical_ip": way.from.String(), "external_ip": way.address.String(),
				"logical_port": n.managementPort(way.holder.Name), "options": map[string]string{"stateless": "false"},
				"external_port_range": sourcePorts,
				"external_ids":        objectIDs(everybodysController, egressIPOwner, nameKey, way.name(), familyKey, protocolOf(from)),
			}, "logical_router", n.gatewayRouter(way.holder.Name), "nat")
			s.add("--may-exist", "--policy=src-ip", "lr-route-add", n.clusterRouter(), subnet.String(), way.holderRouter.String())
		}
	}
	return s
}

// leaveNoMore removes what leave wrote.
func (z *zone) leaveNoMore(n *Network, ways []egressWay) *script {
	s := &script{}
	for _, way := range ways {
		subnet := ofFamily(n.Subnets, hostPrefix(way.from))
		if among(way.podNode, z.local) {
			s.add("--if-exists", "lr-policy-del", n.clusterRouter(), strconv.Itoa(egressIPPriority), matchSource(way))
			s.add("--if-exists", "lr-policy-del", n.clusterRouter(), strconv.Itoa(noEgressIPPriority), matchWithin(subnet))
		}
		if among(way.holder, z.local) {
			s.add("--if-exists", "lr-nat-del", n.gatewayRouter(way.holder.Name), "snat", way.from.String())
			s.add("--if-exists", "--policy=src-ip", "lr-route-del", n.clusterRouter(), subnet.String(), way.holderRouter.String())
		}
	}
	return s
}
