package importing

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"
	"github.com/vishvananda/netlink"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

const (
	// changes is how often one route is added and removed.
	changes = 21
	// pause between single changes, of the agent and of the floors alike, so
	// that each comes after a quiet time: ovsdb-server is not done with a
	// change when it has answered.
	pause = 100 * time.Millisecond
	// Routes that are announced over a time come in steps.
	pacedOver  = 5 * time.Second
	pacedSteps = 100
)

// TestMain has every benchmark run once, however short it is: what a process
// did once can't be repeated a thousand times.
func TestMain(m *testing.M) {
	if order := os.Getenv(agentVariable); order != "" {
		if err := runAgent(order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	if err := flag.Set("test.benchtime", "1x"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// size is one number of routes, with what was measured for it.
type size struct {
	*lab
	routes, repetitions int
	node                *node
	// floors
	dump, write, load, withdraw, announce time.Duration
}

// BenchmarkImport goes through the sizes. Ratios called x-floors are to the
// sum of the floors that were measured beside them. With -short there is one
// tiny size, which shows that the benchmark still runs and nothing else.
func BenchmarkImport(b *testing.B) {
	nbserver.Require(b)
	l := newLab(b)
	b.Run("Startup", l.measureStartup)
	sizes := []*size{
		{lab: l, routes: 1000, repetitions: 15}, {lab: l, routes: 10000, repetitions: 5}, {lab: l, routes: 100000, repetitions: 3},
	}
	if testing.Short() {
		sizes = []*size{{lab: l, routes: 100, repetitions: 1}}
	}
	for _, s := range sizes {
		b.Run(fmt.Sprintf("routes=%d", s.routes), s.measure)
	}
}

// share is what one change took, whole and without the server's floor.
type share struct{ added, replaced, own, ownReplaced time.Duration }

type metric struct {
	unit  string
	value float64
}

func seconds(unit string, d time.Duration) metric { return metric{unit, d.Seconds()} }

func milliseconds(unit string, d time.Duration) metric {
	return metric{unit, float64(d.Microseconds()) / 1000}
}

func ratio(unit string, d, to time.Duration) metric { return metric{unit, d.Seconds() / to.Seconds()} }

func report(b *testing.B, metrics ...metric) {
	for _, m := range metrics {
		b.ReportMetric(m.value, m.unit)
	}
	b.ReportMetric(0, "ns/op")
}

func (s *size) measure(b *testing.B) {
	s.node = newNode(b, s.apiServer)
	start := time.Now()
	s.node.change(b, "add", 0, s.routes)
	s.load = time.Since(start)

	var a *agent
	var nb *northbound
	b.Run("Full", func(inner *testing.B) { a, nb = s.measureFull(b, inner) })
	if b.Failed() {
		return
	}
	nb.expectRoutes(b, s.routes)
	b.Run("One", func(b *testing.B) { s.measureOne(b, a, nb) })
	b.Run("Flap", func(b *testing.B) { s.measureFlap(b, a, nb) })
	nb.expectRoutes(b, s.routes)
	b.Run("Idle", func(b *testing.B) { s.measureIdle(b, a) })
	a.stop(b)
	b.Run("Restart", func(b *testing.B) { s.measureRestart(b, nb) })
	nb.end()
	s.node.change(b, "del", 0, s.routes)

	marker := s.routes
	s.node.change(b, "add", marker, marker+1)
	a, nb, _ = s.imports(b, s.node, 1)
	b.Run("AtOnce", func(b *testing.B) { s.measureAtOnce(b, a, nb) })
	b.Run("Gone", func(b *testing.B) { s.measureGone(b, a, nb) })
	b.Run("Paced", func(b *testing.B) { s.measurePaced(b, a, nb) })
	nb.expectRoutes(b, s.routes+1)
	a.stop(b)
	nb.end()
}

// measureFull has the routes there before the agent, in turns with the floors,
// on a new database each time. What it starts last goes on.
func (s *size) measureFull(outer, b *testing.B) (a *agent, nb *northbound) {
	var dump, write, bare, told, took, cpu []time.Duration
	batches := batched(0, s.routes)
	requests := prepared(b, batches)
	for i := range s.repetitions {
		start := time.Now()
		if got := s.node.dump(b); got != s.routes {
			b.Fatalf("the kernel lists %d routes", got)
		}
		dump = append(dump, time.Since(start))

		floor := newNorthbound(outer)
		start = time.Now()
		sendPrepared(b, strings.TrimPrefix(floor.Endpoint(), "unix:"), requests)
		bare = append(bare, floor.rows(b, s.routes, noExcuse).Sub(start))
		floor.end()

		floor = newNorthbound(outer)
		w := newWriter(b, floor.Endpoint())
		start = time.Now()
		w.add(b, batches)
		write = append(write, floor.rows(b, s.routes, noExcuse).Sub(start))
		if i == s.repetitions-1 {
			s.measureFloors(b, floor, w)
		}
		w.Close()
		floor.end()

		var t time.Duration
		a, nb, t = s.importsWhenTold(outer, s.node, s.routes)
		told = append(told, t)
		a.stop(b)
		nb.end()
		a, nb, t = s.imports(outer, s.node, s.routes)
		took, cpu = append(took, t), append(cpu, a.cpu(b))
		if i < s.repetitions-1 {
			a.stop(b)
			nb.end()
		}
	}
	s.dump, s.write = median(dump), median(write)
	_, peak := a.memory(b)
	// The API server's part has no floor beside it.
	work := median(told) - s.told
	report(b, milliseconds("floor-dump-ms", s.dump), milliseconds("floor-rows-ms", s.write), milliseconds("floor-bare-rows-ms", median(bare)),
		milliseconds("ms", work), milliseconds("ms-from-exec", median(took)), seconds("CPU-s-from-exec", median(cpu)),
		ratio("x-floors", work, s.dump+s.write), ratio("x-bare-floors", work, s.dump+median(bare)),
		metric{"peak-MiB", peak}, metric{"B/route", (peak - s.oneRoute) * (1 << 20) / float64(s.routes)})
	return a, nb
}

// measureFloors measures the floors of many changes on the full table.
func (s *size) measureFloors(b *testing.B, nb *northbound, w *writer) {
	again := batched(0, s.routes/10)
	start := time.Now()
	w.remove(b, s.routes/10)
	s.withdraw = nb.rows(b, s.routes-s.routes/10, noExcuse).Sub(start)
	start = time.Now()
	w.add(b, again)
	s.announce = nb.rows(b, s.routes, noExcuse).Sub(start)
}

// oneFloor are changes by the barest transaction, on the agent's own server and
// in turns with its changes: what the server takes depends on what it did
// before. The rows are another node's, so that the agent lets them be.
type oneFloor struct {
	*writer
	nb *northbound
	// next is the first route that nobody has.
	next                        int
	quiet                       <-chan time.Time
	added, elsewhere, rewritten []time.Duration
}

// otherRouter has few routes, which tells what of a row's price is that of the
// router's set of routes.
const otherRouter = "GR_elsewhere"

func (f *oneFloor) measure(b *testing.B, rows int) {
	b.Helper()
	timed := func(batch []ovsdb.Operation) time.Duration {
		<-f.quiet
		start := time.Now()
		f.add(b, [][]ovsdb.Operation{batch})
		return f.nb.rows(b, rows+1, noExcuse).Sub(start)
	}
	f.added = append(f.added, timed(operationsOn(router, "other", f.next, f.next+1)))
	<-f.quiet
	before, start := f.nb.modificationsSoFar(), time.Now()
	f.replace(b, "172.18.0.99")
	f.rewritten = append(f.rewritten, f.nb.modifications(b, before, noExcuse).Sub(start))
	f.remove(b, 1)
	f.nb.rows(b, rows, noExcuse)
	f.elsewhere = append(f.elsewhere, timed(operationsOn(otherRouter, "other", f.next, f.next+1)))
	f.transact(b, []ovsdb.Operation{mutationOf(otherRouter, ovsdb.MutateOperationDelete, f.ids)})
	f.ids = nil
	f.nb.rows(b, rows, noExcuse)
}

// measureOne adds, rewrites and removes one route, again and again, and takes
// the time from before the kernel is told to when another client sees the row.
func (s *size) measureOne(b *testing.B, a *agent, nb *northbound) {
	var added, replaced, deleted []time.Duration
	quiet := time.NewTicker(pause)
	defer quiet.Stop()
	timed := func(change func(*netlink.Route) error, r *netlink.Route, seen func() time.Time) time.Duration {
		<-quiet.C
		start := time.Now()
		if err := change(r); err != nil {
			b.Fatal(err)
		}
		return seen().Sub(start)
	}
	nb.AddRouter(b, otherRouter)
	floor := &oneFloor{writer: newWriter(b, nb.Endpoint()), nb: nb, next: s.routes + changes, quiet: quiet.C}
	defer floor.Close()
	cpu := a.cpu(b)
	for i := range changes {
		floor.measure(b, s.routes)
		r := s.node.route(s.routes + i)
		added = append(added, timed(s.node.netlink.RouteAdd, r, func() time.Time { return nb.rows(b, s.routes+1, a.log.String) }))
		before := nb.modificationsSoFar()
		r.Gw = nextHop(i + 1).AsSlice()
		replaced = append(replaced, timed(s.node.netlink.RouteReplace, r, func() time.Time { return nb.modifications(b, before, a.log.String) }))
		deleted = append(deleted, timed(s.node.netlink.RouteDel, r, func() time.Time { return nb.rows(b, s.routes, a.log.String) }))
	}
	// What is not the server's is ours, and the kernel's.
	row, rewrite, elsewhere := median(floor.added), median(floor.rewritten), median(floor.elsewhere)
	share := share{added: median(added), replaced: median(replaced), own: median(added) - row, ownReplaced: median(replaced) - rewrite}
	if s.first == nil {
		s.first = &share
	}
	report(b, milliseconds("floor-add-elsewhere-ms", elsewhere), milliseconds("own-add-ms", share.own), milliseconds("own-replace-ms", share.ownReplaced),
		ratio("x-first-add", share.added, s.first.added), ratio("x-first-replace", share.replaced, s.first.replaced))
	// On a busy machine the server's own noise may exceed our share.
	if share.own > 0 && s.first.own > 0 {
		report(b, ratio("x-first-own-add", share.own, s.first.own))
	}
	if share.ownReplaced > 0 && s.first.ownReplaced > 0 {
		report(b, ratio("x-first-own-replace", share.ownReplaced, s.first.ownReplaced))
	}
	report(b, milliseconds("floor-add-ms", row), milliseconds("floor-replace-ms", rewrite), milliseconds("add-ms-median", median(added)),
		milliseconds("replace-ms-median", median(replaced)), milliseconds("del-ms-median", median(deleted)),
		ratio("x-add-floor", median(added), row), ratio("x-replace-floor", median(replaced), rewrite),
		metric{"CPU-ms", (a.cpu(b) - cpu).Seconds() * 1000 / (3 * changes)})
}

// measureFlap withdraws a tenth of the routes and announces them again.
func (s *size) measureFlap(b *testing.B, a *agent, nb *northbound) {
	var gone, back []time.Duration
	cpu := a.cpu(b)
	for range 3 {
		start := time.Now()
		s.node.change(b, "del", 0, s.routes/10)
		gone = append(gone, nb.rows(b, s.routes-s.routes/10, a.log.String).Sub(start))
		start = time.Now()
		s.node.change(b, "add", 0, s.routes/10)
		back = append(back, nb.rows(b, s.routes, a.log.String).Sub(start))
	}
	_, peak := a.memory(b)
	// The kernel's part is that of loading the table.
	load := s.load / 10
	report(b, milliseconds("floor-withdrawn-ms", s.withdraw), milliseconds("floor-announced-ms", s.announce), milliseconds("floor-kernel-ms", load),
		milliseconds("withdrawn-ms", median(gone)), milliseconds("announced-ms", median(back)),
		ratio("x-withdrawn-floors", median(gone), s.withdraw+load), ratio("x-announced-floors", median(back), s.announce+load),
		metric{"CPU-ms", (a.cpu(b) - cpu).Seconds() * 1000 / 6}, metric{"peak-MiB", peak})
}

// measureIdle tells what the agent costs and occupies while nothing happens.
func (s *size) measureIdle(b *testing.B, a *agent) {
	cpu := a.cpu(b)
	quiet := 5 * time.Second
	<-time.After(quiet)
	now, peak := a.memory(b)
	report(b, metric{"CPU-ms/s", (a.cpu(b) - cpu).Seconds() * 1000 / quiet.Seconds()}, metric{"MiB", now}, metric{"peak-MiB", peak},
		metric{"MiB-heap", a.figure(b, "go_memstats_heap_alloc_bytes") / (1 << 20)})
}

// measureRestart starts the agent where all rows are there already.
func (s *size) measureRestart(b *testing.B, nb *northbound) {
	a := s.startAgent(b, s.node, nb)
	nbserver.Eventually(b, patience, "the agent says that it is synced", func() bool {
		synced, err := a.ask(b.Context(), "ovnbgp_agent_synced")
		return err == nil && synced == 1
	})
	took := time.Since(a.began)
	if written := a.figure(b, "ovnbgp_agent_rows_written_total"); written != 0 {
		b.Errorf("%v rows were written for nothing", written)
	}
	_, peak := a.memory(b)
	report(b, milliseconds("ms-from-exec", took), seconds("CPU-s", a.cpu(b)), metric{"peak-MiB", peak})
	a.stop(b)
}

// measureAtOnce announces all routes while the agent runs.
func (s *size) measureAtOnce(b *testing.B, a *agent, nb *northbound) {
	cpu, start := a.cpu(b), time.Now()
	s.node.change(b, "add", 0, s.routes)
	loaded := time.Since(start)
	took := nb.rows(b, s.routes+1, a.log.String).Sub(start)
	_, peak := a.memory(b)
	report(b, milliseconds("floor-kernel-ms", s.load), milliseconds("kernel-ms", loaded), milliseconds("ms", took),
		ratio("x-floors", took, s.load+s.write), seconds("CPU-s", a.cpu(b)-cpu),
		metric{"overflows", a.figure(b, "ovnbgp_agent_netlink_overflows_total")}, metric{"peak-MiB", peak})
}

// measureGone withdraws all routes but one.
func (s *size) measureGone(b *testing.B, a *agent, nb *northbound) {
	cpu, start := a.cpu(b), time.Now()
	s.node.change(b, "del", 0, s.routes)
	report(b, milliseconds("ms", nb.rows(b, 1, a.log.String).Sub(start)), seconds("CPU-s", a.cpu(b)-cpu),
		metric{"overflows", a.figure(b, "ovnbgp_agent_netlink_overflows_total")})
}

// measurePaced announces all routes over some seconds, as neighbors do.
func (s *size) measurePaced(b *testing.B, a *agent, nb *northbound) {
	cpu := a.cpu(b)
	ticker := time.NewTicker(pacedOver / pacedSteps)
	defer ticker.Stop()
	batch := s.node.open(b)
	for i := range pacedSteps {
		<-ticker.C
		batch.change("add", i*s.routes/pacedSteps, (i+1)*s.routes/pacedSteps)
	}
	batch.end()
	last := time.Now()
	after := nb.rows(b, s.routes+1, a.log.String).Sub(last)
	_, peak := a.memory(b)
	report(b, milliseconds("ms-after-last", after), seconds("CPU-s", a.cpu(b)-cpu), metric{"peak-MiB", peak})
}
