package nad

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// annotationWritten remembers which names the operator wrote into
// OVN-Kubernetes' annotation, so that it takes away only those.
const annotationWritten = "ovnbgp.io/route-advertisements"

// Annotations are those that the cache has to keep.
func Annotations() []string {
	return []string{annotationWritten, ovnk.AnnotationRouteAdvertisements, ovnk.AnnotationNetworkName, ovnk.AnnotationNetworkID}
}

// NetworkOf returns the name of the network that a NetworkAttachmentDefinition
// is for, "" where it is none that can be advertised.
func NetworkOf(o metav1.Object, defaultNAD types.NamespacedName) string {
	if o.GetNamespace() == defaultNAD.Namespace && o.GetName() == defaultNAD.Name {
		return model.DefaultNetwork
	}
	if cudn, _ := ovnk.ControllingCUDN(o); cudn != "" {
		return ovnk.NetworkName(cudn)
	}
	return ""
}

// merge returns the annotations to write, with nil for those to remove, and
// none where nothing has to change. Names that the operator wrote before, and
// those that it decides about, are replaced by ours; all others stay. An
// annotation that can't be read counts as empty, and the reason is returned.
func merge(annotations map[string]string, ours []string, decides func(string) bool) (changes map[string]*string, malformed error) {
	written, err := parse(annotations, annotationWritten)
	if err != nil {
		malformed = err
	}
	existing, err := parse(annotations, ovnk.AnnotationRouteAdvertisements)
	if err != nil {
		malformed = err
	}
	before := map[string]bool{}
	for _, name := range written {
		before[name] = true
	}
	merged := ovnk.MergeRouteAdvertisements(existing, ours, func(name string) bool {
		return before[name] || decides(name)
	})
	changes = map[string]*string{}
	for key, names := range map[string][]string{ovnk.AnnotationRouteAdvertisements: merged, annotationWritten: ours} {
		value, found := annotations[key]
		switch text := ovnk.FormatRouteAdvertisements(names); {
		case len(names) == 0 && found:
			changes[key] = nil
		case len(names) > 0 && value != text:
			changes[key] = &text
		}
	}
	return changes, malformed
}

func parse(annotations map[string]string, key string) ([]string, error) {
	if annotations[key] == "" {
		return nil, nil
	}
	return ovnk.ParseRouteAdvertisements(annotations[key])
}
