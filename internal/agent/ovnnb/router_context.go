package ovnnb

import (
	"fmt"
	"net/netip"
	"strings"

	libmodel "github.com/ovn-kubernetes/libovsdb/model"
	"github.com/ovn-kubernetes/libovsdb/ovsdb"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// routerContext are what decides about our routes beside the routes.
type routerContext struct {
	// routers are the monitored routers that are there, by name.
	routers map[string]*logicalRouter
	// routes are what others' routes are for, by row; counts are of each purpose.
	routes  map[string]purpose
	counts  map[purpose]int
	options map[string]string
}

// routeKind is why a route that is not ours matters.
type routeKind string

const (
	// OVN-Kubernetes' own route import wrote it.
	ofRouteImport routeKind = "RouteImport"
	// It routes by the source, a pod that has external gateways of its own
	// (AdminPolicyBasedExternalRoute).
	ofIPv4Host routeKind = "IPv4 host"
	ofIPv6Host routeKind = "IPv6 host"
)

// purpose is what a route is for, and the port that it leads out of.
type purpose struct {
	port string
	kind routeKind
}

func (x *routerContext) forget() {
	*x = routerContext{routers: map[string]*logicalRouter{}, routes: map[string]purpose{}, counts: map[purpose]int{}}
}

func importedBy() ovsdb.Condition {
	return ovsdb.NewCondition("external_ids", ovsdb.ConditionIncludes, marks(ovnk.ExternalIDOwner, ovnk.OwnerRouteImport))
}

func bySource() ovsdb.Condition {
	return ovsdb.NewCondition("policy", ovsdb.ConditionIncludes, policySource)
}

// note writes down what a row is for, the zero purpose for nothing, and returns
// the ports for which something begins or ends.
func (x *routerContext) note(uuid string, now purpose) (ports []string) {
	old, found := x.routes[uuid]
	if found && old != now {
		delete(x.routes, uuid)
		if x.counts[old]--; x.counts[old] <= 0 {
			delete(x.counts, old)
			ports = append(ports, old.port)
		}
	}
	if now != (purpose{}) && (!found || old != now) {
		x.routes[uuid] = now
		if x.counts[now]++; x.counts[now] == 1 {
			ports = append(ports, now.port)
		}
	}
	return ports
}

// routerChanged looks at what an event was about.
func (c *Client) routerChanged(s *session, table string, rows ...libmodel.Model) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != s {
		return
	}
	switch table {
	case tableRouter:
		c.readRouters(s)
		for _, row := range rows {
			c.notify(func(n *Network) bool { return n.router == row.(*logicalRouter).Name })
		}
		if len(rows) == 1 && c.looked[rows[0].(*logicalRouter).Name] {
			c.options.Looked()
		}
	case tableRoute:
		c.readOthersRoute(s, rows[0].(*othersRoute).UUID)
	case tableGlobal:
		c.readGlobal(s)
	default:
		c.notify(func(*Network) bool { return true })
	}
}

// readAround reads all of it.
func (c *Client) readAround(s *session) {
	c.around.forget()
	c.readRouters(s)
	c.readGlobal(s)
	for uuid := range s.others.Table(tableRoute).RowsShallow() {
		c.readOthersRoute(s, uuid)
	}
}

func (c *Client) readRouters(s *session) {
	clear(c.around.routers)
	for _, row := range s.others.Table(tableRouter).RowsShallow() {
		router := row.(*logicalRouter)
		// Two of the same name should not be; the choice must be steady.
		if other := c.around.routers[router.Name]; other == nil || router.UUID < other.UUID {
			c.around.routers[router.Name] = router
		}
	}
}

func (c *Client) readGlobal(s *session) {
	for _, row := range s.others.Table(tableGlobal).RowsShallow() {
		c.around.options = row.(*global).Options
	}
}

func (c *Client) readOthersRoute(s *session, uuid string) {
	var now purpose
	if row, found := s.others.Table(tableRoute).Row(uuid).(*othersRoute); found {
		if port, kind := valueOf(row.OutputPort), row.kind(); port != "" && kind != "" {
			now = purpose{port, kind}
		}
	}
	for _, of := range []purpose{c.around.routes[uuid], now} {
		if of.kind == ofRouteImport {
			c.imports[of.port]++
		}
	}
	for _, port := range c.around.note(uuid, now) {
		c.notify(func(n *Network) bool { return n.rows.port == port })
	}
}

// notify notifies networks that something changed.
func (c *Client) notify(concerned func(*Network) bool) {
	for _, n := range c.watched {
		if concerned(n) {
			n.notify()
		}
	}
}

// nat is a NAT row, nil where there is none that is looked at.
func (s *session) nat(uuid string) *natMatchRow {
	switch row := s.others.Table(tableNAT).Row(uuid).(type) {
	case *natMatchRow:
		return row
	case *natRow:
		return &natMatchRow{UUID: row.UUID, Type: row.Type, LogicalIP: row.LogicalIP, LogicalPort: row.LogicalPort, Allowed: row.Allowed, Exempted: row.Exempted, ExternalIDs: row.ExternalIDs}
	default:
		return nil
	}
}

// nodes is the set with nodes' addresses of a family, nil where there is none:
// the one that OVN-Kubernetes itself limits with, before any other of its name.
func (s *session) nodes(ipv4 bool) (best *addressSet) {
	for _, row := range s.others.Table(tableAddressSet).RowsShallow() {
		set := row.(*addressSet)
		if len(set.Addresses) == 0 {
			continue
		}
		address, err := netip.ParseAddr(strings.Split(set.Addresses[0], "/")[0])
		if err == nil && address.Is4() == ipv4 && (best == nil || set.before(best)) {
			best = set
		}
	}
	return best
}

// before reports which of two sets is preferred; the choice must be steady.
func (a *addressSet) before(b *addressSet) bool {
	if first, second := a.ExternalIDs[ownerType] == clusterNodes, b.ExternalIDs[ownerType] == clusterNodes; first != second {
		return first
	}
	return a.UUID < b.UUID
}

// NorthdVersion is the version that ovn-northd reports, "" where it doesn't.
func (c *Client) NorthdVersion() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.around.options["northd_internal_version"]
}

// versionAtLeast compares the first two numbers of a version such as
// "25.03.0-20.41.0-77.6".
func versionAtLeast(version string, major, minor int) bool {
	var gotMajor, gotMinor int
	if _, err := fmt.Sscanf(strings.TrimSpace(version), "%d.%d", &gotMajor, &gotMinor); err != nil {
		return false
	}
	return gotMajor > major || gotMajor == major && gotMinor >= minor
}

// IPv4ViaIPv6 reports whether OVN takes an IPv6 next hop for an IPv4 prefix,
// which northd does since 25.03: 24.09 still refuses such a row.
func (c *Client) IPv4ViaIPv6() bool { return versionAtLeast(c.NorthdVersion(), 25, 3) }
