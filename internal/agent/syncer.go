package agent

import (
	"context"
	"maps"
	"math"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// rowsPerTransaction bounds a transaction: ovsdb-server does nothing else
// while it works on one. Measured on 100,000 routes, larger ones gain nothing.
const rowsPerTransaction = 2000

// retries are the pauses after transactions that failed in a row.
func retries() wait.Backoff {
	return wait.Backoff{Duration: 50 * time.Millisecond, Factor: 2, Cap: 5 * time.Second, Steps: math.MaxInt}
}

// syncer keeps one network's gateway router as its kernel table says.
type syncer struct {
	name    string
	log     logr.Logger
	figures *Metrics
	rows    router
	// via reports whether OVN takes IPv6 next hops for IPv4 prefixes.
	via  func() bool
	wake chan struct{}
	// changed is called after every sync.
	changed func()
	// readOnly syncers look, count what they would change, and write nothing.
	readOnly bool
	// observed is set once outstanding changes were counted.
	observed    bool
	outstanding int

	// wanted is what the outside asks for; the rest belongs to run.
	mu     sync.Mutex
	wanted target
	// problem is why there is no newer target.
	problem string
	state   NetworkState

	table table
	// weighed is the table that was listed with the rows known, which it keeps
	// before other prefixes.
	weighed   table
	vrf       string
	noGateway string
	version   int
	rules     routediff.Rules
	skipped   routediff.SkippedRoutes
	pace      pace
	// all is set while everything has to be looked at.
	all    bool
	router ovnnb.RouterState
	// left are rows of OVN-Kubernetes' route import that it no longer keeps.
	left    leftRows
	retry   wait.Backoff
	changes []model.RowChange

	snat        snatPace
	snatMessage string
}

// target is what a syncer is to do.
type target struct {
	// table is nil where the network has no VRF on this node, so no routes.
	table table
	vrf   string
	rules routediff.Rules
	limit int
	snat  snatWanted
	// noGateway is why the rules have no links, where that is known.
	noGateway string
	// version changes with any of the above.
	version int
}

// newSyncer returns a syncer that has nothing to do yet. Its router comes with rows.
func newSyncer(name string, log logr.Logger, metrics *Metrics, via func() bool) *syncer {
	return &syncer{
		name: name, log: log, figures: metrics, via: via, wake: make(chan struct{}, 1),
		retry: retries(), snat: snatPace{pauses: snatPauses()}, left: leftRows{after: leftAfter},
	}
}

func (s *syncer) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// aim sets what the syncer is to do.
func (s *syncer) aim(t target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.version = s.wanted.version + 1
	s.wanted = t
	s.poke()
}

// trouble sets why the network can't be worked on, "" where it can.
func (s *syncer) trouble(problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.problem != problem {
		s.problem = problem
		s.poke()
	}
}

// run syncs whenever something changed, until ctx ends.
func (s *syncer) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		pause := s.pace.delay(time.Now())
		if pause > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
		if again := s.sync(ctx, pause > 0); again > 0 {
			timer.Reset(again)
		}
	}
}

// sync does what there is to do, once; again is when to try again, 0 for when
// something changes.
func (s *syncer) sync(ctx context.Context, waited bool) (again time.Duration) {
	s.mu.Lock()
	snat := s.wanted.snat
	s.mu.Unlock()
	later := s.syncSNAT(ctx, snat)
	again = s.syncRoutes(ctx, waited)
	return sooner(sooner(again, later), s.left.again)
}

// syncRoutes is sync as far as routes go.
func (s *syncer) syncRoutes(ctx context.Context, waited bool) (again time.Duration) {
	began := time.Now()
	work, ready := s.take()
	if !ready {
		s.report(nil)
		return 0
	}
	s.lookForLeft(began)
	written, err := s.write(ctx, work)
	ended := time.Now()
	if s.readOnly {
		s.pace.observed(began, ended)
		// As nothing was written, the next sync has to look at everything too.
		s.all, s.observed, s.outstanding = true, true, written
		s.report(nil)
		return 0
	}
	if written > 0 || err != nil {
		s.pace.synced(began, ended, waited)
		s.figures.synced(s.name, ended.Sub(began), written, err)
	}
	if written > 0 && err == nil && !work.since.IsZero() {
		s.figures.latency(ended.Sub(work.since))
	}
	switch {
	case err == nil:
		s.retry = retries()
	case ctx.Err() != nil:
		return 0
	default:
		// It is not known what was written, so everything is compared again. A
		// connection or a router that comes back is an event of its own.
		s.all = true
		again = s.retry.Step()
		s.log.Info("Could not write routes; trying again", "network", s.name, "cause", err.Error(), "after", again)
	}
	s.report(err)
	return again
}

// work is what a sync looks at.
type work struct {
	prefixes []netip.Prefix
	// repairs are prefixes of which only the rows changed, not the route.
	repairs map[netip.Prefix]struct{}
	since   time.Time
	// aside is set where nothing of ours may be on the router.
	aside bool
}

// take collects what changed. It is not ready while anything that decides is
// not known; then it leaves everything as it is.
func (s *syncer) take() (w work, ready bool) {
	s.mu.Lock()
	wanted := s.wanted
	s.mu.Unlock()
	if wanted.version == 0 {
		return w, false
	}
	if wanted.version != s.version {
		s.all = true
		s.table, s.vrf, s.rules, s.skipped.Limit = wanted.table, wanted.vrf, wanted.rules, wanted.limit
		s.noGateway = wanted.noGateway
		s.version = wanted.version
	}
	routes := kernel.Changes{Ready: true}
	if s.table != nil {
		routes = s.table.TakeChanges()
	}
	if !routes.Ready {
		return w, false
	}
	changedRows, allRows := s.rows.TakeChanged()
	router := s.rows.State()
	s.all = s.all || routes.All || allRows || router != s.router
	s.router = router
	if !router.Known || !router.Present || !s.weigh() {
		s.all = true
		return w, false
	}
	// OVN's version comes with the session, later than the rules may.
	if via := s.via(); via != s.rules.IPv4ViaIPv6 {
		s.rules.IPv4ViaIPv6, s.all = via, true
	}
	w.aside = router.RouteImport || router.DynamicRouting
	w.since = routes.Since
	if s.all {
		w.prefixes = withHalves(s.everything())
		s.skipped.Reset()
		s.all = false
		return w, true
	}
	w.prefixes = routes.Prefixes
	w.repair(changedRows)
	w.prefixes = withHalves(w.prefixes)
	s.existingFirst(w.prefixes)
	return w, true
}

// weigh has the table keep what has rows, now that these are known: what was
// imported before stays. It is not ready until that is done.
func (s *syncer) weigh() (ready bool) {
	if s.table == nil || s.weighed == s.table {
		return true
	}
	s.weighed = s.table
	return !s.table.Reconsider()
}

// repair adds prefixes whose rows changed, but for those whose routes did too.
func (w *work) repair(changedRows []netip.Prefix) {
	if len(changedRows) == 0 {
		return
	}
	w.repairs = make(map[netip.Prefix]struct{}, len(changedRows))
	for _, prefix := range changedRows {
		w.repairs[prefix] = struct{}{}
	}
	for _, prefix := range w.prefixes {
		delete(w.repairs, prefix)
	}
	w.prefixes = slices.AppendSeq(w.prefixes, maps.Keys(w.repairs))
}

// gatewayUnknown reports whether it is unknown which routes belong on the router.
// Then those there stay while they are in the kernel.
func (s *syncer) gatewayUnknown() bool { return !s.rules.AnyLink && s.rules.Links == nil }

// everything is every prefix that has a row or a route. Those with rows come
// first: what is there stays when the limit is reached.
func (s *syncer) everything() []netip.Prefix {
	existing := s.rows.Prefixes()
	slices.SortFunc(existing, routediff.ComparePrefixes)
	if s.table == nil {
		return existing
	}
	routes := s.table.Prefixes()
	if len(existing) > 0 {
		var room [4]model.RouterRow
		routes = slices.DeleteFunc(routes, func(prefix netip.Prefix) bool { return len(s.rows.Rows(prefix, room[:0])) > 0 })
	}
	slices.SortFunc(routes, routediff.ComparePrefixes)
	if len(existing) == 0 {
		return routes
	}
	return append(existing, routes...)
}

// existingFirst moves prefixes with rows to the front, so that those that go
// make room for those that come.
func (s *syncer) existingFirst(prefixes []netip.Prefix) {
	var room [4]model.RouterRow
	next := 0
	for i, prefix := range prefixes {
		if len(s.rows.Rows(prefix, room[:0])) > 0 {
			prefixes[i], prefixes[next] = prefixes[next], prefix
			next++
		}
	}
}

// write brings the rows of all prefixes up to date, and then lets in what was
// held back as far as there is room now.
func (s *syncer) write(ctx context.Context, w work) (written int, err error) {
	if written, err = s.writeRoutes(ctx, w); err != nil {
		return written, err
	}
	dropped, err := s.dropDefaults(ctx)
	return written + dropped, err
}

func (s *syncer) writeRoutes(ctx context.Context, w work) (written int, err error) {
	imported := s.rows.RowCount()
	if written, err = s.writePrefixes(ctx, w, &imported); err != nil {
		return written, err
	}
	if s.skipped.OverLimitCount() == 0 || s.skipped.Room(imported) == 0 {
		return written, nil
	}
	w.prefixes = s.skipped.OverLimit(s.skipped.Room(imported))
	more, err := s.writePrefixes(ctx, w, &imported)
	return written + more, err
}

func (s *syncer) writePrefixes(ctx context.Context, w work, imported *int) (written int, err error) {
	commits, ctx := errgroup.WithContext(ctx)
	// While the server works on one, the next is made.
	commits.SetLimit(2)
	var count atomic.Int64
	changes := s.changes[:0]
	flush := func(last bool) {
		batch := changes
		if !last {
			changes = nil
		}
		commits.Go(func() error {
			var err error
			if !s.readOnly {
				err = s.rows.Commit(ctx, batch)
			}
			if err == nil {
				count.Add(int64(len(batch)))
			}
			return err
		})
	}
	var hops [16]netip.Addr
	var rows [16]model.RouterRow
	repaired := 0
	for _, prefix := range w.prefixes {
		have := s.rows.Rows(prefix, rows[:0])
		want := s.decide(prefix, w.aside, have, *imported, hops[:0])
		*imported += len(want) - len(have)
		if prefix.Bits() == 0 {
			// Rows of earlier versions go last; see dropDefaults.
			continue
		}
		before := len(changes)
		changes = routediff.Diff(prefix, want, have, changes)
		if _, repair := w.repairs[prefix]; repair && len(changes) > before {
			s.figures.repaired(s.name)
			repaired++
		}
		if len(changes) >= rowsPerTransaction {
			if flush(false); ctx.Err() != nil {
				break
			}
		}
	}
	flush(true)
	err = commits.Wait()
	if repaired > 0 && !s.readOnly {
		s.log.Info("Set right rows that somebody else had changed", "network", s.name, "prefixes", repaired)
	}
	// A full import leaves no large buffer behind.
	if s.changes = changes[:0]; cap(changes) > 1024 {
		s.changes = nil
	}
	return int(count.Load()), err
}
