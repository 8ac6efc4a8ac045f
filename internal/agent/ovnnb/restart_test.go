package ovnnb_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// counted runs a client, without a line per session in the test's log, and counts
// its sessions.
func counted(t *testing.T, s *nbserver.Server) (n *ovnnb.Network, sessions *atomic.Int64, stop func()) {
	t.Helper()
	sessions = &atomic.Int64{}
	c := ovnnb.New(ovnnb.Options{
		Endpoints: []string{s.Endpoint()}, Node: "n1", Log: logr.Discard(), Timeout: time.Minute,
		Connections: func(cause error) {
			if cause == nil {
				sessions.Add(1)
			}
		},
	})
	n = c.Watch("default", func() {})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Run(ctx)
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return n, sessions, stop
}

func prefixAt(i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 0}), 24)
}

func insertAll(t *testing.T, n *ovnnb.Network, count int) {
	t.Helper()
	for batch := range slices.Chunk(slices.Collect(func(yield func(int) bool) {
		for i := range count {
			if !yield(i) {
				return
			}
		}
	}), 1000) {
		changes := make([]model.RowChange, 0, len(batch))
		for _, i := range batch {
			changes = append(changes, model.RowChange{Verb: model.RowInsert, Prefix: prefixAt(i), NextHop: netip.MustParseAddr("172.18.0.2")})
		}
		commit(t, n, changes...)
	}
}

// An agent that starts again finds the rows of the one before it, and changes
// them. A row must stay in the monitor that told of it: ovsdb-server tells the
// insert into one conditional monitor before the delete from another, and
// libovsdb gives the session up for it.
func TestRowsOfAnEarlierAgentAreChangedInOneSession(t *testing.T) {
	nbserver.Require(t)
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	const count = 3000
	n, _, stop := counted(t, s)
	known(t, n)
	insertAll(t, n, count)
	// As by an agent that divided the rows in another way.
	for i := range 8 {
		s.Transact(t, map[string]any{
			"op": "mutate", "table": "Logical_Router_Static_Route",
			"where": []any{[]any{"external_ids", "includes", []any{"map", []any{[]any{"ovnbgp.io/part", fmt.Sprint(i)}}}}},
			"mutations": []any{
				[]any{"external_ids", "delete", []any{"map", []any{[]any{"ovnbgp.io/part", fmt.Sprint(i)}}}},
				[]any{"external_ids", "insert", []any{"map", []any{[]any{"ovnbgp.io/part", fmt.Sprintf("x%d", (i+3)%8)}}}},
			},
		})
	}
	for i := range 8 {
		s.Transact(t, map[string]any{
			"op": "mutate", "table": "Logical_Router_Static_Route",
			"where": []any{[]any{"external_ids", "includes", []any{"map", []any{[]any{"ovnbgp.io/part", fmt.Sprintf("x%d", i)}}}}},
			"mutations": []any{
				[]any{"external_ids", "delete", []any{"map", []any{[]any{"ovnbgp.io/part", fmt.Sprintf("x%d", i)}}}},
				[]any{"external_ids", "insert", []any{"map", []any{[]any{"ovnbgp.io/part", fmt.Sprint(i)}}}},
			},
		})
	}
	stop()

	n, sessions, _ := counted(t, s)
	known(t, n)
	if got := n.Count(); got != count {
		t.Fatalf("%d of %d prefixes are found again", got, count)
	}
	began := time.Now()
	var changes []model.RowChange
	for i := range count {
		row := n.Rows(prefixAt(i), nil)
		if len(row) != 1 {
			t.Fatalf("%s has %d rows", prefixAt(i), len(row))
		}
		changes = append(changes, model.RowChange{Verb: model.RowUpdate, ID: row[0].ID, Prefix: prefixAt(i), NextHop: netip.MustParseAddr("172.18.0.3")})
	}
	commit(t, n, changes...)
	for i := range count {
		row := n.Rows(prefixAt(i), nil)
		if len(row) != 1 || row[0].NextHop.String() != "172.18.0.3" || row[0].ID != changes[i].ID {
			t.Fatalf("%s has the rows %v", prefixAt(i), row)
		}
	}
	// The server's last word about it, should there be more.
	commit(t, n, insert("30.0.0.0/24", "172.18.0.2"))
	if got := sessions.Load(); got != 1 {
		t.Errorf("it took %d sessions, and %s", got, time.Since(began))
	}
}

// A session that ended leaves nothing behind: an agent whose database moves
// around its cluster all night would otherwise end at its memory limit.
func TestReconnectsLeakNothing(t *testing.T) {
	nbserver.Require(t)
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	n, sessions, _ := counted(t, s)
	known(t, n)
	const count, warmUp = 2000, 5
	reconnects := 200
	if os.Getenv("CLOCK_MAY_JUMP") != "" {
		// Emulated, a virtual machine takes ten times as long.
		reconnects = 20
	}
	insertAll(t, n, count)
	reconnect := func() {
		before := sessions.Load()
		s.Control(t, "ovsdb-server/reconnect")
		nbserver.Eventually(t, time.Minute, "a new session", func() bool { return sessions.Load() > before && n.State().Known && n.Count() == count })
	}
	for range warmUp {
		reconnect()
	}
	goroutines, heap := settled()
	for range reconnects {
		reconnect()
	}
	goroutinesNow, heapNow := settled()
	t.Logf("%d reconnects with %d rows: %d goroutines before, %d after; %.1f MB of heap before, %.1f after",
		reconnects, count, goroutines, goroutinesNow, heap, heapNow)
	if goroutinesNow > goroutines+10 {
		t.Errorf("%d goroutines are left", goroutinesNow-goroutines)
	}
	// Some kilobytes of each session would be more than this.
	if heapNow > heap+2 {
		t.Errorf("%.1f MB are left", heapNow-heap)
	}
}

// settled counts goroutines, and megabytes of live heap, once those of the last
// session have ended.
func settled() (goroutines int, megabytes float64) {
	var memory runtime.MemStats
	goroutines = runtime.NumGoroutine()
	for range 50 {
		runtime.GC()
		runtime.Gosched()
		now := runtime.NumGoroutine()
		if now >= goroutines {
			break
		}
		goroutines = now
	}
	runtime.ReadMemStats(&memory)
	return goroutines, float64(memory.HeapAlloc) / 1e6
}
