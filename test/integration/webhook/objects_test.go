package webhook_test

import (
	"context"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// egressIPsOverOwnVRFs is what no object that comes later can make work.
func egressIPsOverOwnVRFs(spec *ovnv1.RouteAdvertisementsSpec) {
	spec.Advertisements = []ovnv1.AdvertisementType{ovnv1.AdvertiseEgressIP}
	spec.TargetVRF = model.TargetVRFAuto
}

func denied() *ovnv1.RouteAdvertisements { return objects.Advertisement("never", egressIPsOverOwnVRFs) }

// network is a Layer3 network that is labelled for being advertised.
func network(name, cidr string) *ovnv1.ClusterUserDefinedNetwork {
	return &ovnv1.ClusterUserDefinedNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"advertise": "yes"}},
		Spec: ovnv1.ClusterUserDefinedNetworkSpec{
			NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"tenant": name}},
			Network: ovnv1.NetworkSpec{
				Topology: ovnv1.NetworkTopologyLayer3,
				Layer3: &ovnv1.Layer3Config{
					Role: ovnv1.NetworkRolePrimary, Subnets: []ovnv1.Layer3Subnet{{CIDR: ovnv1.CIDR(cidr), HostSubnet: 24}},
				},
			},
		},
	}
}

// apply creates an object, which is deleted after the test, and returns what
// the API server warned of. The manager's cache may not have the objects of
// the step before yet, so wait for it with known.
func apply(ctx context.Context, object client.Object) []string {
	GinkgoHelper()
	warned.take()
	Expect(admin.Create(ctx, object)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(admin.Delete(ctx, object))).To(Succeed()) })
	return warned.take()
}

// update changes an object, whose status the managers write meanwhile, and
// returns the warnings.
func update[T client.Object](ctx context.Context, object T, mutate func(T), options ...client.PatchOption) ([]string, error) {
	GinkgoHelper()
	Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
	before := object.DeepCopyObject().(T)
	mutate(object)
	warned.take()
	err := admin.Patch(ctx, object, client.MergeFrom(before), options...)
	return warned.take(), err
}

// again applies an object unchanged, without writing it: what would be warned
// of now.
func again(ctx context.Context, object client.Object) func() []string {
	return func() []string {
		current := object.DeepCopyObject().(client.Object)
		if err := admin.Get(ctx, client.ObjectKeyFromObject(object), current); err != nil {
			return []string{err.Error()}
		}
		warned.take()
		if err := admin.Update(ctx, current, client.DryRunAll); err != nil {
			return []string{err.Error()}
		}
		return warned.take()
	}
}
