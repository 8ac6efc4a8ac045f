package frr

import (
	"net/netip"
	"reflect"
	"testing"
)

// As FRR 10.3 answers, shortened.
func TestPathsOfEVPN(t *testing.T) {
	end := []netip.Addr{netip.MustParseAddr("192.168.102.11")}
	for name, row := range map[string]struct {
		text string
		want []EVPNRoute
	}{
		"type 5": {
			`{"prefix":"[5]:[0]:[24]:[22.150.1.0]","paths":[[{"valid":true,"routeType":5,"ethTag":0,"ipLen":24,"ip":"22.150.1.0","nexthops":[{"ip":"192.168.102.11","used":true}]}]]}`,
			[]EVPNRoute{{RD: "192.168.102.11:2", Prefix: netip.MustParsePrefix("22.150.1.0/24"), NextHops: end}},
		},
		"type 2": {
			`{"paths":[[{"valid":true,"routeType":2,"macLen":48,"mac":"0a:58:16:97:00:03","ipLen":32,"ip":"22.151.0.3",
				"extendedCommunity":{"string":"RT:64512:1600 RT:64512:1601 ET:8 Rmac:02:00:c0:a8:66:0b"},"nexthops":[{"ip":"192.168.102.11"}]}]]}`,
			[]EVPNRoute{{
				RD: "192.168.102.11:2", MAC: "0a:58:16:97:00:03", IP: netip.MustParseAddr("22.151.0.3"), NextHops: end,
				RouteTargets: []string{"64512:1600", "64512:1601"}, RouterMAC: "02:00:c0:a8:66:0b",
			}},
		},
		"type 2 without an address": {
			`{"paths":[[{"valid":true,"routeType":2,"mac":"0a:58:16:97:00:03","nexthops":[{"ip":"192.168.102.11"}]}]]}`,
			[]EVPNRoute{{RD: "192.168.102.11:2", MAC: "0a:58:16:97:00:03", NextHops: end}},
		},
		"one that is not valid": {`{"paths":[[{"valid":false,"ipLen":24,"ip":"22.150.1.0"}]]}`, nil},
	} {
		got, err := evpnPaths("192.168.102.11:2", []byte(row.text))
		if err != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}
