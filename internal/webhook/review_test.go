package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// stored lists what a cache would, without copying it.
type stored struct {
	client.Reader
	objects []runtime.Object
	err     error
	wait    chan struct{}
}

func (s *stored) List(ctx context.Context, list client.ObjectList, _ ...client.ListOption) error {
	if s.wait != nil {
		select {
		case <-s.wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.err != nil {
		return s.err
	}
	items, err := meta.GetItemsPtr(list)
	if err != nil {
		return err
	}
	kind := reflect.TypeOf(items).Elem().Elem()
	var found []runtime.Object
	for _, o := range s.objects {
		if reflect.TypeOf(o).Elem() == kind {
			found = append(found, o)
		}
	}
	return meta.SetList(list, found)
}

func node(i, networks int) *corev1.Node {
	name := fmt.Sprintf("node-%04d", i)
	var subnets strings.Builder
	fmt.Fprintf(&subnets, `{"default":["10.%d.%d.0/24"]`, i/256, i%256)
	for n := range networks {
		fmt.Fprintf(&subnets, `,"cluster_udn_net-%03d":["%d.%d.%d.%d/29"]`, n, 16+n/256, n%256, i>>5, i<<3&255)
	}
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{model.LabelHostname: name, "rack": fmt.Sprint(i % 20)},
		Annotations: map[string]string{ovnk.AnnotationNodeSubnets: subnets.String() + "}"},
	}}
}

func network(i int) *ovnv1.ClusterUserDefinedNetwork {
	return &ovnv1.ClusterUserDefinedNetwork{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("net-%03d", i), Labels: map[string]string{"advertise": "true"}, CreationTimestamp: metav1.NewTime(epoch.Add(time.Duration(i) * time.Second)),
		},
		Spec: ovnv1.ClusterUserDefinedNetworkSpec{
			NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"tenant": fmt.Sprint(i)}},
			Network: ovnv1.NetworkSpec{Topology: ovnv1.NetworkTopologyLayer3, Layer3: &ovnv1.Layer3Config{
				Role: ovnv1.NetworkRolePrimary, Subnets: []ovnv1.Layer3Subnet{{CIDR: ovnv1.CIDR(fmt.Sprintf("%d.%d.0.0/16", 16+i/256, i%256)), HostSubnet: 29}},
			}},
		},
	}
}

func template(name string, asn uint32) *frrk8sv1beta1.FRRConfiguration {
	return &frrk8sv1beta1.FRRConfiguration{
		ObjectMeta: metav1.ObjectMeta{Namespace: "frr-k8s-system", Name: name, Labels: map[string]string{"use": "fabric"}, CreationTimestamp: metav1.NewTime(epoch)},
		Spec: frrk8sv1beta1.FRRConfigurationSpec{BGP: frrk8sv1beta1.BGPConfig{Routers: []frrk8sv1beta1.Router{{
			ASN: asn, Neighbors: []frrk8sv1beta1.Neighbor{{Address: "192.0.2.1", ASN: 64513}},
		}}}},
	}
}

func advertisement(name string, defaultNetwork bool) *ovnv1.RouteAdvertisements {
	ra := &ovnv1.RouteAdvertisements{
		ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(epoch)},
		Spec: ovnv1.RouteAdvertisementsSpec{
			FRRConfigurationSelector: metav1.LabelSelector{MatchLabels: map[string]string{"use": "fabric"}},
			Advertisements:           []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork},
			NetworkSelectors:         ovnv1.NetworkSelectors{{NetworkSelectionType: ovnv1.DefaultNetwork}},
		},
	}
	if !defaultNetwork {
		ra.Spec.NetworkSelectors = ovnv1.NetworkSelectors{{
			NetworkSelectionType:              ovnv1.ClusterUserDefinedNetworks,
			ClusterUserDefinedNetworkSelector: &ovnv1.ClusterUserDefinedNetworkSelector{NetworkSelector: metav1.LabelSelector{MatchLabels: map[string]string{"advertise": "true"}}},
		}}
	}
	return ra
}

// cluster has a template, and objects that advertise the default network and
// all others.
func cluster(nodes, networks int) *stored {
	s := &stored{objects: []runtime.Object{template("fabric", 64512), advertisement("default", true), advertisement("networks", false)}}
	for i := range nodes {
		s.objects = append(s.objects, node(i, networks))
	}
	for i := range networks {
		s.objects = append(s.objects, network(i))
	}
	return s
}

func review(t testing.TB, operation admissionv1.Operation, before, after client.Object) admission.Request {
	t.Helper()
	raw := func(object client.Object) (out runtime.RawExtension) {
		if object == nil {
			return out
		}
		content, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		return runtime.RawExtension{Raw: content}
	}
	kind := "RouteAdvertisements"
	for _, object := range []client.Object{before, after} {
		switch object.(type) {
		case *ovnv1.ClusterUserDefinedNetwork:
			kind = "ClusterUserDefinedNetwork"
		case *frrk8sv1beta1.FRRConfiguration:
			kind = "FRRConfiguration"
		case *v1alpha1.RoutePolicy:
			kind = "RoutePolicy"
		case *v1alpha1.DrainPolicy:
			kind = "DrainPolicy"
		}
	}
	return admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		Kind: metav1.GroupVersionKind{Kind: kind}, Operation: operation, OldObject: raw(before), Object: raw(after),
	}}
}

// validator answers users who may read everything.
func validator(reader client.Reader) *Validator {
	return validatorFor(reader, func(authorizer.Attributes) (authorizer.Decision, error) { return authorizer.DecisionAllow, nil })
}

func validatorFor(reader client.Reader, decide func(authorizer.Attributes) (authorizer.Decision, error)) *Validator {
	rights := authorizer.AuthorizerFunc(func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
		decision, err := decide(a)
		return decision, "", err
	})
	return NewValidator(reader, rights, model.Settings{}, nil, func() time.Time { return epoch.Add(time.Hour) })
}

func created(t testing.TB, object client.Object) admission.Request {
	return review(t, admissionv1.Create, nil, object)
}

// What can't be found out passes, and says so.
func TestFailsOpen(t *testing.T) {
	ctx := FromAPIServer(t.Context())
	for name, test := range map[string]struct {
		reader  client.Reader
		request admission.Request
		want    string
	}{
		"a cache that is not there":  {&stored{err: fmt.Errorf("the cache is not started")}, created(t, advertisement("a", true)), "the cache is not started"},
		"a cache that does not come": {&stored{wait: make(chan struct{})}, created(t, advertisement("a", true)), "deadline exceeded"},
		"a panic":                    {nil, created(t, advertisement("a", true)), "its log says how"},
		"an unknown kind": {&stored{}, admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
			Kind: metav1.GroupVersionKind{Kind: "Pod"}, Operation: admissionv1.Create, Object: runtime.RawExtension{Raw: []byte("{}")},
		}}, "objects of kind Pod"},
		"no object": {&stored{}, admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
			Kind: metav1.GroupVersionKind{Kind: "RouteAdvertisements"}, Operation: admissionv1.Create, Object: runtime.RawExtension{Raw: []byte(`{"spec": 1}`)},
		}}, "can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			response := validator(test.reader).Handle(ctx, test.request)
			if !response.Allowed || len(response.Warnings) != 1 || !strings.Contains(response.Warnings[0], test.want) {
				t.Errorf("%+v, want it allowed with a warning that says %q", response, test.want)
			}
		})
	}
}

// Whoever changes a template in place need not be told that it is on no node.
func TestSaysNothingOfATemplateThatIsBeingChanged(t *testing.T) {
	changed := template("fabric", 64512)
	changed.Spec.BGP.Routers[0].Neighbors[0].ConnectTime = &metav1.Duration{Duration: time.Second}
	changed.Spec.NodeSelector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: model.SelectorBeingChanged, Operator: metav1.LabelSelectorOpExists}}
	request := review(t, admissionv1.Update, template("fabric", 64512), changed)
	if response := validator(cluster(2, 1)).Handle(FromAPIServer(t.Context()), request); !response.Allowed || len(response.Warnings) > 0 {
		t.Errorf("%+v, want it allowed without warnings", response)
	}
}

func TestManyReviewsWaitForEachOther(t *testing.T) {
	slow := &stored{wait: make(chan struct{})}
	v := validator(slow)
	answers := make(chan admission.Response)
	for range atOnce {
		go func() { answers <- v.Handle(FromAPIServer(t.Context()), created(t, advertisement("a", true))) }()
	}
	for range atOnce {
		<-answers
	}
	close(slow.wait)
	if response := v.Handle(FromAPIServer(t.Context()), created(t, advertisement("a", true))); !response.Allowed || strings.Contains(strings.Join(response.Warnings, ""), "not checked") {
		t.Errorf("a slot was not given back: %+v", response)
	}
}

// Nodes are many; a finding on some of them is one warning.
func TestWarnsOnceForAllNodes(t *testing.T) {
	response := validator(cluster(500, 3)).Handle(FromAPIServer(t.Context()), created(t, template("other", 64999)))
	if !response.Allowed || len(response.Warnings) != 1 {
		t.Fatalf("%+v, want one warning", response)
	}
	for _, want := range []string{"RouteAdvertisements default, networks", "on nodes such as node-0000", "ASN"} {
		if !strings.Contains(response.Warnings[0], want) {
			t.Errorf("%q does not say %q", response.Warnings[0], want)
		}
	}
}

// A template for one node is looked at on that node, however many there are.
func TestLooksAtTheNodesThatAreConcerned(t *testing.T) {
	other := template("other", 64999)
	other.Spec.NodeSelector.MatchLabels = map[string]string{model.LabelHostname: "node-0444"}
	response := validator(cluster(500, 1)).Handle(FromAPIServer(t.Context()), created(t, other))
	if len(response.Warnings) != 1 || !strings.Contains(response.Warnings[0], "node-0444") {
		t.Errorf("%+v, want a warning about node-0444", response)
	}
}

func TestOwnObjectsPass(t *testing.T) {
	generated := template("ovnbgp-x", 64999)
	generated.Labels[model.LabelGenerated] = "true"
	if response := validator(cluster(1, 1)).Handle(FromAPIServer(t.Context()), created(t, generated)); !response.Allowed || len(response.Warnings) > 0 {
		t.Errorf("generated: %+v", response)
	}
}

// A network waits for its VRF's name as a matter of course; whoever selects it
// later hears of it.
func TestWhatANewNetworkWaitsForIsNoNews(t *testing.T) {
	long := network(900)
	long.Name = "a-name-that-no-device-has"
	if response := validator(cluster(3, 1)).Handle(FromAPIServer(t.Context()), created(t, long)); len(response.Warnings) > 0 {
		t.Errorf("the network: %q", response.Warnings)
	}
	with := cluster(3, 1)
	with.objects = append(with.objects, long)
	response := validator(with).Handle(FromAPIServer(t.Context()), created(t, advertisement("late", false)))
	if len(response.Warnings) != 1 || !strings.Contains(response.Warnings[0], "is not known yet") {
		t.Errorf("who selects it: %q", response.Warnings)
	}
}

func TestManyTroublesAreCut(t *testing.T) {
	var troubles []trouble
	for i := range 20 {
		troubles = append(troubles, trouble{ra: "a", Finding: model.Finding{Outcome: model.Invalid, Message: fmt.Sprintf("%02d %s", i, strings.Repeat("é\n", 600))}})
	}
	out := texts(troubles, func(*trouble) bool { return false })
	if len(out) != maxWarnings+1 || !strings.Contains(out[maxWarnings], "and 14 more") {
		t.Fatalf("%d warnings, the last %q", len(out), out[len(out)-1])
	}
	total := 0
	for _, text := range out {
		total += len([]rune(text))
		if strings.Contains(text, "\n") || len(text) > maxWarning {
			t.Errorf("%d bytes: %q", len(text), text)
		}
	}
	if total > 4096 {
		t.Errorf("%d characters, and the API server cuts after 4096", total)
	}
}

// The time of a review must not grow with the cluster to where people wait.
func BenchmarkReview(b *testing.B) {
	for _, size := range []struct{ nodes, networks int }{{100, 10}, {1000, 45}, {5000, 200}} {
		reader := cluster(size.nodes, size.networks)
		overlapping := network(901)
		overlapping.Spec.Network.Layer3.Subnets[0].CIDR = "16.0.128.0/17"
		for _, test := range []struct {
			name   string
			object client.Object
		}{
			{"RouteAdvertisements", advertisement("new", false)},
			{"network", overlapping},
			{"template", template("new", 64999)},
		} {
			b.Run(fmt.Sprintf("nodes=%d/networks=%d/%s", size.nodes, size.networks, test.name), func(b *testing.B) {
				v, request := validator(reader), created(b, test.object)
				b.ReportAllocs()
				for b.Loop() {
					if response := v.Handle(FromAPIServer(b.Context()), request); !response.Allowed || strings.Contains(strings.Join(response.Warnings, ""), "not checked") {
						b.Fatalf("%+v", response)
					}
				}
			})
		}
	}
}
