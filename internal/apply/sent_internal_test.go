package apply

import (
	"encoding/json"
	"reflect"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
)

// An API server whose CRD lacks a field drops it and says so only by its
// answer, which the client decodes into what was sent.
func TestAnswerReplacesWhatWasSent(t *testing.T) {
	object := &frrk8sv1beta1.FRRConfiguration{}
	object.Name, object.Labels = "ovnbgp-worker-1", map[string]string{"ovnbgp.io/generated": "true"}
	object.Spec.BGP.Routers = []frrk8sv1beta1.Router{{ASN: 64512, Neighbors: []frrk8sv1beta1.Neighbor{{
		Address: "192.0.2.254", ToAdvertise: frrk8sv1beta1.Advertise{NextHop: frrk8sv1beta1.NextHop{IPv4: "192.0.2.7"}},
	}}}}
	before := object.DeepCopy()
	s := newSent(object)
	answer := `{"metadata":{"name":"ovnbgp-worker-1","resourceVersion":"7"},"spec":{"bgp":{"routers":[{"asn":1,"neighbors":[{"address":"192.0.2.254"}]}]}}}`
	if err := json.Unmarshal([]byte(answer), s); err != nil {
		t.Fatal(err)
	}
	want := &frrk8sv1beta1.FRRConfiguration{}
	want.Name, want.ResourceVersion = "ovnbgp-worker-1", "7"
	want.Spec.BGP.Routers = []frrk8sv1beta1.Router{{ASN: 1, Neighbors: []frrk8sv1beta1.Neighbor{{Address: "192.0.2.254"}}}}
	if got := s.answer(); !reflect.DeepEqual(got, want) {
		t.Errorf("the answer is mixed with what was sent: %+v", got)
	}
	if !reflect.DeepEqual(object, before) {
		t.Errorf("the answer was written into the caller's object: %+v", object)
	}
}
