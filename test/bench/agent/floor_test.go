package agent

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/ovn-kubernetes/libovsdb/client"
	"github.com/ovn-kubernetes/libovsdb/model"
	"github.com/ovn-kubernetes/libovsdb/ovsdb"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
)

// floorDump is a netlink dump of the table that counts the messages.
func (l *lab) floorDump(b testing.TB, routes int) time.Duration {
	b.Helper()
	began := time.Now()
	s, err := nl.GetNetlinkSocketAt(l.ns.Handle, netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := unix.SetsockoptInt(s.GetFd(), unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1); err != nil {
		b.Fatal(err)
	}
	request := nl.NewNetlinkRequest(unix.RTM_GETROUTE, unix.NLM_F_DUMP)
	header := &nl.RtMsg{}
	header.Family, header.Protocol = unix.AF_INET, kernel.ProtocolBGP
	request.AddData(header)
	request.AddData(nl.NewRtAttr(unix.RTA_TABLE, binary.NativeEndian.AppendUint32(nil, table)))
	request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
	count := 0
	if err := request.ExecuteIter(unix.NETLINK_ROUTE, 0, func([]byte) bool { count++; return true }); err != nil {
		b.Fatal(err)
	}
	if count != routes {
		b.Fatalf("%d routes, not %d", count, routes)
	}
	return time.Since(began)
}

// floor writes with libovsdb and nothing else: no monitor, no comparison.
type floor struct {
	client.Client
	router string
	rows   []string
}

type logicalRouter struct {
	UUID string `ovsdb:"_uuid"`
	Name string `ovsdb:"name"`
}

func (l *lab) newFloor(b testing.TB) *floor {
	b.Helper()
	database, err := model.NewClientDBModel("OVN_Northbound", map[string]model.Model{"Logical_Router": &logicalRouter{}})
	if err != nil {
		b.Fatal(err)
	}
	c, err := client.NewOVSDBClient(database, client.WithEndpoint(l.server.Endpoint()))
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Connect(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	f := &floor{Client: c}
	f.router = f.transact(b, ovsdb.Operation{Op: "select", Table: "Logical_Router", Columns: []string{"_uuid"}})[0].Rows[0]["_uuid"].(ovsdb.UUID).GoUUID
	return f
}

func (f *floor) transact(b testing.TB, operations ...ovsdb.Operation) []ovsdb.OperationResult {
	b.Helper()
	results, err := f.Transact(context.Background(), operations...)
	if err != nil {
		b.Fatal(err)
	}
	if problems, err := ovsdb.CheckOperationResults(results, operations); err != nil {
		b.Fatal(err, problems)
	}
	return results
}

func insert(b testing.TB, i int, name string) ovsdb.Operation {
	marks, err := ovsdb.NewOvsMap(map[string]string{"floor": "agent", "node": "n1", "network": "cluster_udn_blue"})
	if err != nil {
		b.Fatal(err)
	}
	return ovsdb.Operation{Op: "insert", Table: "Logical_Router_Static_Route", UUIDName: name, Row: ovsdb.Row{
		"ip_prefix": prefix(i), "nexthop": "172.18.0.2", "output_port": "floor-" + router, "external_ids": marks,
	}}
}

func (f *floor) mutate(b testing.TB, mutator ovsdb.Mutator, names ...any) ovsdb.Operation {
	set, err := ovsdb.NewOvsSet(names)
	if err != nil {
		b.Fatal(err)
	}
	return ovsdb.Operation{Op: "mutate", Table: "Logical_Router",
		Where:     []ovsdb.Condition{{Column: "_uuid", Function: "==", Value: ovsdb.UUID{GoUUID: f.router}}},
		Mutations: []ovsdb.Mutation{{Column: "static_routes", Mutator: mutator, Value: set}}}
}

// floorWrite writes as many rows as there are routes.
func (l *lab) floorWrite(b testing.TB, routes int) time.Duration {
	b.Helper()
	began := time.Now()
	f := l.newFloor(b)
	for first := 0; first < routes; first += 2000 {
		var operations []ovsdb.Operation
		var names []any
		for i := first; i < min(first+2000, routes); i++ {
			name := fmt.Sprintf("r%d", i)
			operations = append(operations, insert(b, i, name))
			names = append(names, ovsdb.UUID{GoUUID: name})
		}
		f.transact(b, append(operations, f.mutate(b, "insert", names...))...)
	}
	took := time.Since(began)
	f.Close()
	return took
}

// one makes the change that the agent is measured with.
func (f *floor) one(b testing.TB, kind string, i int) time.Duration {
	b.Helper()
	add := func() string {
		results := f.transact(b, insert(b, i, "row"), f.mutate(b, "insert", ovsdb.UUID{GoUUID: "row"}))
		return results[0].UUID.GoUUID
	}
	if kind != "add" && len(f.rows) == 0 || kind == "remove" {
		f.rows = append(f.rows, add())
		quiet()
	}
	began := time.Now()
	switch kind {
	case "add":
		add()
	case "replace":
		f.transact(b, ovsdb.Operation{Op: "update", Table: "Logical_Router_Static_Route",
			Where: []ovsdb.Condition{{Column: "_uuid", Function: "==", Value: ovsdb.UUID{GoUUID: f.rows[0]}}},
			Row:   ovsdb.Row{"nexthop": fmt.Sprintf("172.18.1.%d", i%250)}})
	case "remove":
		f.transact(b, f.mutate(b, "delete", ovsdb.UUID{GoUUID: f.rows[len(f.rows)-1]}))
	}
	return time.Since(began)
}

// empty removes all routes from the router and lets the database forget them.
func (l *lab) empty(b testing.TB) {
	b.Helper()
	l.server.RemoveRouter(b, router)
	l.server.AddRouter(b, router)
	l.server.Control(b, "ovsdb-server/compact", "OVN_Northbound")
}
