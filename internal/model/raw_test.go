package model

import (
	"strings"
	"testing"
)

// What a user wrote reaches FRR's configuration only if it can't be read as anything else.
func TestRawFault(t *testing.T) {
	for _, test := range []struct {
		vrf     string
		session Session
		fault   string
	}{
		{"", Session{Address: "192.0.2.1"}, ""},
		{"red_1.a-b", Session{Address: "2001:DB8:0::1", NextHopIPv4: "192.0.2.9", NextHopIPv6: "2001:db8::9"}, ""},
		{"", Session{Interface: "eth1.100"}, ""},
		{"red out\nexit", Session{Address: "192.0.2.1"}, "VRF"},
		{"sixteen-bytes-xx", Session{Address: "192.0.2.1"}, "VRF"},
		{"rot\u00e9", Session{Address: "192.0.2.1"}, "VRF"},
		{"", Session{Interface: "eth1@v"}, "interface"},
		{"", Session{Interface: "eth1\nrouter bgp 1"}, "interface"},
		{"", Session{}, "interface"},
		{"", Session{Address: "192.0.2.1 remote-as 1"}, "address"},
		{"", Session{Address: "fe80::1%eth1"}, "address"},
		{"", Session{Address: "192.0.2.1", NextHopIPv4: "here"}, "address"},
	} {
		got := RawFault(test.vrf, &test.session)
		if (got == "") != (test.fault == "") || !strings.Contains(got, test.fault) {
			t.Errorf("VRF %q, %+v: %q, want %q", test.vrf, test.session, got, test.fault)
		}
	}
}

func TestRawPermissionsHaveNames(t *testing.T) {
	if got := RawTakenOff.String() + " " + RawPermission(9).String(); got != "RawTakenOff RawPermission(9)" {
		t.Error(got)
	}
	if (RawState{}).On() || !(RawState{Permission: RawOn}).On() {
		t.Error("only RawOn is on")
	}
}
