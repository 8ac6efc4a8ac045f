package kernel

import "net/netip"

// condition is what a packet must have, beside its destination, for a route.
type condition struct {
	prefix, source netip.Prefix
	tos            uint8
	metric         uint32
}

// conditionally does what there is to do about a route that not all packets
// take, and reports whether it is one.
func (c *contents) conditionally(r *Route, removed, replace bool) bool {
	if r.TOS == 0 && !r.Source.IsValid() {
		return false
	}
	key := condition{prefix: r.Prefix, source: r.Source, tos: r.TOS, metric: r.Metric}
	_, found := c.conditional[key]
	bgp := r.Protocol == ProtocolBGP
	switch {
	case found && (removed && bgp || !removed && !bgp && replace):
		delete(c.conditional, key)
		if c.conditions[r.Prefix]--; c.conditions[r.Prefix] <= 0 {
			delete(c.conditions, r.Prefix)
		}
	case !found && !removed && bgp && !c.full():
		c.conditional[key] = struct{}{}
		c.conditions[r.Prefix]++
	}
	return true
}
