package render_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// withSettings is a plan of a router with a neighbor of each kind.
func withSettings(router model.RouterExtra, session model.SessionExtra) *model.NodePlan {
	r := model.Router{ASN: 64512, Extra: router}
	for _, id := range []model.Session{{Address: "192.0.2.1"}, {Address: "2001:DB8::1"}, {Interface: "eth1.100"}} {
		id.Extra = session
		r.Neighbors = append(r.Neighbors, model.Neighbor{Session: id})
	}
	return &model.NodePlan{Node: "worker-1", Hostname: "worker-1", Configs: []model.NodeConfig{{Namespace: "frr-k8s-system", Routers: []model.Router{r}}}}
}

// raw is the raw text without its mark, which is the last line.
func raw(p *model.NodePlan) string {
	text := render.Node(p)[0].Spec.Raw.Config
	before, _, _ := strings.Cut(text, "ip prefix-list "+render.RawMarkPrefix)
	return before
}

func TestSettingsWithoutRawText(t *testing.T) {
	for name, p := range map[string]*model.NodePlan{
		"none": withSettings(model.RouterExtra{}, model.SessionExtra{}),
		// FRR prints none of these, so that frr-reload would write them anew each time.
		"FRR's defaults": withSettings(model.RouterExtra{GracefulRestart: model.RestartTimes{Restart: 120, StalePath: 360, Deferral: 360}}, model.SessionExtra{}),
	} {
		if got := raw(p); got != "" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// One address that is spelt in two ways is one neighbor to FRR.
func TestNeighborSpeltInTwoWays(t *testing.T) {
	p := withSettings(model.RouterExtra{}, model.SessionExtra{Passive: true, MaximumPrefixes: model.PrefixLimit{IPv6: 5, ThresholdPercent: 75}})
	neighbors := p.Configs[0].Routers[0].Neighbors
	neighbors[0].Address = "2001:db8:0::1"
	const want = "router bgp 64512\n neighbor 2001:db8::1 passive\n neighbor eth1.100 passive\n" +
		" address-family ipv6 unicast\n  neighbor 2001:db8::1 maximum-prefix 5\n  neighbor eth1.100 maximum-prefix 5\n exit-address-family\nexit\n"
	if got := raw(p); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// The delay of route-maps is written outside of a router, and not by a router whose name
// may not be written.
func TestRouteMapDelay(t *testing.T) {
	p := withSettings(model.RouterExtra{MultipathRelax: true}, model.SessionExtra{})
	p.Configs[0].QuickRouteMaps = true
	if got, want := raw(p), "router bgp 64512\n bgp bestpath as-path multipath-relax\nexit\nrouter bgp 64512\nexit\nbgp route-map delay-timer 1\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	p.Configs[0].Routers = []model.Router{{ASN: 64512, VRF: "a b"}, {ASN: 64512, VRF: "blue"}}
	if got, want := raw(p), "router bgp 64512 vrf blue\nexit\nbgp route-map delay-timer 1\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestEveryExtraIsRendered catches a setting that is added to the model and forgotten here.
func TestEveryExtraIsRendered(t *testing.T) {
	router := model.RouterExtra{MultipathRelax: true, GracefulRestart: model.RestartTimes{Restart: 1, StalePath: 2, Deferral: 3}}
	session := model.SessionExtra{Passive: true, TTLSecurityHops: 1, MaximumPrefixes: model.PrefixLimit{IPv4: 1, IPv6: 2, ThresholdPercent: 80, RestartMinutes: 3}}
	warning := session
	warning.MaximumPrefixes.RestartMinutes, warning.MaximumPrefixes.WarningOnly = 0, true
	for _, s := range []model.SessionExtra{session, warning} {
		whole := raw(withSettings(router, s))
		eachLeaf(reflect.ValueOf(&router).Elem(), func(name string) {
			if raw(withSettings(router, s)) == whole {
				t.Errorf("%s makes no difference", name)
			}
		})
		eachLeaf(reflect.ValueOf(&s).Elem(), func(name string) {
			if raw(withSettings(router, s)) == whole {
				t.Errorf("%s makes no difference", name)
			}
		})
	}
}

// eachLeaf calls check with each field that is set unset in turn.
func eachLeaf(v reflect.Value, check func(name string)) {
	for i := range v.NumField() {
		field := v.Field(i)
		if field.Kind() == reflect.Struct {
			eachLeaf(field, check)
			continue
		}
		if field.IsZero() {
			continue
		}
		was := reflect.ValueOf(field.Interface())
		field.SetZero()
		check(v.Type().Field(i).Name)
		field.Set(was)
	}
}
