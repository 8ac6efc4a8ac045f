package routediff

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

func TestPrefixSet(t *testing.T) {
	set := NewPrefixSet(prefixes("10.244.0.0/16", "10.244.7.0/24", "10.96.0.0/12", "fd00:10::/48", "192.168.1.1/32")...)
	for _, test := range []struct {
		prefix         string
		within, covers bool
	}{
		{"10.244.0.0/16", true, false},
		{"10.244.7.0/25", true, false},
		{"10.244.255.255/32", true, false},
		{"10.245.0.0/16", false, false},
		{"10.240.0.0/12", false, true},
		{"0.0.0.0/0", false, true},
		{"::/0", false, true},
		{"10.95.0.0/16", false, false},
		{"10.112.0.0/16", false, false},
		{"10.111.255.0/24", true, false},
		{"fd00:10:0:1::/64", true, false},
		{"fd00::/16", false, true},
		{"fd01::/16", false, false},
		{"192.168.1.1/32", true, false},
		{"192.168.1.0/31", false, true},
	} {
		p := netip.MustParsePrefix(test.prefix)
		if got := set.Within(p); got != test.within {
			t.Errorf("%s within: %v", p, got)
		}
		if got := set.Covers(p); got != test.covers {
			t.Errorf("%s covers: %v", p, got)
		}
	}
	if empty := (PrefixSet{}); empty.Within(netip.MustParsePrefix("10.0.0.0/8")) || empty.Covers(netip.MustParsePrefix("0.0.0.0/0")) {
		t.Error("the empty set has something")
	}
}

// The set's answers are those of going through all prefixes one by one.
func TestPrefixSetAgreesWithSearch(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		one := func() netip.Prefix {
			return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(random.IntN(4)), byte(random.IntN(4)) << 6, byte(random.IntN(4))}),
				random.IntN(33)).Masked()
		}
		var list []netip.Prefix
		for range random.IntN(12) {
			list = append(list, one())
		}
		set := NewPrefixSet(list...)
		for range 50 {
			p := one()
			within := slices.ContainsFunc(list, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Overlaps(p) })
			covers := !within && slices.ContainsFunc(list, func(q netip.Prefix) bool { return q.Bits() > p.Bits() && q.Overlaps(p) })
			if set.Within(p) != within || set.Covers(p) != covers {
				t.Fatalf("seed %d: %s in %v: within %v not %v, covers %v not %v", seed, p, list, set.Within(p), within, set.Covers(p), covers)
			}
		}
	}
}

func hop(text string, link int32) model.NextHop {
	return model.NextHop{Addr: netip.MustParseAddr(text), Link: link}
}

// nodes protects a node's address and subnet.
func nodes(r *Rules) {
	r.Protected = append(r.Protected,
		Protected{Reason: model.SkipNodeAddress, Subnets: NewPrefixSet(prefixes("172.18.0.1/32")...), OnlyWithin: true, Strict: true},
		Protected{Reason: model.SkipNodeSubnet, Subnets: NewPrefixSet(prefixes("172.18.0.0/16")...), OnlyWithin: true, Strict: true, Hops: true})
}

func TestJudge(t *testing.T) {
	rules := Rules{
		Protected: []Protected{
			{Reason: model.SkipPodSubnet, Subnets: NewPrefixSet(prefixes("10.244.0.0/16", "fd00:244::/48")...)},
			{Reason: model.SkipServiceSubnet, Subnets: NewPrefixSet(prefixes("10.96.0.0/16")...)},
		},
		Links: []int32{5},
	}
	dead := hop("172.18.0.9", 5)
	dead.Dead = true
	for _, test := range []struct {
		name, prefix string
		path         model.Path
		change       func(*Rules)
		want         string
		reason       model.SkipReason
	}{
		{"one next hop", "1.0.0.0/24", model.MakePath(0, hop("172.18.0.2", 5)), nil, "172.18.0.2", ""},
		{"two next hops", "1.0.0.0/24", model.MakePath(0, hop("172.18.0.3", 5), hop("172.18.0.2", 5)), nil, "172.18.0.2 172.18.0.3", ""},
		{"one next hop over two links", "1.0.0.0/24", model.MakePath(0, hop("172.18.0.3", 5), hop("172.18.0.3", 6)), func(r *Rules) { r.AnyLink = true }, "172.18.0.3", ""},
		{"one of two links is the gateway's", "1.0.0.0/24", model.MakePath(0, hop("172.18.0.2", 5), hop("172.19.0.2", 6)), nil, "172.18.0.2", ""},
		{"link-local", "fd01::/64", model.MakePath(0, hop("fe80::1", 5)), nil, "fe80::1", ""},
		{"discard", "1.0.0.0/24", model.MakePath(model.PathDiscard), nil, "invalid IP", ""},
		{"dead", "1.0.0.0/24", model.MakePath(0, dead), nil, "", model.SkipNoNextHop},
		{"on link", "1.0.0.0/24", model.MakePath(0, model.NextHop{Link: 5}), nil, "", model.SkipNoNextHop},
		{"foreign link", "1.0.0.0/24", model.MakePath(0, hop("172.19.0.2", 6)), nil, "", model.SkipForeignLink},
		{"gateway unknown", "1.0.0.0/24", model.MakePath(0, hop("172.18.0.2", 5)), func(r *Rules) { r.Links = nil }, "", model.SkipGatewayUnknown},
		{"IPv4 via IPv6, old OVN", "1.0.0.0/24", model.MakePath(0, hop("fe80::1", 5)), nil, "", model.SkipIPv4ViaIPv6},
		{"IPv4 via IPv6", "1.0.0.0/24", model.MakePath(0, hop("fe80::1", 5)), func(r *Rules) { r.IPv4ViaIPv6 = true }, "fe80::1", ""},
		{"pod subnet", "10.244.3.0/24", model.MakePath(0, hop("172.18.0.2", 5)), nil, "", model.SkipPodSubnet},
		{"within allowed", "10.244.3.0/24", model.MakePath(0, hop("172.18.0.2", 5)), func(r *Rules) { r.AllowWithin = true }, "172.18.0.2", ""},
		{"discarding within the service subnet", "10.96.1.0/24", model.MakePath(model.PathDiscard), nil, "", model.SkipServiceSubnet},
		{"default route", "0.0.0.0/0", model.MakePath(0, hop("172.18.0.2", 5)), nil, "", model.SkipPodSubnet},
		{"covering allowed", "0.0.0.0/0", model.MakePath(0, hop("172.18.0.2", 5)), func(r *Rules) { r.AllowCovering = true }, "172.18.0.2", ""},
		{"something else", "1.0.0.0/24", model.MakePath(model.PathOther), nil, "", model.SkipUnsupported},
		{"conditional", "1.0.0.0/24", model.MakePath(model.PathConditional), nil, "", model.SkipConditional},
		{"shadowed", "1.0.0.0/24", model.MakePath(model.PathShadowed), nil, "", model.SkipShadowed},
		{"a next hop within the pod subnet", "1.0.0.0/24", model.MakePath(0, hop("10.244.3.4", 5)), nil, "", model.SkipNextHop},
		{"one next hop of two within the pod subnet", "1.0.0.0/24", model.MakePath(0, hop("10.244.3.4", 5), hop("172.18.0.2", 5)), nil, "172.18.0.2", ""},
		{"a next hop within the pod subnet, allowed", "1.0.0.0/24", model.MakePath(0, hop("10.244.3.4", 5)), func(r *Rules) { r.AllowWithin = true }, "10.244.3.4", ""},
		{"the node's own address", "1.0.0.0/24", model.MakePath(0, hop("172.18.0.1", 5)), nodes, "", model.SkipNextHop},
		{"another node's address", "1.0.0.0/24", model.MakePath(0, hop("172.18.0.7", 5)), nodes, "172.18.0.7", ""},
		{"FRR's stand-in for an IPv6 next hop", "1.0.0.0/24", model.MakePath(0, hop("169.254.0.1", 5)), nil, "", model.SkipLinkLocalHop},
		{"a route for another node's address", "172.18.0.7/32", model.MakePath(0, hop("172.18.0.2", 5)), nodes, "", model.SkipNodeSubnet},
		{"a route for the node's address", "172.18.0.1/32", model.MakePath(0, hop("172.18.0.2", 5)), nodes, "", model.SkipNodeAddress},
		{"a route for the node's address, within allowed", "172.18.0.1/32", model.MakePath(0, hop("172.18.0.2", 5)), func(r *Rules) { nodes(r); r.AllowWithin = true }, "", model.SkipNodeAddress},
		{"a route that covers the nodes' subnet", "172.16.0.0/12", model.MakePath(0, hop("172.18.0.2", 5)), nodes, "172.18.0.2", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rules
			if test.change != nil {
				test.change(&r)
			}
			hops, reason := r.Judge(netip.MustParsePrefix(test.prefix), test.path, nil)
			got := ""
			for i, h := range hops {
				if i > 0 {
					got += " "
				}
				got += h.String()
			}
			if got != test.want || reason != test.reason {
				t.Errorf("next hops %q, reason %q", got, reason)
			}
		})
	}
}

// Whatever rows there are, doing what Diff says leaves one intact row per
// wanted next hop, and existing rows are used before new ones are made.
func TestDiffReachesWhatIsWanted(t *testing.T) {
	prefix := netip.MustParsePrefix("1.0.0.0/24")
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 2))
		address := func() netip.Addr {
			if n := random.IntN(6); n > 0 {
				return netip.AddrFrom4([4]byte{172, 18, 0, byte(n)})
			}
			return netip.Addr{}
		}
		var want []netip.Addr
		for range random.IntN(5) {
			if a := address(); !slices.Contains(want, a) {
				want = append(want, a)
			}
		}
		var have []model.RouterRow
		for i := range random.IntN(5) {
			have = append(have, model.RouterRow{ID: model.RowID{byte(i + 1)}, NextHop: address(), Intact: random.IntN(3) > 0})
		}
		changes := Diff(prefix, want, have, nil)
		after := map[model.RowID]model.RouterRow{}
		for _, row := range have {
			after[row.ID] = row
		}
		inserts, deletes := 0, 0
		for _, c := range changes {
			switch c.Verb {
			case model.RowInsert:
				inserts++
				after[model.RowID{0, byte(inserts)}] = model.RouterRow{NextHop: c.NextHop, Intact: true}
			case model.RowUpdate:
				row, found := after[c.ID]
				if !found {
					t.Fatalf("seed %d: update of no row", seed)
				}
				if row.Intact && row.NextHop == c.NextHop {
					t.Errorf("seed %d: an update that changes nothing", seed)
				}
				after[c.ID] = model.RouterRow{NextHop: c.NextHop, Intact: true}
			case model.RowDelete:
				deletes++
				delete(after, c.ID)
			}
			if c.Prefix != prefix {
				t.Fatalf("seed %d: prefix %s", seed, c.Prefix)
			}
		}
		var got []netip.Addr
		for _, row := range after {
			if !row.Intact {
				t.Fatalf("seed %d: a row stays as it must not be", seed)
			}
			got = append(got, row.NextHop)
		}
		slices.SortFunc(got, netip.Addr.Compare)
		slices.SortFunc(want, netip.Addr.Compare)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: have %v, want %v, got %v by %v", seed, have, want, got, changes)
		}
		if inserts > 0 && deletes > 0 {
			t.Errorf("seed %d: inserts %d rows while deleting %d", seed, inserts, deletes)
		}
	}
}

func TestDiffOfEqualAllocatesNothing(t *testing.T) {
	prefix := netip.MustParsePrefix("1.0.0.0/24")
	a := netip.MustParseAddr("172.18.0.2")
	want, have := []netip.Addr{a}, []model.RouterRow{{ID: model.RowID{1}, NextHop: a, Intact: true}}
	if n := testing.AllocsPerRun(100, func() {
		if Diff(prefix, want, have, nil) != nil {
			t.Fatal("changes")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLedger(t *testing.T) {
	l := SkippedRoutes{Limit: 2}
	a, b := netip.MustParsePrefix("1.0.0.0/24"), netip.MustParsePrefix("2.0.0.0/24")
	l.Record(a, model.SkipNone)
	l.Record(a, model.SkipPodSubnet)
	l.Record(b, model.SkipOverLimit)
	l.Record(b, model.SkipOverLimit)
	if got := l.Counts(); got[model.SkipPodSubnet] != 1 || got[model.SkipOverLimit] != 1 || l.OverLimitCount() != 1 {
		t.Errorf("counts %v, held %d", got, l.OverLimitCount())
	}
	if l.Room(1) != 1 || l.Room(2) != 0 || l.Room(9) != 0 {
		t.Error("the limit is not 2")
	}
	l.Record(b, model.SkipNone)
	l.Record(a, model.SkipForeignLink)
	if got := l.Counts(); got[model.SkipPodSubnet] != 0 || got[model.SkipForeignLink] != 1 || got[model.SkipOverLimit] != 0 || l.OverLimitCount() != 0 {
		t.Errorf("counts %v, held %d", got, l.OverLimitCount())
	}
}
