package ovnk

import (
	"reflect"
	"testing"
)

func TestParseNADEVPN(t *testing.T) {
	for name, row := range map[string]struct {
		config string
		wanted *NADEVPN
		fails  bool
	}{
		"both": {`{"transport":"evpn","evpn":{"vtep":"v","macVRF":{"vni":110,"vid":2},"ipVRF":{"vni":200,"routeTarget":"1:2","vid":4094}}}`,
			&NADEVPN{MACVRF: NADVPN{110, 2}, IPVRF: NADVPN{200, 4094}}, false},
		"no VLAN yet":       {`{"transport":"evpn","evpn":{"macVRF":{"vni":110}}}`, &NADEVPN{MACVRF: NADVPN{VNI: 110}}, false},
		"another transport": {`{"transport":"no-overlay","evpn":{"macVRF":{"vni":110}}}`, nil, false},
		"no block":          {`{"transport":"evpn"}`, nil, false},
		"the bridge's VLAN": {`{"transport":"evpn","evpn":{"macVRF":{"vni":110,"vid":1}}}`, nil, true},
		"no VLAN's number":  {`{"transport":"evpn","evpn":{"ipVRF":{"vni":110,"vid":4095}}}`, nil, true},
		"a negative number": {`{"transport":"evpn","evpn":{"ipVRF":{"vni":-1}}}`, nil, true},
		"no JSON":           {`{`, nil, true},
	} {
		got, err := ParseNADEVPN(row.config)
		if !reflect.DeepEqual(got, row.wanted) || (err != nil) != row.fails {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func FuzzParseNADEVPN(f *testing.F) {
	f.Add(`{"transport":"evpn","evpn":{"macVRF":{"vni":110,"vid":2}}}`)
	f.Add(`{"transport":"evpn","evpn":{"ipVRF":{"vni":1e9,"vid":65536}}}`)
	f.Add(`{"transport":"evpn","evpn":null}`)
	f.Fuzz(func(t *testing.T, config string) {
		got, err := ParseNADEVPN(config)
		if err != nil || got == nil {
			return
		}
		for _, v := range []NADVPN{got.MACVRF, got.IPVRF} {
			if v.VID == 1 || v.VID > 4094 {
				t.Errorf("VLAN %d", v.VID)
			}
		}
	})
}
