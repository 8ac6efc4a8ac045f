package ovnnb

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"
)

// The names of our two monitors.
const (
	monitorNorthbound = "nb"
	monitorServer     = "server"
)

// conditions say which rows are monitored.
type conditions struct {
	node     string
	networks []*Network
	ports    []string
	natRows  []string
	// nats is set where NAT is looked at; matches, where it can have a match.
	nats, matches bool
}

// conditions collects them; the caller holds the lock.
func (c *Client) conditions() conditions {
	out := conditions{node: c.options.Node, nats: c.options.NAT, matches: c.schema.has("NAT", "match")}
	for _, name := range slices.Sorted(maps.Keys(c.watched)) {
		n := c.watched[name]
		out.networks = append(out.networks, n)
		out.ports = append(out.ports, c.routes.network(name).port)
		if row := c.routers.byName[n.router]; out.nats && row != nil {
			out.natRows = append(out.natRows, slices.Sorted(maps.Keys(row.nat))...)
		}
	}
	return out
}

// routers are found by name. Without any, no row is wanted.
func (c conditions) routers() []any {
	out := []any{}
	for _, n := range c.networks {
		out = append(out, []any{"name", "==", n.router})
	}
	return orNone(out)
}

// routes are ours, wherever they are, and everybody's that leave by one of
// our routers, because those of OVN-Kubernetes' route import make us stand
// aside. A row is monitored if any of the conditions holds.
func (c conditions) routes() []any {
	marks := [][2]string{{markOwner, ownerAgent}, {markNode, c.node}}
	out := []any{[]any{"external_ids", "includes", []any{"map", marks}}}
	for _, port := range c.ports {
		out = append(out, []any{"output_port", "==", port})
	}
	return out
}

func (c conditions) nat() []any {
	out := []any{}
	for _, id := range c.natRows {
		out = append(out, []any{"_uuid", "==", []string{"uuid", id}})
	}
	return orNone(out)
}

func orNone(where []any) []any {
	if len(where) == 0 {
		return []any{false}
	}
	return where
}

// monitor returns the parameters of monitor_cond.
func (c conditions) monitor() []byte {
	type request struct {
		Columns []string `json:"columns"`
		Where   []any    `json:"where,omitempty"`
	}
	tables := map[string][]request{
		"Logical_Router":              {{Columns: []string{"name", "options"}, Where: c.routers()}},
		"Logical_Router_Static_Route": {{Columns: routeColumns, Where: c.routes()}},
		"NB_Global":                   {{Columns: []string{"options"}}},
	}
	if c.nats {
		tables["Logical_Router"][0].Columns = append(tables["Logical_Router"][0].Columns, "nat")
		columns := natColumns
		if c.matches {
			columns = append(slices.Clone(columns), "match")
		}
		tables["NAT"] = []request{{Columns: columns, Where: c.nat()}}
		tables["Address_Set"] = []request{{Columns: []string{"addresses", "external_ids"}, Where: []any{
			[]any{"external_ids", "includes", []any{"map", [][2]string{{"k8s.ovn.org/name", nodeAddressSet}}}},
		}}}
	}
	return marshal([]any{Database, monitorNorthbound, tables})
}

// change returns the parameters of monitor_cond_change.
func (c conditions) change() []byte {
	type request struct {
		Where []any `json:"where"`
	}
	tables := map[string][]request{
		"Logical_Router":              {{Where: c.routers()}},
		"Logical_Router_Static_Route": {{Where: c.routes()}},
	}
	if c.nats {
		tables["NAT"] = []request{{Where: c.nat()}}
	}
	return marshal([]any{monitorNorthbound, monitorNorthbound, tables})
}

// marshal is for plain values, which always marshal.
func marshal(value any) []byte {
	out, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return out
}

// schema is what the server's schema offers.
type schema struct {
	ovsdb.DatabaseSchema
	problem error
}

func (s *schema) read(in *jsonReader) {
	s.problem = json.Unmarshal(in.raw(), &s.DatabaseSchema)
}

// has reports whether a table has a column.
func (s *schema) has(table, column string) bool {
	t := s.Table(table)
	return t != nil && t.Columns[column] != nil
}

// check finds what we can't do without.
func (s *schema) check() error {
	if s.problem != nil {
		return errorf("its schema can't be read: %w", s.problem)
	}
	for _, column := range routeColumns {
		if !s.has("Logical_Router_Static_Route", column) {
			return errorf("schema %s has no column %s in Logical_Router_Static_Route: OVN 22.03 or newer is needed", s.Version, column)
		}
	}
	return nil
}

// globalOptions are those of NB_Global's only row.
type globalOptions struct{ options map[string]string }

func (g *globalOptions) read(in *jsonReader, lock sync.Locker) {
	in.object(func([]byte) {
		in.object(func(change []byte) {
			difference := string(change) == "modify"
			if in.null() {
				return
			}
			in.object(func(column []byte) {
				if string(column) != "options" {
					in.skip()
					return
				}
				options := in.textMap(g.options, difference)
				lock.Lock()
				defer lock.Unlock()
				g.options = options
			})
		})
	})
}

// serverTable is the server's own account of its databases.
type serverTable struct {
	databases  map[string]serverDatabase
	leaderOnly bool
	initial    error
}

type serverDatabase struct {
	name, model       string
	connected, leader bool
}

func (t *serverTable) request() []byte {
	return []byte(`["_Server","` + monitorServer + `",{"Database":[{"columns":["name","model","connected","leader"]}]}]`)
}

// read applies an update and tells why the server won't do, if it won't.
func (t *serverTable) read(in *jsonReader) error {
	in.object(func([]byte) {
		in.object(func(uuid []byte) {
			id := string(uuid)
			in.object(func([]byte) {
				if in.null() {
					delete(t.databases, id)
					return
				}
				row := t.databases[id]
				row.read(in)
				t.databases[id] = row
			})
		})
	})
	if in.err != nil {
		return in.err
	}
	for _, row := range t.databases {
		switch {
		case row.name != Database:
		case row.model == "clustered" && !row.connected:
			return errors.New("this server has lost its cluster")
		case row.model == "clustered" && !row.leader && t.leaderOnly:
			return errNotLeader
		default:
			return nil
		}
	}
	return fmt.Errorf("this server has no database %s (it may be joining its cluster)", Database)
}

func (d *serverDatabase) read(in *jsonReader) {
	in.object(func(column []byte) {
		switch string(column) {
		case "name":
			d.name = string(in.string())
		case "model":
			d.model = string(in.string())
		case "connected":
			d.connected = string(in.literal()) == "true"
		case "leader":
			d.leader = string(in.literal()) == "true"
		default:
			in.skip()
		}
	})
}

// versionAtLeast compares the first two numbers of a version such as
// "24.09.2-20.37.0-78.8".
func versionAtLeast(version string, major, minor int) bool {
	var gotMajor, gotMinor int
	if _, err := fmt.Sscanf(strings.TrimSpace(version), "%d.%d", &gotMajor, &gotMinor); err != nil {
		return false
	}
	return gotMajor > major || gotMajor == major && gotMinor >= minor
}

// IPv4ViaIPv6 reports whether OVN takes an IPv6 next hop for an IPv4 prefix,
// which northd does since 24.09.
func (c *Client) IPv4ViaIPv6() bool { return versionAtLeast(c.NorthdVersion(), 24, 9) }
