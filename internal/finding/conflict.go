package finding

import (
	"fmt"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// What two FRRConfigurations disagree about. frr-k8s merges all that select a node,
// and refuses the node's whole configuration if it can't.

var (
	conflicts = []model.Outcome{model.Invalid, model.Pending}

	neighborConflict = enter("NeighborConflict", conflicts, []model.ScopeKind{model.ScopeNeighbor, model.ScopeTemplate},
		"Two FRRConfigurations on a node have the same neighbor with different settings. frr-k8s refuses the node's whole configuration for it. Pending means that what was applied before stays.",
		"Make the two agree. An unset field counts as its default.")
	routerConflict = enter("RouterConflict", conflicts, []model.ScopeKind{model.ScopeRouteAdvertisements, model.ScopeTemplate},
		"Two FRRConfigurations on a node have a router in the same VRF with different ASNs or IDs. frr-k8s refuses the node's whole configuration for it. Pending means that what was applied before stays.",
		"Make the two agree.")
	bfdProfileConflict = enter("BFDProfileConflict", conflicts, []model.ScopeKind{model.ScopeNeighbor, model.ScopeTemplate},
		"Two FRRConfigurations on a node define a BFD profile of the same name with different values. frr-k8s refuses the node's whole configuration for it. Pending means that what was applied before stays.",
		"Make the two agree, or give one of the profiles another name.")
	evpnConflict = enter("EVPNConflict", invalid, ofTemplate,
		"FRRConfigurations on a node have EVPN that frr-k8s can't merge, or that no neighbor carries. frr-k8s refuses the node's whole configuration for it.",
		"Make the two agree, or add the address family evpn to a neighbor.")
)

// ends of the texts about two objects.
const (
	wouldRefuse = "frr-k8s would refuse the node's whole configuration, so make the two agree"
	refuses     = "frr-k8s refuses the node's whole configuration for it, so make the two agree"
)

// NeighborConflict is for a neighbor that frr-k8s would not merge with another
// object's; field is the first that differs.
func NeighborConflict(n Neighbor, vrf, field, other string) model.Finding {
	return neighborConflict.in(n.scope(), "neighbor %s in VRF %q has another %s in FRRConfiguration %s than in %s, and an unset one counts as its default: %s",
		n.id(), named(vrf), field, n.Template, other, wouldRefuse)
}

// NeighborOfOther is for a neighbor that another RouteAdvertisements object, which
// was there first, has from another FRRConfiguration.
func NeighborOfOther(n Neighbor, vrf, field, other, ra string) model.Finding {
	return neighborConflict.in(n.scope(), "neighbor %s in VRF %q has another %s in FRRConfiguration %s than in %s, which is for RouteAdvertisements %s and was there first: "+
		"frr-k8s would refuse both, so make the two agree", n.id(), named(vrf), field, n.Template, other, ra)
}

// BFDProfileConflict is for a neighbor whose BFD profile has other values in another
// object.
func BFDProfileConflict(n Neighbor, profile, other string) model.Finding {
	return bfdProfileConflict.in(n.scope(), "neighbor %s names the BFD profile %q, which has other values in FRRConfiguration %s than in %s: %s "+
		"or give one of the profiles another name", n.id(), profile, n.Template, other, wouldRefuse)
}

// BFDProfileOfOther is for a neighbor whose BFD profile the node has already.
func BFDProfileOfOther(n Neighbor, profile string) model.Finding {
	return bfdProfileConflict.in(n.scope(), "neighbor %s names the BFD profile %q, which has other values in FRRConfiguration %s than in one that was there first: "+
		"frr-k8s would refuse both, so make them agree or give one of the profiles another name", n.id(), profile, n.Template)
}

// RouterSetting is what two routers of one VRF have each of its own: an ASN or an ID.
type RouterSetting struct{ What, Mine, Other string }

// ASNs of two routers.
func ASNs(mine, other uint32) RouterSetting {
	return RouterSetting{"ASN", fmt.Sprint(mine), fmt.Sprint(other)}
}

// RouterIDs of two routers.
func RouterIDs(mine, other string) RouterSetting { return RouterSetting{"router ID", mine, other} }

// RouterConflict is for a router that frr-k8s would not merge with another object's.
func RouterConflict(ra, vrf, template, other string, setting RouterSetting) model.Finding {
	return routerConflict.about(ra, "the router in VRF %q has %s %s in FRRConfiguration %s and %s in %s: %s",
		named(vrf), setting.What, setting.Mine, template, setting.Other, other, wouldRefuse)
}

// RouterOfOther is for a router that another RouteAdvertisements object, which was
// there first, has with another setting; other is its FRRConfiguration, "" if it
// comes from none.
func RouterOfOther(ra, vrf, template, other, owner string, setting RouterSetting) model.Finding {
	where := "for"
	if other != "" {
		where = fmt.Sprintf("in %s of", other)
	}
	return routerConflict.about(ra, "the router in VRF %q has %s %s in FRRConfiguration %s and %s %s RouteAdvertisements %s, which was there first: make the two agree",
		named(vrf), setting.What, setting.Mine, template, setting.Other, where, owner)
}

// ManagedASN is for the operator's own router, whose ASN an FRRConfiguration gives
// another value.
func ManagedASN(ra, vrf, other string, asn, otherASN uint32) model.Finding {
	return routerConflict.about(ra, "nodes of networks with routing Managed peer with ASN %d, but FRRConfiguration %s gives the router in VRF %q ASN %d: "+
		"start the operator with --managed-asn=%d, or change the FRRConfiguration", asn, other, named(vrf), otherASN, otherASN)
}

// Clash is a pair of FRRConfigurations, whoever's they are, that frr-k8s does not
// merge. The second one is the younger.
type Clash struct{ First, Second string }

func (c Clash) say(r *Reason, format string, args ...any) model.Finding {
	return r.in(model.Scope{Kind: model.ScopeTemplate, Name: c.Second}, "%s in FRRConfiguration %s than in %s: %s",
		fmt.Sprintf(format, args...), c.Second, c.First, refuses)
}

// Neighbor is for a setting of a neighbor.
func (c Clash) Neighbor(neighbor, vrf, field string) model.Finding {
	return c.say(neighborConflict, "neighbor %s in VRF %q has another %s", neighbor, named(vrf), field)
}

// Router is for an ASN or an ID, mine being that of the second.
func (c Clash) Router(vrf string, setting RouterSetting) model.Finding {
	return c.say(routerConflict, "the router in VRF %q has another %s, %s and not %s,", named(vrf), setting.What, setting.Mine, setting.Other)
}

// BFDProfile is for the values of a BFD profile.
func (c Clash) BFDProfile(profile string) model.Finding {
	return c.say(bfdProfileConflict, "BFD profile %q has other values", profile)
}

// EVPN is for the EVPN of a router.
func (c Clash) EVPN(vrf, what string) model.Finding {
	return c.say(evpnConflict, "the router in VRF %q has another EVPN configuration (%s)", named(vrf), what)
}

// VNI is for a VNI that each uses for something else.
func (c Clash) VNI(number uint32) model.Finding {
	return c.say(evpnConflict, "VNI %d has another use", number)
}

// EVPNWithoutNeighbor is for EVPN that no neighbor carries.
func EVPNWithoutNeighbor(template, vrf string) model.Finding {
	return evpnConflict.about(template, "FRRConfiguration %s has EVPN in the router in VRF %q, and no neighbor there has the address family evpn: "+
		"frr-k8s refuses the node's whole configuration for it, so add the family to one", template, named(vrf))
}
