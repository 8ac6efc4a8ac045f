package allocation_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/allocation"
)

func cidrs(text string) []netip.Prefix {
	var out []netip.Prefix
	for _, c := range strings.Fields(text) {
		out = append(out, netip.MustParsePrefix(c))
	}
	return out
}

func addresses(text string) []netip.Addr {
	var out []netip.Addr
	for _, a := range strings.Fields(text) {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

// nodes are written "name held held", the oldest first; "!name" is sure.
func nodes(lines ...string) []allocation.Node {
	var out []allocation.Node
	for i, line := range lines {
		name, held, _ := strings.Cut(line, " ")
		n := allocation.Node{Name: strings.TrimPrefix(name, "!"), Sure: name[0] == '!', Created: time.Unix(int64(i), 0)}
		if held != "" {
			n.Held = map[string][]netip.Addr{"v": addresses(held)}
		}
		out = append(out, n)
	}
	return out
}

func TestAllocate(t *testing.T) {
	gone := nodes("a 100.64.0.1", "b")
	gone[0].Gone = true
	stolen := nodes("a", "b 100.64.0.1")
	stolen[0].Own = map[string][]netip.Addr{"v": addresses("100.64.0.1")}
	own := nodes("a", "b")
	own[0].Own = map[string][]netip.Addr{"v": addresses("100.64.0.9")}
	for _, test := range []struct {
		name, cidrs, others, taken, resting string
		nodes                               []allocation.Node
		want                                map[string]string
		without                             string
	}{
		{name: "the oldest node first", cidrs: "100.64.0.0/24", nodes: nodes("b", "a"), want: map[string]string{"b": "100.64.0.1", "a": "100.64.0.2"}},
		{name: "a holder keeps", cidrs: "100.64.0.0/24", nodes: nodes("a", "b 100.64.0.1"), want: map[string]string{"a": "100.64.0.2", "b": "100.64.0.1"}},
		{name: "ranges in their order", cidrs: "100.65.0.0/30 100.64.0.0/30", nodes: nodes("a", "b", "c"),
			want: map[string]string{"a": "100.65.0.1", "b": "100.65.0.2", "c": "100.64.0.1"}},
		{name: "no network or broadcast address", cidrs: "100.64.0.0/30", nodes: nodes("a", "b", "c"), want: map[string]string{"a": "100.64.0.1", "b": "100.64.0.2"}, without: "c"},
		{name: "both of a /31", cidrs: "100.64.0.0/31", nodes: nodes("a", "b"), want: map[string]string{"a": "100.64.0.0", "b": "100.64.0.1"}},
		{name: "single addresses", cidrs: "100.64.0.7/32 100.64.0.3/32", nodes: nodes("a", "b"), want: map[string]string{"a": "100.64.0.7", "b": "100.64.0.3"}},
		{name: "a held address that has become one for broadcasts", cidrs: "100.64.0.0/30", nodes: nodes("a 100.64.0.3"), want: map[string]string{"a": "100.64.0.3"}},
		{name: "both families", cidrs: "fd00::/64 100.64.0.0/24", nodes: nodes("a", "b fd00::9"),
			want: map[string]string{"a": "100.64.0.1 fd00::a", "b": "100.64.0.2 fd00::9"}},
		{name: "a single IPv6 address", cidrs: "fd00::7/128", nodes: nodes("a", "b"), want: map[string]string{"a": "fd00::7"}, without: "b"},
		{name: "the end of all addresses", cidrs: "255.255.255.254/31", nodes: nodes("a", "b", "c"), want: map[string]string{"a": "255.255.255.254", "b": "255.255.255.255"}, without: "c"},
		{name: "one address of two nodes is the older one's", cidrs: "100.64.0.0/24", nodes: nodes("a 100.64.0.1", "b 100.64.0.1"), want: map[string]string{"a": "100.64.0.1", "b": "100.64.0.2"}},
		{name: "but the sure one's before", cidrs: "100.64.0.0/24", nodes: nodes("a 100.64.0.1", "!b 100.64.0.1"), want: map[string]string{"a": "100.64.0.2", "b": "100.64.0.1"}},
		{name: "outside of the ranges", cidrs: "100.64.0.0/24", nodes: nodes("a 100.65.0.1"), want: map[string]string{"a": "100.64.0.1"}},
		{name: "a second address of one family", cidrs: "100.64.0.0/24", nodes: nodes("a 100.64.0.5 100.64.0.6"), want: map[string]string{"a": "100.64.0.5"}},
		{name: "exhausted, others keep theirs", cidrs: "100.64.0.0/31", nodes: nodes("a", "b 100.64.0.0", "c 100.64.0.1", "d"), want: map[string]string{"b": "100.64.0.0", "c": "100.64.0.1"}, without: "a d"},
		{name: "what was given back is come to last", cidrs: "100.64.0.0/29", nodes: nodes("a 100.64.0.1", "c 100.64.0.3", "d", "e", "f", "g"),
			want: map[string]string{"a": "100.64.0.1", "c": "100.64.0.3", "d": "100.64.0.4", "e": "100.64.0.5", "f": "100.64.0.6", "g": "100.64.0.2"}},
		{name: "the last one, too, with a memory", cidrs: "100.64.0.0/30", resting: "100.64.0.1", nodes: nodes("a"), want: map[string]string{"a": "100.64.0.2"}},
		{name: "the one that rested longest", cidrs: "100.64.0.0/29", resting: "100.64.0.2 100.64.0.1 100.64.0.5 100.64.0.6 100.64.0.4 100.64.0.3", nodes: nodes("a", "b"),
			want: map[string]string{"a": "100.64.0.2", "b": "100.64.0.1"}},
		{name: "not where another VTEP overlaps", cidrs: "100.64.0.0/29", others: "100.64.0.0/30", nodes: nodes("a", "b 100.64.0.2", "c"),
			want: map[string]string{"a": "100.64.0.4", "b": "100.64.0.2", "c": "100.64.0.5"}},
		{name: "nothing where another VTEP covers all", cidrs: "10.0.0.0/8", others: "10.0.0.0/8", nodes: nodes("a", "b 10.1.2.3"), want: map[string]string{"b": "10.1.2.3"}, without: "a"},
		{name: "taken by something else", cidrs: "100.64.0.0/24", taken: "100.64.0.1 100.64.0.2", nodes: nodes("a"), want: map[string]string{"a": "100.64.0.3"}},
		{name: "a node that claims what another holds", cidrs: "100.64.0.0/24", nodes: stolen, want: map[string]string{"a": "100.64.0.2", "b": "100.64.0.1"}},
		{name: "a node that is gone keeps, and gets nothing", cidrs: "100.64.0.0/24 fd00::/64", nodes: gone, want: map[string]string{"a": "100.64.0.1", "b": "100.64.0.2 fd00::1"}},
		{name: "a node that has an address of its own", cidrs: "100.64.0.8/29", nodes: own, want: map[string]string{"b": "100.64.0.10"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := allocation.Allocate(&allocation.Request{
				Pools: []allocation.Pool{{VTEP: "v", CIDRs: cidrs(test.cidrs), Others: cidrs(test.others)}},
				Nodes: test.nodes, Taken: addresses(test.taken), Resting: addresses(test.resting),
			})
			flat := map[string]string{}
			for node, vteps := range got.Addresses {
				flat[node] = strings.Trim(fmt.Sprint(vteps["v"]), "[]")
			}
			if !maps.Equal(flat, test.want) || strings.Join(got.Without["v"], " ") != test.without {
				t.Errorf("%v without %v, not %v without %s", flat, got.Without["v"], test.want, test.without)
			}
		})
	}
}

// TestHistories plays clusters whose nodes come and go while ranges grow. Whatever the
// order, nobody shares an address, and nobody's changes.
func TestHistories(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 13))
		pools := []allocation.Pool{{VTEP: "v", CIDRs: cidrs("100.64.0.0/28")}, {VTEP: "w", CIDRs: cidrs("100.65.0.0/29 fd00::/125")}}
		held, created, resting := map[string]map[string][]netip.Addr{}, map[string]time.Time{}, []netip.Addr(nil)
		for step := range 60 {
			switch r.IntN(5) {
			case 0, 1, 2:
				name := fmt.Sprintf("node-%d", r.IntN(40))
				if _, there := created[name]; !there {
					created[name] = time.Unix(int64(step), 0)
				}
			case 3:
				for name := range created {
					for _, list := range held[name] {
						resting = append(resting, list...)
					}
					delete(created, name)
					delete(held, name)
					break
				}
			default:
				p := &pools[r.IntN(2)]
				if i := r.IntN(len(p.CIDRs)); r.IntN(2) == 0 && p.CIDRs[i].Bits() > 24 {
					p.CIDRs[i] = netip.PrefixFrom(p.CIDRs[i].Addr(), p.CIDRs[i].Bits()-1).Masked()
				} else if len(p.CIDRs) < 4 {
					p.CIDRs = append(p.CIDRs, netip.PrefixFrom(netip.AddrFrom4([4]byte{100, p.VTEP[0], byte(step), 0}), 29))
				}
			}
			request := &allocation.Request{Pools: slices.Clone(pools), Resting: resting}
			for name, at := range created {
				request.Nodes = append(request.Nodes, allocation.Node{Name: name, Created: at, Held: held[name], Sure: r.IntN(2) == 0})
			}
			got := allocation.Allocate(request)
			r.Shuffle(len(request.Nodes), func(i, j int) {
				request.Nodes[i], request.Nodes[j] = request.Nodes[j], request.Nodes[i]
			})
			slices.Reverse(request.Pools)
			if again := allocation.Allocate(request); !reflect.DeepEqual(got, again) {
				t.Fatalf("seed %d, step %d: %v in one order, %v in another", seed, step, got, again)
			}
			sound(t, seed, step, pools, created, held, got)
			held = got.Addresses
		}
	}
}

func sound(t *testing.T, seed uint64, step int, pools []allocation.Pool, created map[string]time.Time, before map[string]map[string][]netip.Addr, got allocation.Result) {
	t.Helper()
	owners := map[netip.Addr]string{}
	for node, vteps := range got.Addresses {
		for _, p := range pools {
			for _, address := range vteps[p.VTEP] {
				if other := owners[address]; other != "" {
					t.Fatalf("seed %d, step %d: %s and %s have %s", seed, step, node, other, address)
				}
				owners[address] = node
				if !slices.ContainsFunc(p.CIDRs, func(c netip.Prefix) bool { return c.Contains(address) }) {
					t.Fatalf("seed %d, step %d: %s is outside of %v", seed, step, address, p.CIDRs)
				}
			}
		}
	}
	for node, vteps := range before {
		for vtep, list := range vteps {
			for _, address := range list {
				if !slices.Contains(got.Addresses[node][vtep], address) {
					t.Fatalf("seed %d, step %d: %s lost %s: %v", seed, step, node, address, got.Addresses[node])
				}
			}
		}
	}
	for name := range created {
		for _, p := range pools {
			if len(got.Addresses[name][p.VTEP]) == 0 && !slices.Contains(got.Without[p.VTEP], name) {
				t.Fatalf("seed %d, step %d: %s has no address of %s and nobody says so", seed, step, name, p.VTEP)
			}
		}
	}
}

func BenchmarkAllocateColdTo1000Nodes(b *testing.B) {
	var request allocation.Request
	request.Pools = []allocation.Pool{{VTEP: "v", CIDRs: cidrs("100.64.0.0/20")}}
	for i := range 1000 {
		request.Nodes = append(request.Nodes, allocation.Node{Name: fmt.Sprintf("node-%d", i)})
	}
	for b.Loop() {
		allocation.Allocate(&request)
	}
}
