package snapshot

import (
	"net/netip"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// managesRouting reports whether the operator has to see to it that nodes know
// each other's subnets of the network.
func managesRouting(cudn *ovnv1.ClusterUserDefinedNetwork) bool {
	spec := &cudn.Spec.Network
	return spec.Transport == ovnv1.TransportNoOverlay &&
		spec.NoOverlay != nil && spec.NoOverlay.Routing == ovnv1.RoutingManaged &&
		spec.Topology == ovnv1.NetworkTopologyLayer3 && spec.Layer3 != nil && spec.Layer3.Role == ovnv1.NetworkRolePrimary &&
		cudn.DeletionTimestamp == nil
}

// managedSince returns when the first network with managed routing was made.
func managedSince(cudns []ovnv1.ClusterUserDefinedNetwork) (since time.Time, managed bool) {
	for i := range cudns {
		if !managesRouting(&cudns[i]) {
			continue
		}
		if created := cudns[i].CreationTimestamp.Time; !managed || created.Before(since) {
			since = created
		}
		managed = true
	}
	return since, managed
}

// managedByOVNK reports whether OVN-Kubernetes' own controller manages the routing
// of ClusterUserDefinedNetworks.
func managedByOVNK(objs *Objects) bool {
	return slices.ContainsFunc(objs.RouteAdvertisements, func(ra ovnv1.RouteAdvertisements) bool { return ra.Name == ovnk.ManagedCUDNName })
}

// ManagedRouteAdvertisements returns the object that the operator makes for
// networks with managed routing. It is nil if there are none, and for as long as
// OVN-Kubernetes has such an object of its own: that one serves the same networks
// with the same sessions, and like any other object it still does so after a
// take-over. The result is what to apply; Cluster plans with it whether or not it is
// stored yet.
func ManagedRouteAdvertisements(objs *Objects, _ model.Settings) *ovnv1.RouteAdvertisements {
	if managedByOVNK(objs) {
		return nil
	}
	var names []string
	for i := range objs.CUDNs {
		if managesRouting(&objs.CUDNs[i]) {
			names = append(names, objs.CUDNs[i].Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return &ovnv1.RouteAdvertisements{
		TypeMeta:   metav1.TypeMeta{APIVersion: ovnv1.GroupVersion.String(), Kind: "RouteAdvertisements"},
		ObjectMeta: metav1.ObjectMeta{Name: model.ManagedName, Labels: map[string]string{model.LabelManaged: "true"}},
		Spec: ovnv1.RouteAdvertisementsSpec{
			TargetVRF:      ovnv1.TargetVRFDefault,
			Advertisements: []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork},
			FRRConfigurationSelector: metav1.LabelSelector{
				MatchLabels: map[string]string{model.LabelManaged: "true"},
			},
			NetworkSelectors: ovnv1.NetworkSelectors{{
				NetworkSelectionType: ovnv1.ClusterUserDefinedNetworks,
				ClusterUserDefinedNetworkSelector: &ovnv1.ClusterUserDefinedNetworkSelector{
					NetworkSelector: metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
						{Key: model.LabelName, Operator: metav1.LabelSelectorOpIn, Values: names},
					}},
				},
			}},
		},
	}
}

// managedRouteAdvertisement plans with what should be stored, and with the age
// and generation of what is.
func managedRouteAdvertisement(managed *ovnv1.RouteAdvertisements, objs *Objects, foreign map[string]string) model.RouteAdvertisement {
	since, _ := managedSince(objs.CUDNs)
	managed.CreationTimestamp = metav1.NewTime(since)
	taken := false
	for i := range objs.RouteAdvertisements {
		if stored := &objs.RouteAdvertisements[i]; stored.Name == managed.Name {
			managed.CreationTimestamp = stored.CreationTimestamp
			managed.Generation = stored.Generation
			managed.ManagedFields = stored.ManagedFields
			taken = !isManaged(stored)
		}
	}
	out := routeAdvertisement(managed, foreign)
	out.Managed, out.NameTaken = true, taken
	return out
}

// managedConnectTime is how soon a session between nodes is tried again. FRR's
// own two minutes would keep nodes that start together apart for as long, when
// each tried while the other did not listen yet.
const managedConnectTime = 10 * time.Second

// managedTemplate has a session to every address of every node; the planner
// leaves out a node's own. It exists in the Snapshot only: stored, each
// frr-k8s would take it as it is and make its node peer with itself.
func managedTemplate(hosts []model.NodeSummary, settings model.Settings, created time.Time) model.Template {
	out := model.Template{
		Namespace: settings.Managed.Namespace, Name: model.ManagedName, Created: created,
		Labels: map[string]string{model.LabelManaged: "true", model.LabelName: model.ManagedName},
	}
	if settings.Managed.ASN == 0 || settings.Managed.Namespace == "" {
		out.Problem = finding.ManagedRoutingNotConfigured()
		return out
	}
	addresses := make([]netip.Addr, 0, len(hosts))
	for i := range hosts {
		addresses = append(addresses, hosts[i].Addresses...)
	}
	if len(addresses) == 0 && len(hosts) > 0 {
		names := make([]string, 0, len(hosts))
		for i := range hosts {
			names = append(names, hosts[i].Name)
		}
		slices.Sort(names)
		out.Problem = finding.NodesWithoutAddress(ovnk.AnnotationPrimaryAddress, names)
		return out
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	addresses = slices.Compact(addresses)
	retry := managedConnectTime
	sessions := make([]model.Session, 0, len(addresses))
	for _, address := range addresses {
		sessions = append(sessions, model.Session{
			Address: address.String(), ASN: settings.Managed.ASN, AddressFamilies: unicast, ConnectTime: &retry,
		})
	}
	out.Routers = []model.TemplateRouter{{ASN: settings.Managed.ASN, Neighbors: sessions}}
	return out
}
