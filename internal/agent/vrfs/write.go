package vrfs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// writer makes changes in one network namespace.
type writer struct{ handle *netlink.Handle }

// do makes a change. It is no error if the object is already as it is to be, with two
// exceptions: a device that came in between is not ours, and needs another plan; and
// in the place of a stop there may be a route that leads out instead.
func (w writer) do(c Change) error {
	err := w.attempt(c)
	switch c.Verb {
	case DeleteDevice, DeleteRule, DeleteRoute:
		if errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ESRCH) {
			return nil
		}
	case AddRule:
		if errors.Is(err, syscall.EEXIST) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("cannot %s: %w%s", c, err, remedy(c, err))
	}
	return nil
}

// remedy is what people can do about an error.
func remedy(c Change, err error) string {
	switch {
	case errors.Is(err, syscall.EPERM):
		return " (the agent needs the capability NET_ADMIN)"
	case c.Verb == AddRoute && errors.Is(err, syscall.EEXIST):
		return fmt.Sprintf(" (somebody else's route is in its place, and the VRF is not closed; see ip route show default table %d, and delete the one of metric %d)",
			c.Route.Table, c.Route.Metric)
	case c.Verb == CreateDevice && errors.Is(err, syscall.EOPNOTSUPP):
		return " (the node's kernel has no VRF devices: load the module vrf, CONFIG_NET_VRF)"
	case c.Verb == CreateDevice && errors.Is(err, syscall.EBUSY):
		return " (net.vrf.strict_mode is on and another VRF device has that table)"
	default:
		return ""
	}
}

func (w writer) attempt(c Change) error {
	switch c.Verb {
	case DeleteDevice:
		return w.handle.LinkDel(linkOf(c.Device))
	case AddRoute:
		return w.handle.RouteAdd(routeOf(c.Route))
	case CreateDevice:
		link := linkOf(c.Device)
		if err := w.handle.LinkAdd(link); err != nil {
			return err
		}
		return w.handle.LinkSetAlias(link, c.Device.Alias)
	case SetAlias:
		return w.handle.LinkSetAlias(linkOf(c.Device), c.Device.Alias)
	case SetUp:
		return w.handle.LinkSetUp(linkOf(c.Device))
	case AddRule:
		return w.handle.RuleAdd(ruleOf(c.Rule))
	case DeleteRule:
		return w.handle.RuleDel(ruleOf(c.Rule))
	case DeleteRoute:
		return w.handle.RouteDel(routeOf(c.Route))
	default:
		return fmt.Errorf("there is no verb %d", c.Verb)
	}
}

func linkOf(d Device) *netlink.Vrf {
	attributes := netlink.NewLinkAttrs()
	attributes.Index, attributes.Name, attributes.Group, attributes.Flags = int(d.Index), d.Name, d.Group, net.FlagUp
	return &netlink.Vrf{LinkAttrs: attributes, Table: d.Table}
}

// ruleOf names the protocol, so that a deletion finds no other's rule.
func ruleOf(r Rule) *netlink.Rule {
	rule := netlink.NewRule()
	rule.Priority, rule.Table, rule.Protocol = int(r.Priority), int(r.Table), r.Protocol
	rule.Dst, rule.Type = ipNet(r.To), unix.RTN_UNICAST // FR_ACT_TO_TBL
	return rule
}

// routeOf names the protocol for the same reason.
func routeOf(r Route) *netlink.Route {
	all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if r.IPv6 {
		all = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return &netlink.Route{
		Table: int(r.Table), Dst: ipNet(all), Type: unix.RTN_UNREACHABLE,
		Priority: int(r.Metric), Protocol: netlink.RouteProtocol(r.Protocol),
	}
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
