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
		"vrf blue\n vni 200\nexit-vrf\n!\nrouter bgp 64512 vrf blue\n address-family ipv4 unicast\n  network 10.10.1.0/24\n exit-address-family\n"
	prefix := func(vrf, p string) model.AdvertisedRoutes {
		return model.AdvertisedRoutes{VRF: vrf, Routes: []model.Route{{Prefix: netip.MustParsePrefix(p)}}}
	}
	carried := func(vni uint32) []model.AdvertisedRoutes {
		routes := prefix("blue", "10.10.1.0/24")
		routes.VNI = vni
		return []model.AdvertisedRoutes{routes}
	}
	both := []model.AdvertisedRoutes{prefix("", "10.244.1.0/24"), prefix("blue", "10.10.1.0/24")}
	for name, test := range map[string]struct {
		conversion, reload string
		advertised         []model.AdvertisedRoutes
		want               model.PartState
		message            string
	}{
		"all originated":       {"success", "success", both, model.PartConfigured, ""},
		"nothing to originate": {"success", "success", nil, model.PartConfigured, ""},
		"in another VRF":       {"success", "success", []model.AdvertisedRoutes{prefix("red", "10.10.1.0/24")}, model.PartWaiting, ""},
		"not yet":              {"success", "success", append(both, prefix("", "10.244.2.0/24")), model.PartWaiting, ""},
		"by its VNI":           {"success", "success", carried(200), model.PartConfigured, ""},
		"by another VNI yet":   {"success", "success", carried(201), model.PartWaiting, ""},
		"nothing reported yet": {"", "", both, model.PartWaiting, ""},
		"not reloaded yet":     {"success", "", both, model.PartWaiting, ""},
		"conversion failed":    {"two ASNs", "success", both, model.PartFailed, "conversion"},
		"reload failed":        {"success", "vtysh: no", both, model.PartFailed, "reload"},
	} {
		state := &frrk8sv1beta1.FRRNodeState{Status: frrk8sv1beta1.FRRNodeStateStatus{
			RunningConfig: running, LastConversionResult: test.conversion, LastReloadResult: test.reload,
		}}
		got, failure := configured(&state.Status, apply.OriginsOf(state), test.advertised)
		message := failure.Message
		if got != test.want || !strings.Contains(message, test.message) || (message == "") != (test.message == "") {
			t.Errorf("%s: %v %q, want %v with %q", name, got, message, test.want, test.message)
		}
	}
}
