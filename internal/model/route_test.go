package model

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

func TestPathKeepsItsNextHops(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 3))
		var hops []NextHop
		for range random.IntN(5) {
			hop := NextHop{Link: random.Int32(), Dead: random.IntN(2) == 0}
			switch random.IntN(3) {
			case 0:
				hop.Addr = netip.AddrFrom4([4]byte{10, 0, 0, byte(random.IntN(4))})
			case 1:
				hop.Addr = netip.AddrFrom16([16]byte{0xfe, 0x80, 15: byte(random.IntN(4))})
			}
			hops = append(hops, hop)
		}
		path := MakePath(PathUnicast, hops...)
		back := path.NextHops(nil)
		for _, hop := range hops {
			if !slices.Contains(back, hop) {
				t.Fatalf("seed %d: %v is not in %v", seed, hop, back)
			}
		}
		if len(back) > len(hops) || !slices.IsSortedFunc(back, compareNextHops) {
			t.Fatalf("seed %d: %v gave %v", seed, hops, back)
		}
		shuffled := slices.Clone(hops)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if MakePath(PathUnicast, append(shuffled, shuffled...)...) != path {
			t.Fatalf("seed %d: order or repetition makes another path", seed)
		}
	}
	if MakePath(PathDiscard) == MakePath(PathUnicast) || MakePath(PathDiscard).Kind() != PathDiscard || (Path{}).Valid() {
		t.Error("kinds are mixed up")
	}
}
