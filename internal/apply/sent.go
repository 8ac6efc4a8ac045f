package apply

import (
	"encoding/json"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// sent is an FRRConfiguration on its way to the API server and, after that,
// the server's answer: the client decodes the answer into what it sent.
type sent struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        metav1.ObjectMeta                  `json:"metadata"`
	Spec            frrk8sv1beta1.FRRConfigurationSpec `json:"spec"`
}

func newSent(o *frrk8sv1beta1.FRRConfiguration) *sent {
	s := &sent{
		Metadata: metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name, Labels: o.Labels, Annotations: o.Annotations},
		Spec:     o.Spec,
	}
	s.SetGroupVersionKind(frrk8sv1beta1.GroupVersion.WithKind("FRRConfiguration"))
	return s
}

// answer is what the server stored.
func (s *sent) answer() *frrk8sv1beta1.FRRConfiguration {
	return &frrk8sv1beta1.FRRConfiguration{ObjectMeta: s.Metadata, Spec: s.Spec}
}

// MarshalJSON writes every field of the spec's upper levels, empty ones too.
// Server-side apply owns what it is sent: a field left out because it is empty
// would be anybody's to fill, and applying again would not empty it.
func (s *sent) MarshalJSON() ([]byte, error) {
	type bgp struct {
		Routers     []frrk8sv1beta1.Router     `json:"routers"`
		BFDProfiles []frrk8sv1beta1.BFDProfile `json:"bfdProfiles"`
	}
	type raw struct {
		Priority int    `json:"priority"`
		Config   string `json:"rawConfig"`
	}
	type spec struct {
		BGP          bgp                  `json:"bgp"`
		Raw          raw                  `json:"raw"`
		NodeSelector metav1.LabelSelector `json:"nodeSelector"`
	}
	return json.Marshal(struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        metav1.ObjectMeta `json:"metadata"`
		Spec            spec              `json:"spec"`
	}{s.TypeMeta, s.Metadata, spec{
		BGP: bgp{
			Routers:     append([]frrk8sv1beta1.Router{}, s.Spec.BGP.Routers...),
			BFDProfiles: append([]frrk8sv1beta1.BFDProfile{}, s.Spec.BGP.BFDProfiles...),
		},
		Raw:          raw{s.Spec.Raw.Priority, s.Spec.Raw.Config},
		NodeSelector: s.Spec.NodeSelector,
	}})
}

// UnmarshalJSON takes the answer into fresh memory. Decoding over what was sent
// would leave standing there what the server dropped, and write into the
// caller's lists.
func (s *sent) UnmarshalJSON(text []byte) error {
	type plain sent
	var fresh plain
	if err := json.Unmarshal(text, &fresh); err != nil {
		return err
	}
	*s = sent(fresh)
	return nil
}

// IsApplyConfiguration and the getters let the client take it as such.
func (s *sent) IsApplyConfiguration() {}

// GetName returns the object's name.
func (s *sent) GetName() *string { return &s.Metadata.Name }

// GetNamespace returns the object's namespace.
func (s *sent) GetNamespace() *string { return &s.Metadata.Namespace }

// GetKind returns the object's kind.
func (s *sent) GetKind() *string { return &s.Kind }

// GetAPIVersion returns the object's group and version.
func (s *sent) GetAPIVersion() *string { return &s.APIVersion }
