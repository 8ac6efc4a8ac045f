package apply_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

func stored(o *frrk8sv1beta1.FRRConfiguration, version string) *frrk8sv1beta1.FRRConfiguration {
	o = o.DeepCopy()
	o.ResourceVersion, o.UID = version, types.UID("uid-"+version)
	o.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "x"}}
	return o
}

func TestStripGeneratedKeepsTheHash(t *testing.T) {
	whole := stored(desired("frr", "worker-1", 3)[0], "7")
	want := apply.Live(whole.DeepCopy())
	once := strip(t, whole.DeepCopy())
	if !reflect.DeepEqual(once.Spec, frrk8sv1beta1.FRRConfigurationSpec{}) || once.ManagedFields != nil {
		t.Errorf("the spec or the managed fields are still there: %+v", once)
	}
	if got := apply.Live(once); !reflect.DeepEqual(got, want) {
		t.Errorf("stripped: got %+v, want %+v", got, want)
	}
	if got := apply.Live(strip(t, once.DeepCopy())); !reflect.DeepEqual(got, want) {
		t.Errorf("stripped twice: got %+v, want %+v", got, want)
	}
	text, err := json.Marshal(once)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 800 {
		t.Errorf("a stripped object still takes %d bytes: %s", len(text), text)
	}
}

func TestStripGeneratedLeavesTemplatesWhole(t *testing.T) {
	template := stored(desired("frr", "worker-1", 1)[0], "7")
	template.Labels = map[string]string{"team": "net"}
	template.Name = "template"
	want := template.DeepCopy()
	want.ManagedFields = nil
	if got := strip(t, template); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func strip(t *testing.T, o *frrk8sv1beta1.FRRConfiguration) *frrk8sv1beta1.FRRConfiguration {
	t.Helper()
	out, err := apply.StripGenerated(o)
	if err != nil {
		t.Fatal(err)
	}
	return out.(*frrk8sv1beta1.FRRConfiguration)
}

func TestTransformsPassOthers(t *testing.T) {
	for name, transform := range map[string]func(any) (any, error){
		"StripGenerated": apply.StripGenerated, "StripNodeState": apply.StripNodeState,
		"StripNode": apply.StripNode(), "StripMetadata": apply.StripMetadata(),
	} {
		if got, err := transform("something else"); err != nil || got != "something else" {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func TestStripNode(t *testing.T) {
	now := metav1.NewTime(time.Unix(1700000000, 0))
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: "worker-1", UID: "uid", ResourceVersion: "7", CreationTimestamp: now, DeletionTimestamp: &now,
			Labels:        map[string]string{"rack": "1"},
			Annotations:   map[string]string{"k8s.ovn.org/node-subnets": "{}", "volumes.kubernetes.io/controller": "true"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubelet"}},
		},
		Spec: corev1.NodeSpec{PodCIDR: "10.0.0.0/24"},
		Status: corev1.NodeStatus{
			Addresses: []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: "worker-1"}, {Type: corev1.NodeInternalIP, Address: "192.0.2.1"}},
			Images:    []corev1.ContainerImage{{Names: []string{"image"}}},
		},
	}
	want := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: "worker-1", UID: "uid", ResourceVersion: "7", CreationTimestamp: now, DeletionTimestamp: &now,
			Labels: map[string]string{"rack": "1"}, Annotations: map[string]string{"k8s.ovn.org/node-subnets": "{}"},
		},
		Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.0.2.1"}}},
	}
	transform := apply.StripNode("k8s.ovn.org/node-subnets")
	for range 2 {
		got, err := transform(node)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
		node = got.(*corev1.Node)
	}
}

func TestStripMetadata(t *testing.T) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: "blue", ResourceVersion: "7", Labels: map[string]string{"team": "net"},
		Annotations: map[string]string{"keep": "1", "drop": "2"}, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "x"}},
	}}
	got, err := apply.StripMetadata("keep")(namespace)
	want := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: "blue", ResourceVersion: "7", Labels: map[string]string{"team": "net"}, Annotations: map[string]string{"keep": "1"},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestNodesOfObjects(t *testing.T) {
	long := strings.Repeat("n", 60) + "." + strings.Repeat("o", 60) + "." + strings.Repeat("d", 60) + "." + strings.Repeat("e", 60)
	object := func(name, node string, owned bool) *frrk8sv1beta1.FRRConfiguration {
		o := &frrk8sv1beta1.FRRConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"ovnbgp.io/node": node}}}
		if owned {
			o.Labels = map[string]string{"ovnbgp.io/generated": "true"}
		}
		return o
	}
	tests := map[string]struct {
		object *frrk8sv1beta1.FRRConfiguration
		node   string
		index  []string
	}{
		"generated":                           {object("ovnbgp-worker-1", "worker-1", true), "worker-1", []string{"worker-1"}},
		"part 2":                              {object("ovnbgp2-worker-1", "worker-1", true), "worker-1", []string{"worker-1"}},
		"annotation edited":                   {object("ovnbgp-worker-1", "worker-2", true), "worker-1", []string{"worker-1"}},
		"somebody else's with our name":       {object("ovnbgp-worker-1", "", false), "worker-1", []string{"worker-1"}},
		"a copy under another name":           {object("copy", "worker-1", true), "worker-1", []string{"worker-1"}},
		"a template":                          {object("template", "worker-1", false), "", nil},
		"a long name":                         {object(render.Name(long, 1), long, true), long, []string{render.Suffix(long)}},
		"a long name with another annotation": {object(render.Name(long, 1), "worker-2", true), "", []string{render.Suffix(long)}},
	}
	for name, test := range tests {
		if got := apply.NodeOf(test.object); got != test.node {
			t.Errorf("%s: node: got %q, want %q", name, got, test.node)
		}
		if got := apply.IndexByNode(test.object); !reflect.DeepEqual(got, test.index) {
			t.Errorf("%s: index: got %q, want %q", name, got, test.index)
		}
		if test.node != "" && apply.NodeIndexKey(test.node) != test.index[0] {
			t.Errorf("%s: the node's key is not the object's", name)
		}
	}
}

var _ = Describe("The manager's cache", func() {
	It("serves the applier without holding specs", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		applier, operator := newApplier(cluster.Config)
		reader := newCache()
		node := "worker-1"
		listed := func() []apply.LiveObject {
			var list frrk8sv1beta1.FRRConfigurationList
			Expect(reader.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{"node": apply.NodeIndexKey(node)})).To(Succeed())
			var objects []apply.LiveObject
			for i := range list.Items {
				Expect(list.Items[i].Spec.BGP.Routers).To(BeEmpty())
				objects = append(objects, apply.Live(&list.Items[i]))
			}
			return objects
		}
		_, err := applier.Node(ctx, "worker-2", desired(namespace, "worker-2", 1), nil)
		Expect(err).NotTo(HaveOccurred())
		_, err = applier.Node(ctx, node, desired(namespace, node, 60), listed())
		Expect(err).NotTo(HaveOccurred())
		operator.writes()
		// Whether the cache shows the writes yet or not, nothing is to do.
		Eventually(func(g Gomega) {
			result, err := applier.Node(ctx, node, desired(namespace, node, 60), listed())
			g.Expect(err).NotTo(HaveOccurred())
			Expect(result).To(Equal(apply.Result{Unchanged: 2}))
			g.Expect(listed()).To(HaveLen(2))
		}).Should(Succeed())
		Expect(operator.writes()).To(BeEmpty())
		_, err = applier.Node(ctx, node, nil, listed())
		Expect(err).NotTo(HaveOccurred())
		Eventually(listed).Should(BeEmpty())
	})
})

// newCache is set up as the manager's.
func newCache() cache.Cache {
	GinkgoHelper()
	c, err := cache.New(cluster.Config, cache.Options{
		Scheme:   scheme,
		ByObject: map[client.Object]cache.ByObject{&frrk8sv1beta1.FRRConfiguration{}: {Transform: apply.StripGenerated}},
	})
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	Expect(c.IndexField(ctx, &frrk8sv1beta1.FRRConfiguration{}, "node", apply.IndexByNode)).To(Succeed())
	go func() {
		defer GinkgoRecover()
		Expect(c.Start(ctx)).To(Succeed())
	}()
	Expect(c.WaitForCacheSync(ctx)).To(BeTrue())
	return c
}
