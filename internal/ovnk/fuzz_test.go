package ovnk

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// roundTrip fuzzes a parser: it must not panic, and what it takes must mean
// the same after it was written again.
func roundTrip[T any](f *testing.F, parse func(string) (T, error), format func(T) any, seeds ...string) {
	f.Helper()
	for _, seed := range append(seeds, "", "{}", "[]", "null", `{"a":`, `"`, `{"\ud800":[]}`, "\x00", strings.Repeat("[", 1000)) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		first, err := parse(value)
		if err != nil {
			return
		}
		written, err := json.Marshal(format(first))
		if err != nil {
			t.Fatalf("%v can't be written: %v", first, err)
		}
		second, err := parse(string(written))
		if err != nil {
			t.Fatalf("%q was taken, but not what it means, %s: %v", value, written, err)
		}
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("%q is %v at first and %v then", value, first, second)
		}
	})
}

func FuzzParseNodeSubnets(f *testing.F) {
	parse := func(value string) (map[string][]netip.Prefix, error) { return ParseNodeSubnets(value, nil) }
	format := func(subnets map[string][]netip.Prefix) any {
		for network, list := range subnets {
			for _, p := range list {
				if p != p.Masked() {
					f.Fatalf("network %q: %v has host bits", network, p)
				}
			}
		}
		return subnets
	}
	roundTrip(f, parse, format,
		`{"default":["10.244.1.0/24","fd00:10:244:1::/64"],"cluster_udn_blue":["10.10.2.0/24"]}`,
		`{"default":"10.244.3.7/24","e":[]}`, `{"a":"10.0.0.0/24","a":"10.0.0.0/24"}`, `{"\u0061":"::/0"}`)
}

func FuzzParsePrimaryAddresses(f *testing.F) {
	format := func(addresses []netip.Prefix) any {
		out := map[string]netip.Prefix{}
		for _, a := range addresses {
			if a.Addr().Is4() {
				out["ipv4"] = a
			} else {
				out["ipv6"] = a
			}
		}
		return out
	}
	roundTrip(f, ParsePrimaryAddresses, format,
		`{"ipv4":"172.18.0.3/16","ipv6":"fd00::1/64"}`, `{"ipv4":"","more":[{"a":"]"},1e5,true]}`, `{"more":[}`)
}

func FuzzParseHostCIDRs(f *testing.F) {
	format := func(addresses []netip.Prefix) any { return append([]netip.Prefix{}, addresses...) }
	roundTrip(f, ParseHostCIDRs, format, `["172.18.0.3/16","fd00::1/64"]`, `["172.18.0.3"]`)
}

func FuzzParseGatewayConfig(f *testing.F) {
	format := func(c GatewayConfig) any {
		return map[string]any{"default": map[string]any{"mode": c.Mode, "ip-addresses": append([]netip.Prefix{}, c.Addresses...)}}
	}
	roundTrip(f, ParseGatewayConfig, format,
		`{"default":{"mode":"shared","mac-address":"02:00:00:00:00:01","ip-addresses":["172.18.0.9/16"],"next-hops":["172.18.0.1"]}}`,
		`{"default":{"mode":"local","ip-address":"172.18.0.9/16"},"blue":{}}`)
}

func FuzzParseChassisID(f *testing.F) {
	for _, seed := range []string{"4c4c4544-0042-3310-8052-b7c04f4d4e32", "", " ", "\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got, err := ParseChassisID(value); err == nil && (got != value || strings.TrimSpace(got) == "") {
			t.Fatalf("%q became %q", value, got)
		}
	})
}

func FuzzParseNetworkIDs(f *testing.F) {
	format := func(ids map[string]int) any {
		out := map[string]string{}
		for network, id := range ids {
			out[network] = strconv.Itoa(id)
		}
		return out
	}
	roundTrip(f, ParseNetworkIDs, format, `{"default":"0","cluster_udn_blue":"5"}`, `{"a":"007"}`, `{"a":5}`)
}

func FuzzParseLayer2Networks(f *testing.F) {
	parse := func(value string) (map[string]bool, error) { return ParseLayer2Networks(value, nil) }
	format := func(networks map[string]bool) any {
		out := map[string]string{}
		for network := range networks {
			out[network] = "1"
		}
		return out
	}
	roundTrip(f, parse, format, `{"cluster_udn_red":"5","cluster_udn_blue":"12"}`, `{"a":"x"}`)
}

func FuzzParseVTEPs(f *testing.F) {
	format := func(vteps map[string][]netip.Addr) any {
		out := map[string]map[string][]netip.Addr{}
		for vtep, ips := range vteps {
			out[vtep] = map[string][]netip.Addr{"ips": append([]netip.Addr{}, ips...)}
		}
		return out
	}
	roundTrip(f, ParseVTEPs, format, `{"evpn-vtep":{"ips":["100.64.0.1","fd00::1"]}}`, `{"a":{"ips":["fe80::1%eth0"],"b":0}}`)
}

func FuzzParseRouteAdvertisements(f *testing.F) {
	format := func(names []string) any { return json.RawMessage(FormatRouteAdvertisements(names)) }
	roundTrip(f, ParseRouteAdvertisements, format, `["ra1"]`, `["b","a","b"]`, `[""]`)
}

func FuzzParseNetworkID(f *testing.F) {
	for _, seed := range []string{"5", "0", "-1", "", "99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got, err := ParseNetworkID(value); err == nil && got < 0 {
			t.Fatalf("%q became %d", value, got)
		}
	})
}
