package ovnnb

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Whatever rows come and go, in whatever order and however often it is told,
// each row is found under its prefix, once, and is intact only if it is as we
// would have written it.
func FuzzRows(f *testing.F) {
	f.Add([]byte("1 10.0.0.0/24 172.18.0.2 rtoe-GR_n1\n2 10.0.0.0/24 discard rtoe-GR_n1\n1 10.0.0.0/24 fe80::1 rtoe-GR_n1\n1"))
	f.Add([]byte("1 10.0.0.1/24 172.18.0.02 rtoe-GR_n1\n1 fd00::/64 ::ffff:1.2.3.4 other\n1 fd00:0::/64 fe80::1%eth0 rtoe-GR_n1 policy"))
	f.Fuzz(func(t *testing.T, script []byte) {
		r := newRoutes("n1", func() {})
		n, _ := r.network("default")
		n.notify = func() {}
		now := map[model.RowID]*staticRoute{}
		for line := range bytes.Lines(script) {
			words := bytes.Fields(line)
			if len(words) == 0 {
				continue
			}
			id := model.RowID{words[0][0]}
			var row *staticRoute
			if len(words) > 3 {
				port := string(words[3])
				row = &staticRoute{Prefix: string(words[1]), NextHop: string(words[2]), OutputPort: &port}
				if len(words) > 4 {
					row.RouteTable = string(words[4])
				}
			}
			var before []place
			if old := now[id]; old != nil {
				before = []place{old.place()}
			}
			delete(now, id)
			if row != nil {
				now[id] = row
			}
			r.put(id, row, before...)
			r.put(id, row, before...)
		}
		found := map[model.RowID]bool{}
		for prefix, row := range n.byPrefix {
			for ; row != nil; row = row.next {
				want := now[row.id]
				if want == nil || found[row.id] || want.parsePrefix() != prefix || want.port() != n.port {
					t.Fatalf("row %v under %s: %+v", row.id, prefix, want)
				}
				found[row.id] = true
				written := fmt.Sprintf("%s %s ", prefix, formatNextHop(row.hop))
				if is := fmt.Sprintf("%s %s %s", want.Prefix, want.NextHop, want.RouteTable); row.intact != (is == written && prefix != netip.Prefix{}) {
					t.Fatalf("%q is intact: %v", is, row.intact)
				}
			}
		}
		for id, row := range now {
			if _, stray := r.unmatched[id]; stray == found[id] {
				t.Fatalf("row %+v: stray %v, found %v", row, stray, found[id])
			}
		}
		if len(found)+len(r.unmatched) != len(now) {
			t.Fatalf("%d rows and %d strays, not %d", len(found), len(r.unmatched), len(now))
		}
	})
}

// A UUID that is read is written as it was.
func FuzzRowID(f *testing.F) {
	f.Add("00000000-0000-0000-0000-00000000000f")
	f.Fuzz(func(t *testing.T, text string) {
		if id, ok := parseRowID(text); ok && formatRowID(id) != string(bytes.ToLower([]byte(text))) {
			t.Errorf("%q became %q", text, formatRowID(id))
		}
	})
}

func FuzzParseAddresses(f *testing.F) {
	for _, text := range []string{"0a:58:0a:0a:00:05 10.10.0.5 fd00:10::5", "unknown", "dynamic", "router", "", "01:00:5e:00:00:01 10.0.0.1", "0a:58:0a:0a:00:05 10.10.0.1 224.0.0.1 ::ffff:10.0.0.9 fe80::1%eth0"} {
		f.Add(text)
	}
	gateway := netip.MustParseAddr("10.10.0.1")
	f.Fuzz(func(t *testing.T, text string) {
		mac, addresses, ok := parseAddresses(text, []netip.Addr{gateway})
		if !ok {
			return
		}
		if parsed, err := net.ParseMAC(mac); err != nil || parsed[0]&1 != 0 || parsed.String() != mac {
			t.Errorf("MAC %q", mac)
		}
		for _, a := range addresses {
			if a == gateway || a.IsMulticast() || a.IsUnspecified() || a.Zone() != "" || a.Is4In6() {
				t.Errorf("address %s of %q", a, text)
			}
		}
	})
}
