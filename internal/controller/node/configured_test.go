package node

import (
	"net/netip"
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestConfigured(t *testing.T) {
	const running = "router bgp 64512\n address-family ipv4 unicast\n  network 10.244.1.0/24\n exit-address-family\n!\n" +
		"vrf blue\n vni 200\nexit-vrf\n!\nrouter bgp 64512 vrf blue\n address-family ipv4 unicast\n  network 10.10.1.0/24\n exit-address-family\n!\n" +
		"ip prefix-list shutdown seq 1 permit 10.10.1.0/24\n!\nroute-map 192.0.2.254-blue-out permit 1\n match ip address prefix-list shutdown\n set community graceful-shutdown additive\nexit\n"
	prefix := func(vrf, p string) model.AdvertisedRoutes {
		return model.AdvertisedRoutes{VRF: vrf, Routes: []model.Route{{Prefix: netip.MustParsePrefix(p)}}}
	}
	carried := func(vni uint32) []model.AdvertisedRoutes {
		routes := prefix("blue", "10.10.1.0/24")
		routes.VNI = vni
		return []model.AdvertisedRoutes{routes}
	}
	marked := func(neighbor, p string) []model.MarkedRoutes {
		return []model.MarkedRoutes{{VRF: "blue", Neighbor: neighbor, Routes: []model.Route{{Prefix: netip.MustParsePrefix(p)}}}}
	}
	both := []model.AdvertisedRoutes{prefix("", "10.244.1.0/24"), prefix("blue", "10.10.1.0/24")}
	for name, test := range map[string]struct {
		conversion, reload string
		advertised         []model.AdvertisedRoutes
		want               model.PartState
		message            string
		marked             []model.MarkedRoutes
	}{
		"all originated":       {"success", "success", both, model.PartConfigured, "", nil},
		"nothing to originate": {"success", "success", nil, model.PartConfigured, "", nil},
		"in another VRF":       {"success", "success", []model.AdvertisedRoutes{prefix("red", "10.10.1.0/24")}, model.PartWaiting, "", nil},
		"not yet":              {"success", "success", append(both, prefix("", "10.244.2.0/24")), model.PartWaiting, "", nil},
		"by its VNI":           {"success", "success", carried(200), model.PartConfigured, "", nil},
		"by another VNI yet":   {"success", "success", carried(201), model.PartWaiting, "", nil},
		"nothing reported yet": {"", "", both, model.PartWaiting, "", nil},
		"not reloaded yet":     {"success", "", both, model.PartWaiting, "", nil},
		"conversion failed":    {"two ASNs", "success", both, model.PartFailed, "conversion", nil},
		"reload failed":        {"success", "vtysh: no", both, model.PartFailed, "reload", nil},
		"marked":               {"success", "success", both, model.PartConfigured, "", marked("192.0.2.254", "10.10.1.0/24")},
		"not marked yet":       {"success", "success", both, model.PartWaiting, "", marked("192.0.2.254", "10.10.2.0/24")},
		"marked for another":   {"success", "success", both, model.PartWaiting, "", marked("192.0.2.253", "10.10.1.0/24")},
	} {
		state := &frrk8sv1beta1.FRRNodeState{Status: frrk8sv1beta1.FRRNodeStateStatus{
			RunningConfig: running, LastConversionResult: test.conversion, LastReloadResult: test.reload,
		}}
		got, failure := configured(&state.Status, apply.OriginsOf(state), &model.NodePart{Advertised: test.advertised, Marked: test.marked})
		message := failure.Message
		if got != test.want || !strings.Contains(message, test.message) || (message == "") != (test.message == "") {
			t.Errorf("%s: %v %q, want %v with %q", name, got, message, test.want, test.message)
		}
	}
}

// Raw text is of use only in the route-map that the neighbor's routes are filtered by.
func TestConfiguredRaw(t *testing.T) {
	const entry = "ip prefix-list ovnbgp-FD00:0::1-blue-out-60000 seq 1 permit 10.10.1.0/24\n!\nroute-map FD00:0::1-blue-out permit 60000\n" +
		" match ip address prefix-list ovnbgp-FD00:0::1-blue-out-60000\n set as-path prepend 64700 64700\n set community 64512:1 graceful-shutdown additive\n set ip next-hop 192.0.2.9\n set metric 50\nexit\n!\n"
	const router = "router bgp 64512 vrf blue\n neighbor fd00::1 remote-as 64999\n !\n address-family ipv4 unicast\n  network 10.10.1.0/24\n  neighbor fd00::1 activate\n" +
		"  neighbor fd00::1 route-map FD00:0::1-blue-out out\n exit-address-family\nexit\n!\n"
	med := uint32(50)
	route := model.Route{Prefix: netip.MustParsePrefix("10.10.1.0/24"), Attributes: model.MakeAttributes(model.AttributeValues{
		MED: &med, Prepend: 2, Communities: []model.Community{{Parts: [3]uint32{64512, 1}}, model.GracefulShutdown},
	})}
	routes := []model.Route{route}
	part := &model.NodePart{
		Advertised: []model.AdvertisedRoutes{{VRF: "blue", Routes: routes}},
		Marked:     []model.MarkedRoutes{{VRF: "blue", Neighbor: "FD00:0::1", Routes: routes}},
		Raw:        []model.RawRoutes{{VRF: "blue", Neighbor: "FD00:0::1", ASN: 64700, Routes: routes}},
	}
	for name, test := range map[string]struct {
		running string
		want    model.PartState
	}{
		"there":                    {router + entry, model.PartConfigured},
		"not yet":                  {router, model.PartWaiting},
		"another MED":              {router + strings.Replace(entry, "metric 50", "metric 5", 1), model.PartWaiting},
		"another AS":               {router + strings.Replace(entry, "64700 64700", "64512 64512", 1), model.PartWaiting},
		"no community":             {router + strings.Replace(entry, "64512:1 ", "", 1), model.PartWaiting},
		"another prefix":           {router + strings.Replace(entry, "10.10.1.0", "10.10.2.0", 1), model.PartWaiting},
		"another neighbor's":       {router + strings.ReplaceAll(entry, "-blue-out", "-red-out"), model.PartWaiting},
		"filters renamed":          {strings.Replace(router, "FD00:0::1-blue-out out", "fd00::1-blue-egress out", 1) + entry, model.PartFailed},
		"no filter":                {strings.Replace(router, "  neighbor fd00::1 route-map FD00:0::1-blue-out out\n", "", 1) + entry, model.PartFailed},
		"the neighbor isn't there": {"router bgp 64512 vrf blue\n address-family ipv4 unicast\n  network 10.10.1.0/24\n exit-address-family\n!\n" + entry, model.PartConfigured},
	} {
		state := &frrk8sv1beta1.FRRNodeState{Status: frrk8sv1beta1.FRRNodeStateStatus{RunningConfig: test.running, LastConversionResult: success, LastReloadResult: success}}
		got, failure := configured(&state.Status, apply.OriginsOf(state), part)
		if got != test.want || (failure.Reason == "FilterNotFound") != (got == model.PartFailed) {
			t.Errorf("%s: %v %+v, want %v", name, got, failure, test.want)
		}
	}
}

func TestCarriedOut(t *testing.T) {
	for name, test := range map[string]struct {
		states []model.PartState
		told   bool
		want   bool
	}{
		"nothing on the node":             {nil, true, true},
		"FRR has it all":                  {[]model.PartState{model.PartConfigured, model.PartIdle, model.PartNoTemplate}, true, true},
		"one is waiting":                  {[]model.PartState{model.PartConfigured, model.PartWaiting}, true, false},
		"one stays as it was":             {[]model.PartState{model.PartConfigured, model.PartKept}, true, false},
		"one is refused":                  {[]model.PartState{model.PartRefused}, true, false},
		"frr-k8s says nothing yet":        {[]model.PartState{model.PartWritten}, true, false},
		"frr-k8s has no way of saying so": {[]model.PartState{model.PartWritten}, false, true},
	} {
		var parts []model.NodePart
		for _, s := range test.states {
			parts = append(parts, model.NodePart{State: s})
		}
		if got := carriedOut(parts, test.told); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
