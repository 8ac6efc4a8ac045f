package ovnnb

import (
	"maps"
	"slices"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"
)

// Look has these routers looked for, beside those of watched networks, in place
// of those that were looked for before.
func (c *Client) Look(routers []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	looked := make(map[string]bool, len(routers))
	for _, name := range routers {
		looked[name] = true
	}
	if !maps.Equal(looked, c.looked) {
		c.looked = looked
		c.want()
	}
}

// HasRouter reports whether a router is in the database. That is known of those
// that are looked for, once they were.
func (c *Client) HasRouter(name string) (present, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.around.routers[name] != nil, c.session != nil && c.session.routers[name]
}

// unmonitored are the routers that are still to be monitored, sorted.
func (c *Client) unmonitored(s *session) []string {
	names := map[string]bool{}
	for name := range c.looked {
		names[name] = true
	}
	for _, n := range c.watched {
		names[n.router] = true
	}
	maps.DeleteFunc(names, func(name string, _ bool) bool { return s.routers[name] })
	return slices.Sorted(maps.Keys(names))
}

// monitorRouters monitors routers that were not monitored before: libovsdb breaks if
// two monitors have one row. A monitor stays when its routers are no longer asked for,
// because libovsdb would keep the rows without it.
func (c *Client) monitorRouters(s *session, names []string) error {
	if len(names) == 0 {
		return nil
	}
	columns := []string{"name", "options"}
	if c.options.NAT {
		columns = append(columns, "nat")
	}
	where := make([]ovsdb.Condition, 0, len(names))
	for _, name := range names {
		where = append(where, ovsdb.NewCondition("name", ovsdb.ConditionEqual, name))
	}
	if err := c.monitor(s, s.router, tableRouter, columns, where...); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		s.routers[name] = true
	}
	c.readRouters(s)
	c.options.Looked()
	return nil
}
