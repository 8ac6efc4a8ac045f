package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// NodeASN is the AS number that the nodes have by themselves; a template says
// which one they use.
const NodeASN = 64512

// Description is what a lab has.
type Description struct {
	// Nodes is how many there are: node1, node2, ...
	Nodes int
	// IPv4 and IPv6 are the families of nodes, pods and routers.
	IPv4, IPv6 bool
	// LocalGateway has pods leave through the nodes' kernels, instead of OVN's
	// gateway routers.
	LocalGateway bool
	// SharedOVN has one OVN for all nodes, instead of one on each, as
	// OVN-Kubernetes' interconnect has it. Layer2 networks need the latter.
	SharedOVN bool
	// NoOverlay has no tunnels between pods of the default network: nodes tell
	// each other of their pods by BGP.
	NoOverlay bool
	// Routers outside of the cluster, on the fabric or behind others.
	Routers []RouterDescription
	// Debounce is frr-k8s': how long it collects changes.
	Debounce time.Duration
	// AgentArgs are added to the agents' flags, ManagerArgs to the manager's.
	AgentArgs, ManagerArgs []string
	// LeaveVRFs, LeaveSNAT and LeaveEVPN leave to the agent what its --manage-vrfs,
	// --manage-snat and --manage-evpn do.
	LeaveVRFs, LeaveSNAT, LeaveEVPN bool
}

// RouterDescription is a router outside of the cluster.
type RouterDescription struct {
	Name string
	// ASN: with NodeASN the sessions are iBGP and the router reflects routes.
	ASN uint32
	// GoBGP is what the router runs, instead of FRR.
	GoBGP bool
	// BFD watches the router's sessions, where the other end does so too.
	BFD bool
	// Behind are routers, described before this one, that it has a link and a
	// session with each. It is not on the fabric then, and knows no nodes.
	Behind []string
}

// Default is a dual-stack cluster of two nodes with shared gateway, and one
// router over eBGP.
func Default() Description {
	return Description{
		Nodes: 2, IPv4: true, IPv6: true,
		Routers: []RouterDescription{{Name: "tor", ASN: 64999}},
		// The sum of the parts is of interest, not frr-k8s' patience with
		// bursts.
		Debounce: 500 * time.Millisecond,
	}
}

// TwoRouters is Default with a second router: one over eBGP, one over iBGP.
func TwoRouters() Description {
	d := Default()
	d.Routers = append(d.Routers, RouterDescription{Name: "tor2", ASN: NodeASN})
	return d
}

// TwoToRs is Default with two routers on the fabric, which nodes take for one
// way with two next hops, and a third behind both.
func TwoToRs() Description {
	d := Default()
	d.Routers = []RouterDescription{
		{Name: "tor1", ASN: 64999, BFD: true},
		{Name: "tor2", ASN: 64999, BFD: true},
		{Name: "core", ASN: 65000, BFD: true, Behind: []string{"tor1", "tor2"}},
	}
	return d
}

// String tells labs apart.
func (d Description) String() string {
	var families []string
	if d.IPv4 {
		families = append(families, "IPv4")
	}
	if d.IPv6 {
		families = append(families, "IPv6")
	}
	gateway, ovn := "shared gateway", "an OVN per node"
	if d.LocalGateway {
		gateway = "local gateway"
	}
	if d.SharedOVN {
		ovn = "one OVN"
	}
	text := fmt.Sprintf("%d nodes, %s, %s, %s", d.Nodes, strings.Join(families, " and "), gateway, ovn)
	for _, r := range d.Routers {
		text += ", " + r.String()
	}
	if d.NoOverlay {
		text += ", no overlay"
	}
	if d.LeaveVRFs {
		text += ", VRFs left to the agent"
	}
	if d.LeaveSNAT {
		text += ", SNAT left to the agent"
	}
	if d.LeaveEVPN {
		text += ", EVPN left to the agent"
	}
	for _, arg := range slices.Concat(d.AgentArgs, d.ManagerArgs) {
		text += ", " + arg
	}
	return text
}

// String is the router as a lab's description has it.
func (r RouterDescription) String() string {
	text := fmt.Sprintf("%s (AS %d", r.Name, r.ASN)
	if r.GoBGP {
		text += ", GoBGP"
	}
	if r.BFD {
		text += ", BFD"
	}
	if len(r.Behind) > 0 {
		text += ", behind " + strings.Join(r.Behind, " and ")
	}
	return text + ")"
}

func (d Description) check() error {
	for i, r := range d.Routers {
		if r.GoBGP && (r.ASN == NodeASN || len(r.Behind) > 0) {
			return fmt.Errorf("router %s: with GoBGP a router is on the fabric and in another AS than the nodes", r.Name)
		}
		for _, name := range r.Behind {
			if !slices.ContainsFunc(d.Routers[:i], func(before RouterDescription) bool { return before.Name == name && !before.GoBGP }) {
				return fmt.Errorf("router %s is behind %s, which is no FRR router described before it", r.Name, name)
			}
		}
	}
	switch {
	case d.NoOverlay && d.SharedOVN:
		return errors.New("without an overlay each node has an OVN of its own")
	case !d.IPv4 && !d.IPv6:
		return errors.New("a lab needs IPv4, IPv6 or both")
	case d.Nodes < 1 || d.Nodes > 80:
		return fmt.Errorf("a lab has 1 to 80 nodes, not %d", d.Nodes)
	case len(d.Routers) > 8:
		return fmt.Errorf("a lab has at most 8 routers, not %d", len(d.Routers))
	}
	return nil
}

// Addresses on the fabric, by their number in it: 1 to 8 are routers, nodes
// begin at 11.
const (
	firstRouter = 1
	firstNode   = 11
	gateway     = 254
)

var (
	fabric4 = netip.MustParsePrefix("192.168.100.0/24")
	fabric6 = netip.MustParsePrefix("fd00:100::/64")
	// between are links of two routers, numbered in pairs.
	between = []netip.Prefix{netip.MustParsePrefix("192.168.101.0/31"), netip.MustParsePrefix("fd00:101::/127")}

	// PodSubnets are the default network's, by family.
	PodSubnets = []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("fd00:10:244::/48")}
	// ServiceSubnets are what the agent is told, though there are no services.
	ServiceSubnets = []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16"), netip.MustParsePrefix("fd00:10:96::/112")}
)

// onFabric are the addresses of a number, with the fabric's length.
func (d Description) onFabric(number byte) []netip.Prefix {
	var out []netip.Prefix
	for _, fabric := range d.ofFamilies([]netip.Prefix{fabric4, fabric6}) {
		bytes := fabric.Addr().AsSlice()
		bytes[len(bytes)-1] = number
		address, _ := netip.AddrFromSlice(bytes)
		out = append(out, netip.PrefixFrom(address, fabric.Bits()))
	}
	return out
}

// onLink are the addresses of the ends of a link between two routers.
func (d Description) onLink(number int) (near, far []netip.Prefix) {
	for _, first := range d.ofFamilies(between) {
		near = append(near, numbered(first, byte(2*number)))
		far = append(far, numbered(first, byte(2*number+1)))
	}
	return near, far
}

// clusterSubnets are the default network's as OVN-Kubernetes' --cluster-subnets
// has them.
func (d Description) clusterSubnets() string {
	var out []string
	for _, p := range d.ofFamilies(PodSubnets) {
		length := 24
		if p.Addr().Is6() {
			length = 64
		}
		out = append(out, fmt.Sprintf("%s/%d", p, length))
	}
	return strings.Join(out, ",")
}

// ofFamilies are those of the prefixes whose family the lab has.
func (d Description) ofFamilies(prefixes []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range prefixes {
		if p.Addr().Is4() && d.IPv4 || p.Addr().Is6() && d.IPv6 {
			out = append(out, p)
		}
	}
	return out
}

// Families are the lab's, for loops: true is IPv4.
func (d Description) Families() []bool {
	var out []bool
	if d.IPv4 {
		out = append(out, true)
	}
	if d.IPv6 {
		out = append(out, false)
	}
	return out
}

func addresses(prefixes []netip.Prefix) []netip.Addr {
	out := make([]netip.Addr, len(prefixes))
	for i, p := range prefixes {
		out[i] = p.Addr()
	}
	return out
}

func texts(prefixes []netip.Prefix) []string {
	out := make([]string, len(prefixes))
	for i, p := range prefixes {
		out[i] = p.String()
	}
	return out
}

// ofFamily is the first of a family, or the zero value.
func ofFamily(prefixes []netip.Prefix, ipv4 bool) netip.Prefix {
	for _, p := range prefixes {
		if p.Addr().Is4() == ipv4 {
			return p
		}
	}
	return netip.Prefix{}
}
