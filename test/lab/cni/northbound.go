package cni

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Tunnel keys that OVN-Kubernetes chooses itself, because OVNs that don't know
// of each other have to agree on them.
const (
	transitSwitchKey = 16711683
	transitRouterKey = transitSwitchKey + 4096
	podSwitchPortKey = 1
)

// zone is one OVN: all nodes where they share one, else a node by itself.
type zone struct {
	local, remote []*Node
	// localGateway is set where pods leave through the node's kernel.
	localGateway bool
}

// families are a prefix of each that the cluster has.
func (z *zone) families() []netip.Prefix { return z.local[0].Addresses }

// tunnelKeys are those of the datapaths that all OVNs have a part of: a
// network's switch and, of a Layer2 network, its router.
func (n *Network) tunnelKeys() []int {
	if n.Topology != Layer2 {
		return []int{transitSwitchKey + n.ID}
	}
	return []int{transitSwitchKey + n.ID, transitRouterKey + n.ID}
}

// identity are the external_ids of a network's objects; the default network's
// have none.
func (n *Network) identity() map[string]string {
	if n.isDefault() {
		return nil
	}
	return map[string]string{"k8s.ovn.org/network": n.Name, "k8s.ovn.org/topology": string(n.Topology)}
}

// identityWithRole are those of switches and routers on nodes.
func (n *Network) identityWithRole() map[string]string {
	if n.isDefault() {
		return nil
	}
	return with(n.identity(), map[string]string{"k8s.ovn.org/role": "primary"})
}

// create is all that a zone's Northbound database has of a network before it
// has pods.
func (z *zone) create(n *Network) *script {
	s := &script{}
	if n.sparesOwnPods() {
		z.addExemptedSets(s, n)
	}
	options := map[string]string{"always_learn_from_arp_request": "false"}
	if n.Topology == Layer2 {
		options = map[string]string{"requested-tnl-key": strconv.Itoa(n.tunnelKeys()[1])}
	}
	if z.localGateway && !n.isDefault() {
		options["ct-commit-all"] = "true"
	}
	s.add("lr-add", n.clusterRouter())
	s.set("logical_router", n.clusterRouter(), columns{
		"options": options, "external_ids": with(map[string]string{"k8s-cluster-router": "yes"}, n.identity()),
	})
	if n.Topology == Layer2 {
		z.createLayer2(s, n)
	} else {
		z.createLayer3(s, n)
	}
	for _, node := range z.local {
		z.createGatewayRouter(s, n, node)
	}
	return s
}

// remove leaves nothing of what create made but address sets, nor of the
// network's pods.
func (z *zone) remove(n *Network) *script {
	s := &script{}
	for _, node := range z.local {
		s.add("--if-exists", "lr-del", n.gatewayRouter(node.Name))
		s.add("--if-exists", "ls-del", n.externalSwitch(node.Name))
		s.add("--if-exists", "ls-del", n.podSwitch(node.Name))
	}
	s.add("--if-exists", "ls-del", n.joinSwitch())
	s.add("--if-exists", "ls-del", n.transitSwitch())
	s.add("--if-exists", "lr-del", n.clusterRouter())
	return s
}

// removeSets is a transaction of its own: OVSDB keeps a set that a row refers to
// which only that same transaction makes an orphan.
func (z *zone) removeSets(n *Network) *script {
	s := &script{}
	for _, like := range z.families() {
		s.add("--if-exists", "destroy", "address_set", n.exemptedSet(like).name())
	}
	return s
}

// link joins a router and a switch.
func (n *Network) link(s *script, router, routerPort, mac string, networks []netip.Prefix, onSwitch, switchPort string) {
	s.add(append([]string{"lrp-add", router, routerPort, mac}, text(networks)...)...)
	s.add("lsp-add", onSwitch, switchPort)
	s.set("logical_switch_port", switchPort, columns{
		"type": "router", "addresses": []string{"router"}, "options": map[string]string{"router-port": routerPort},
	})
	if ids := n.identity(); ids != nil {
		s.set("logical_router_port", routerPort, columns{"external_ids": ids})
		s.set("logical_switch_port", switchPort, columns{"external_ids": ids})
	}
}

func (n *Network) addSwitch(s *script, name string, ids map[string]string) {
	s.add("ls-add", name)
	if len(ids) > 0 {
		s.set("logical_switch", name, columns{"external_ids": ids})
	}
}

// interconnected makes a switch one that several OVNs have, each its own part.
func (n *Network) interconnected(s *script, name string) {
	s.set("logical_switch", name, columns{"other_config": map[string]string{
		"interconn-ts": name, "requested-tnl-key": strconv.Itoa(n.tunnelKeys()[0]),
		"mcast_snoop": "true", "mcast_querier": "false", "mcast_flood_unregistered": "true",
	}})
}

func (n *Network) route(s *script, router string, prefix string, nextHop netip.Addr, rest columns) {
	values := columns{"ip_prefix": prefix, "nexthop": nextHop.String()}
	for column, value := range rest {
		values[column] = value
	}
	ids, _ := values["external_ids"].(map[string]string)
	if ids = with(n.identity(), ids); len(ids) > 0 {
		values["external_ids"] = ids
	}
	s.child("logical_router_static_route", values, "logical_router", router, "static_routes")
}

func (z *zone) createLayer3(s *script, n *Network) {
	router := n.clusterRouter()
	join := nths(n.joinSubnets(z.local[0]), 1)
	n.addSwitch(s, n.joinSwitch(), n.identity())
	n.link(s, router, "rtoj-"+router, macOfAll(join), join, n.joinSwitch(), "jtor-"+router)
	for _, node := range z.local {
		n.addNodeSwitch(s, node)
	}
	if len(z.remote) > 0 && n.geneve() {
		z.addTransitSwitch(s, n)
	}
}

func (n *Network) addNodeSwitch(s *script, node *Node) {
	name, subnets := n.podSwitch(node.Name), n.HostSubnets(node)
	n.addSwitch(s, name, n.identityWithRole())
	config := map[string]string{}
	for _, subnet := range subnets {
		if subnet.Addr().Is4() {
			config["subnet"], config["exclude_ips"] = subnet.String(), nth(subnet, 2).Addr().String()
		} else {
			config["ipv6_prefix"] = subnet.Addr().String()
		}
	}
	s.set("logical_switch", name, columns{"other_config": config})
	n.linkPods(s, node, subnets)
	n.addManagementPort(s, node, subnets)
}

// linkPods joins the pods' switch with the cluster router, bound to the node so
// that each node's OVN routes for its own pods.
func (n *Network) linkPods(s *script, node *Node, subnets []netip.Prefix) {
	port, gateways := n.routerToPods(node.Name), nths(subnets, 1)
	n.link(s, n.clusterRouter(), port, macOfAll(gateways), gateways, n.podSwitch(node.Name), n.podsToRouter(node.Name))
	s.add("lrp-set-gateway-chassis", port, ChassisID(node.Name), "1")
}

func (n *Network) addManagementPort(s *script, node *Node, subnets []netip.Prefix) {
	name, addresses := n.managementPort(node.Name), nths(subnets, 2)
	s.add("lsp-add", n.podSwitch(node.Name), name)
	s.set("logical_switch_port", name, columns{"addresses": []string{portAddresses(macOfAll(addresses), addressesOf(addresses))}})
	if ids := n.identity(); ids != nil {
		s.set("logical_switch_port", name, columns{"external_ids": ids})
	}
}

func portAddresses(mac string, addresses []netip.Addr) string {
	return mac + " " + spaced(addresses)
}

// addTransitSwitch joins this zone's cluster router with those of the others,
// through tunnels.
func (z *zone) addTransitSwitch(s *script, n *Network) {
	name := n.transitSwitch()
	subnets := sameFamilies(transitSubnets, z.families())
	n.addSwitch(s, name, n.identityWithRole())
	n.interconnected(s, name)
	for _, node := range z.local {
		addresses := nths(subnets, node.ID)
		port, routerPort := n.prefix()+"tstor-"+node.Name, n.prefix()+"rtots-"+node.Name
		n.link(s, n.clusterRouter(), routerPort, macOfAll(addresses), addresses, name, port)
		s.set("logical_switch_port", port, columns{
			"options":      map[string]string{"requested-tnl-key": strconv.Itoa(node.ID)},
			"external_ids": map[string]string{"node": node.Name},
		})
	}
	for _, node := range z.remote {
		addresses := nths(subnets, node.ID)
		port := n.prefix() + "tstor-" + node.Name
		s.add("lsp-add", name, port)
		s.set("logical_switch_port", port, columns{
			"type":         "remote",
			"addresses":    []string{macOfAll(addresses) + " " + spaced(addresses)},
			"options":      map[string]string{"requested-tnl-key": strconv.Itoa(node.ID), "requested-chassis": ChassisID(node.Name)},
			"external_ids": map[string]string{"node": node.Name},
		})
		for _, subnet := range n.HostSubnets(node) {
			n.routeTo(s, node, subnet.String(), ofFamily(addresses, subnet).Addr())
		}
		for _, join := range n.gatewayJoin(node) {
			n.routeTo(s, node, join.Addr().String(), ofFamily(addresses, join).Addr())
		}
	}
}

// routeTo is a route to a node of another zone. Unlike others it has its
// network's name where that is the default one, too, and no topology.
func (n *Network) routeTo(s *script, node *Node, prefix string, nextHop netip.Addr) {
	s.child("logical_router_static_route", columns{
		"ip_prefix": prefix, "nexthop": nextHop.String(),
		"external_ids": map[string]string{"ic-node": node.Name, "k8s.ovn.org/network": n.Name},
	}, "logical_router", n.clusterRouter(), "static_routes")
}

// spaced are prefixes or addresses as a list in a text.
func spaced[T fmt.Stringer](words []T) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = word.String()
	}
	return strings.Join(texts, " ")
}

// createLayer2 makes this zone's part of the network's one switch, and the
// router that leads from it to every node's gateway router.
func (z *zone) createLayer2(s *script, n *Network) {
	router, node := n.clusterRouter(), z.local[0]
	n.addSwitch(s, n.podSwitch(""), n.identityWithRole())
	if n.geneve() {
		n.interconnected(s, n.podSwitch(""))
	} else if !n.leaveEVPN {
		n.addMACVRFPort(s)
	}
	n.linkPods(s, node, n.Subnets)
	s.set("logical_router_port", n.routerToPods(""), columns{
		"options": map[string]string{"requested-tnl-key": strconv.Itoa(podSwitchPortKey)},
	})
	n.addManagementPort(s, node, n.Subnets)
	for _, other := range slices.Concat(z.local, z.remote) {
		transit, gateway := pair(other.ID, n.Subnets)
		port := "trtor-" + n.gatewayRouter(other.Name)
		s.add(append([]string{"lrp-add", router, port, macOfAll(transit)}, text(transit)...)...)
		options := map[string]string{"requested-tnl-key": strconv.Itoa(podSwitchPortKey + other.ID)}
		ids := n.identity()
		if among(other, z.remote) {
			options["requested-chassis"] = ChassisID(other.Name)
			ids = with(ids, map[string]string{"k8s.ovn.org/node": other.Name})
		}
		s.set("logical_router_port", port, columns{"options": options, "external_ids": ids})
		for _, nextHop := range gateway {
			join := ofFamily(n.gatewayJoin(other), nextHop)
			n.route(s, router, join.Addr().String(), nextHop.Addr(), columns{"external_ids": ids})
		}
	}
}
