package kernel

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// twoHops is a route message as the kernel sends it for FRR's routes: a
// nexthop object, and what it stands for.
func twoHops() []byte {
	attribute := func(out []byte, kind uint16, value ...byte) []byte {
		out = binary.NativeEndian.AppendUint16(out, uint16(4+len(value)))
		out = binary.NativeEndian.AppendUint16(out, kind)
		return append(out, value...)
	}
	hop := func(out []byte, address ...byte) []byte {
		out = binary.NativeEndian.AppendUint16(out, 16)
		out = append(out, 0, 0)
		out = binary.NativeEndian.AppendUint32(out, 5)
		return attribute(out, unix.RTA_GATEWAY, address...)
	}
	out := []byte{unix.AF_INET, 24, 0, 0, unix.RT_TABLE_MAIN, ProtocolBGP, unix.RT_SCOPE_UNIVERSE, unix.RTN_UNICAST, 0, 0, 0, 0}
	out = attribute(out, unix.RTA_TABLE, 254, 0, 0, 0)
	out = attribute(out, unix.RTA_DST, 10, 1, 0, 0)
	out = attribute(out, unix.RTA_PRIORITY, 20, 0, 0, 0)
	out = attribute(out, attributeNexthopID, 9, 0, 0, 0)
	return attribute(out, unix.RTA_MULTIPATH, hop(hop(nil, 172, 18, 0, 2), 172, 18, 0, 3)...)
}

// A hundred thousand routes are decoded at once, so that every allocation
// counts: what is left is the copy that a path is sorted in.
func TestDecodeRouteAllocatesLittle(t *testing.T) {
	message := twoHops()
	r, err := DecodeRoute(message)
	if hops := r.Path.NextHops(nil); err != nil || len(hops) != 2 || hops[1].Addr.String() != "172.18.0.3" || r.Prefix.String() != "10.1.0.0/24" {
		t.Fatalf("%+v, next hops %v: %v", r, hops, err)
	}
	if n := testing.AllocsPerRun(1000, func() { _, _ = DecodeRoute(message) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecodeRoute(b *testing.B) {
	message := twoHops()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeRoute(message); err != nil {
			b.Fatal(err)
		}
	}
}
