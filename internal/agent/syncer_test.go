package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// played is a gateway router and a kernel table that a test plays.
type played struct {
	state  ovnnb.RouterState
	rows   map[netip.Prefix][]netip.Addr
	paths  map[netip.Prefix]model.Path
	beyond int
	// unlisted tables are being listed.
	unlisted bool
	refuses  error
	// imports are prefixes of OVN-Kubernetes' route import, and version theirs.
	imports string
	version uint64
	writes  int
	// kernelSays are the changes of the kernel's table since it was last asked, nil
	// for everything; rowsSay and rowsLost those of the rows.
	kernelSays *[]netip.Prefix
	rowsSay    []netip.Prefix
	rowsLost   bool
	// reconsiders is set while the table has to be listed again once rows are known.
	reconsiders bool
	// asked are the prefixes of which the kernel's path was asked.
	asked    map[netip.Prefix]bool
	defaults int
	unmarked []ovnnb.UnmarkedRow
	snat     ovnnb.SNAT
	// snats are the writes of SNAT.
	snats int
}

func (p *played) Router() string           { return "GR_n" }
func (p *played) State() ovnnb.RouterState { return p.state }
func (p *played) Count() int               { return len(p.rows) }
func (p *played) Has(x netip.Prefix) bool  { return len(p.rows[x]) > 0 }
func (p *played) Close()                   {}
func (p *played) ID() uint32               { return mainTable }
func (p *played) Reconsider() bool         { return p.reconsiders }
func (p *played) Len() (all, beyond int)   { return len(p.paths) + p.beyond, p.beyond }

func (p *played) Rows(prefix netip.Prefix, out []model.RouterRow) []model.RouterRow {
	for _, hop := range p.rows[prefix] {
		out = append(out, model.RouterRow{ID: idOf(prefix, hop), NextHop: hop, Intact: true})
	}
	return out
}

func (p *played) RowCount() (n int) {
	for _, hops := range p.rows {
		n += len(hops)
	}
	return n
}

func (p *played) TakeChanged() (prefixes []netip.Prefix, all bool) {
	prefixes, all, p.rowsSay, p.rowsLost = p.rowsSay, p.rowsLost, nil, false
	return prefixes, all
}

func (p *played) Commit(_ context.Context, changes []model.RowChange) error {
	if p.refuses != nil {
		return p.refuses
	}
	p.writes += len(changes)
	for _, c := range changes {
		if c.Verb != model.RowInsert {
			p.rows[c.Prefix] = slices.DeleteFunc(p.rows[c.Prefix], func(hop netip.Addr) bool { return idOf(c.Prefix, hop) == c.ID })
		}
		if c.Verb != model.RowDelete {
			p.rows[c.Prefix] = append(p.rows[c.Prefix], c.NextHop)
		}
		if len(p.rows[c.Prefix]) == 0 {
			delete(p.rows, c.Prefix)
		}
	}
	return nil
}

func (p *played) RouteImports() (prefixes []netip.Prefix, version uint64) {
	parse(p.imports, func(prefix netip.Prefix, _ []netip.Addr) { prefixes = append(prefixes, prefix) })
	return prefixes, p.version
}

func (p *played) Unmarked() []ovnnb.UnmarkedRow        { return p.unmarked }
func (p *played) SNAT([]netip.Prefix, bool) ovnnb.SNAT { return p.snat }
func (p *played) Defaults() int                        { return p.defaults }

func (p *played) CommitSNAT(context.Context, ovnnb.SNAT) error {
	if p.refuses == nil {
		p.snats++
	}
	return p.refuses
}

func (p *played) DropDefaults(context.Context) error {
	p.writes, p.defaults = p.writes+p.defaults, 0
	return nil
}

func (p *played) TakeChanges() kernel.Changes {
	if p.kernelSays == nil || p.unlisted {
		return kernel.Changes{Ready: !p.unlisted, All: true}
	}
	out := kernel.Changes{Ready: true, Prefixes: *p.kernelSays}
	p.kernelSays = &[]netip.Prefix{}
	return out
}

func (p *played) Prefixes() []netip.Prefix { return slices.Collect(maps.Keys(p.paths)) }

func (p *played) Path(prefix netip.Prefix) (path model.Path, found bool) {
	if p.asked != nil {
		p.asked[prefix] = true
	}
	path, found = p.paths[prefix]
	return path, found
}

// playedRouter has the router's Prefixes, where played has the table's.
type playedRouter struct{ *played }

func (p playedRouter) Prefixes() []netip.Prefix { return slices.Collect(maps.Keys(p.rows)) }

func idOf(prefix netip.Prefix, hop netip.Addr) (id model.RowID) {
	copy(id[:], prefix.Addr().AsSlice())
	copy(id[8:], hop.AsSlice())
	return id
}

// text writes rows as "10.1.0.0/24>172.18.0.2>172.18.0.3 …".
func (p *played) text() string {
	var out []string
	for prefix, hops := range p.rows {
		hops = slices.Clone(hops)
		slices.SortFunc(hops, netip.Addr.Compare)
		out = append(out, prefix.String()+">"+strings.Join(texts(hops), ">"))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func texts(hops []netip.Addr) (out []string) {
	for _, hop := range hops {
		out = append(out, hop.String())
	}
	return out
}

func parse(text string, each func(prefix netip.Prefix, hops []netip.Addr)) {
	for _, field := range strings.Fields(text) {
		parts := strings.Split(field, ">")
		var hops []netip.Addr
		for _, hop := range parts[1:] {
			hops = append(hops, netip.MustParseAddr(hop))
		}
		each(netip.MustParsePrefix(parts[0]), hops)
	}
}

// What a syncer does in each state that the kernel, the database and the
// node's gateway can be in.
func TestSyncer(t *testing.T) {
	const one, two = "10.1.0.0/24>172.18.0.2", "10.2.0.0/24>172.18.0.3"
	const both = one + " " + two
	for _, test := range []struct {
		name string
		// kernel has routes out of link 5; rows are there before.
		kernel, rows string
		change       func(p *played, t *target)
		want         string
		reason       string
		// message is a part of what is said.
		message string
		held    int
	}{
		{name: "nothing anywhere", reason: ReasonSynced},
		{name: "a first import", kernel: both, want: both, reason: ReasonSynced},
		{name: "in step already", kernel: both, rows: both, want: both, reason: ReasonSynced},
		{name: "a withdrawal", kernel: one, rows: both, want: one, reason: ReasonSynced},
		{name: "another next hop", kernel: "10.1.0.0/24>172.18.0.9", rows: one, want: "10.1.0.0/24>172.18.0.9", reason: ReasonSynced},
		{name: "no VRF", rows: one, change: func(_ *played, t *target) { t.table = nil }, reason: ReasonVRFMissing},
		{name: "the table is being listed", rows: one, change: func(p *played, _ *target) { p.unlisted = true }, want: one, reason: ReasonListing},
		{name: "disconnected", kernel: both, rows: one, change: func(p *played, _ *target) { p.state.Known = false }, want: one, reason: ReasonDisconnected},
		{name: "no router", kernel: both, change: func(p *played, _ *target) { p.state.Present = false }, reason: ReasonNoGatewayRouter},
		{name: "somebody else imports", kernel: both, rows: one, change: func(p *played, _ *target) { p.state.RouteImport = true }, reason: ReasonRouteImport},
		{name: "OVN imports", kernel: both, rows: one, change: func(p *played, _ *target) { p.state.DynamicRouting = true }, reason: ReasonDynamicRouting},
		{name: "pods have external gateways, which a single host would overtake", kernel: one + " 10.9.9.9/32>172.18.0.3 fd01::9/128>fd00:18::3", rows: "10.9.9.9/32>172.18.0.3",
			change: func(p *played, _ *target) { p.state.SourceIPv4 = true }, want: one + " fd01::9/128>fd00:18::3", reason: ReasonSynced},
		{name: "the database refuses", kernel: both, rows: one, change: func(p *played, _ *target) { p.refuses = errors.New("no") }, want: one, reason: ReasonWriteFailed, message: "no"},

		{name: "gateway unknown", kernel: both, rows: one, change: noLinks, want: one, reason: ReasonGatewayUnknown, message: "--gateway-interface"},
		{name: "gateway unknown, a withdrawal", kernel: one, rows: both, change: noLinks, want: one, reason: ReasonGatewayUnknown},
		{name: "gateway unknown, one of two next hops withdrawn", kernel: one, rows: one + ">172.18.0.3", change: noLinks, want: one, reason: ReasonGatewayUnknown},
		{name: "gateway unknown, the next hop replaced", kernel: "10.1.0.0/24>172.18.0.9", rows: one, change: noLinks, reason: ReasonGatewayUnknown},
		{name: "gateway gone", kernel: one, rows: both, change: func(p *played, t *target) {
			noLinks(p, t)
			t.noGateway = "the link breth0, which the annotation names, is not on this node"
		}, want: one, reason: ReasonGatewayUnknown, message: "the link breth0, which the annotation names, is not on this node. Routes that leave the kernel"},
		{name: "gateway unknown, any link will do", kernel: both, change: func(_ *played, t *target) { t.rules = routediff.Rules{AnyLink: true} }, want: both, reason: ReasonSynced},

		{name: "over the limit", kernel: both, change: limit(1), want: one, reason: ReasonOverLimit, message: "1 routes are not imported", held: 1},
		{name: "over the limit, what is there stays", kernel: both, rows: two, change: limit(1), want: two, reason: ReasonOverLimit, held: 1},
		{name: "over the limit, a withdrawal makes room", kernel: two, rows: one, change: limit(1), want: two, reason: ReasonSynced},
		{name: "the limit is of rows", kernel: "10.1.0.0/24>172.18.0.2>172.18.0.3>172.18.0.4 10.2.0.0/24>172.18.0.3", change: limit(3),
			want: "10.1.0.0/24>172.18.0.2>172.18.0.3>172.18.0.4", reason: ReasonOverLimit, held: 1},
		{name: "a route grows beyond the limit", kernel: "10.1.0.0/24>172.18.0.2>172.18.0.3>172.18.0.4", rows: "10.1.0.0/24>172.18.0.3", change: limit(2),
			want: "10.1.0.0/24>172.18.0.2>172.18.0.3", reason: ReasonOverLimit, held: 1},
		{name: "a route at the limit changes its next hop", kernel: "10.1.0.0/24>172.18.0.9", rows: one, change: limit(1), want: "10.1.0.0/24>172.18.0.9", reason: ReasonSynced},
		{name: "the limit was lowered", kernel: both, rows: both, change: limit(1), want: both, reason: ReasonSynced},
		{name: "more than the mirror keeps", kernel: one, rows: one, change: func(p *played, t *target) { t.limit, p.beyond = 1, 499999 }, want: one, reason: ReasonOverLimit,
			message: "499999 routes are not imported: GR_n has 1 of at most 1 rows", held: 499999},
		{name: "weights", kernel: "10.1.0.0/24>172.18.0.2>172.18.0.3", change: func(p *played, _ *target) {
			hop := func(text string, weight uint8) model.NextHop {
				return model.NextHop{Addr: netip.MustParseAddr(text), Link: 5, Weight: weight}
			}
			p.paths[netip.MustParsePrefix("10.1.0.0/24")] = model.MakePath(model.PathUnicast, hop("172.18.0.2", 3), hop("172.18.0.3", 0))
		}, want: "10.1.0.0/24>172.18.0.2>172.18.0.3", reason: ReasonSynced, message: "1 of them have next hops with weights"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &played{state: ovnnb.RouterState{Known: true, Present: true}, rows: map[netip.Prefix][]netip.Addr{}, paths: map[netip.Prefix]model.Path{}}
			parse(test.rows, func(prefix netip.Prefix, hops []netip.Addr) { p.rows[prefix] = hops })
			parse(test.kernel, func(prefix netip.Prefix, hops []netip.Addr) {
				var list []model.NextHop
				for _, hop := range hops {
					list = append(list, model.NextHop{Addr: hop, Link: 5})
				}
				p.paths[prefix] = model.MakePath(model.PathUnicast, list...)
			})
			next := target{table: p, vrf: "blue", rules: routediff.Rules{Links: []int32{5}}}
			if test.change != nil {
				test.change(p, &next)
			}
			s := playedSyncer("default", p)
			s.aim(next)
			s.sync(t.Context(), false)
			if got := p.text(); got != test.want {
				t.Errorf("rows %q, not %q", got, test.want)
			}
			state := s.snapshot()
			if state.Reason != test.reason || !strings.Contains(state.Message, test.message) || state.Held != test.held {
				t.Errorf("%s: %s (%d held)", state.Reason, state.Message, state.Held)
			}
			writes := p.writes
			s.sync(t.Context(), false)
			if p.writes != writes || p.text() != test.want {
				t.Errorf("a second look writes again: %d, then %d; rows %q", writes, p.writes, p.text())
			}
		})
	}
}

// playedSyncer works on a router that is played.
func playedSyncer(name string, p *played) *syncer {
	s := newSyncer(name, logr.Discard(), NewMetrics(nil, nil), func() bool { return false })
	s.rows = playedRouter{p}
	return s
}

func noLinks(_ *played, t *target) { t.rules = routediff.Rules{} }

func limit(n int) func(*played, *target) { return func(_ *played, t *target) { t.limit = n } }

// A syncer at its limit fills room as it comes, whatever order changes take.
func TestSyncerFillsRoom(t *testing.T) {
	p := &played{state: ovnnb.RouterState{Known: true, Present: true}, rows: map[netip.Prefix][]netip.Addr{}, paths: map[netip.Prefix]model.Path{}}
	for i := range 10 {
		p.paths[netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/24", i))] = model.MakePath(model.PathUnicast, hopAt(2), hopAt(3))
	}
	s := playedSyncer("default", p)
	s.aim(target{table: p, rules: routediff.Rules{Links: []int32{5}}, limit: 8})
	for i := range 10 {
		s.sync(t.Context(), false)
		if rows, want := p.RowCount(), min(8, 2*len(p.paths)); rows != want {
			t.Fatalf("after %d withdrawals there are %d rows, not %d", i, rows, want)
		}
		// What is imported is withdrawn, so that room comes every time.
		for prefix := range p.rows {
			delete(p.paths, prefix)
			break
		}
	}
}

// A database that refuses is asked again, and less and less often.
func TestSyncerTriesAgain(t *testing.T) {
	p := &played{state: ovnnb.RouterState{Known: true, Present: true}, rows: map[netip.Prefix][]netip.Addr{}, paths: map[netip.Prefix]model.Path{
		netip.MustParsePrefix("10.1.0.0/24"): model.MakePath(model.PathUnicast, hopAt(2)),
	}}
	s := playedSyncer("default", p)
	s.aim(target{table: p, rules: routediff.Rules{Links: []int32{5}}})
	for _, step := range []struct {
		refuses error
		again   time.Duration
	}{
		{errors.New("no"), 50 * time.Millisecond},
		{errors.New("no"), 100 * time.Millisecond},
		{nil, 0},
		{errors.New("no"), 50 * time.Millisecond},
	} {
		p.refuses = step.refuses
		if len(p.rows) > 0 {
			// Something to write.
			clear(p.rows)
			s.all = true
		}
		if again := s.sync(t.Context(), false); again != step.again {
			t.Errorf("refused with %v: again after %s, not %s", step.refuses, again, step.again)
		}
	}
	p.refuses = errors.New("no")
	var last time.Duration
	for range 20 {
		last = s.sync(t.Context(), false)
	}
	if last != 5*time.Second {
		t.Errorf("after many refusals again after %s", last)
	}
}

func hopAt(last byte) model.NextHop {
	return model.NextHop{Addr: netip.AddrFrom4([4]byte{172, 18, 0, last}), Link: 5}
}
