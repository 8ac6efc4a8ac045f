package plan

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func attributesOf(preference, community uint32) model.Attributes {
	return model.MakeAttributes(model.AttributeValues{
		Communities: []model.Community{{Parts: [3]uint32{64512, community}}}, LocalPreference: &preference,
	})
}

// Two routes to one prefix are one for BGP; frr-k8s refuses a prefix with two
// local preferences.
func TestMergedRoutesHaveOnePerPrefix(t *testing.T) {
	a, b := netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("10.0.1.0/24")
	first := []model.Route{{Prefix: a, Attributes: attributesOf(200, 1)}, {Prefix: b}}
	second := []model.Route{{Prefix: a, Attributes: attributesOf(50, 2)}, {Prefix: b, Attributes: attributesOf(50, 2)}}
	want := []model.Route{{Prefix: a, Attributes: attributesOf(200, 1).With(attributesOf(50, 2))}, {Prefix: b, Attributes: attributesOf(50, 2)}}
	kept := slices.Clone(first)
	if got := mergeRoutes([][]model.Route{first, second}); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !slices.Equal(first, kept) {
		t.Error("a list that others share was changed")
	}
	if got := mergeRoutes([][]model.Route{first, second, {{Prefix: b}}}); !slices.Equal(got, want) {
		t.Errorf("of three lists: %+v, want %+v", got, want)
	}
	if got := mergeRoutes([][]model.Route{first}); &got[0] != &first[0] {
		t.Error("a list alone was copied")
	}
}

// Two networks may have one egress IP.
func TestARouteSetHasOnePerPrefix(t *testing.T) {
	prefix := netip.MustParsePrefix("192.0.2.7/32")
	red, blue := &advertisedNetwork{}, &advertisedNetwork{}
	routes := []route{{network: red, Route: model.Route{Prefix: prefix, Attributes: attributesOf(200, 1)}}, {network: blue, Route: model.Route{Prefix: prefix}}}
	if got := newRouteSet(routes, nil).all; !slices.Equal(got, []model.Route{routes[0].Route}) {
		t.Errorf("of both networks: %+v", got)
	}
	if got := newRouteSet(routes, blue).all; !slices.Equal(got, []model.Route{routes[1].Route}) {
		t.Errorf("of one network: %+v", got)
	}
}

func TestAdvertisedRoutesAreUnitedByVRF(t *testing.T) {
	a, b := model.Route{Prefix: netip.MustParsePrefix("10.0.0.0/24")}, model.Route{Prefix: netip.MustParsePrefix("fd00::/64")}
	both := []model.Route{a, b}
	var noted []model.AdvertisedRoutes
	noted = addAdvertised(noted, "red", both[1:])
	noted = addAdvertised(noted, "", both)
	noted = addAdvertised(noted, "", both)
	noted = addAdvertised(noted, "red", both[:1])
	noted[0].VNI = 200
	if len(noted) != 3 {
		t.Errorf("a list that neighbors share counts once: %+v", noted)
	}
	got := uniteAdvertised(noted)
	if len(got) != 2 || got[0].VRF != "" || got[1].VRF != "red" || !slices.Equal(got[0].Routes, both) || !slices.Equal(got[1].Routes, both) || got[0].VNI != 0 || got[1].VNI != 200 {
		t.Errorf("united: %+v", got)
	}
}
