package ovnk

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestParseClusterSubnets(t *testing.T) {
	subnet := func(prefix string, length int) model.NetworkSubnet {
		return model.NetworkSubnet{Prefix: netip.MustParsePrefix(prefix), HostLength: length}
	}
	for text, want := range map[string][]model.NetworkSubnet{
		"10.244.0.0/16/24":                     {subnet("10.244.0.0/16", 24)},
		"10.244.0.0/16":                        {subnet("10.244.0.0/16", 24)},
		"10.128.1.0/14/23 fd00:10:244::/48/64": {subnet("10.128.0.0/14", 23), subnet("fd00:10:244::/48", 64)},
	} {
		got, err := ParseClusterSubnets(strings.Fields(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v; want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"10.244.0.0":                   "is not a subnet",
		"10.244.0.0/16/x":              `"x" is not the length`,
		"10.244.0.0/16/16":             "use a length between 17 and 31",
		"10.244.0.0/24":                "use a length between 25 and 31",
		"::ffff:10.0.0.0/104":          "is not a subnet",
		"10.0.0.0/8/24 10.1.0.0/16/24": "overlap",
	} {
		if got, err := ParseClusterSubnets(strings.Fields(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v; want an error with %q", text, got, err, want)
		}
	}
}

func TestNADTransport(t *testing.T) {
	for config, want := range map[string]string{
		"": "",
		`{"cniVersion":"1.1.0","name":"ovn-kubernetes","type":"ovn-k8s-cni-overlay"}`: "",
		`{"name":"ovn-kubernetes","transport":"no-overlay"}`:                          TransportNoOverlay,
	} {
		if got, err := NADTransport(config); got != want || err != nil {
			t.Errorf("%s: got %q, %v", config, got, err)
		}
	}
	if _, err := NADTransport("{"); err == nil {
		t.Error("half an object is no error")
	}
}

func TestTellsLayer2Networks(t *testing.T) {
	for version, want := range map[string]bool{"": true, "1.0": true, "2.0": false, "2": false, "3.1": false, "two": false} {
		if got := TellsLayer2Networks(version); got != want {
			t.Errorf("version %q: %v", version, got)
		}
	}
}
