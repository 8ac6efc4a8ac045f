package kernel

import (
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// attribute is a netlink attribute, padded.
func attribute(kind uint16, value ...byte) []byte {
	out := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	out = binary.NativeEndian.AppendUint16(out, kind)
	out = append(out, value...)
	for len(out)%4 != 0 {
		out = append(out, 0)
	}
	return out
}

func message(family, length, kind byte, attributes ...[]byte) []byte {
	out := []byte{family, length, 0, 0, 254, ProtocolBGP, 0, kind, 0, 0, 0, 0}
	for _, a := range attributes {
		out = append(out, a...)
	}
	return out
}

// Whatever bytes come, decoding neither panics nor makes up a route: what it
// returns is a masked prefix of the message's family and a valid path, which
// survives being taken apart and put together.
func FuzzDecodeRoute(f *testing.F) {
	f.Add(message(unix.AF_INET, 24, unix.RTN_UNICAST, attribute(unix.RTA_DST, 10, 1, 0, 0), attribute(unix.RTA_GATEWAY, 172, 18, 0, 2), attribute(unix.RTA_OIF, 5, 0, 0, 0)))
	f.Add(message(unix.AF_INET, 24, unix.RTN_UNICAST, attribute(unix.RTA_DST, 10, 1, 0, 0), attribute(attributeVia, append([]byte{10, 0}, make([]byte, 16)...)...)))
	f.Add(message(unix.AF_INET, 0, unix.RTN_BLACKHOLE))
	f.Add(message(unix.AF_INET6, 64, unix.RTN_UNICAST, attribute(unix.RTA_DST, make([]byte, 16)...), attribute(unix.RTA_MULTIPATH,
		append([]byte{24, 0, 0, 0, 5, 0, 0, 0}, attribute(unix.RTA_GATEWAY, make([]byte, 12)...)...)...)))
	f.Add(message(unix.AF_INET, 24, unix.RTN_UNICAST, attribute(attributeNexthopID, 9, 0, 0, 0), attribute(unix.RTA_ENCAP|0x8000, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _ = tableOf(b)
		r, err := DecodeRoute(b)
		if err != nil {
			return
		}
		if !r.Prefix.IsValid() || r.Prefix != r.Prefix.Masked() || r.Prefix.Addr().Is4() != (b[0] == unix.AF_INET) {
			t.Fatalf("prefix %v", r.Prefix)
		}
		if !r.Path.Valid() || model.MakePath(r.Path.Kind(), r.Path.NextHops(nil)...) != r.Path {
			t.Fatalf("path %v", r.Path.NextHops(nil))
		}
		for _, hop := range r.Path.NextHops(nil) {
			if hop.Addr.Zone() != "" || hop.Addr.Is4In6() {
				t.Fatalf("next hop %v", hop)
			}
		}
		if table, protocol, err := tableOf(b); err != nil || table != r.Table || protocol != r.Protocol {
			t.Fatalf("table %d, protocol %d, %v; decoded %d, %d", table, protocol, err, r.Table, r.Protocol)
		}
	})
}

func FuzzDecodeDevices(f *testing.F) {
	f.Add(append(make([]byte, unix.SizeofIfInfomsg), attribute(unix.IFLA_LINKINFO, append(attribute(unix.IFLA_INFO_KIND, 'v', 'r', 'f', 0),
		attribute(unix.IFLA_INFO_DATA, attribute(attributeVRFTable, 10, 0, 0, 0)...)...)...)...))
	f.Add(append(make([]byte, unix.SizeofNhmsg), attribute(unix.NHA_GROUP, 1, 0, 0, 0, 0, 0, 0, 0)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = DecodeLink(b)
		n, err := decodeNexthop(b)
		if err == nil && !resolve(map[uint32]nexthop{n.id: n}, n.id).Valid() {
			t.Fatal("a nexthop object without a path")
		}
	})
}

func TestDecodeRefuses(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":                     nil,
		"an unknown family":           message(7, 0, unix.RTN_UNICAST),
		"a destination of two bytes":  message(unix.AF_INET, 24, unix.RTN_UNICAST, attribute(unix.RTA_DST, 10, 1)),
		"a prefix length of 33":       message(unix.AF_INET, 33, unix.RTN_UNICAST, attribute(unix.RTA_DST, 10, 1, 0, 0)),
		"an attribute beyond its end": message(unix.AF_INET, 24, unix.RTN_UNICAST, []byte{200, 0, 1, 0}),
		"an attribute of three bytes": message(unix.AF_INET, 24, unix.RTN_UNICAST, []byte{3, 0, 1, 0}),
		"a next hop beyond its end":   message(unix.AF_INET, 24, unix.RTN_UNICAST, attribute(unix.RTA_MULTIPATH, 99, 0, 0, 0, 0, 0, 0, 0)),
	} {
		if r, err := DecodeRoute(b); err == nil {
			t.Errorf("%s is taken for %+v", name, r)
		}
	}
	if _, err := DecodeRoute(make([]byte, 5)); !errors.Is(err, rtnetlink.ErrShort) {
		t.Errorf("five bytes: %v", err)
	}
}

// A real VRF device's table and name are read, and its routes.
func TestVRF(t *testing.T) {
	ns := testns.New(t)
	testns.RequireVRF(t, ns)
	m := run(t, ns, nil)
	ns.IP(t, "link add blue type vrf table 1234", "link set blue up", "link set gw0 master blue", "addr add 172.20.0.1/16 dev gw0",
		"route add 10.1.0.0/24 via 172.20.0.2 proto bgp table 1234")
	table := m.Watch(1234, func() {})
	eventually(t, table, "10.1.0.0/24>172.20.0.2@gw0")
	if link, found, known := m.Link("blue"); !found || !known || link.VRFTable != 1234 {
		t.Errorf("%+v, found %v, known %v", link, found, known)
	}
	ns.IP(t, "link del blue")
	eventually(t, table, "")
	if _, found, _ := m.Link("blue"); found {
		t.Error("a removed VRF device is still there")
	}
}
