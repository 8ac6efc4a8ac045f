package ovnk

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestControllingCUDN(t *testing.T) {
	yes := true
	nad := func(change func(*metav1.ObjectMeta)) metav1.Object {
		meta := &metav1.ObjectMeta{
			Labels:      map[string]string{LabelUserDefinedNetwork: ""},
			Annotations: map[string]string{AnnotationNetworkName: "cluster_udn_blue", AnnotationNetworkID: "5"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "k8s.ovn.org/v1", Kind: CUDNKind, Name: "blue", UID: "u1", Controller: &yes,
			}},
		}
		change(meta)
		return meta
	}
	for name, test := range map[string]struct {
		change func(*metav1.ObjectMeta)
		want   string
	}{
		"OVN-Kubernetes' own":              {func(*metav1.ObjectMeta) {}, "blue"},
		"not annotated yet":                {func(m *metav1.ObjectMeta) { m.Annotations = nil }, "blue"},
		"a tenant's, with the annotation":  {func(m *metav1.ObjectMeta) { m.OwnerReferences = nil }, ""},
		"without the label":                {func(m *metav1.ObjectMeta) { m.Labels = nil }, ""},
		"owned, not controlled":            {func(m *metav1.ObjectMeta) { m.OwnerReferences[0].Controller = nil }, ""},
		"another group's kind":             {func(m *metav1.ObjectMeta) { m.OwnerReferences[0].APIVersion = "example.com/v1" }, ""},
		"of one network, named as another": {func(m *metav1.ObjectMeta) { m.Annotations[AnnotationNetworkName] = "cluster_udn_red" }, ""},
	} {
		if got, _ := ControllingCUDN(nad(test.change)); got != test.want {
			t.Errorf("%s: belongs to %q, want %q", name, got, test.want)
		}
	}
}
