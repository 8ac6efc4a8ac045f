package preview

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"github.com/pmezard/go-difflib/difflib"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// ownPrefix starts the labels and annotations that the operator owns; others
// on its objects are not its business, and stay.
const ownPrefix = "ovnbgp.io/"

// nowhere is how diff tools call the side on which an object doesn't exist.
const nowhere = "/dev/null"

// Side is one side of a comparison.
type Side struct {
	// Name goes in front of the objects' names in the diff's headers.
	Name                string
	Configs             []*frrk8sv1beta1.FRRConfiguration
	RouteAdvertisements []*ovnv1.RouteAdvertisements
	Policies            []*v1alpha1.RoutePolicy
	Drains              []*v1alpha1.DrainPolicy
}

// Side is the preview as a side of a comparison.
func (p *Preview) Side(name string) Side {
	return Side{Name: name, Configs: p.Configs, RouteAdvertisements: p.RouteAdvertisements, Policies: p.Policies, Drains: p.Drains}
}

// Live is the side of what the operator has already written, as far as the
// preview looks at it: the nodes that it leaves out and those whose state is
// not known are left out here, too, because nothing changes there. It reports
// whether there is anything.
func (p *Preview) Live(name string, objects *snapshot.Objects, only []string) (Side, bool) {
	side := Side{Name: name}
	found := false
	keep := map[string]bool{}
	for i := range p.Plan.Nodes {
		keep[p.Plan.Nodes[i].Node] = p.Plan.Nodes[i].Keep
	}
	for i := range objects.FRRConfigurations {
		config := &objects.FRRConfigurations[i]
		if !model.Generated(config.Name, config.Labels, config.Annotations) {
			continue
		}
		if _, hold := config.Annotations[model.AnnotationHoldUntil]; hold {
			// It is kubectl ra apply's, and of no plan.
			continue
		}
		found = true
		node := config.Annotations[model.AnnotationNode]
		if keep[node] || len(only) > 0 && !slices.Contains(only, node) {
			continue
		}
		side.Configs = append(side.Configs, config)
	}
	for i := range objects.RouteAdvertisements {
		if ra := &objects.RouteAdvertisements[i]; ra.DeletionTimestamp == nil {
			side.RouteAdvertisements = append(side.RouteAdvertisements, ra)
		}
	}
	for i := range objects.Policies {
		if policy := &objects.Policies[i]; policy.DeletionTimestamp == nil {
			side.Policies = append(side.Policies, policy)
		}
	}
	for i := range objects.Drains {
		if policy := &objects.Drains[i]; policy.DeletionTimestamp == nil {
			side.Drains = append(side.Drains, policy)
		}
	}
	return side, found
}

// Diff prints, as unified diffs, which FRRConfigurations would be created,
// changed and deleted, and how the status of RouteAdvertisements and policies would change.
// Passwords are masked; a changed one still shows as a change.
func Diff(w io.Writer, before, after Side) error {
	old, current := before.objects(), after.objects()
	all := maps.Clone(old)
	maps.Copy(all, current)
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(kindRank(a), kindRank(b)), cmp.Compare(a, b))
	})
	for _, name := range names {
		a, err := document(old[name])
		if err != nil {
			return err
		}
		b, err := document(current[name])
		if err != nil {
			return err
		}
		maskPasswords(a, b)
		if err := diffOne(w, name, before.Name, after.Name, a, b); err != nil {
			return err
		}
	}
	return nil
}

// kindRank has the same order of kinds as the other outputs.
func kindRank(name string) int {
	switch kind, _, _ := strings.Cut(name, "/"); kind {
	case "RouteAdvertisements":
		return 1
	case "RoutePolicy":
		return 2
	case "DrainPolicy":
		return 3
	default:
		return 0
	}
}

func diffOne(w io.Writer, name, beforeName, afterName string, before, after map[string]any) error {
	diff := difflib.UnifiedDiff{FromFile: beforeName + "/" + name, ToFile: afterName + "/" + name, Context: 3}
	if before == nil {
		diff.FromFile = nowhere
	}
	if after == nil {
		diff.ToFile = nowhere
	}
	var err error
	if diff.A, err = lines(before); err != nil {
		return err
	}
	if diff.B, err = lines(after); err != nil {
		return err
	}
	return difflib.WriteUnifiedDiff(w, diff)
}

func lines(document map[string]any) ([]string, error) {
	if document == nil {
		return nil, nil
	}
	text, err := yaml.Marshal(document)
	if err != nil {
		return nil, err
	}
	return slices.Collect(strings.Lines(string(text))), nil
}

// objects are the side's objects by kind, namespace and name.
func (s *Side) objects() map[string]client.Object {
	out := make(map[string]client.Object, len(s.Configs)+len(s.RouteAdvertisements))
	for _, config := range s.Configs {
		out[fmt.Sprintf("FRRConfiguration/%s/%s", config.Namespace, config.Name)] = config
	}
	for _, ra := range s.RouteAdvertisements {
		out["RouteAdvertisements/"+ra.Name] = ra
	}
	for _, policy := range s.Policies {
		out["RoutePolicy/"+policy.Name] = policy
	}
	for _, policy := range s.Drains {
		out["DrainPolicy/"+policy.Name] = policy
	}
	return out
}

// document is an object as far as the operator owns it, nil for none.
func document(object client.Object) (map[string]any, error) {
	switch object := object.(type) {
	case *frrk8sv1beta1.FRRConfiguration:
		out, err := content(object)
		if err != nil {
			return nil, err
		}
		delete(out, "status")
		onlyOwned(out)
		return out, nil
	case *ovnv1.RouteAdvertisements:
		object = object.DeepCopy()
		object.Status.Conditions = slices.DeleteFunc(object.Status.Conditions, func(c metav1.Condition) bool {
			return c.Type == status.FRRConfigured
		})
		slices.SortFunc(object.Status.Conditions, func(a, b metav1.Condition) int { return cmp.Compare(a.Type, b.Type) })
		return statusOf(object)
	case *v1alpha1.RoutePolicy:
		return statusOf(object)
	case *v1alpha1.DrainPolicy:
		return statusOf(object)
	}
	return nil, nil
}

// statusOf leaves out what is the user's: it is not what the operator would change.
func statusOf(object client.Object) (map[string]any, error) {
	out, err := content(object)
	if err != nil {
		return nil, err
	}
	delete(out, "spec")
	out["metadata"] = map[string]any{"name": object.GetName()}
	return out, nil
}

func onlyOwned(document map[string]any) {
	metadata, _ := document["metadata"].(map[string]any)
	for _, field := range []string{"labels", "annotations"} {
		pairs, _ := metadata[field].(map[string]any)
		maps.DeleteFunc(pairs, func(key string, _ any) bool { return !strings.HasPrefix(key, ownPrefix) })
	}
}

// maskPasswords hides the clear-text passwords of both documents. Diffs end up
// in tickets and CI logs.
func maskPasswords(before, after map[string]any) {
	old, current := passwords(before), passwords(after)
	for place, neighbor := range old {
		other := current[place]
		if other == nil || other["password"] == neighbor["password"] {
			neighbor["password"] = "(hidden)"
			continue
		}
		neighbor["password"], other["password"] = "(hidden, before)", "(hidden, after)"
	}
	for place, neighbor := range current {
		if old[place] == nil || old[place]["password"] == "(hidden)" {
			neighbor["password"] = "(hidden)"
		}
	}
}

// passwords finds the neighbors that have one, by VRF and neighbor.
func passwords(document map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	spec, _ := document["spec"].(map[string]any)
	bgp, _ := spec["bgp"].(map[string]any)
	routers, _ := bgp["routers"].([]any)
	for _, router := range routers {
		router, _ := router.(map[string]any)
		neighbors, _ := router["neighbors"].([]any)
		for _, neighbor := range neighbors {
			neighbor, _ := neighbor.(map[string]any)
			if password, _ := neighbor["password"].(string); password != "" {
				out[fmt.Sprint(router["vrf"], neighbor["address"], neighbor["interface"])] = neighbor
			}
		}
	}
	return out
}
