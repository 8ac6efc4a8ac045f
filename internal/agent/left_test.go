package agent

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// moment is what the kernel and route import's rows on the router are at a second.
type moment struct {
	second int
	// kernel has routes as "10.1.0.0/24", out of link 5 unless they end in "@6",
	// via IPv6 where they end in "@v6"; "!" is a blackhole.
	kernel, router string
	// beyond is set where the kernel has more than the mirror keeps.
	beyond bool
}

// TestLeftRowsOfRouteImport tells rows that OVN-Kubernetes' route import left from
// those of one at work.
func TestLeftRowsOfRouteImport(t *testing.T) {
	const a, b = "10.1.0.0/24", "10.2.0.0/24"
	for _, test := range []struct {
		name    string
		moments []moment
		// want is what is told at last, "" for a route import at work.
		want string
	}{
		{"in step", []moment{{0, a, a, false}, {600, a, a, false}}, ""},
		{"a withdrawal that nobody follows", []moment{{0, a + " " + b, a + " " + b, false}, {10, a, a + " " + b, false}, {70, a, a + " " + b, false}}, "only the router has " + b + ". "},
		{"the same, not for long", []moment{{10, a, a + " " + b, false}, {69, a, a + " " + b, false}}, ""},
		{"a route that nobody takes over", []moment{{0, a + " " + b, a, false}, {60, a + " " + b, a, false}}, "only the kernel has " + b + ". "},
		{"nothing in the kernel", []moment{{0, "", a, false}, {60, "", a, false}}, "only the router has " + a + ". "},
		{"both ways", []moment{{0, b, a, false}, {60, b, a, false}}, "only the router has " + a + ", only the kernel has " + b + ". "},
		{"many", []moment{{0, "", hosts(1, 5), false}, {60, "", hosts(1, 5), false}}, "only the router has 10.9.0.1/32, 10.9.0.2/32, 10.9.0.3/32 and 2 more. "},
		{"very many", []moment{{0, "", hosts(1, 3000), false}, {60, "", hosts(1, 3000), false}}, "10.9.0.3/32 and many more. "},
		{"a writer that follows", []moment{{0, a, a, false}, {10, a + " " + b, a, false}, {20, a + " " + b, a + " " + b, false}, {70, a, a + " " + b, false}, {80, a, a, false}, {200, a, a, false}}, ""},
		{"a writer that never gets there, and writes", []moment{
			{0, a, a + " " + b, false}, {30, a, a + " " + b + " 10.3.0.0/24", false}, {60, a, a + " " + b + " 10.4.0.0/24", false}, {100, a, a + " " + b, false}}, ""},
		{"a writer that is switched off later", []moment{
			{0, a, a, false}, {300, a + " " + b, a + " " + b, false}, {310, b, a + " " + b, false}, {370, b, a + " " + b, false}}, "only the router has " + a + ". "},
		{"differences that change sides", []moment{{0, a, b, false}, {30, b, a, false}, {59, b, a, false}, {80, b, a, false}}, ""},
		{"left rows that are removed", []moment{{0, b, a, false}, {60, b, a, false}, {70, b, "", false}}, ""},
		{"left rows, of which some are removed", []moment{{0, "", a + " " + b, false}, {60, "", a + " " + b, false}, {70, "", b, false}}, ""},
		{"a default route, of which OVN-Kubernetes has its own", []moment{{0, "0.0.0.0/0 " + a, a + " ::/0", false}, {90, "0.0.0.0/0 " + a, a + " ::/0", false}}, ""},
		{"what route import does not import", []moment{
			{0, a + " 10.5.0.0/24! 10.6.0.0/24@6 10.7.0.0/24@v6 10.244.7.0/24", a, false}, {90, a + " 10.5.0.0/24! 10.6.0.0/24@6 10.7.0.0/24@v6 10.244.7.0/24", a, false}}, ""},
		{"rows of what the agent would not import", []moment{{0, "10.5.0.0/24! 10.6.0.0/24@6", "10.6.0.0/24 10.5.0.0/24", false}, {90, "10.5.0.0/24! 10.6.0.0/24@6", "10.6.0.0/24 10.5.0.0/24", false}}, ""},
		{"more routes than the mirror keeps", []moment{{0, a, a + " " + b, true}, {90, a, a + " " + b, true}}, ""},
		{"more routes than the mirror keeps, and one too many", []moment{{0, a + " " + b, a, true}, {90, a + " " + b, a, true}}, "only the kernel has " + b + ". "},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &played{rows: map[netip.Prefix][]netip.Addr{}}
			s := &syncer{name: "default", log: logr.Discard(), rows: playedRouter{p}, table: p, version: 1, left: leftRows{after: leftAfter},
				rules: routediff.Rules{Links: []int32{5}, AllowWithin: true, AnyLink: true, IPv4ViaIPv6: true, Protected: []routediff.Protected{
					{Reason: model.SkipPodSubnet, Subnets: routediff.NewPrefixSet(netip.MustParsePrefix("10.244.0.0/16"))}}}}
			began := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
			for i, m := range test.moments {
				p.paths, p.beyond = inKernel(m.kernel), map[bool]int{true: 7}[m.beyond]
				if i > 0 && m.router != p.imports {
					p.version++
				}
				p.imports = m.router
				p.state = ovnnb.RouterState{Known: true, Present: true, RouteImport: m.router != ""}
				s.router = p.state
				s.lookForLeft(began.Add(time.Duration(m.second) * time.Second))
			}
			reason, message := s.verdict(nil, 0)
			if test.want == "" {
				if reason == ReasonRouteImportLeft {
					t.Errorf("%s: %s", reason, message)
				}
				return
			}
			if reason != ReasonRouteImportLeft || !strings.Contains(message, test.want) || !strings.Contains(message, "agent cleanup --route-import") {
				t.Errorf("%s: %s", reason, message)
			}
			if len(s.left.since) > differencesAtMost {
				t.Errorf("%d are remembered", len(s.left.since))
			}
		})
	}
}

// What is looked at is bounded by the clock, not by how often routes change.
func TestLookingForLeftRowsIsPaced(t *testing.T) {
	p := &played{imports: "10.1.0.0/24"}
	s := &syncer{rows: playedRouter{p}, table: p, router: ovnnb.RouterState{RouteImport: true}, left: leftRows{after: leftAfter}}
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for second, want := range []time.Duration{10 * time.Second, 9 * time.Second, 8 * time.Second} {
		s.lookForLeft(now.Add(time.Duration(second) * time.Second))
		if s.left.again != want || !s.left.looked.Equal(now) {
			t.Errorf("after %d s: again in %s, looked at %s", second, s.left.again, s.left.looked)
		}
	}
	s.router.RouteImport = false
	if s.lookForLeft(now.Add(time.Hour)); s.left.again != 0 || s.left.since != nil {
		t.Errorf("it goes on without rows: %+v", s.left)
	}
}

func hosts(from, to int) string {
	var out []string
	for i := from; i <= to; i++ {
		out = append(out, fmt.Sprintf("10.9.%d.%d/32", i/256, i%256))
	}
	return strings.Join(out, " ")
}

func inKernel(text string) map[netip.Prefix]model.Path {
	out := map[netip.Prefix]model.Path{}
	for _, field := range strings.Fields(text) {
		prefix, discard := strings.CutSuffix(field, "!")
		prefix, how, _ := strings.Cut(prefix, "@")
		hop := hopAt(2)
		if strings.Contains(prefix, ":") || how == "v6" {
			hop.Addr = netip.MustParseAddr("fd00:18::2")
		}
		if how == "6" {
			hop.Link = 6
		}
		path := model.MakePath(model.PathUnicast, hop)
		if discard {
			path = model.MakePath(model.PathDiscard)
		}
		out[netip.MustParsePrefix(prefix)] = path
	}
	return out
}
