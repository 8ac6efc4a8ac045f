package node

import (
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

func TestChangesOfNodes(t *testing.T) {
	before := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: "one", UID: "1", ResourceVersion: "1",
			Labels:      map[string]string{"zone": "a"},
			Annotations: map[string]string{ovnk.AnnotationNodeSubnets: `{"default":"10.244.1.0/24"}`, "other": "x"},
		},
		Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: "192.0.2.1"}, {Type: corev1.NodeHostName, Address: "one"},
		}},
	}
	for name, test := range map[string]struct {
		change func(*corev1.Node)
		passes bool
	}{
		"heartbeat":          {func(n *corev1.Node) { n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady}} }, false},
		"images":             {func(n *corev1.Node) { n.Status.Images = []corev1.ContainerImage{{SizeBytes: 1}} }, false},
		"other's annotation": {func(n *corev1.Node) { n.Annotations["other"] = "y" }, false},
		"other address type": {func(n *corev1.Node) { n.Status.Addresses[1].Address = "two" }, false},
		"subnets":            {func(n *corev1.Node) { n.Annotations[ovnk.AnnotationNodeSubnets] = `{}` }, true},
		"label":              {func(n *corev1.Node) { n.Labels["zone"] = "b" }, true},
		"address":            {func(n *corev1.Node) { n.Status.Addresses[0].Address = "192.0.2.2" }, true},
		"made anew":          {func(n *corev1.Node) { n.UID = "2" }, true},
		"down":               {notReady, false},
	} {
		after := before.DeepCopy()
		after.ResourceVersion = "2"
		test.change(after)
		e := event.TypedUpdateEvent[*corev1.Node]{ObjectOld: stripped(t, before), ObjectNew: stripped(t, after)}
		if got := nodeChanges(false).Update(e); got != test.passes {
			t.Errorf("%s: passes %v, want %v", name, got, test.passes)
		}
		if got, want := nodeChanges(true).Update(e), test.passes || name == "down"; got != want {
			t.Errorf("%s: passes %v where nodes may have raw text, want %v", name, got, want)
		}
	}
}

func notReady(n *corev1.Node) {
	n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoExecute}}
}

// stripped is a node as the cache holds it: the predicate relies on that.
func stripped(t *testing.T, n *corev1.Node) *corev1.Node {
	t.Helper()
	object, err := apply.StripNode(ovnk.AnnotationNodeSubnets)(n.DeepCopy())
	if err != nil {
		t.Fatal(err)
	}
	node, ok := object.(*corev1.Node)
	if !ok {
		t.Fatalf("stripping a Node gives a %T", object)
	}
	return node
}

func TestChangesOfNodeStates(t *testing.T) {
	state := func(version string) *frrk8sv1beta1.FRRNodeState {
		return &frrk8sv1beta1.FRRNodeState{ObjectMeta: metav1.ObjectMeta{Name: "one", ResourceVersion: version}}
	}
	for name, test := range map[string]struct {
		before, after string
		passes        bool
	}{"resync": {"1", "1", false}, "news": {"1", "2", true}} {
		e := event.TypedUpdateEvent[*frrk8sv1beta1.FRRNodeState]{ObjectOld: state(test.before), ObjectNew: state(test.after)}
		if got := stateChanges().Update(e); got != test.passes {
			t.Errorf("%s: passes %v, want %v", name, got, test.passes)
		}
	}
}
