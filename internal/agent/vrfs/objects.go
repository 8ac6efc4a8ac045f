package vrfs

import (
	"fmt"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
)

const (
	// Group is the device group of what is made here; see devices.Group.
	Group = devices.Group
	// Protocol marks rules (FRA_PROTOCOL) and routes. It is in no list that
	// the kernel, iproute2 or FRR has; FRR takes its routes for the kernel's.
	Protocol uint8 = 173
	// RulePriority is OVN-Kubernetes' for rules that lead to a network's VRF.
	RulePriority uint32 = 2000
	// StopMetric is as bad as a metric gets with FRR, which reads the highest
	// byte, 255, as the administrative distance: any route learned is better.
	// The kernel's VRF documentation uses the same.
	StopMetric uint32 = 4278198272

	kindVRF = "vrf"
)

// Device is a network device.
type Device struct {
	Index int32
	Name  string
	Kind  string
	// Table is a VRF's routing table.
	Table uint32
	Group uint32
	Alias string
	Up    bool
}

func (d Device) ours() bool { return d.Kind == kindVRF && d.Group == Group }

// aliasOf shows which network's device it is while the network's own VRF name is
// unknown.
func aliasOf(network string) string { return devices.AliasOf(network) }

// Rule is an ip rule. Those to a table by destination alone are Plain.
type Rule struct {
	Priority uint32
	To       netip.Prefix
	Table    uint32
	Protocol uint8
	Plain    bool
}

func (r Rule) ours() bool {
	return r.Plain && r.Protocol == Protocol && r.Priority == RulePriority && r.To.IsValid()
}

// effect is the rule whoever made it.
func (r Rule) effect() Rule {
	r.Protocol = 0
	return r
}

func ruleTo(to netip.Prefix, table uint32) Rule {
	return Rule{Priority: RulePriority, To: to, Table: table, Protocol: Protocol, Plain: true}
}

// Route is an unreachable default route.
type Route struct {
	Table    uint32
	IPv6     bool
	Metric   uint32
	Protocol uint8
}

func (r Route) ours() bool { return r.Protocol == Protocol && r.Metric == StopMetric }

// effect is the route whoever made it.
func (r Route) effect() Route {
	r.Protocol = 0
	return r
}

func stopIn(table uint32, ipv6 bool) Route {
	return Route{Table: table, IPv6: ipv6, Metric: StopMetric, Protocol: Protocol}
}

// Observed is what the kernel has.
type Observed struct {
	// Devices are all of the node's, since any may have a name or a table that
	// is wanted.
	Devices []Device
	Rules   []Rule
	// Routes are the unreachable default routes of all tables.
	Routes []Route
	// WithoutIPv6 is set where the kernel has IPv6 switched off.
	WithoutIPv6 bool
}

// Verb is what a Change does.
type Verb uint8

// What can be changed. The order is the one in which changes are made: a
// device goes before another takes its table, a table is closed before its
// device can carry anything, and a rule is put in place before the one that it
// replaces goes.
const (
	DeleteDevice Verb = iota
	AddRoute
	CreateDevice
	SetAlias
	SetUp
	AddRule
	DeleteRule
	DeleteRoute
)

// Change is one change to the kernel.
type Change struct {
	Verb Verb
	// Network is on whose behalf it is; once a change for a network failed,
	// those after it are left for the next time. It is "" where nothing hangs
	// on it.
	Network string
	Device  Device
	Rule    Rule
	Route   Route
}

func (c Change) String() string {
	switch c.Verb {
	case DeleteDevice:
		return "delete VRF device " + c.Device.Name
	case CreateDevice:
		return fmt.Sprintf("create VRF device %s with table %d", c.Device.Name, c.Device.Table)
	case SetAlias:
		return fmt.Sprintf("give VRF device %s the alias %q", c.Device.Name, c.Device.Alias)
	case SetUp:
		return fmt.Sprintf("set VRF device %s up", c.Device.Name)
	case AddRule, DeleteRule:
		return fmt.Sprintf("%s rule to %s lookup %d", verbOf(c.Verb == AddRule), c.Rule.To, c.Rule.Table)
	default:
		family := "IPv4"
		if c.Route.IPv6 {
			family = "IPv6"
		}
		return fmt.Sprintf("%s route unreachable default (%s) in table %d", verbOf(c.Verb == AddRoute), family, c.Route.Table)
	}
}

func verbOf(adds bool) string {
	if adds {
		return "add"
	}
	return "delete"
}
