package ovnk

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// parsing is one row of a parser's table: wanted is the result, or message
// the end of the error.
type parsing[T any] struct {
	name, value string
	wanted      T
	message     string
}

func check[T any](t *testing.T, annotation string, parse func(string) (T, error), table []parsing[T]) {
	t.Helper()
	for _, row := range table {
		t.Run(row.name, func(t *testing.T) {
			got, err := parse(row.value)
			if row.message != "" {
				if wanted := "annotation " + annotation + " is malformed: " + row.message; err == nil || err.Error() != wanted {
					t.Fatalf("got error %v\nwanted    %s", err, wanted)
				}
				return
			}
			if err != nil {
				t.Fatalf("unexpected error: %v", err)
			}
			if !reflect.DeepEqual(got, row.wanted) {
				t.Fatalf("got %v, wanted %v", got, row.wanted)
			}
		})
	}
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

func TestParseNodeSubnets(t *testing.T) {
	type subnets = map[string][]netip.Prefix
	parse := func(value string) (subnets, error) { return ParseNodeSubnets(value, nil) }
	check(t, AnnotationNodeSubnets, parse, []parsing[subnets]{
		{name: "list", value: `{"default":["10.244.1.0/24","fd00:10:244:1::/64"],"cluster_udn_blue":["10.10.2.0/24"]}`,
			wanted: subnets{"default": prefixes("10.244.1.0/24", "fd00:10:244:1::/64"), "cluster_udn_blue": prefixes("10.10.2.0/24")}},
		{name: "single string", value: `{"default":"10.244.3.0/24"}`, wanted: subnets{"default": prefixes("10.244.3.0/24")}},
		{name: "no networks", value: ` { } `, wanted: subnets{}},
		{name: "network without subnets", value: `{"default":[]}`, wanted: subnets{"default": {}}},
		{name: "white space", value: "\n{ \"default\" :\t[ \"10.244.3.0/24\" , \"fd00::/64\" ] }\r\n", wanted: subnets{"default": prefixes("10.244.3.0/24", "fd00::/64")}},
		{name: "host bits are cleared", value: `{"default":"10.244.3.7/24"}`, wanted: subnets{"default": prefixes("10.244.3.0/24")}},
		{name: "escapes", value: `{"d\u0065f\u0061ult":"10.244.3.0\/24"}`, wanted: subnets{"default": prefixes("10.244.3.0/24")}},
		{name: "empty", value: "", message: "it ends where an object {…} should be"},
		{name: "null", value: "null", message: `at byte 1 there is "null" where an object {…} should be`},
		{name: "cut off", value: `{"default":["10.244.1.0/24"`, message: `network "default": it ends where a comma or ] should be`},
		{name: "cut off in a string", value: `{"default":["10.244.1`, message: `network "default": at byte 13 a string begins that does not end`},
		{name: "cut off after an escape", value: `{"default\`, message: "at byte 2 a string begins that does not end"},
		{name: "no key", value: `{`, message: "it ends where a string in double quotes should be"},
		{name: "no colon", value: `{"default" "10.0.0.0/24"}`, message: `at byte 12 there is "\"10.0.0.0/24\"}" where a colon should be`},
		{name: "trailing comma", value: `{"default":"10.0.0.0/24",}`, message: `at byte 26 there is "}" where a string in double quotes should be`},
		{name: "trailing text", value: `{"default":"10.0.0.0/24"} {"and":"so on and so forth"}`, message: `at byte 27 there is "{\"and\":\"so on and so…" where the end should be`},
		{name: "number", value: `{"default":10}`, message: `network "default": at byte 12 there is "10}" where a list […] should be`},
		{name: "duplicate network", value: `{"a":"10.0.0.0/24","b":[],"a":"10.0.1.0/24"}`, message: `network "a" is in it twice`},
		{name: "address without length", value: `{"default":"10.0.0.0"}`, message: `network "default": "10.0.0.0" is not an address with a prefix length, such as 10.244.1.0/24`},
		{name: "impossible length", value: `{"default":["10.0.0.0/33"]}`, message: `network "default": "10.0.0.0/33" is not an address with a prefix length, such as 10.244.1.0/24`},
		{name: "IPv4 as IPv6", value: `{"default":["::ffff:10.0.0.0/120"]}`, message: `network "default": "::ffff:10.0.0.0/120" is an IPv4 address in IPv6 notation: write it as IPv4`},
		{name: "bad escape", value: `{"\x":"10.0.0.0/24"}`, message: `"\x" is not a string: invalid character 'x' in string escape code`},
		{name: "NUL", value: "{}\x00", message: `at byte 3 there is "\x00" where the end should be`},
	})
}

func TestParseNodeSubnetsInterns(t *testing.T) {
	got, err := ParseNodeSubnets(`{"a":"10.0.0.0/24","b":"10.0.1.0/24"}`, strings.ToUpper)
	if wanted := (map[string][]netip.Prefix{"A": prefixes("10.0.0.0/24"), "B": prefixes("10.0.1.0/24")}); err != nil || !reflect.DeepEqual(got, wanted) {
		t.Fatalf("got %v, %v", got, err)
	}
}

// Networks share an array: appending to one must not write into the next.
func TestParseNodeSubnetsKeepsNetworksApart(t *testing.T) {
	got, err := ParseNodeSubnets(`{"a":"10.0.0.0/24","b":"10.0.1.0/24"}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(got["a"], netip.MustParsePrefix("10.9.9.0/24"))
	if !reflect.DeepEqual(got["b"], prefixes("10.0.1.0/24")) {
		t.Fatalf("network b became %v", got["b"])
	}
}

func TestParsePrimaryAddresses(t *testing.T) {
	check(t, AnnotationPrimaryAddress, ParsePrimaryAddresses, []parsing[[]netip.Prefix]{
		{name: "dual stack", value: `{"ipv6":"fd00:100::11/64","ipv4":"172.18.0.3/16"}`, wanted: prefixes("172.18.0.3/16", "fd00:100::11/64")},
		{name: "one family", value: `{"ipv4":"172.18.0.3/16"}`, wanted: prefixes("172.18.0.3/16")},
		{name: "empty family", value: `{"ipv4":"","ipv6":"fd00::1/64"}`, wanted: prefixes("fd00::1/64")},
		{name: "no address", value: `{}`},
		{name: "keys of later releases", value: `{"more":{"a":[1,"]",null]},"ipv4":"172.18.0.3/16","flag":true}`, wanted: prefixes("172.18.0.3/16")},
		{name: "IPv6 as IPv4", value: `{"ipv4":"fd00::1/64"}`, message: `ipv4: "fd00::1/64" is of the other address family`},
		{name: "IPv4 as IPv6", value: `{"ipv6":"172.18.0.3/16"}`, message: `ipv6: "172.18.0.3/16" is of the other address family`},
		{name: "twice", value: `{"ipv4":"172.18.0.3/16","ipv4":"172.18.0.4/16"}`, message: `key "ipv4" is in it twice`},
		{name: "no address at all", value: `{"ipv4":"node"}`, message: `ipv4: "node" is not an address with a prefix length, such as 10.244.1.0/24`},
		{name: "list", value: `["172.18.0.3/16"]`, message: `at byte 1 there is "[\"172.18.0.3/16\"]" where an object {…} should be`},
		{name: "garbage in what is skipped", value: `{"more":nonsense}`, message: `at byte 9 there is "nonsense}" where a value should be`},
		{name: "unbalanced in what is skipped", value: `{"more":[}`, message: `at byte 9 there is "[}" where a value should be`},
	})
}

func TestParseHostCIDRs(t *testing.T) {
	check(t, AnnotationHostCIDRs, ParseHostCIDRs, []parsing[[]netip.Prefix]{
		{name: "in the order written", value: `["172.18.0.3/16","10.0.0.1/24","fd00::1/64"]`, wanted: prefixes("172.18.0.3/16", "10.0.0.1/24", "fd00::1/64")},
		{name: "none", value: `[]`},
		{name: "address", value: `["172.18.0.3"]`, message: `"172.18.0.3" is not an address with a prefix length, such as 10.244.1.0/24`},
		{name: "object", value: `{}`, message: `at byte 1 there is "{}" where a list […] should be`},
		{name: "no comma", value: `["172.18.0.3/16" "10.0.0.1/24"]`, message: `at byte 18 there is "\"10.0.0.1/24\"]" where a comma or ] should be`},
	})
}

func TestParseGatewayConfig(t *testing.T) {
	check(t, AnnotationGatewayConfig, ParseGatewayConfig, []parsing[GatewayConfig]{
		{name: "shared", value: `{"default":{"mode":"shared","bridge-id":"br-ex","interface-id":"br-ex_n1","mac-address":"02:00:00:00:00:01",` +
			`"ip-addresses":["172.18.0.9/16","fd00::9/64"],"next-hops":["172.18.0.1"],"node-port-enable":"true","vlan-id":"0"}}`,
			wanted: GatewayConfig{Mode: "shared", Addresses: prefixes("172.18.0.9/16", "fd00::9/64"), Bridge: "br-ex"}},
		{name: "local", value: `{"default":{"mode":"local","ip-addresses":[]}}`, wanted: GatewayConfig{Mode: "local"}},
		{name: "single address of older releases", value: `{"default":{"mode":"shared","ip-address":"172.18.0.9/16"}}`,
			wanted: GatewayConfig{Mode: "shared", Addresses: prefixes("172.18.0.9/16")}},
		{name: "list wins over single address", value: `{"default":{"ip-addresses":["172.18.0.9/16"],"ip-address":"172.18.0.8/16"}}`,
			wanted: GatewayConfig{Addresses: prefixes("172.18.0.9/16")}},
		{name: "disabled", value: `{"default":{"mode":""}}`, wanted: GatewayConfig{}},
		{name: "other networks", value: `{"blue":{"mode":7},"default":{"mode":"shared"}}`, wanted: GatewayConfig{Mode: "shared"}},
		{name: "no default network", value: `{"blue":{}}`, message: `the network "default" is not in it`},
		{name: "unknown mode", value: `{"default":{"mode":"fast"}}`, message: `mode: "fast" is neither "shared" nor "local"`},
		{name: "bad address", value: `{"default":{"ip-addresses":["172.18.0.9"]}}`, message: `ip-addresses: "172.18.0.9" is not an address with a prefix length, such as 10.244.1.0/24`},
		{name: "duplicate key", value: `{"default":{"mode":"shared","mode":"local"}}`, message: `key "mode" is in it twice`},
		{name: "duplicate network", value: `{"default":{},"default":{}}`, message: `network "default" is in it twice`},
	})
}

func TestParseChassisID(t *testing.T) {
	check(t, AnnotationChassisID, ParseChassisID, []parsing[string]{
		{name: "UUID", value: "4c4c4544-0042-3310-8052-b7c04f4d4e32", wanted: "4c4c4544-0042-3310-8052-b7c04f4d4e32"},
		{name: "empty", value: "", message: "it is empty"},
		{name: "space", value: "a b", message: `"a b" has white space in it`},
	})
}

func TestParseNetworkIDs(t *testing.T) {
	check(t, AnnotationNetworkIDs, ParseNetworkIDs, []parsing[map[string]int]{
		{name: "ids", value: `{"default":"0","cluster_udn_blue":"5"}`, wanted: map[string]int{"default": 0, "cluster_udn_blue": 5}},
		{name: "none", value: `{}`, wanted: map[string]int{}},
		{name: "negative", value: `{"a":"-1"}`, message: `network "a": "-1" is not an ID, which is a number such as 5`},
		{name: "number", value: `{"a":5}`, message: `network "a": at byte 6 there is "5}" where a string in double quotes should be`},
		{name: "too large", value: `{"a":"2147483648"}`, message: `network "a": "2147483648" is not an ID, which is a number such as 5`},
		{name: "duplicate", value: `{"a":"5","a":"5"}`, message: `network "a" is in it twice`},
	})
}

func TestParseLayer2Networks(t *testing.T) {
	parse := func(value string) (map[string]bool, error) { return ParseLayer2Networks(value, nil) }
	check(t, AnnotationLayer2TunnelIDs, parse, []parsing[map[string]bool]{
		{name: "networks", value: `{"cluster_udn_red":"5","cluster_udn_blue":"12"}`, wanted: map[string]bool{"cluster_udn_red": true, "cluster_udn_blue": true}},
		{name: "none", value: `{}`, wanted: map[string]bool{}},
		{name: "no number", value: `{"a":"x"}`, message: `network "a": "x" is not an ID, which is a number such as 5`},
		{name: "duplicate", value: `{"a":"5","a":"6"}`, message: `network "a" is in it twice`},
	})
}

func TestParseVTEPs(t *testing.T) {
	type vteps = map[string][]netip.Addr
	check(t, AnnotationVTEPs, ParseVTEPs, []parsing[vteps]{
		{name: "addresses", value: `{"evpn-vtep":{"ips":["100.64.0.1","fd00::1"]},"other":{"ips":[],"more":1}}`,
			wanted: vteps{"evpn-vtep": {netip.MustParseAddr("100.64.0.1"), netip.MustParseAddr("fd00::1")}, "other": nil}},
		{name: "prefix", value: `{"v":{"ips":["100.64.0.1/32"]}}`, message: `VTEP "v": "100.64.0.1/32" is not an IP address`},
		{name: "zone", value: `{"v":{"ips":["fe80::1%eth0"]}}`, message: `VTEP "v": "fe80::1%eth0" has a zone, which means nothing outside its node`},
		{name: "IPv4 as IPv6", value: `{"v":{"ips":["::ffff:1.2.3.4"]}}`, message: `VTEP "v": "::ffff:1.2.3.4" is an IPv4 address in IPv6 notation: write it as IPv4`},
		{name: "duplicate", value: `{"v":{},"v":{}}`, message: `VTEP "v" is in it twice`},
		{name: "duplicate addresses", value: `{"v":{"ips":[],"ips":[]}}`, message: `VTEP "v": key "ips" is in it twice`},
	})
}

func TestParseNetworkID(t *testing.T) {
	check(t, AnnotationNetworkID, ParseNetworkID, []parsing[int]{
		{name: "id", value: "5", wanted: 5},
		{name: "empty", value: "", message: `"" is not an ID, which is a number such as 5`},
		{name: "quoted", value: `"5"`, message: `"\"5\"" is not an ID, which is a number such as 5`},
	})
}

func TestParseRouteAdvertisements(t *testing.T) {
	check(t, AnnotationRouteAdvertisements, ParseRouteAdvertisements, []parsing[[]string]{
		{name: "sorted, each once", value: `["b","a","b"]`, wanted: []string{"a", "b"}},
		{name: "none", value: `[]`},
		{name: "plain name", value: `default`, message: `at byte 1 there is "default" where a list […] should be`},
		{name: "number", value: `[1]`, message: `at byte 2 there is "1]" where a string in double quotes should be`},
	})
}

func TestMergeRouteAdvertisements(t *testing.T) {
	decides := func(name string) bool { return strings.HasPrefix(name, "ours") }
	current := []string{"theirs", "ours-old", "ours-kept"}
	got := MergeRouteAdvertisements(current, []string{"ours-new", "ours-kept"}, decides)
	if wanted := []string{"ours-kept", "ours-new", "theirs"}; !reflect.DeepEqual(got, wanted) {
		t.Fatalf("got %v, wanted %v", got, wanted)
	}
	if !reflect.DeepEqual(current, []string{"theirs", "ours-old", "ours-kept"}) {
		t.Fatalf("the current names were changed to %v", current)
	}
	if got := FormatRouteAdvertisements([]string{"b", "a", "a"}); got != `["a","b"]` {
		t.Fatalf("got %s", got)
	}
	if got := FormatRouteAdvertisements(nil); got != `[]` {
		t.Fatalf("got %s", got)
	}
}

func BenchmarkParseNodeSubnets(b *testing.B) {
	value := nodeSubnetsOf(200)
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseNodeSubnets(value, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// nodeSubnetsOf is the annotation of a node with that many dual-stack networks.
func nodeSubnetsOf(networks int) string {
	var out strings.Builder
	out.WriteString(`{"default":["10.244.1.0/24","fd00:10:244:1::/64"]`)
	for i := range networks - 1 {
		fmt.Fprintf(&out, `,"cluster_udn_tenant-%03d":["10.%d.17.0/24","fd00:%x:0:11::/64"]`, i, i, i+16)
	}
	return out.String() + "}"
}
