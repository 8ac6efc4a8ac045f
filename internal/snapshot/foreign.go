package snapshot

import (
	"fmt"
	"strings"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// IsGenerated reports whether a controller made the object, ours or
// OVN-Kubernetes': such objects are never templates.
func IsGenerated(c metav1.Object) bool {
	if model.Generated(c.GetName(), c.GetLabels(), c.GetAnnotations()) {
		return true
	}
	_, labelled := c.GetLabels()[ovnk.LabelRouteAdvertisements]
	_, annotated := c.GetAnnotations()[ovnk.AnnotationRouteAdvertisements]
	return labelled || annotated || strings.HasPrefix(c.GetName(), ovnk.GeneratedPrefix)
}

// foreignControllers finds OVN-Kubernetes' own generated objects and returns
// the evidence by the RouteAdvertisements object that they are for. Of several
// the first by name counts, so that the text stays the same.
//
// That controller writes only into the namespaces of templates. An object elsewhere
// comes from a user who can write FRRConfigurations in a namespace of their own. It
// must not decide which controller handles the cluster's objects.
func foreignControllers(configs []frrk8sv1beta1.FRRConfiguration) map[string]string {
	withTemplates := map[string]bool{}
	for i := range configs {
		if !IsGenerated(&configs[i]) {
			withTemplates[configs[i].Namespace] = true
		}
	}
	first := map[string]*frrk8sv1beta1.FRRConfiguration{}
	for i := range configs {
		c := &configs[i]
		if !strings.HasPrefix(c.Name, ovnk.GeneratedPrefix) || !withTemplates[c.Namespace] {
			continue
		}
		if ra := GeneratedFor(c); ra != "" && (first[ra] == nil || compareNamespacedNames(c, first[ra]) < 0) {
			first[ra] = c
		}
	}
	out := make(map[string]string, len(first))
	for ra, c := range first {
		out[ra] = fmt.Sprintf("FRRConfiguration %s/%s is OVN-Kubernetes' own for it", c.Namespace, c.Name)
	}
	return out
}

// GeneratedFor returns the name of the RouteAdvertisements object that
// OVN-Kubernetes generated c for. The annotation may go on after the name.
func GeneratedFor(c *frrk8sv1beta1.FRRConfiguration) string {
	if ra := c.Labels[ovnk.LabelRouteAdvertisements]; ra != "" {
		return ra
	}
	ra, _, _ := strings.Cut(c.Annotations[ovnk.AnnotationRouteAdvertisements], "/")
	return ra
}

// foreignController is the evidence that OVN-Kubernetes' own controller works
// on the object.
func foreignController(ra *ovnv1.RouteAdvertisements, generated map[string]string) string {
	if evidence := generated[ra.Name]; evidence != "" {
		return evidence
	}
	for i := range ra.ManagedFields {
		if f := &ra.ManagedFields[i]; f.Manager == ovnk.FieldManager && f.Subresource == "status" {
			return fmt.Sprintf("its status is written by %q", ovnk.FieldManager)
		}
	}
	return ""
}
