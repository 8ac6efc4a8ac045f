package export

import (
	"context"
	"fmt"
	"testing"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/scale"
)

// nodeInterval is how fast OVN-Kubernetes gives nodes their subnets here: 50 a
// second.
const nodeInterval = 20 * time.Millisecond

// measureNodeByNode adds a network whose subnets come one node after the other.
// Everybody who watches RouteAdvertisements pays for every write of a status.
func (c *cluster) measureNodeByNode(b *testing.B, m *manager) {
	withWatch, err := client.NewWithWatch(c.Config, client.Options{Scheme: c.Scheme()})
	if err != nil {
		b.Fatal(err)
	}
	last := scale.Node(c.nodes-1, c.networks+1)
	written, err := withWatch.Watch(b.Context(), &frrk8sv1beta1.FRRConfigurationList{}, client.InNamespace(namespace),
		client.MatchingFields{"metadata.name": render.Name(last.Name, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer written.Stop()
	before, cpu := m.figures(b), m.cpu(b)
	added := network(c.networks)
	if err := c.Create(b.Context(), added); err != nil {
		b.Fatal(err)
	}
	ticker := time.NewTicker(nodeInterval)
	defer ticker.Stop()
	for i := range c.nodes {
		<-ticker.C
		object := &corev1.Node{}
		object.Name = scale.Node(i, 0).Name
		patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`,
			ovnk.AnnotationNodeSubnets, subnetsAnnotation(scale.Node(i, c.networks+1))))
		if err := c.Patch(b.Context(), object, patch); err != nil {
			b.Fatal(err)
		}
	}
	start := time.Now()
	await(b, written, last.Subnets["cluster_udn_"+added.Name][0].String())
	b.ReportMetric(time.Since(start).Seconds(), "s-after-the-last")
	c.awaitRendered(b, m)
	b.ReportMetric(time.Since(start).Seconds(), "s-to-status")
	after := m.figures(b)
	b.ReportMetric((m.cpu(b) - cpu).Seconds(), "CPU-s")
	b.ReportMetric(after.writes-before.writes, "writes")
	b.ReportMetric(after.statuses-before.statuses, "status-writes")
	b.ReportMetric(0, "ns/op")
}

// awaitRendered waits until the networks' RouteAdvertisements say that every
// node has all of them.
func (c *cluster) awaitRendered(b *testing.B, m *manager) {
	b.Helper()
	err := wait.PollUntilContextTimeout(b.Context(), 50*time.Millisecond, convergeTimeout(), true, func(ctx context.Context) (bool, error) {
		ra := &ovnv1.RouteAdvertisements{}
		if err := c.Get(ctx, client.ObjectKey{Name: "networks"}, ra); err != nil {
			return false, err
		}
		return meta.IsStatusConditionTrue(ra.Status.Conditions, "Rendered"), nil
	})
	if err != nil {
		b.Fatalf("%v\n%s", err, m.log)
	}
}
