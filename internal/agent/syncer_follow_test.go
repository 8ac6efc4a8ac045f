package agent

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// stage is a syncer whose two routes are imported, with the router and the table that
// a test plays.
type stage struct {
	*played
	syncer *syncer
	target target
	test   *testing.T
}

const (
	routeOne   = "10.1.0.0/24>172.18.0.2"
	routeTwo   = "10.2.0.0/24>172.18.0.3"
	routeThree = "10.3.0.0/24>172.18.0.4"
	twoRoutes  = routeOne + " " + routeTwo
)

func newStage(t *testing.T) *stage {
	p := &played{state: ovnnb.RouterState{Known: true, Present: true}, rows: map[netip.Prefix][]netip.Addr{}, paths: map[netip.Prefix]model.Path{}, asked: map[netip.Prefix]bool{}}
	x := &stage{played: p, test: t, target: target{table: p, vrf: "blue", rules: routediff.Rules{Links: []int32{5}}}}
	x.syncer = playedSyncer("blue", p)
	return x
}

// imported brings the stage to where it begins.
func (x *stage) imported() {
	x.has(twoRoutes)
	x.syncer.aim(x.target)
	x.sync()
	if got := x.text(); got != twoRoutes {
		x.test.Fatalf("the first sync imported %q", got)
	}
	x.kernelSays = &[]netip.Prefix{}
	x.writes = 0
	clear(x.asked)
}

func (x *stage) sync() { x.syncer.sync(x.test.Context(), false) }

// has gives the kernel these routes and no others, without an event.
func (x *stage) has(routes string) {
	clear(x.paths)
	parse(routes, func(prefix netip.Prefix, hops []netip.Addr) {
		var list []model.NextHop
		for _, hop := range hops {
			list = append(list, model.NextHop{Addr: hop, Link: 5})
		}
		x.paths[prefix] = model.MakePath(model.PathUnicast, list...)
	})
}

// says is an event of the kernel for each of the prefixes.
func (x *stage) says(prefixes ...string) {
	said := []netip.Prefix{}
	for _, text := range prefixes {
		said = append(said, netip.MustParsePrefix(text))
	}
	x.kernelSays = &said
}

// overflows is what the kernel's table says after events were lost.
func (x *stage) overflows() { x.kernelSays = nil }

// aims gives the syncer another target.
func (x *stage) aims(change func(*target)) {
	change(&x.target)
	x.syncer.aim(x.target)
}

// removed takes rows off the router, as others do.
func (x *stage) removed(prefixes ...string) {
	for _, text := range prefixes {
		delete(x.rows, netip.MustParsePrefix(text))
	}
}

func (x *stage) lookedAt() string {
	var out []string
	for prefix := range x.asked {
		out = append(out, prefix.String())
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// TestSyncerFollows has two routes imported, and then something happens. A syncer
// looks at what changed and at nothing else, and at everything once it may have
// missed something; and it writes nothing while one side is not known.
func TestSyncerFollows(t *testing.T) {
	const one, two, three = "10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/24"
	for _, test := range []struct {
		name    string
		happens func(x *stage)
		// want are the rows afterwards, and looked the prefixes that were looked at.
		want, looked string
		reason       string
		// message is a part of what is said.
		message string
	}{
		// The kernel.
		{"nothing", func(*stage) {}, twoRoutes, "", ReasonSynced, ""},
		{"a route comes", func(x *stage) { x.has(twoRoutes + " " + routeThree); x.says(three) },
			twoRoutes + " " + routeThree, three, ReasonSynced, ""},
		{"a route goes", func(x *stage) { x.has(routeTwo); x.says(one) }, routeTwo, one, ReasonSynced, ""},
		{"a route gets another next hop", func(x *stage) { x.has("10.1.0.0/24>172.18.0.9 " + routeTwo); x.says(one) },
			"10.1.0.0/24>172.18.0.9 " + routeTwo, one, ReasonSynced, ""},
		{"events were lost", func(x *stage) { x.has(routeTwo + " " + routeThree); x.overflows() },
			routeTwo + " " + routeThree, one + " " + two + " " + three, ReasonSynced, ""},
		{"the table is listed again", func(x *stage) { x.has(routeTwo); x.unlisted = true }, twoRoutes, "", ReasonSynced, ""},
		{"a default route comes", func(x *stage) { x.has(twoRoutes + " 0.0.0.0/0>172.18.0.1"); x.says("0.0.0.0/0") },
			"0.0.0.0/1>172.18.0.1 " + twoRoutes + " 128.0.0.0/1>172.18.0.1", "0.0.0.0/0 0.0.0.0/1 128.0.0.0/1", ReasonSynced, ""},

		// The router.
		{"a row is removed by others", func(x *stage) { x.removed(one); x.rowsSay = []netip.Prefix{netip.MustParsePrefix(one)} },
			twoRoutes, one, ReasonSynced, ""},
		{"a new session, and rows are not as they were", func(x *stage) { x.removed(one, two); x.rowsLost = true },
			twoRoutes, one + " " + two, ReasonSynced, ""},
		{"the router is made again", func(x *stage) { x.removed(one, two); x.state.ID = model.RowID{1} },
			twoRoutes, one + " " + two, ReasonSynced, ""},
		{"no session", func(x *stage) { x.state = ovnnb.RouterState{Trouble: "refused"}; x.has(routeTwo); x.says(one) },
			twoRoutes, "", ReasonDisconnected, "(refused); what was imported stays"},
		{"no session for a while, and a route goes meanwhile", func(x *stage) {
			x.state.Known = false
			x.has(routeTwo)
			x.says(one)
			x.sync()
			x.state.Known = true
		}, routeTwo, one + " " + two, ReasonSynced, ""},
		{"no router for a while, and a route comes meanwhile", func(x *stage) {
			x.state.Present = false
			x.has(twoRoutes + " " + routeThree)
			x.says(three)
			x.sync()
			x.state.Present = true
		}, twoRoutes + " " + routeThree, one + " " + two + " " + three, ReasonSynced, ""},
		{"a write is refused, and taken the next time", func(x *stage) {
			x.refuses = errors.New("no")
			x.has(routeTwo)
			x.says(one)
			x.sync()
			x.refuses = nil
		}, routeTwo, one + " " + two, ReasonSynced, ""},
		{"others begin to import", func(x *stage) { x.state.RouteImport = true }, "", one + " " + two, ReasonRouteImport, ""},
		{"a single host, and pods get external gateways", func(x *stage) {
			x.has(routeTwo + " 10.9.9.9/32>172.18.0.3")
			x.overflows()
			x.sync()
			x.says()
			x.state.SourceIPv4 = true
		}, routeTwo, one + " " + two + " 10.9.9.9/32", ReasonSynced, ""},
		{"a default route of an earlier version", func(x *stage) { x.defaults = 1 }, twoRoutes, "", ReasonSynced, ""},
		{"rows without an owner", func(x *stage) {
			x.unmarked = []ovnnb.UnmarkedRow{{Prefix: netip.MustParsePrefix(three), NextHop: netip.MustParseAddr("172.18.0.4")}}
		}, twoRoutes, "", ReasonUnmarkedRows, "first 10.3.0.0/24 via 172.18.0.4"},

		// The node and its networks.
		{"the network can't be worked on", func(x *stage) { x.syncer.trouble("its subnets overlap"); x.sync() },
			twoRoutes, "", ReasonInvalid, "its subnets overlap; what was imported stays"},
		{"the VRF goes", func(x *stage) { x.aims(func(t *target) { t.table = nil }) }, "", "", ReasonVRFMissing, "VRF device blue"},
		{"the gateway's link is another one", func(x *stage) { x.aims(func(t *target) { t.rules.Links = []int32{6} }) }, "", one + " " + two, ReasonSynced, ""},
		{"the limit is raised", func(x *stage) {
			x.aims(func(t *target) { t.limit = 2 })
			x.has(twoRoutes + " " + routeThree)
			x.says(three)
			x.sync()
			x.aims(func(t *target) { t.limit = 3 })
		}, twoRoutes + " " + routeThree, one + " " + two + " " + three, ReasonSynced, ""},
		{"a flood", func(x *stage) {
			x.aims(func(t *target) { t.limit = 2 })
			x.sync()
			clear(x.asked)
			x.has(twoRoutes + " " + routeThree)
			x.says(three)
		}, twoRoutes, three, ReasonOverLimit, "1 routes are not imported"},
		{"a flood, and a route goes", func(x *stage) {
			x.aims(func(t *target) { t.limit = 2 })
			x.has(twoRoutes + " " + routeThree)
			x.says(three)
			x.sync()
			clear(x.asked)
			x.has(routeTwo + " " + routeThree)
			x.says(one)
		}, routeTwo + " " + routeThree, one + " " + three, ReasonSynced, ""},
		{"another table, of which what has rows is to be kept first", func(x *stage) {
			other := *x.played
			other.reconsiders, other.kernelSays, other.paths = true, nil, map[netip.Prefix]model.Path{}
			x.aims(func(t *target) { t.table = &other })
		}, twoRoutes, "", ReasonListing, ""},
		{"OVN is of a version that takes IPv6 next hops", func(x *stage) {
			x.has(twoRoutes + " 10.3.0.0/24>fe80::1")
			x.says(three)
			x.sync()
			x.syncer.via = func() bool { return true }
		}, twoRoutes + " 10.3.0.0/24>fe80::1", one + " " + two + " " + three, ReasonSynced, ""},

		// What it may do.
		{"it only observes", func(x *stage) { x.syncer.readOnly = true; x.has(routeTwo); x.says(one) },
			twoRoutes, one, ReasonObserveOnly, "it would change 1 rows of GR_n"},
		{"it only observes, twice", func(x *stage) {
			x.syncer.readOnly = true
			x.has(routeTwo)
			x.says(one)
			x.sync()
		}, twoRoutes, one + " " + two, ReasonObserveOnly, "it would change 1 rows of GR_n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := newStage(t)
			x.imported()
			test.happens(x)
			x.sync()
			if got := x.text(); got != test.want {
				t.Errorf("rows %q, not %q", got, test.want)
			}
			if got := x.lookedAt(); got != test.looked {
				t.Errorf("looked at %q, not at %q", got, test.looked)
			}
			if state := x.syncer.snapshot(); state.Reason != test.reason || !strings.Contains(state.Message, test.message) {
				t.Errorf("%s: %s", state.Reason, state.Message)
			}
		})
	}
}

// A syncer that was not told its networks yet leaves what is there.
func TestSyncerWithoutNetworks(t *testing.T) {
	x := newStage(t)
	parse(twoRoutes, func(prefix netip.Prefix, hops []netip.Addr) { x.rows[prefix] = hops })
	x.sync()
	if state := x.syncer.snapshot(); x.text() != twoRoutes || state.Reason != ReasonListing || state.Message != "reading the network's configuration" {
		t.Errorf("rows %q; %s: %s", x.text(), state.Reason, state.Message)
	}
}

// Only rows that others changed count as repairs.
func TestSyncerCountsRepairs(t *testing.T) {
	x := newStage(t)
	x.imported()
	x.has(routeOne + " 10.2.0.0/24>172.18.0.9")
	x.says("10.2.0.0/24")
	x.removed("10.1.0.0/24", "10.2.0.0/24")
	x.rowsSay = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/24"), netip.MustParsePrefix("10.2.0.0/24")}
	x.sync()
	if repairs := testutil.ToFloat64(x.syncer.figures.repairs.WithLabelValues("blue")); repairs != 1 || x.text() != routeOne+" 10.2.0.0/24>172.18.0.9" {
		t.Errorf("%v repairs; rows %q", repairs, x.text())
	}
}

// Default routes of earlier versions go, unless nobody knows the gateway: then
// their halves may not be there.
func TestSyncerDropsDefaults(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(x *stage)
		left   int
	}{
		{"the gateway is known", func(*stage) {}, 0},
		{"the gateway is not known", func(x *stage) { x.aims(func(t *target) { t.rules = routediff.Rules{} }) }, 1},
		{"it only observes", func(x *stage) { x.syncer.readOnly = true }, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := newStage(t)
			x.imported()
			x.defaults = 1
			test.change(x)
			if x.sync(); x.defaults != test.left {
				t.Errorf("%d are left", x.defaults)
			}
		})
	}
}

// A syncer limits SNAT once, and ever more rarely while others undo it.
func TestSyncerSNAT(t *testing.T) {
	managed := func(t *target) { t.snat = snatWanted{managed: true, limit: true} }
	for _, test := range []struct {
		name   string
		change func(x *stage)
		writes int
		// pause is until the next write may follow, 0 if there was none.
		pause   time.Duration
		message string
	}{
		{"it is not managed", func(x *stage) { x.snat.Changes = 1 }, 0, 0, ""},
		{"it is as it should be", func(x *stage) { x.aims(managed) }, 0, 0, ""},
		{"it is to be limited", func(x *stage) { x.snat.Changes = 1; x.aims(managed) }, 1, time.Second, ""},
		{"others undo it at once", func(x *stage) {
			x.snat.Changes = 1
			x.aims(managed)
			x.sync()
		}, 1, time.Second, "1 SNAT rows of GR_n are not as they should be"},
		{"others undo it later", func(x *stage) {
			x.snat = ovnnb.SNAT{Changes: 1, Undone: 1}
			x.aims(managed)
			x.sync()
			x.syncer.snat.next = time.Now()
		}, 2, 2 * time.Second, "limited again 2 times"},
		{"others undo it all the time", func(x *stage) {
			x.snat.Changes = 1
			x.aims(managed)
			for range 20 {
				x.sync()
				x.syncer.snat.next = time.Now()
			}
		}, 21, snatAtMost, ""},
		{"others undid it long ago", func(x *stage) {
			x.snat.Changes = 1
			x.aims(managed)
			for range 20 {
				x.sync()
				x.syncer.snat.next = time.Now()
			}
			x.snat.Changes, x.syncer.snat.next = 0, time.Now().Add(-snatAtMost-time.Second)
			x.sync()
			x.snat.Changes = 1
		}, 21, time.Second, ""},
		{"the database refuses", func(x *stage) { x.refuses = errors.New("no"); x.snat.Changes = 1; x.aims(managed) }, 0, time.Second, "SNAT could not be changed: no"},
		{"it only observes", func(x *stage) { x.syncer.readOnly = true; x.snat.Changes = 1; x.aims(managed) }, 0, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := newStage(t)
			x.imported()
			test.change(x)
			began := time.Now()
			x.sync()
			pause := time.Duration(0)
			if next := x.syncer.snat.next; !next.IsZero() {
				pause = next.Sub(began).Round(time.Second)
			}
			if x.snats != test.writes || pause != test.pause || !strings.Contains(x.syncer.snatMessage, test.message) {
				t.Errorf("%d writes, the next after %s: %s", x.snats, pause, x.syncer.snatMessage)
			}
		})
	}
}
