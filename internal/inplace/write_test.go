package inplace

import (
	"encoding/json"
	"maps"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

func same(t *testing.T, got, want any) {
	t.Helper()
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("got  %s\nwant %s", a, b)
	}
}

func TestMarks(t *testing.T) {
	for name, text := range map[string]string{
		"without selector":      `spec: {bgp: {}}`,
		"with labels":           `spec: {nodeSelector: {matchLabels: {rack: a}}}`,
		"with expressions":      `spec: {nodeSelector: {matchExpressions: [{key: rack, operator: In, values: [a]}]}}`,
		"with another's on key": `spec: {nodeSelector: {matchExpressions: [{key: ovnbgp.io/being-changed, operator: DoesNotExist}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			o := parse(t, text)
			for range 2 {
				if err := setMark(o, true); err != nil {
					t.Fatal(err)
				}
			}
			object, err := typed(o)
			if err != nil || !IsMarked(&object.Spec.NodeSelector) {
				t.Fatalf("%v is not marked (%v)", o.Object, err)
			}
			if err := setMark(o, false); err != nil {
				t.Fatal(err)
			}
			if object, err = typed(o); err != nil || IsMarked(&object.Spec.NodeSelector) {
				t.Fatalf("%v is marked (%v)", o.Object, err)
			}
			want, err := typed(parse(t, text))
			if err != nil {
				t.Fatal(err)
			}
			same(t, object.Spec, want.Spec)
		})
	}
}

// kubectl apply must find the object as if it had written it.
func TestOntoAnObjectThatKubectlApplied(t *testing.T) {
	live := parse(t, `
metadata: {name: fabric, resourceVersion: "7", labels: {use: fabric, old: gone, theirs: stays}, annotations: {theirs: stays}}
spec: {bgp: {routers: [{asn: 64512}]}}`)
	live.SetAnnotations(map[string]string{"theirs": "stays", corev1.LastAppliedConfigAnnotation: `{"metadata": {"labels": {"use": "fabric", "old": "gone"}}}`})
	wanted := parse(t, `
apiVersion: frrk8s.metallb.io/v1beta1
kind: FRRConfiguration
metadata: {name: fabric, labels: {use: fabric, new: comes}}
spec: {bgp: {routers: [{asn: 64513}]}}`)
	tpl, err := newTemplate(wanted, live.DeepCopy())
	if err != nil {
		t.Fatal(err)
	}
	if err := tpl.onto(live, tpl.wanted); err != nil {
		t.Fatal(err)
	}
	same(t, live.GetLabels(), map[string]string{"use": "fabric", "new": "comes", "theirs": "stays"})
	same(t, live.Object["spec"], wanted.Object["spec"])
	if live.GetResourceVersion() != "7" {
		t.Error("another write would be overwritten")
	}
	annotations := maps.Clone(live.GetAnnotations())
	var last map[string]any
	if err := json.Unmarshal([]byte(annotations[corev1.LastAppliedConfigAnnotation]), &last); err != nil {
		t.Fatal(err)
	}
	same(t, last, wanted.Object)
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	same(t, annotations, map[string]string{"theirs": "stays"})

	if err := tpl.onto(live, tpl.before); err != nil {
		t.Fatal(err)
	}
	same(t, live.Object, tpl.before.Object)
}
