package main

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestOptionsAreValidated(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*options)
		want   string
	}{
		{"all that is needed", func(*options) {}, ""},
		{"no node", func(o *options) { o.node = "" }, "set --node or $NODE_NAME"},
		{"none to protect", func(o *options) { o.services = []string{"none"} }, ""},
		{"as OVN-Kubernetes writes them", func(o *options) { o.pods = []string{"10.244.0.0/16/24"} }, ""},
		{"no subnet", func(o *options) { o.pods = []string{"10.244.0.0"} }, `"10.244.0.0" is not a subnet`},
		{"negative limit", func(o *options) { o.maxRoutes = -1 }, "--max-routes-per-vrf is -1"},
		{"EVPN devices once", func(o *options) { o.once, o.manageEVPN = true, true }, "--once can't be used with --manage-evpn"},
		{"EVPN devices observed once", func(o *options) { o.once, o.manageEVPN, o.observeOnly = true, true, true }, ""},
		{"a word", func(o *options) { o.ipv4ViaIPv6 = "yes" }, "use auto, true or false"},
		{"ssl without certificates", func(o *options) { o.ovn = []string{"ssl:127.0.0.1:6641"} }, "needs --ovn-certificate"},
		{"certificates that are not there", func(o *options) { o.certificate, o.privateKey, o.caCert = "/nowhere", "/nowhere", "/nowhere" }, "--ovn-certificate and --ovn-private-key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := defaults()
			o.node, o.pods, o.services = "n1", []string{"10.244.0.0/16"}, []string{"10.96.0.0/16"}
			test.change(&o)
			err := o.validate()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestRoutesAreWrittenAsATable(t *testing.T) {
	var out bytes.Buffer
	if err := writeRoutes(&out, []agent.RouteRow{
		{Network: "default", Prefix: netip.MustParsePrefix("10.1.0.0/24"), Kernel: []string{"172.18.0.2 dev br-ex", "172.18.0.3 dev br-ex"}, OVN: []string{"172.18.0.2", "172.18.0.3"}},
		{Network: "cluster_udn_blue", VRF: "blue", Prefix: netip.MustParsePrefix("10.244.0.0/24"), Kernel: []string{"discard"}, Reason: string(model.SkipPodSubnet)},
	}); err != nil {
		t.Fatal(err)
	}
	want := "NETWORK           VRF      PREFIX         KERNEL                                      OVN                     REASON\n" +
		"default           default  10.1.0.0/24    172.18.0.2 dev br-ex, 172.18.0.3 dev br-ex  172.18.0.2, 172.18.0.3  \n" +
		"cluster_udn_blue  blue     10.244.0.0/24  discard                                     -                       PodSubnet\n"
	if out.String() != want {
		t.Errorf("\n%s\nnot\n%s", out.String(), want)
	}
}
