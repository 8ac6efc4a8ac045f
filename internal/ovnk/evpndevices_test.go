package ovnk

import "testing"

func TestVTEPDevices(t *testing.T) {
	for vtep, want := range map[string]VTEPDevices{
		"vtep":             {Bridge: "evbr-vtep", VXLAN: "evx4-vtep"},
		"ten-letter":       {Bridge: "evbr-ten-letter", VXLAN: "evx4-ten-letter"},
		"eleven-long":      {Bridge: "evbr.59de4c34", VXLAN: "evx4.59de4c34"},
		"a-very-long-vtep": {Bridge: "evbr.8a4f83a0", VXLAN: "evx4.8a4f83a0"},
	} {
		if got := VTEPDevicesOf(vtep); got != want {
			t.Errorf("%s: %+v, want %+v", vtep, got, want)
		}
	}
}

func TestNetworkDevices(t *testing.T) {
	for _, test := range []struct {
		network string
		id      int
		want    NetworkDevices
		ok      bool
	}{
		{"cluster_udn_blue", 0, NetworkDevices{"svl3-blue", "svl2-blue", "ovl2-blue"}, true},
		{"cluster_udn_ten-letter", 7, NetworkDevices{"svl3-ten-letter", "svl2-ten-letter", "ovl2-ten-letter"}, true},
		{"cluster_udn_eleven-long", 7, NetworkDevices{"svl3.7", "svl2.7", "ovl2.7"}, true},
		{"cluster_udn_eleven-long", 0, NetworkDevices{"svl3.0", "svl2.0", "ovl2.0"}, false},
	} {
		if got, ok := NetworkDevicesOf(test.network, test.id); got != test.want || ok != test.ok {
			t.Errorf("%s, ID %d: %+v, %v; want %+v, %v", test.network, test.id, got, ok, test.want, test.ok)
		}
	}
}
