package importing

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/ovn-kubernetes/libovsdb/client"
	"github.com/ovn-kubernetes/libovsdb/model"
	"github.com/ovn-kubernetes/libovsdb/ovsdb"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

const (
	nodeName = "n1"
	router   = "GR_" + nodeName
	database = "OVN_Northbound"

	// rowsPerTransaction is what libovsdb and ovsdb-server were fastest with
	// of 500, 1,000, 2,000 and all at once.
	rowsPerTransaction = 2000
	patience           = 10 * time.Minute
)

// northbound is an ovsdb-server with a gateway router, and somebody who
// watches it.
type northbound struct {
	*nbserver.Server
	*observer
	// endpoint is where the floor's writer connects, endpoints where the agent
	// does; both only for variants.
	endpoint  string
	endpoints []string
	tls       *tls.Config
	files     nbserver.Certificates
	// members of a cluster.
	members []*nbserver.Server
}

func newNorthbound(b *testing.B) *northbound {
	b.Helper()
	n := &northbound{Server: nbserver.Start(b)}
	n.AddRouter(b, router)
	n.observer = observe(b, strings.TrimPrefix(n.Endpoint(), "unix:"))
	return n
}

func (n *northbound) end() {
	n.close()
	n.Kill()
	for _, s := range n.members {
		s.Kill()
	}
}

// observer counts the static routes that come and go. It looks for what marks
// a row in the server's notifications and decodes nothing, because it shares
// the processors with what it measures.
type observer struct {
	connection net.Conn

	mu                          sync.Mutex
	changed                     *sync.Cond
	inserted, deleted, modified int
	at                          time.Time
	err                         error
}

// The marks are equally long.
var (
	insertMark = []byte(`{"insert":`)
	deleteMark = []byte(`{"delete":`)
	modifyMark = []byte(`{"modify":`)
)

func observe(b *testing.B, socket string) *observer {
	b.Helper()
	connection, err := new(net.Dialer).DialContext(b.Context(), "unix", socket)
	if err != nil {
		b.Fatal(err)
	}
	o := &observer{connection: connection}
	o.changed = sync.NewCond(&o.mu)
	request := fmt.Sprintf(`{"id":1,"method":"monitor_cond","params":[%q,"watch",{"Logical_Router_Static_Route":[{"columns":["nexthop"],"select":{"initial":false}}]}]}`, database)
	if _, err := connection.Write([]byte(request)); err != nil {
		b.Fatal(err)
	}
	buffer := make([]byte, 1<<18)
	if n, err := connection.Read(buffer); err != nil || !bytes.Contains(buffer[:n], []byte(`"error":null`)) {
		b.Fatalf("the server does not let itself be watched: %v: %s", err, buffer[:n])
	}
	go o.read(buffer)
	return o
}

func (o *observer) read(buffer []byte) {
	kept := 0
	for {
		n, err := o.connection.Read(buffer[kept:])
		now := time.Now()
		text := buffer[:kept+n]
		o.mu.Lock()
		inserted, deleted, modified := bytes.Count(text, insertMark), bytes.Count(text, deleteMark), bytes.Count(text, modifyMark)
		o.inserted, o.deleted, o.modified = o.inserted+inserted, o.deleted+deleted, o.modified+modified
		if inserted+deleted+modified > 0 {
			o.at = now
		}
		o.err = err
		o.changed.Broadcast()
		o.mu.Unlock()
		if err != nil {
			return
		}
		// A mark may be cut in two.
		kept = min(len(text), len(insertMark)-1)
		copy(buffer, text[len(text)-kept:])
	}
}

func (o *observer) close() { _ = o.connection.Close() }

// rows waits until there are so many rows, and tells since when.
func (o *observer) rows(b *testing.B, want int, blame func() string) time.Time {
	b.Helper()
	return o.await(b, blame, func() bool { return o.inserted-o.deleted == want })
}

// modifications waits for the next change of a row since before.
func (o *observer) modifications(b *testing.B, before int, blame func() string) time.Time {
	b.Helper()
	return o.await(b, blame, func() bool { return o.modified > before })
}

func (o *observer) modificationsSoFar() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.modified
}

func (o *observer) await(b *testing.B, blame func() string, done func() bool) time.Time {
	b.Helper()
	late := time.AfterFunc(patience, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.err == nil {
			o.err = fmt.Errorf("%d rows came, %d went and %d changed", o.inserted, o.deleted, o.modified)
		}
		o.changed.Broadcast()
	})
	defer late.Stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for !done() {
		if o.err != nil {
			b.Fatalf("not within %s: %v\n%s", patience, o.err, blame())
		}
		o.changed.Wait()
	}
	return o.at
}

// noExcuse is for those who have no log.
func noExcuse() string { return "" }

// operations insert the rows of routes, as the agent writes them.
func operations(from, to int) []ovsdb.Operation { return operationsOn(router, nodeName, from, to) }

// operationsOn are operations on another router, or as another node's agent
// writes them.
func operationsOn(router, node string, from, to int) []ovsdb.Operation {
	var out []ovsdb.Operation
	var added []any
	for i := from; i < to; i++ {
		name := fmt.Sprintf("r%d", i)
		out = append(out, ovsdb.Operation{
			Op: ovsdb.OperationInsert, Table: "Logical_Router_Static_Route", UUIDName: name,
			Row: ovsdb.Row{
				"ip_prefix": prefix(i).String(), "nexthop": nextHop(i).String(), "output_port": set("rtoe-" + router),
				"external_ids": ovsdb.OvsMap{GoMap: map[any]any{"ovnbgp.io/owner": "agent", "ovnbgp.io/node": node, "ovnbgp.io/network": "default", "ovnbgp.io/part": fmt.Sprint(i % 8)}},
			},
		})
		added = append(added, ovsdb.UUID{GoUUID: name})
	}
	return append(out, mutationOf(router, ovsdb.MutateOperationInsert, added))
}

func mutation(verb ovsdb.Mutator, ids []any) ovsdb.Operation { return mutationOf(router, verb, ids) }

func mutationOf(router string, verb ovsdb.Mutator, ids []any) ovsdb.Operation {
	return ovsdb.Operation{
		Op: ovsdb.OperationMutate, Table: "Logical_Router",
		Where:     []ovsdb.Condition{ovsdb.NewCondition("name", ovsdb.ConditionEqual, router)},
		Mutations: []ovsdb.Mutation{*ovsdb.NewMutation("static_routes", verb, ovsdb.OvsSet{GoSet: ids})},
	}
}

func set(elements ...any) ovsdb.OvsSet { return ovsdb.OvsSet{GoSet: elements} }

// writer writes rows without knowing any: what libovsdb costs at least.
type writer struct {
	client.Client
	ids []any
}

// routerRow is there because libovsdb wants to know a table.
type routerRow struct {
	UUID string `ovsdb:"_uuid"`
	Name string `ovsdb:"name"`
}

func newWriter(b *testing.B, endpoint string) *writer {
	b.Helper()
	return newWriterWith(b, endpoint, nil)
}

func newWriterWith(b *testing.B, endpoint string, config *tls.Config) *writer {
	b.Helper()
	tables, err := model.NewClientDBModel(database, map[string]model.Model{"Logical_Router": &routerRow{}})
	if err != nil {
		b.Fatal(err)
	}
	log := logr.Discard()
	options := []client.Option{client.WithEndpoint(endpoint), client.WithLogger(&log)}
	if config != nil {
		options = append(options, client.WithTLSConfig(config))
	}
	c, err := client.NewOVSDBClient(tables, options...)
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Connect(b.Context()); err != nil {
		b.Fatal(err)
	}
	return &writer{Client: c}
}

// add inserts rows that were made into operations before.
func (w *writer) add(b *testing.B, batches [][]ovsdb.Operation) {
	b.Helper()
	for _, batch := range batches {
		for _, result := range w.transact(b, batch) {
			if result.UUID.GoUUID != "" {
				w.ids = append(w.ids, result.UUID)
			}
		}
	}
}

// remove deletes the first n of the rows that add inserted.
func (w *writer) remove(b *testing.B, n int) {
	b.Helper()
	for ids := range slices.Chunk(w.ids[:n], rowsPerTransaction) {
		w.transact(b, []ovsdb.Operation{mutation(ovsdb.MutateOperationDelete, ids)})
	}
	w.ids = w.ids[n:]
}

// replace gives the first of the rows another next hop.
func (w *writer) replace(b *testing.B, hop string) {
	b.Helper()
	w.transact(b, []ovsdb.Operation{{
		Op: ovsdb.OperationUpdate, Table: "Logical_Router_Static_Route", Row: ovsdb.Row{"nexthop": hop},
		Where: []ovsdb.Condition{ovsdb.NewCondition("_uuid", ovsdb.ConditionEqual, w.ids[0])},
	}})
}

func (w *writer) transact(b *testing.B, batch []ovsdb.Operation) []ovsdb.OperationResult {
	b.Helper()
	results, err := w.Transact(b.Context(), batch...)
	if err == nil {
		_, err = ovsdb.CheckOperationResults(results, batch)
	}
	if err != nil {
		b.Fatal(err)
	}
	return results
}

// batched makes operations of routes, in transactions of a sane size.
func batched(from, to int) [][]ovsdb.Operation {
	var out [][]ovsdb.Operation
	for ; from < to; from += rowsPerTransaction {
		out = append(out, operations(from, min(from+rowsPerTransaction, to)))
	}
	return out
}

// sendPrepared writes the same rows with no client at all: requests that were
// written down before, replies that nobody decodes.
func sendPrepared(b *testing.B, socket string, requests [][]byte) {
	b.Helper()
	connection, err := new(net.Dialer).DialContext(b.Context(), "unix", socket)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	replies := json.NewDecoder(connection)
	for _, request := range requests {
		if _, err := connection.Write(request); err != nil {
			b.Fatal(err)
		}
		var reply json.RawMessage
		if err := replies.Decode(&reply); err != nil || !bytes.Contains(reply, []byte(`"error":null`)) || bytes.Contains(reply, []byte(`"details"`)) {
			b.Fatalf("%v: %.300s", err, reply)
		}
	}
}

func prepared(b *testing.B, batches [][]ovsdb.Operation) [][]byte {
	b.Helper()
	var out [][]byte
	for _, batch := range batches {
		request, err := json.Marshal(map[string]any{"id": 1, "method": "transact", "params": ovsdb.NewTransactArgs(database, batch...)})
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, request)
	}
	return out
}

// expectRoutes compares the router's routes with those that the kernel was
// given.
func (n *northbound) expectRoutes(b *testing.B, count int) {
	b.Helper()
	want := map[string]bool{}
	for i := range count {
		want[fmt.Sprintf("%s via %s dev rtoe-%s owner %q", prefix(i), nextHop(i), router, "agent")] = true
	}
	n.expectExactly(b, router, want)
}

func (n *northbound) expectExactly(b *testing.B, router string, want map[string]bool) {
	b.Helper()
	for _, r := range n.Routes(b, router, "ovnbgp.io/owner") {
		if !want[r.String()] {
			b.Fatalf("%s should not be there", r)
		}
		delete(want, r.String())
	}
	if len(want) > 0 {
		b.Fatalf("%d routes are missing, such as %s", len(want), slices.Collect(maps.Keys(want))[0])
	}
}

// median of some times.
func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}
