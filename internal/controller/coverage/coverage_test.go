package coverage

import (
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// object is a generated object for a node: in the default VRF a prefix to one
// neighbor, and an import of VRF blue.
func object(name, hostname string) *frrk8sv1beta1.FRRConfiguration {
	return &frrk8sv1beta1.FRRConfiguration{
		ObjectMeta: metav1.ObjectMeta{Namespace: "frr-k8s-system", Name: name},
		Spec: frrk8sv1beta1.FRRConfigurationSpec{
			NodeSelector: metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/hostname": hostname}},
			BGP: frrk8sv1beta1.BGPConfig{Routers: []frrk8sv1beta1.Router{{
				ASN: 64512, Prefixes: []string{"10.244.1.0/24"}, Imports: []frrk8sv1beta1.Import{{VRF: "blue"}},
				Neighbors: []frrk8sv1beta1.Neighbor{{Address: "192.0.2.1", ASN: 64513, ToAdvertise: frrk8sv1beta1.Advertise{
					Allowed: frrk8sv1beta1.AllowedOutPrefixes{Prefixes: []string{"10.244.1.0/24"}}}}},
			}}},
		},
	}
}

func TestAnObjectGoesOnlyWhenOthersDoAllThatItDoes(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(o *frrk8sv1beta1.FRRConfiguration)
		want   string
	}{
		{"all of it", func(*frrk8sv1beta1.FRRConfiguration) {}, ""},
		{"in other words", func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Spec.BGP.Routers[0].Prefixes[0] = "10.244.1.7/24"
			o.Spec.BGP.Routers[0].Neighbors[0].ToAdvertise.Allowed = frrk8sv1beta1.AllowedOutPrefixes{Mode: frrk8sv1beta1.AllowAll}
		}, ""},
		{"for every node", func(o *frrk8sv1beta1.FRRConfiguration) { o.Spec.NodeSelector = metav1.LabelSelector{} }, ""},
		{"on another node", func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Spec.NodeSelector.MatchLabels["kubernetes.io/hostname"] = "node-2"
		}, "originate 10.244.1.0/24 in VRF default"},
		{"in another namespace", func(o *frrk8sv1beta1.FRRConfiguration) { o.Namespace = "metallb-system" }, "originate 10.244.1.0/24"},
		{"in another VRF", func(o *frrk8sv1beta1.FRRConfiguration) { o.Spec.BGP.Routers[0].VRF = "blue" }, "originate 10.244.1.0/24 in VRF default"},
		{"to another neighbor", func(o *frrk8sv1beta1.FRRConfiguration) { o.Spec.BGP.Routers[0].Neighbors[0].Address = "192.0.2.2" }, "advertise 10.244.1.0/24 to 192.0.2.1 in VRF default"},
		{"without the import", func(o *frrk8sv1beta1.FRRConfiguration) { o.Spec.BGP.Routers[0].Imports = nil }, "import VRF blue into VRF default"},
	} {
		t.Run(test.name, func(t *testing.T) {
			other := object("ovnk-generated-x", "node-1")
			test.change(other)
			err := Others{other}.Missing(object("ovnbgp-node-1", "node-1"))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
