package nad

import (
	"maps"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

const advertised = ovnk.AnnotationRouteAdvertisements

// apply does what the API server does with a merge patch.
func apply(annotations map[string]string, changes map[string]*string) map[string]string {
	after := map[string]string{}
	maps.Copy(after, annotations)
	for key, value := range changes {
		if value == nil {
			delete(after, key)
		} else {
			after[key] = *value
		}
	}
	return after
}

func TestMerge(t *testing.T) {
	decides := func(name string) bool { return name == "ours" || name == "ours-too" || name == "ours-elsewhere" }
	tests := map[string]struct {
		annotations map[string]string
		ours        []string
		// want is nil where nothing has to change.
		want      map[string]string
		malformed bool
	}{
		"nothing to say and nothing there": {},
		"first write": {
			ours: []string{"ours"},
			want: map[string]string{advertised: `["ours"]`, annotationWritten: `["ours"]`},
		},
		"other annotations stay": {
			annotations: map[string]string{"color": "blue"},
			ours:        []string{"ours"},
			want:        map[string]string{"color": "blue", advertised: `["ours"]`, annotationWritten: `["ours"]`},
		},
		"as it should be": {
			annotations: map[string]string{advertised: `["ours"]`, annotationWritten: `["ours"]`, "color": "blue"},
			ours:        []string{"ours"},
		},
		"what others wrote stays": {
			annotations: map[string]string{advertised: `["theirs"]`},
			ours:        []string{"ours"},
			want:        map[string]string{advertised: `["ours","theirs"]`, annotationWritten: `["ours"]`},
		},
		"what we wrote goes, what others wrote stays": {
			annotations: map[string]string{advertised: `["ours","theirs"]`, annotationWritten: `["ours"]`},
			want:        map[string]string{advertised: `["theirs"]`},
		},
		"what we wrote about an object that is gone goes": {
			annotations: map[string]string{advertised: `["gone","theirs"]`, annotationWritten: `["gone"]`},
			want:        map[string]string{advertised: `["theirs"]`},
		},
		"the last one goes with the annotation": {
			annotations: map[string]string{advertised: `["ours"]`, annotationWritten: `["ours"]`},
			want:        map[string]string{},
		},
		"what others wrote about an object that we decide about goes": {
			annotations: map[string]string{advertised: `["ours-elsewhere"]`},
			ours:        []string{"ours"},
			want:        map[string]string{advertised: `["ours"]`, annotationWritten: `["ours"]`},
		},
		"a second writer's overwrite is merged again": {
			annotations: map[string]string{advertised: `["theirs"]`, annotationWritten: `["ours","ours-too"]`},
			ours:        []string{"ours", "ours-too"},
			want:        map[string]string{advertised: `["ours","ours-too","theirs"]`, annotationWritten: `["ours","ours-too"]`},
		},
		"what nobody can read is replaced": {
			annotations: map[string]string{advertised: `ours`},
			ours:        []string{"ours"},
			want:        map[string]string{advertised: `["ours"]`, annotationWritten: `["ours"]`},
			malformed:   true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			changes, malformed := merge(test.annotations, test.ours, decides)
			if (malformed != nil) != test.malformed {
				t.Errorf("malformed: %v, want %v", malformed, test.malformed)
			}
			if test.want == nil {
				if len(changes) > 0 {
					t.Errorf("there are changes: %v", changes)
				}
				return
			}
			got := apply(test.annotations, changes)
			if !maps.Equal(got, test.want) {
				t.Errorf("annotations %v, want %v", got, test.want)
			}
			if again, _ := merge(got, test.ours, decides); len(again) > 0 {
				t.Errorf("merging once more changes it again: %v", again)
			}
		})
	}
}

func TestNetworkOf(t *testing.T) {
	defaultNAD := types.NamespacedName{Namespace: "ovn-kubernetes", Name: "default"}
	controller := true
	labels := map[string]string{ovnk.LabelUserDefinedNetwork: ""}
	owned := []metav1.OwnerReference{{APIVersion: "k8s.ovn.org/v1", Kind: ovnk.CUDNKind, Name: "blue", Controller: &controller}}
	for name, test := range map[string]struct {
		object metav1.ObjectMeta
		want   string
	}{
		"the default network's": {metav1.ObjectMeta{Namespace: "ovn-kubernetes", Name: "default"}, "default"},
		"a namesake elsewhere":  {metav1.ObjectMeta{Namespace: "tenant", Name: "default"}, ""},
		"by annotation alone":   {metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{ovnk.AnnotationNetworkName: "cluster_udn_red"}}, ""},
		"by owner":              {metav1.ObjectMeta{Labels: labels, OwnerReferences: owned}, "cluster_udn_blue"},
		"somebody else's":       {metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Kind: "UserDefinedNetwork", Name: "blue"}}}, ""},
	} {
		if got := NetworkOf(&test.object, defaultNAD); got != test.want {
			t.Errorf("%s: network %q, want %q", name, got, test.want)
		}
	}
}
