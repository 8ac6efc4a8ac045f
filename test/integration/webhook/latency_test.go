package webhook_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

const (
	manyNodes    = 1000
	manyNetworks = 45
	// noticed is far above what a quiet machine needs, some 20 ms: others run
	// on it, too.
	noticed = 500 * time.Millisecond
)

// largeNode has a part of every network.
func largeNode(i int) *corev1.Node {
	n := objects.Node(i)
	var subnets strings.Builder
	fmt.Fprintf(&subnets, `{"default":["10.%d.%d.0/24"]`, i/256, i%256)
	for j := range manyNetworks {
		fmt.Fprintf(&subnets, `,"cluster_udn_net-%d":["20.%d.%d.%d/29"]`, j, j, i>>5, i<<3&255)
	}
	n.Annotations[ovnk.AnnotationNodeSubnets] = subnets.String() + "}"
	n.Annotations[ovnk.AnnotationPrimaryAddress] = fmt.Sprintf(`{"ipv4":"172.18.%d.%d/16"}`, i/256, i%256)
	return n
}

var _ = Describe("In a large cluster", func() {
	It("nobody waits for a review", func(ctx context.Context) {
		var many []client.Object
		for i := range manyNodes {
			many = append(many, largeNode(i))
		}
		for j := range manyNetworks {
			wide := network(fmt.Sprintf("net-%d", j), fmt.Sprintf("20.%d.0.0/16", j))
			wide.Spec.Network.Layer3.Subnets[0].HostSubnet = 29
			many = append(many, wide)
		}
		many = append(many, objects.Template("fabric", 64512))
		each := func(do func(client.Object) error) {
			GinkgoHelper()
			var group errgroup.Group
			group.SetLimit(8)
			for _, o := range many {
				group.Go(func() error { return do(o) })
			}
			Expect(group.Wait()).To(Succeed())
		}
		each(func(o client.Object) error { return admin.Create(ctx, o) })
		DeferCleanup(func(ctx context.Context) { each(func(o client.Object) error { return admin.Delete(ctx, o) }) })

		// Nothing is advertised yet, so that the managers have no other work.
		try := func() {
			GinkgoHelper()
			Expect(admin.Create(ctx, objects.Advertisement("all", objects.OfNetworks(map[string]string{"advertise": "yes"})), client.DryRunAll)).To(Succeed())
		}
		floor := median(try)
		install(ctx, replicas[0].port)
		Eventually(func() []string {
			warned.take()
			try()
			return warned.take()
		}).Should(BeEmpty(), "the cache has all of it")
		took := median(try)
		Expect(warned.take()).To(BeEmpty(), "every review was answered")
		AddReportEntry(fmt.Sprintf("a dry run of RouteAdvertisements with %d nodes and %d networks: %s with the webhook, %s without", manyNodes, manyNetworks,
			took.Round(100*time.Microsecond), floor.Round(100*time.Microsecond)))
		Expect(took - floor).To(BeNumerically("<", noticed))
	})
})

// median is the time that it takes, of 21 times.
func median(do func()) time.Duration {
	GinkgoHelper()
	var all []time.Duration
	for range 21 {
		began := time.Now()
		do()
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
