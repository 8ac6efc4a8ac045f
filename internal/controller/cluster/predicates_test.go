package cluster

import (
	"slices"
	"testing"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// change is one row of a table: an object, what happens to it, and whether
// that asks for a new revision.
type change[object client.Object] struct {
	before object
	change func(object)
	passes bool
}

func checkChanges[object client.Object](t *testing.T, predicates []predicate.TypedPredicate[object], changes map[string]change[object]) {
	t.Helper()
	for name, c := range changes {
		after, ok := c.before.DeepCopyObject().(object)
		if !ok {
			t.Fatalf("%T copies to another type", c.before)
		}
		c.change(after)
		passes := true
		for _, p := range predicates {
			passes = passes && p.Update(event.TypedUpdateEvent[object]{ObjectOld: c.before, ObjectNew: after})
		}
		if passes != c.passes {
			t.Errorf("%s: passes %v, want %v", name, passes, c.passes)
		}
	}
}

func labelled(key, value string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: "object", UID: "1", Generation: 1, Labels: map[string]string{key: value}}
}

func TestChangesOfRoutePolicies(t *testing.T) {
	type object = *v1alpha1.RoutePolicy
	policy := &v1alpha1.RoutePolicy{ObjectMeta: labelled("a", "b")}
	checkChanges(t, []predicate.TypedPredicate[object]{unless(samePolicy)}, map[string]change[object]{
		"resync":            {policy, func(object) {}, false},
		"our own status":    {policy, func(o object) { o.Status.Ancestors = []v1alpha1.PolicyAncestorStatus{{}} }, false},
		"spec":              {policy, func(o object) { o.Generation++ }, true},
		"a new incarnation": {policy, func(o object) { o.UID = "2" }, true},
	})
}

func TestChangesOfRouteAdvertisements(t *testing.T) {
	type object = *ovnv1.RouteAdvertisements
	ra := &ovnv1.RouteAdvertisements{ObjectMeta: labelled("a", "b")}
	ra.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}, {Manager: model.FieldManager, Subresource: "status"}}
	checkChanges(t, []predicate.TypedPredicate[object]{unless(sameRouteAdvertisements)}, map[string]change[object]{
		"resync":           {ra, func(object) {}, false},
		"our own status":   {ra, func(o object) { o.Status.Status = "Accepted"; o.ResourceVersion = "2" }, false},
		"spec":             {ra, func(o object) { o.Generation++ }, true},
		"labels":           {ra, func(o object) { o.Labels = map[string]string{model.LabelManaged: "true"} }, true},
		"made anew":        {ra, func(o object) { o.UID = "2" }, true},
		"our status again": {ra, func(o object) { o.ManagedFields = append(o.ManagedFields, o.ManagedFields[1]) }, false},
		"annotation":       {ra, func(o object) { o.Annotations = map[string]string{"note": "x"} }, false},
		"another controller": {ra, func(o object) {
			o.ManagedFields = append(o.ManagedFields, metav1.ManagedFieldsEntry{Manager: ovnk.FieldManager, Subresource: "status"})
		}, true},
	})
}

func TestChangesOfNetworks(t *testing.T) {
	type object = *ovnv1.ClusterUserDefinedNetwork
	cudn := &ovnv1.ClusterUserDefinedNetwork{ObjectMeta: labelled("a", "b")}
	checkChanges(t, []predicate.TypedPredicate[object]{unless(sameCUDN)}, map[string]change[object]{
		"spec":   {cudn, func(o object) { o.Generation++ }, true},
		"labels": {cudn, func(o object) { o.Labels["a"] = "c" }, true},
		"VRF":    {cudn, func(o object) { o.Status.VRFName = "mp5-udn-vrf" }, true},
		"condition": {cudn, func(o object) {
			o.Status.Conditions = []metav1.Condition{{Type: ovnv1.ConditionNetworkCreated}}
		}, false},
		"dynamic allocation": {cudn, func(o object) {
			o.Status.Conditions = []metav1.Condition{{Type: ovnk.CUDNNodesSelected, Reason: ovnk.CUDNDynamicAllocation}}
		}, true},
	})
}

func TestChangesOfFRRConfigurations(t *testing.T) {
	type object = *frrk8sv1beta1.FRRConfiguration
	template := &frrk8sv1beta1.FRRConfiguration{ObjectMeta: labelled("use", "fabric")}
	generated := &frrk8sv1beta1.FRRConfiguration{ObjectMeta: labelled(model.LabelGenerated, "true")}
	upstream := &frrk8sv1beta1.FRRConfiguration{ObjectMeta: labelled(ovnk.LabelRouteAdvertisements, "ra")}
	upstream.Name = ovnk.GeneratedPrefix + "x"
	predicates := []predicate.TypedPredicate[object]{notOurs(), unless(sameFRRConfiguration)}
	checkChanges(t, predicates, map[string]change[object]{
		"template's spec":             {template, func(o object) { o.Generation++ }, true},
		"template's labels":           {template, func(o object) { o.Labels["use"] = "other" }, true},
		"template's annotations":      {template, func(o object) { o.Annotations = map[string]string{"note": "x"} }, false},
		"template's session settings": {template, func(o object) { o.Annotations = map[string]string{model.AnnotationSessionSettings: "{}"} }, true},
		"generated spec":              {generated, func(o object) { o.Generation++ }, false},
		"generated labels":            {generated, func(o object) { o.Labels["more"] = "x" }, false},
		"generated loses its mark":    {generated, func(o object) { delete(o.Labels, model.LabelGenerated) }, true},
		"template gets the mark":      {template, func(o object) { o.Labels[model.LabelGenerated] = "true" }, true},
		"OVN-Kubernetes' spec":        {upstream, func(o object) { o.Generation++ }, false},
		"OVN-Kubernetes' for another": {upstream, func(o object) { o.Labels[ovnk.LabelRouteAdvertisements] = "other" }, true},
		"OVN-Kubernetes' annotation":  {upstream, func(o object) { o.Annotations = map[string]string{ovnk.AnnotationRouteAdvertisements: "ra/x"} }, true},
	})
	for name, test := range map[string]struct {
		object object
		passes bool
	}{"template": {template, true}, "generated": {generated, false}, "OVN-Kubernetes'": {upstream, true}} {
		create := predicates[0].Create(event.TypedCreateEvent[object]{Object: test.object}) &&
			predicates[1].Create(event.TypedCreateEvent[object]{Object: test.object})
		remove := predicates[0].Delete(event.TypedDeleteEvent[object]{Object: test.object}) &&
			predicates[1].Delete(event.TypedDeleteEvent[object]{Object: test.object})
		if create != test.passes || remove != test.passes {
			t.Errorf("%s: passes %v when it comes and %v when it goes, want %v", name, create, remove, test.passes)
		}
	}
}

func TestChangesOfNamespaces(t *testing.T) {
	type object = *corev1.Namespace
	namespace := &corev1.Namespace{ObjectMeta: labelled("tenant", "blue")}
	checkChanges(t, []predicate.TypedPredicate[object]{unless(sameNamespace)}, map[string]change[object]{
		"labels":      {namespace, func(o object) { o.Labels["tenant"] = "red" }, true},
		"annotations": {namespace, func(o object) { o.Annotations = map[string]string{"note": "x"} }, false},
		"phase":       {namespace, func(o object) { o.Status.Phase = corev1.NamespaceTerminating }, false},
	})
}

func TestChangesOfEgressIPs(t *testing.T) {
	type object = *ovnv1.EgressIP
	egressIP := &ovnv1.EgressIP{ObjectMeta: labelled("a", "b")}
	egressIP.Status.Items = []ovnv1.EgressIPStatusItem{{Node: "one", EgressIP: "192.0.2.1"}}
	checkChanges(t, []predicate.TypedPredicate[object]{unless(sameEgressIP)}, map[string]change[object]{
		"spec":       {egressIP, func(o object) { o.Generation++ }, true},
		"moved":      {egressIP, func(o object) { o.Status.Items[0].Node = "two" }, true},
		"unassigned": {egressIP, func(o object) { o.Status.Items = nil }, true},
		"resync":     {egressIP, func(o object) { o.ResourceVersion = "9" }, false},
	})
}

func TestChangesOfNADs(t *testing.T) {
	type object = *nadv1.NetworkAttachmentDefinition
	nad := &nadv1.NetworkAttachmentDefinition{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{ovnk.AnnotationNetworkID: "5"}}}
	ofDefault := &nadv1.NetworkAttachmentDefinition{ObjectMeta: metav1.ObjectMeta{Namespace: ovnk.DefaultNADNamespace, Name: ovnk.DefaultNADName}}
	ofEVPN := &nadv1.NetworkAttachmentDefinition{ObjectMeta: metav1.ObjectMeta{
		Labels:          map[string]string{ovnk.LabelUserDefinedNetwork: ""},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "k8s.ovn.org/v1", Kind: ovnk.CUDNKind, Name: "blue", Controller: new(true)}},
	}}
	ofEVPN.Spec.Config = `{"transport":"evpn","evpn":{"macVRF":{"vni":5}}}`
	checkChanges(t, []predicate.TypedPredicate[object]{unless(sameNAD)}, map[string]change[object]{
		"our own annotation": {nad, func(o object) { o.Annotations[ovnk.AnnotationRouteAdvertisements] = `["ra"]` }, false},
		"network ID":         {nad, func(o object) { o.Annotations[ovnk.AnnotationNetworkID] = "6" }, true},
		"network":            {nad, func(o object) { o.Annotations[ovnk.AnnotationNetworkName] = "cluster_udn_blue" }, true},
		"owner":              {nad, func(o object) { o.OwnerReferences = []metav1.OwnerReference{{Name: "blue"}} }, true},
		"spec":               {nad, func(o object) { o.Spec.Config = "{}" }, false},
		"VLAN of EVPN":       {ofEVPN, func(o object) { o.Spec.Config = `{"transport":"evpn","evpn":{"macVRF":{"vni":5,"vid":2}}}` }, true},
		"transport":          {ofDefault, func(o object) { o.Spec.Config = `{"transport":"no-overlay"}` }, true},
	})
}

// A node without an address must not wake the plan of all, as it stops nobody else.
func TestChangesOfVTEPs(t *testing.T) {
	type object = *ovnv1.VTEP
	accepted := func(reason string) func(object) {
		return func(o object) {
			o.Status.Conditions = []metav1.Condition{{Type: ovnv1.VTEPAccepted, Status: metav1.ConditionFalse, Reason: reason}}
		}
	}
	checkChanges(t, []predicate.TypedPredicate[object]{unless(sameVTEP)}, map[string]change[object]{
		"spec":         {&ovnv1.VTEP{}, func(o object) { o.Generation++ }, true},
		"refusal":      {&ovnv1.VTEP{}, accepted(ovnv1.VTEPReasonCIDROverlap), true},
		"node missing": {&ovnv1.VTEP{}, accepted(ovnv1.VTEPReasonAllocationFailed), false},
	})
}

func TestChangesOfDrainPolicies(t *testing.T) {
	type object = *v1alpha1.DrainPolicy
	listed := func(phase v1alpha1.DrainPhase) v1alpha1.DrainPolicyStatus {
		return v1alpha1.DrainPolicyStatus{Nodes: []v1alpha1.DrainingNode{{Name: "one", Phase: phase}}}
	}
	draining := &v1alpha1.DrainPolicy{ObjectMeta: labelled("a", "b"), Status: listed(v1alpha1.DrainPending)}
	checkChanges(t, []predicate.TypedPredicate[object]{unless(sameDrainPolicy)}, map[string]change[object]{
		"resync":          {draining, func(object) {}, false},
		"spec":            {draining, func(o object) { o.Generation++ }, true},
		"deletion begins": {draining, func(o object) { o.DeletionTimestamp = new(metav1.Now()) }, true},
		"FRR has it":      {draining, func(o object) { o.Status = listed(v1alpha1.DrainDraining) }, false},
		"it withdraws":    {draining, func(o object) { o.Status = listed(v1alpha1.DrainWithdrawn) }, true},
		"it is back":      {draining, func(o object) { o.Status.Nodes = nil }, true},
		"a condition":     {draining, func(o object) { o.Status.Conditions = []metav1.Condition{{Type: "Accepted"}} }, false},
	})
}

// Whether a node drains is everybody's concern, and only with DrainPolicies.
func TestChangesOfNodesThatDrain(t *testing.T) {
	type object = *corev1.Node
	r := &Reconciler{}
	changes := map[string]change[object]{}
	add := func(name string, passes bool, do func(object)) {
		changes[name] = change[object]{&corev1.Node{ObjectMeta: labelled("rack", "a")}, do, passes}
	}
	cordon := func(o object) { o.Spec.Unschedulable = true }
	add("a cordon without policies", false, cordon)
	checkChanges(t, []predicate.TypedPredicate[object]{unless(r.sameDrain)}, changes)

	r.drains.Store(&[]model.DrainPolicy{{
		Name: "a", Nodes: model.Selector{{Key: "rack", Operator: model.SelectorIn, Values: []string{"a"}}},
		When: model.DrainTriggers{Cordon: true, Taints: []model.TaintMatch{{Key: "maintenance"}}},
	}})
	clear(changes)
	add("a cordon", true, cordon)
	add("the taint", true, func(o object) { o.Spec.Taints = []corev1.Taint{{Key: "maintenance"}} })
	add("another taint", false, func(o object) { o.Spec.Taints = []corev1.Taint{{Key: "gpu"}} })
	add("the node goes down", true, func(o object) { o.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeUnreachable}} })
	add("an annotation that is no trigger", false, func(o object) { o.Annotations = map[string]string{model.AnnotationMaintenance: "yes"} })
	add("a label beside", false, func(o object) { o.Labels["zone"] = "a" })
	add("a cordon of another rack", false, func(o object) { o.Labels["rack"] = "b"; cordon(o) })
	checkChanges(t, []predicate.TypedPredicate[object]{unless(r.sameDrain)}, changes)
}

func TestChangesOfNodesThatConcernOthers(t *testing.T) {
	type object = *corev1.Node
	node := &corev1.Node{ObjectMeta: labelled(model.LabelHostname, "one")}
	node.Annotations = map[string]string{ovnk.AnnotationPrimaryAddress: `{"ipv4":"192.0.2.1/24"}`}
	checkChanges(t, []predicate.TypedPredicate[object]{unless(sameHost)}, map[string]change[object]{
		"heartbeat":   {node, func(o object) { o.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady}} }, false},
		"its subnets": {node, func(o object) { o.Annotations[ovnk.AnnotationNodeSubnets] = `{"default":"10.244.1.0/24"}` }, false},
		"a label":     {node, func(o object) { o.Labels["zone"] = "a" }, false},
		"hostname":    {node, func(o object) { o.Labels[model.LabelHostname] = "two" }, true},
		"address":     {node, func(o object) { o.Annotations[ovnk.AnnotationPrimaryAddress] = `{"ipv4":"192.0.2.2/24"}` }, true},
		"the same address, written anew": {node, func(o object) {
			o.Annotations[ovnk.AnnotationPrimaryAddress] = `{ "ipv4": "192.0.2.1/24" }`
		}, false},
		"network IDs": {node, func(o object) { o.Annotations[ovnk.AnnotationNetworkIDs] = `{"cluster_udn_blue":"5"}` }, true},
	})
}

func TestChangesOfTheAPIServersEndpoints(t *testing.T) {
	type object = *discoveryv1.EndpointSlice
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "kubernetes"},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"192.0.2.1", "192.0.2.2"}}},
	}
	checkChanges(t, []predicate.TypedPredicate[object]{unless(sameEndpoints)}, map[string]change[object]{
		"one comes": {slice, func(o object) {
			o.Endpoints = append(o.Endpoints, discoveryv1.Endpoint{Addresses: []string{"192.0.2.3"}})
		}, true},
		"one goes":  {slice, func(o object) { o.Endpoints[0].Addresses = o.Endpoints[0].Addresses[:1] }, true},
		"readiness": {slice, func(o object) { o.Endpoints[0].Conditions.Ready = new(false) }, false},
		"order":     {slice, func(o object) { slices.Reverse(o.Endpoints[0].Addresses) }, false},
	})
}

func TestChangesOfServiceCIDRs(t *testing.T) {
	type object = *networkingv1.ServiceCIDR
	cidr := &networkingv1.ServiceCIDR{Spec: networkingv1.ServiceCIDRSpec{CIDRs: []string{"10.96.0.0/16"}}}
	checkChanges(t, []predicate.TypedPredicate[object]{unless(sameServiceCIDR)}, map[string]change[object]{
		"condition": {cidr, func(o object) { o.Status.Conditions = []metav1.Condition{{Type: "Ready"}} }, false},
		"subnets":   {cidr, func(o object) { o.Spec.CIDRs = []string{"10.97.0.0/16"} }, true},
	})
}
