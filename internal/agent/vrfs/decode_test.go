package vrfs

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// message is a header of twelve bytes, as rules and routes have, with attributes.
func message(header [12]byte, attributes ...*nl.RtAttr) []byte {
	out := header[:]
	for _, a := range attributes {
		out = append(out, a.Serialize()...)
	}
	return out
}

func TestRulesOfOthersAreNotPlain(t *testing.T) {
	to := nl.NewRtAttr(nl.FRA_DST, []byte{10, 10, 0, 0})
	ours := []*nl.RtAttr{
		to, nl.NewRtAttr(nl.FRA_PRIORITY, nl.Uint32Attr(2000)), nl.NewRtAttr(nl.FRA_TABLE, nl.Uint32Attr(1005)),
		nl.NewRtAttr(nl.FRA_PROTOCOL, []byte{173}), nl.NewRtAttr(nl.FRA_SUPPRESS_PREFIXLEN, nl.Uint32Attr(^uint32(0))),
	}
	header := [12]byte{unix.AF_INET, 16, 0, 0, 0, 0, 0, nl.FR_ACT_TO_TBL}
	want := Rule{Priority: 2000, To: netip.MustParsePrefix("10.10.0.0/16"), Table: 1005, Protocol: 173, Plain: true}
	if r, err := decodeRule(message(header, ours...)); err != nil || r != want || !r.ours() {
		t.Fatalf("the rule is %+v, %v", r, err)
	}
	for name, extra := range map[string]*nl.RtAttr{
		"fwmark":          nl.NewRtAttr(nl.FRA_FWMARK, nl.Uint32Attr(1)),
		"incoming device": nl.NewRtAttr(nl.FRA_IIFNAME, []byte("eth0\x00")),
		"source":          nl.NewRtAttr(nl.FRA_SRC, []byte{10, 0, 0, 0}),
		"suppressed":      nl.NewRtAttr(nl.FRA_SUPPRESS_PREFIXLEN, nl.Uint32Attr(0)),
		"not known here":  nl.NewRtAttr(200, []byte{1}),
	} {
		if r, err := decodeRule(message(header, append(ours[:len(ours):len(ours)], extra)...)); err != nil || r.Plain || r.ours() {
			t.Errorf("%s: the rule is %+v, %v", name, r, err)
		}
	}
	for name, change := range map[string]func(*[12]byte){
		"inverted":        func(h *[12]byte) { h[8] = 2 },
		"type of service": func(h *[12]byte) { h[3] = 4 },
		"unreachable":     func(h *[12]byte) { h[7] = 7 },
	} {
		other := header
		change(&other)
		if r, err := decodeRule(message(other, ours...)); err != nil || r.ours() {
			t.Errorf("%s: the rule is %+v, %v", name, r, err)
		}
	}
}

// FuzzDecode looks for messages that decoding doesn't survive.
func FuzzDecode(f *testing.F) {
	f.Add(message([12]byte{unix.AF_INET, 16, 0, 0, 0, 0, 0, 1}, nl.NewRtAttr(nl.FRA_DST, []byte{10, 10, 0, 0}), nl.NewRtAttr(nl.FRA_PROTOCOL, []byte{173})))
	f.Add(message([12]byte{unix.AF_INET6, 0, 0, 0, 0, 173, 0, unix.RTN_UNREACHABLE}, nl.NewRtAttr(unix.RTA_PRIORITY, nl.Uint32Attr(StopMetric))))
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(unix.IFLA_INFO_KIND, []byte("vrf\x00"))
	info.AddRtAttr(unix.IFLA_INFO_DATA, nil).AddRtAttr(nl.IFLA_VRF_TABLE, nl.Uint32Attr(1005))
	link := append(make([]byte, unix.SizeofIfInfomsg), nl.NewRtAttr(unix.IFLA_IFNAME, []byte("blue\x00")).Serialize()...)
	f.Add(append(link, info.Serialize()...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := decodeRule(b); err == nil && r.ours() && (r.Table == 0 && !r.Plain || !r.To.IsValid()) {
			t.Errorf("%+v is taken for ours", r)
		}
		if _, stops, err := decodeRoute(b, unix.AF_INET); stops && err != nil {
			t.Error("a route that can't be read stops packets")
		}
		if d, err := decodeDevice(b); err == nil && d.Table != 0 && d.Kind != "vrf" {
			t.Errorf("%+v has a table", d)
		}
	})
}
