package cni_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
)

// OVN-Kubernetes' nodes read the list up to the first that isn't accepted, and
// then leave the network as it was.
func TestRefusedAdvertisementsHoldUpAllOfTheirNetwork(t *testing.T) {
	g := NewWithT(t)
	s := newSite(t, cni.Options{})
	s.addNetworks()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{nadv1.AddToScheme, ovnv1.AddToScheme} {
		must(t, add(scheme))
	}
	definition := &nadv1.NetworkAttachmentDefinition{ObjectMeta: metav1.ObjectMeta{
		Namespace: "tlv", Name: "blue", Annotations: map[string]string{"k8s.ovn.org/network-name": blue}}}
	good, bad := advertisesPods("good"), advertisesPods("bad")
	var watching sync.Map
	api := interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme).WithObjects(definition, good, bad).Build(), interceptor.Funcs{
		Watch: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
			watching.Store(ctx, true)
			return c.Watch(ctx, list, options...)
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan error, 1)
	go func() { followed <- s.cluster.Follow(ctx, api) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-followed)
	})
	accept := func(ra *ovnv1.RouteAdvertisements, generation int64, status metav1.ConditionStatus) {
		t.Helper()
		ra.Status.Conditions = []metav1.Condition{{Type: "Accepted", Status: status, ObservedGeneration: generation}}
		must(t, api.Update(ctx, ra))
	}
	name := func(names ...string) {
		t.Helper()
		text, err := json.Marshal(names)
		must(t, err)
		must(t, api.Get(ctx, client.ObjectKeyFromObject(definition), definition))
		definition.Annotations["k8s.ovn.org/route-advertisements"] = string(text)
		must(t, api.Update(ctx, definition))
	}
	carried := func() bool { return s.cluster.Advertised(blue) }

	accept(good, good.Generation, metav1.ConditionTrue)
	accept(bad, bad.Generation, metav1.ConditionFalse)
	name("good", "bad")
	g.Consistently(carried, time.Second).Should(BeFalse(), "one of both is refused")
	name("good", "gone")
	g.Consistently(carried, time.Second).Should(BeFalse(), "one of both is gone")
	name("good")
	g.Eventually(carried, time.Minute).Should(BeTrue())
	accept(bad, bad.Generation-1, metav1.ConditionTrue)
	name("bad")
	g.Consistently(carried, time.Second).Should(BeTrue(), "what is accepted as it was says nothing: it stays as it is")
	name()
	g.Eventually(carried, time.Minute).Should(BeFalse())
	watching.Range(func(ctx, _ any) bool {
		g.Expect(ctx.(context.Context).Err()).NotTo(HaveOccurred(), "an API server ends a watch with its context")
		return true
	})
}

func advertisesPods(name string) *ovnv1.RouteAdvertisements {
	return &ovnv1.RouteAdvertisements{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 2},
		Spec: ovnv1.RouteAdvertisementsSpec{Advertisements: []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork}}}
}
