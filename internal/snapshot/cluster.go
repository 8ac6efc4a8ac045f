package snapshot

import (
	"cmp"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Snapshot is all of it: the cluster and every node.
func Snapshot(objs *Objects, settings model.Settings) *model.Snapshot {
	out := &model.Snapshot{Cluster: Cluster(objs, settings)}
	claims := claimsOf(objs.Nodes)
	out.Disputes, out.DefaultSubnets = claims.Disputes(), claims.DefaultSubnets()
	reader := NewNodeReader(objs, settings)
	out.Nodes = make([]model.Node, 0, len(objs.Nodes))
	for i := range objs.Nodes {
		out.Nodes = append(out.Nodes, reader.Node(&objs.Nodes[i]))
	}
	slices.SortFunc(out.Nodes, func(a, b model.Node) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Cluster is the part that concerns every node. Of the nodes themselves it
// reads no more than their labels and addresses.
func Cluster(objs *Objects, settings model.Settings) model.Cluster {
	out := model.Cluster{
		RouteAdvertisements: routeAdvertisements(objs, settings),
		Policies:            routePolicies(objs.Policies),
		Drains:              DrainPolicies(objs.Drains),
		Networks:            networks(objs, settings),
		Templates:           templates(objs),
		Namespaces:          namespaces(objs.Namespaces),
		EgressIPs:           egressIPs(objs.EgressIPs),
		VTEPs:               vteps(objs.VTEPs, settings.ManageVTEPs),
		Hosts:               hosts(objs.Nodes),
		Disputes:            objs.Disputes,
		DynamicAllocation:   dynamicAllocation(objs.CUDNs),
		APIServer:           apiServer(objs.EndpointSlices),
		Settings:            settings,
	}
	out.Settings.ServiceSubnets = serviceSubnets(settings.ServiceSubnets, objs.ServiceCIDRs)
	if created, managed := managedSince(objs.CUDNs); managed && ManagedRouteAdvertisements(objs, settings) != nil {
		out.Templates = append(out.Templates, managedTemplate(out.Hosts, settings, created))
		sortTemplates(out.Templates)
	}
	return out
}

// routeAdvertisements leaves out objects that are being deleted: finalizers of
// others may keep them for long, and what they advertise has to end at once.
func routeAdvertisements(objs *Objects, settings model.Settings) []model.RouteAdvertisement {
	foreign := foreignControllers(objs.FRRConfigurations)
	managed := ManagedRouteAdvertisements(objs, settings)
	out := make([]model.RouteAdvertisement, 0, len(objs.RouteAdvertisements)+1)
	for i := range objs.RouteAdvertisements {
		ra := &objs.RouteAdvertisements[i]
		if ra.DeletionTimestamp != nil || isManaged(ra) || managed != nil && ra.Name == managed.Name {
			continue
		}
		out = append(out, routeAdvertisement(ra, foreign))
	}
	if managed != nil {
		out = append(out, managedRouteAdvertisement(managed, objs, foreign))
	}
	slices.SortFunc(out, func(a, b model.RouteAdvertisement) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func hosts(nodes []corev1.Node) []model.NodeSummary {
	out := make([]model.NodeSummary, 0, len(nodes))
	for i := range nodes {
		out = append(out, Host(&nodes[i]))
	}
	slices.SortFunc(out, func(a, b model.NodeSummary) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// namespaces gives each the label with its name, which the API server sets but
// which files often lack.
func namespaces(objects []corev1.Namespace) []model.Namespace {
	out := make([]model.Namespace, 0, len(objects))
	for i := range objects {
		ns := &objects[i]
		out = append(out, model.Namespace{Name: ns.Name, Labels: withName(ns.Labels, ns.Name)})
	}
	slices.SortFunc(out, func(a, b model.Namespace) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// withName returns the labels with the implicit one; it wins over a label of
// that key that says otherwise.
func withName(labels map[string]string, name string) map[string]string {
	if labels[model.LabelName] == name {
		return labels
	}
	out := make(map[string]string, len(labels)+1)
	maps.Copy(out, labels)
	out[model.LabelName] = name
	return out
}

// isManaged reports whether the operator made the object for itself.
func isManaged(ra *ovnv1.RouteAdvertisements) bool {
	return ra.Name == model.ManagedName && ra.Labels[model.LabelManaged] == "true"
}
