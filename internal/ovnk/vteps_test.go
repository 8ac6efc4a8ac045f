package ovnk_test

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

func TestVTEPDummy(t *testing.T) {
	for vtep, want := range map[string]string{
		"evpn":               "vtep-evpn",
		"ten-digits":         "vtep-ten-digits",
		"eleven-runes":       "vtep.85b3b29c",
		"a-vtep-with-a-name": "vtep.c3a4868a",
	} {
		if got := ovnk.VTEPDummy(vtep); got != want || len(got) > 15 {
			t.Errorf("%s: %s, not %s", vtep, got, want)
		}
	}
}

func TestFormatVTEPs(t *testing.T) {
	vteps := map[string][]netip.Addr{
		"b": {netip.MustParseAddr("100.64.0.1"), netip.MustParseAddr("fd00::1")}, "a": {netip.MustParseAddr("100.65.0.1")}, "none": nil,
	}
	text := ovnk.FormatVTEPs(vteps)
	if want := `{"a":{"ips":["100.65.0.1"]},"b":{"ips":["100.64.0.1","fd00::1"]}}`; text != want {
		t.Errorf("%s, not %s", text, want)
	}
	delete(vteps, "none")
	if got, err := ovnk.ParseVTEPs(text); err != nil || !reflect.DeepEqual(got, vteps) {
		t.Errorf("reads as %v, %v", got, err)
	}
	if text := ovnk.FormatVTEPs(map[string][]netip.Addr{"a": nil}); text != "" {
		t.Errorf("no address is %q", text)
	}
}
