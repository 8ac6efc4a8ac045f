package export

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/scale"
)

const changes = 20

// convergeTimeout is for the largest size on a small machine. A tiny one that takes
// minutes never converges.
func convergeTimeout() time.Duration {
	if testing.Short() {
		return 3 * time.Minute
	}
	return 30 * time.Minute
}

type size struct{ nodes, networks int }

// sizes are those of the peer and beyond; with -short a tiny one, which shows
// that the benchmark still runs and nothing else.
func sizes() []size {
	if testing.Short() {
		return []size{{10, 2}}
	}
	return []size{{100, 10}, {1000, 10}, {1000, 45}, {5000, 200}}
}

// BenchmarkExport runs each size once: floor, cold start, then changes of
// single nodes on the converged cluster.
func BenchmarkExport(b *testing.B) {
	ctrllog.SetLogger(logr.Discard())
	binary := buildManager(b)
	for _, size := range sizes() {
		b.Run(fmt.Sprintf("nodes=%d/networks=%d", size.nodes, size.networks), func(b *testing.B) {
			c := newCluster(b, size.nodes, size.networks)
			c.populate(b)
			objects := c.objects()
			kubeconfig := filepath.Join(b.TempDir(), "kubeconfig")
			if err := c.WriteKubeconfig(kubeconfig); err != nil {
				b.Fatal(err)
			}
			b.Run("Floor", func(b *testing.B) { c.measureFloor(b, objects) })
			m := startManager(b, binary, kubeconfig)
			defer m.stop(b)
			b.Run("Cold", func(b *testing.B) { c.measureCold(b, m, len(objects)) })
			b.Run("OneNode", func(b *testing.B) { c.measureOneNode(b, m) })
			b.Run("NodeByNode", func(b *testing.B) { c.measureNodeByNode(b, m) })
		})
	}
}

// measureFloor creates the same objects without deciding anything.
func (c *cluster) measureFloor(b *testing.B, objects []*frrk8sv1beta1.FRRConfiguration) {
	start := time.Now()
	each(b, len(objects), func(ctx context.Context, i int) error { return c.Create(ctx, objects[i].DeepCopy()) })
	b.ReportMetric(time.Since(start).Seconds(), "s")
	b.ReportMetric(float64(len(objects)), "objects")
	b.ReportMetric(0, "ns/op")
	// One by one: deleting a collection of 25,000 takes longer than the API
	// server gives to one request.
	each(b, len(objects), func(ctx context.Context, i int) error { return c.Delete(ctx, objects[i].DeepCopy()) })
}

// measureCold waits until every object is written and until both
// RouteAdvertisements say so, which they do at most once a second.
func (c *cluster) measureCold(b *testing.B, m *manager, objects int) {
	start := time.Now()
	// A look at the metrics costs the manager CPU time, which counts: the longer it takes,
	// the less often.
	var written, look time.Duration
	missing := ""
	err := wait.PollUntilContextTimeout(b.Context(), 50*time.Millisecond, convergeTimeout(), true, func(ctx context.Context) (bool, error) {
		if written == 0 && time.Since(start) >= look {
			if m.writes(b) >= float64(objects) {
				written = time.Since(start)
			}
			look = time.Since(start) * 51 / 50
		}
		for _, name := range []string{"default", "networks"} {
			ra := &ovnv1.RouteAdvertisements{}
			if err := c.Get(ctx, client.ObjectKey{Name: name}, ra); err != nil {
				return false, err
			}
			for _, kind := range []string{"Accepted", "Rendered"} {
				if !meta.IsStatusConditionTrue(ra.Status.Conditions, kind) {
					missing = fmt.Sprintf("RouteAdvertisements %s is not %s: %+v", name, kind, ra.Status.Conditions)
					return false, nil
				}
			}
		}
		return true, nil
	})
	if err != nil {
		b.Fatalf("%v: %s\n%s", err, missing, m.log)
	}
	b.ReportMetric(written.Seconds(), "s-to-objects")
	b.ReportMetric(time.Since(start).Seconds(), "s-to-status")
	got := m.figures(b)
	b.ReportMetric(m.cpu(b).Seconds(), "CPU-s")
	b.ReportMetric(got.writes, "writes")
	b.ReportMetric(got.allocated/(1<<20), "MB-allocated")
	b.ReportMetric(got.heap/(1<<20), "MiB-live-heap")
	b.ReportMetric(0, "ns/op")
	// A benchmark that fails shows none of its metrics.
	b.Logf("%.1f s to objects, %.1f s to status, %.1f CPU s, %.0f writes, %.0f MB allocated, %.0f MiB live heap",
		written.Seconds(), time.Since(start).Seconds(), m.cpu(b).Seconds(), got.writes, got.allocated/(1<<20), got.heap/(1<<20))
	if got.writes != float64(objects) {
		b.Errorf("%v writes of FRRConfigurations for %d objects; not taken: %v", got.writes, objects, got.failures)
	}
}

// measureOneNode changes one node's subnet and waits for its object, again
// and again.
func (c *cluster) measureOneNode(b *testing.B, m *manager) {
	withWatch, err := client.NewWithWatch(c.Config, client.Options{Scheme: c.Scheme()})
	if err != nil {
		b.Fatal(err)
	}
	node := scale.Node(c.nodes/2, c.networks)
	written, err := withWatch.Watch(b.Context(), &frrk8sv1beta1.FRRConfigurationList{}, client.InNamespace(namespace),
		client.MatchingFields{"metadata.name": render.Name(node.Name, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer written.Stop()
	await(b, written, "")
	before, cpu := m.figures(b), m.cpu(b)
	var took []time.Duration
	for i := range changes {
		subnet := fmt.Sprintf("11.0.%d.0/24", i)
		other := scale.Node(c.nodes/2, c.networks)
		other.Subnets[model.DefaultNetwork] = prefixes(b, subnet)
		object := &corev1.Node{}
		object.Name = node.Name
		start := time.Now()
		patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, ovnk.AnnotationNodeSubnets, subnetsAnnotation(other)))
		if err := c.Patch(b.Context(), object, patch); err != nil {
			b.Fatal(err)
		}
		await(b, written, subnet)
		took = append(took, time.Since(start))
	}
	after := m.figures(b)
	slices.Sort(took)
	b.ReportMetric(float64(took[changes/2].Microseconds())/1000, "ms-median")
	b.ReportMetric((m.cpu(b)-cpu).Seconds()*1000/changes, "CPU-ms")
	b.ReportMetric((after.writes-before.writes)/changes, "writes")
	b.ReportMetric((after.allocated-before.allocated)/(1<<10)/changes, "kB-allocated")
	b.ReportMetric(0, "ns/op")
}

// await takes events until one object originates the prefix.
func await(b *testing.B, events watch.Interface, prefix string) {
	b.Helper()
	for event := range events.ResultChan() {
		o, ok := event.Object.(*frrk8sv1beta1.FRRConfiguration)
		if !ok {
			b.Fatalf("unexpected event %v", event)
		}
		if prefix == "" || slices.ContainsFunc(o.Spec.BGP.Routers, func(r frrk8sv1beta1.Router) bool { return slices.Contains(r.Prefixes, prefix) }) {
			return
		}
	}
	b.Fatal("the watch ended")
}
