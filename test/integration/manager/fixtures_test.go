package manager_test

import (
	"context"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

const (
	ovnNamespace = "ovn-kubernetes"
)

func without(list []string, remove ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(remove, s) })
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func createNamespace(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(client.IgnoreAlreadyExists(admin.Create(ctx, namespace(name)))).To(Succeed())
}

func ofEgressIPs(spec *ovnv1.RouteAdvertisementsSpec) {
	spec.Advertisements = []ovnv1.AdvertisementType{ovnv1.AdvertiseEgressIP}
}

// blue is a Layer3 network, of which objects.Node() has parts.
func blue() *ovnv1.ClusterUserDefinedNetwork {
	return &ovnv1.ClusterUserDefinedNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "blue", Labels: map[string]string{"advertise": "yes"}},
		Spec: ovnv1.ClusterUserDefinedNetworkSpec{
			NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"tenant": "blue"}},
			Network: ovnv1.NetworkSpec{
				Topology: ovnv1.NetworkTopologyLayer3,
				Layer3: &ovnv1.Layer3Config{
					Role: ovnv1.NetworkRolePrimary, Subnets: []ovnv1.Layer3Subnet{{CIDR: "10.10.0.0/16", HostSubnet: 24}},
				},
			},
		},
	}
}

// flat is a Layer2 network, which is whole on every node where it is active.
func flat() *ovnv1.ClusterUserDefinedNetwork {
	return &ovnv1.ClusterUserDefinedNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "flat", Labels: map[string]string{"advertise": "flat"}},
		Spec: ovnv1.ClusterUserDefinedNetworkSpec{
			NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"tenant": "flat"}},
			Network: ovnv1.NetworkSpec{
				Topology: ovnv1.NetworkTopologyLayer2,
				Layer2:   &ovnv1.Layer2Config{Role: ovnv1.NetworkRolePrimary, Subnets: ovnv1.DualStackCIDRs{"10.30.0.0/16"}},
			},
		},
	}
}

func egressIP(name, tenant, nodeName, address string) *ovnv1.EgressIP {
	return &ovnv1.EgressIP{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: ovnv1.EgressIPSpec{
			EgressIPs: []string{address}, NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"tenant": tenant}},
		},
		Status: ovnv1.EgressIPStatus{Items: []ovnv1.EgressIPStatusItem{{Node: nodeName, EgressIP: address}}},
	}
}

func nad(namespace, name, network string) *nadv1.NetworkAttachmentDefinition {
	out := &nadv1.NetworkAttachmentDefinition{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, Annotations: map[string]string{ovnk.AnnotationNetworkName: network},
	}}
	if cudn, ok := ovnk.CUDNName(network); ok {
		controller := true
		out.Labels = map[string]string{ovnk.LabelUserDefinedNetwork: ""}
		out.OwnerReferences = []metav1.OwnerReference{{APIVersion: "k8s.ovn.org/v1", Kind: ovnk.CUDNKind, Name: cudn, UID: "1", Controller: &controller}}
	}
	return out
}

// create creates objects, each of which is deleted after the test. Manager and
// objects are cleaned up in reverse order, so the manager has ended by then
// where it was started later, and what it generated is removed by reset.
func create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, o := range objects {
		Expect(admin.Create(ctx, o)).To(Succeed(), "%T %s", o, o.GetName())
		DeferCleanup(func(ctx context.Context) {
			Expect(client.IgnoreNotFound(admin.Delete(ctx, o))).To(Succeed())
		})
	}
}

// reset removes everything that an earlier test may have left.
func reset(ctx context.Context) {
	GinkgoHelper()
	for _, o := range []client.Object{
		&ovnv1.RouteAdvertisements{}, &ovnv1.ClusterUserDefinedNetwork{}, &ovnv1.EgressIP{}, &ovnv1.VTEP{},
		&corev1.Node{}, &frrk8sv1beta1.FRRNodeState{}, &v1alpha1.NodeRouteState{}, &v1alpha1.NodeNetworks{},
		&v1alpha1.RoutePolicy{}, &v1alpha1.DrainPolicy{},
	} {
		Expect(admin.DeleteAllOf(ctx, o)).To(Succeed())
	}
	for _, o := range []client.Object{
		&frrk8sv1beta1.FRRConfiguration{}, &corev1.ResourceQuota{}, &nadv1.NetworkAttachmentDefinition{},
	} {
		Expect(admin.DeleteAllOf(ctx, o, client.InNamespace(objects.FRRNamespace))).To(Succeed())
		Expect(admin.DeleteAllOf(ctx, o, client.InNamespace(ovnNamespace))).To(Succeed())
	}
}

// useOwnControlPlane gives the spec a control plane of its own, for changes of CRDs that
// others would see. admin is that one's until the spec ends.
func useOwnControlPlane(ctx context.Context) (*controlplane.ControlPlane, *controlplane.User) {
	GinkgoHelper()
	plane := controlplane.StartForTest(GinkgoT(), controlplane.Options{})
	usual := admin
	admin = newClient(plane)
	DeferCleanup(func() { admin = usual })
	user := giveRights(ctx, plane, admin)
	createNamespace(ctx, objects.FRRNamespace)
	return plane, user
}

// change updates an object as it is now.
func change[object client.Object](ctx context.Context, o object, mutate func(object)) {
	GinkgoHelper()
	Expect(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		if err := admin.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		mutate(o)
		return admin.Update(ctx, o)
	})).To(Succeed())
}

func remove(ctx context.Context, o client.Object) {
	GinkgoHelper()
	Expect(admin.Delete(ctx, o)).To(Succeed())
}

// generated are the generated objects by node.
func generated(ctx context.Context) map[string]*frrk8sv1beta1.FRRConfiguration {
	GinkgoHelper()
	var list frrk8sv1beta1.FRRConfigurationList
	Expect(admin.List(ctx, &list, client.HasLabels{model.LabelGenerated})).To(Succeed())
	byNode := map[string]*frrk8sv1beta1.FRRConfiguration{}
	for i := range list.Items {
		o := &list.Items[i]
		Expect(byNode).NotTo(HaveKey(o.Annotations[model.AnnotationNode]), "one object per node")
		byNode[o.Annotations[model.AnnotationNode]] = o
	}
	return byNode
}

// prefixes are what each node advertises to neighbor 192.0.2.1.
func prefixes(ctx context.Context) map[string][]string {
	GinkgoHelper()
	out := map[string][]string{}
	for name, o := range generated(ctx) {
		out[name] = []string{}
		for _, r := range o.Spec.BGP.Routers {
			for _, n := range r.Neighbors {
				out[name] = append(out[name], n.ToAdvertise.Allowed.Prefixes...)
			}
		}
	}
	return out
}

// condition returns a condition of a RouteAdvertisements object; the zero one
// where it is not there.
func condition(ctx context.Context, ra, kind string) metav1.Condition {
	GinkgoHelper()
	var object ovnv1.RouteAdvertisements
	err := admin.Get(ctx, client.ObjectKey{Name: ra}, &object)
	if apierrors.IsNotFound(err) {
		return metav1.Condition{}
	}
	Expect(err).NotTo(HaveOccurred())
	if c := meta.FindStatusCondition(object.Status.Conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{}
}
