package cni

import (
	"fmt"
	"net/netip"
)

const (
	// Bridge is the node's gateway bridge.
	Bridge = "br-ex"
	// physicalNetwork is what OVN calls the network that the bridge leads to.
	physicalNetwork = "physnet"
	// cookie marks the flows of OVN-Kubernetes' node component.
	cookie = "0xdeff105"
	// conntrackZone is where the bridge remembers who opened a connection: OVN
	// (and which network) or the node itself.
	conntrackZone = 64000
	markOVN       = 1
	markHost      = 2
)

// mark is the network's own among conntrackZone's.
func (n *Network) mark() int {
	if n.isDefault() {
		return markOVN
	}
	return markHost + n.ID
}

// attached is a network as a node's bridge sees it.
type attached struct {
	*Network
	// advertised is set where the bridge carries the network's pods.
	advertised bool
	// port is the number of the bridge's port that leads to the network's
	// gateway router.
	port string
}

// bridge is what the flows of a node's gateway bridge follow from. Gateway
// routers share the node's MAC and addresses, so that flows and conntrack
// decide whom a packet is for.
type bridge struct {
	node         *Node
	uplink       string
	localGateway bool
	networks     []attached
}

func protocol(like netip.Prefix) (name, source, to string) {
	if like.Addr().Is4() {
		return "ip", "nw_src", "nw_dst"
	}
	return "ipv6", "ipv6_src", "ipv6_dst"
}

func (b *bridge) flows() []string {
	var out []string
	flow := func(format string, arguments ...any) {
		out = append(out, "cookie="+cookie+","+fmt.Sprintf(format, arguments...))
	}
	all := ""
	for _, n := range b.networks {
		patch := n.port
		all += fmt.Sprintf("output:%s,", patch)
		flow("priority=10,in_port=%s,dl_src=%s,actions=NORMAL", patch, b.node.MAC)
		flow("priority=9,in_port=%s,actions=drop", patch)
	}
	flow("priority=10,dl_dst=%s,actions=%sNORMAL", b.node.MAC, all)
	flow("priority=0,actions=NORMAL")
	flow("table=1,priority=10,dl_dst=%s,actions=output:LOCAL", b.node.MAC)
	flow("table=1,priority=0,actions=NORMAL")
	for _, address := range b.node.Addresses {
		b.familyFlows(flow, address)
	}
	for _, n := range b.networks {
		if n.advertised {
			b.advertisedFlows(flow, n)
		}
	}
	return out
}

// familyFlows carry what one family's packets need whatever is advertised.
func (b *bridge) familyFlows(flow func(string, ...any), address netip.Prefix) {
	ip, source, _ := protocol(address)
	udp := "udp"
	if !address.Addr().Is4() {
		udp = "udp6"
		// Router and neighbor advertisements make no conntrack entry, and
		// both the node and the gateway routers asked.
		for _, kind := range []int{134, 136} {
			flow("table=1,priority=14,icmp6,icmpv6_type=%d,actions=FLOOD", kind)
		}
	}
	// Tunnels are the node's own.
	flow("priority=205,in_port=%s,dl_dst=%s,%s,udp_dst=6081,actions=output:LOCAL", b.uplink, b.node.MAC, udp)
	flow("priority=200,in_port=LOCAL,%s,udp_dst=6081,actions=output:%s", udp, b.uplink)
	// What leaves is remembered, so that replies find back.
	flow("priority=100,in_port=LOCAL,%s,actions=ct(commit,zone=%d,exec(set_field:%d->ct_mark)),output:%s", ip, conntrackZone, markHost, b.uplink)
	flow("priority=50,%s,dl_dst=%s,actions=ct(zone=%d,nat,table=1)", ip, b.node.MAC, conntrackZone)
	reply := func(mark int, port string) {
		for _, state := range []string{"est", "rel"} {
			flow("table=1,priority=100,%s,ct_state=+trk+%s,ct_mark=%d,actions=output:%s", ip, state, mark, port)
		}
	}
	reply(markHost, "LOCAL")
	for _, n := range b.networks {
		patch := n.port
		reply(n.mark(), patch)
		if n.isDefault() {
			flow("priority=100,in_port=%s,dl_src=%s,%s,actions=ct(commit,zone=%d,exec(set_field:%d->ct_mark)),output:%s",
				patch, b.node.MAC, ip, conntrackZone, n.mark(), b.uplink)
			continue
		}
		if masquerade := ofFamily(n.gatewayRouterMasquerade(b.node), address); masquerade.IsValid() {
			flow("priority=100,in_port=%s,dl_src=%s,%s,%s=%s,actions=ct(commit,zone=%d,nat(src=%s),exec(set_field:%d->ct_mark)),output:%s",
				patch, b.node.MAC, ip, source, masquerade.Addr(), conntrackZone, address.Addr(), n.mark(), b.uplink)
		}
	}
}

// advertisedFlows let pods be reached by their own addresses, and leave with
// them: through the network's gateway router, or through the node's kernel.
func (b *bridge) advertisedFlows(flow func(string, ...any), n attached) {
	port := n.port
	if b.localGateway {
		port = "LOCAL"
	}
	for _, subnet := range n.HostSubnets(b.node) {
		ip, source, to := protocol(subnet)
		flow("priority=300,in_port=%s,%s,%s=%s,actions=output:%s", b.uplink, ip, to, subnet, port)
		flow("priority=104,in_port=%s,dl_src=%s,%s,%s=%s,actions=output:%s", port, b.node.MAC, ip, source, subnet, b.uplink)
	}
}
