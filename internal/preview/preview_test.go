package preview

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/manifest"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

var settings = model.Settings{Managed: model.ManagedRouting{ASN: 64512, Namespace: "frr-k8s-system"}}

func stories(t *testing.T) *snapshot.Objects {
	t.Helper()
	return files(t, "../../cmd/kubectl-ra/testdata/stories")
}

func files(t *testing.T, paths ...string) *snapshot.Objects {
	t.Helper()
	set, err := manifest.Load(paths, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	return set.Objects()
}

func text(t *testing.T, print func(io.Writer) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := print(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The same objects give the same bytes, in whatever order they come.
func TestOrderDoesNotMatter(t *testing.T) {
	outputs := func(objects *snapshot.Objects) string {
		p := New(objects, settings)
		return text(t, p.Table) + text(t, p.YAML) + text(t, p.JSON)
	}
	want := outputs(stories(t))
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 0))
		objects := stories(t)
		shuffle(random, objects.RouteAdvertisements)
		shuffle(random, objects.CUDNs)
		shuffle(random, objects.FRRConfigurations)
		shuffle(random, objects.Namespaces)
		shuffle(random, objects.EgressIPs)
		shuffle(random, objects.Nodes)
		if got := outputs(objects); got != want {
			t.Fatalf("seed %d: got:\n%s\nwant:\n%s", seed, got, want)
		}
	}
}

func shuffle[T any](random *rand.Rand, list []T) {
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// What is written on nodes that the plan can't judge stays, so a diff doesn't
// delete it; what is written for nodes that are gone goes.
func TestDiffOfKeptAndGoneNodes(t *testing.T) {
	objects := files(t, "../../cmd/kubectl-ra/testdata/findings/blocked.yaml")
	for _, node := range []string{"worker-2", "worker-9"} {
		objects.FRRConfigurations = append(objects.FRRConfigurations, frrk8sv1beta1.FRRConfiguration{ObjectMeta: metav1.ObjectMeta{
			Namespace: "frr-k8s-system", Name: "ovnbgp-" + node,
			Labels:      map[string]string{model.LabelGenerated: "true"},
			Annotations: map[string]string{model.AnnotationNode: node, "example.org/note": "not ours"},
		}})
	}
	p := New(objects, settings)
	live, found := p.Live("live", objects, nil)
	if !found {
		t.Fatal("the generated objects are not found")
	}
	diff := text(t, func(w io.Writer) error { return Diff(w, live, p.Side("plan")) })
	for want, times := range map[string]int{
		"--- live/FRRConfiguration/frr-k8s-system/ovnbgp-worker-9\n+++ /dev/null\n": 1,
		"+++ plan/FRRConfiguration/frr-k8s-system/ovnbgp-worker-1\n":                1,
		"ovnbgp-worker-2":  0,
		"not ours":         0,
		"in-clear":         0,
		"(hidden)":         1,
		"FRRConfigured":    0,
		"/provider":        0,
		"lastTransition":   0,
		"creationTime":     0,
		"fabric: tor":      0,
		"type: Rendered":   2,
		"networkSelectors": 0,
	} {
		if got := strings.Count(diff, want); got != times {
			t.Errorf("%d times %q, want %d:\n%s", got, want, times, diff)
		}
	}
}

// Where another controller is at work, its Accepted and its text are not ours
// to change.
func TestStandingAside(t *testing.T) {
	objects := files(t, "../../cmd/kubectl-ra/testdata/stories/cluster", "../../cmd/kubectl-ra/testdata/stories/default-import-export")
	objects.FRRConfigurations = append(objects.FRRConfigurations, frrk8sv1beta1.FRRConfiguration{ObjectMeta: metav1.ObjectMeta{
		Namespace: "frr-k8s-system", Name: "ovnk-generated-abc", Labels: map[string]string{"k8s.ovn.org/route-advertisements": "default"},
	}})
	objects.RouteAdvertisements[0].Status = ovnv1.RouteAdvertisementsStatus{
		Status:     "Accepted",
		Conditions: []metav1.Condition{{Type: "Accepted", Status: metav1.ConditionTrue, Reason: "Accepted", Message: "theirs"}},
	}
	p := New(objects, settings)
	if len(p.Configs) != 0 || !p.Blocked() {
		t.Errorf("rendered %d, blocked %v", len(p.Configs), p.Blocked())
	}
	status := p.RouteAdvertisements[0].Status
	if status.Status != "Accepted" || len(status.Conditions) != 2 || status.Conditions[0].Message != "theirs" || status.Conditions[1].Reason != "StandingAside" {
		t.Errorf("got %+v", status)
	}
	if objects.RouteAdvertisements[0].Status.Conditions[0].Type != "Accepted" || len(objects.RouteAdvertisements[0].Status.Conditions) != 1 {
		t.Error("the input was changed")
	}

	takeOver := settings
	takeOver.TakeOver = true
	if p := New(objects, takeOver); len(p.Configs) != 3 || p.Blocked() {
		t.Errorf("with take-over: rendered %d, blocked %v", len(p.Configs), p.Blocked())
	}
}

func TestMaskPasswords(t *testing.T) {
	document := func(password string) map[string]any {
		neighbor := map[string]any{"address": "192.0.2.1"}
		if password != "" {
			neighbor["password"] = password
		}
		return map[string]any{"spec": map[string]any{"bgp": map[string]any{"routers": []any{map[string]any{"neighbors": []any{neighbor}}}}}}
	}
	read := func(document map[string]any) string {
		for _, neighbor := range passwords(document) {
			return neighbor["password"].(string)
		}
		return ""
	}
	for name, test := range map[string]struct{ before, after, wantBefore, wantAfter string }{
		"equal":   {"secret", "secret", "(hidden)", "(hidden)"},
		"changed": {"secret", "other", "(hidden, before)", "(hidden, after)"},
		"added":   {"", "secret", "", "(hidden)"},
		"removed": {"secret", "", "(hidden)", ""},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := document(test.before), document(test.after)
			maskPasswords(before, after)
			if got := read(before); got != test.wantBefore {
				t.Errorf("before: got %q, want %q", got, test.wantBefore)
			}
			if got := read(after); got != test.wantAfter {
				t.Errorf("after: got %q, want %q", got, test.wantAfter)
			}
		})
	}
}

func TestOnly(t *testing.T) {
	p := New(stories(t), settings)
	if unknown := p.Only([]string{"worker-2", "worker-9"}); len(unknown) != 1 || unknown[0] != "worker-9" {
		t.Errorf("unknown: %v", unknown)
	}
	if len(p.Plan.Nodes) != 1 || len(p.Configs) != 1 || p.Configs[0].Name != "ovnbgp-worker-2" || len(p.RouteAdvertisements) != 5 {
		t.Errorf("got %d nodes, %d objects, %d RouteAdvertisements", len(p.Plan.Nodes), len(p.Configs), len(p.RouteAdvertisements))
	}
}
