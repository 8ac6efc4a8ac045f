package render

import (
	"encoding/json"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

const (
	// LabelManagedBy is Kubernetes' recommended label for the managing tool.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// AnnotationContributors lists, for people, the RouteAdvertisements that an
	// object comes from. It is not OVN-Kubernetes' annotation of a like name:
	// that one makes OVN-Kubernetes delete the object as a leftover of its own.
	AnnotationContributors = "ovnbgp.io/route-advertisements"
)

var groupVersionKind = frrk8sv1beta1.GroupVersion.WithKind("FRRConfiguration")

// Node renders a node's objects: one per namespace of templates, in numbered
// parts only past frr-k8s' limit of routers. A plan with Keep set renders
// nothing, and must not be applied.
func Node(p *model.NodePlan) []*frrk8sv1beta1.FRRConfiguration {
	if p.Keep {
		return nil
	}
	var objects []*frrk8sv1beta1.FRRConfiguration
	for i := range p.Configs {
		config := &p.Configs[i]
		for j, part := range split(config) {
			object := newObject(p, config, Name(p.Node, j+1))
			object.Spec.BGP = bgpConfig(part)
			if j == 0 {
				object.Spec.Raw.Config = rawConfig(config)
			}
			objects = append(objects, object)
		}
	}
	return objects
}

// Contributors reads back which RouteAdvertisements a generated object comes
// from; nil if the annotation was damaged.
func Contributors(o metav1.Object) []string {
	var names []string
	if err := json.Unmarshal([]byte(o.GetAnnotations()[AnnotationContributors]), &names); err != nil {
		return nil
	}
	return names
}

func newObject(p *model.NodePlan, config *model.NodeConfig, name string) *frrk8sv1beta1.FRRConfiguration {
	object := &frrk8sv1beta1.FRRConfiguration{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: config.Namespace,
			Name:      name,
			Labels: map[string]string{
				model.LabelGenerated: "true",
				LabelManagedBy:       model.FieldManager,
			},
			Annotations: map[string]string{
				model.AnnotationNode:   p.Node,
				AnnotationContributors: jsonList(config.Contributors),
			},
		},
		Spec: frrk8sv1beta1.FRRConfigurationSpec{
			NodeSelector: metav1.LabelSelector{MatchLabels: map[string]string{model.LabelHostname: p.Hostname}},
		},
	}
	object.SetGroupVersionKind(groupVersionKind)
	return object
}

func jsonList(names []string) string {
	if len(names) == 0 {
		return "[]"
	}
	// A list of strings always has a JSON form.
	text, _ := json.Marshal(names)
	return string(text)
}

func bgpConfig(p part) frrk8sv1beta1.BGPConfig {
	out := frrk8sv1beta1.BGPConfig{Routers: make([]frrk8sv1beta1.Router, 0, len(p.routers))}
	for i := range p.routers {
		out.Routers = append(out.Routers, router(&p.routers[i]))
	}
	for i := range p.profiles {
		out.BFDProfiles = append(out.BFDProfiles, bfdProfile(&p.profiles[i]))
	}
	return out
}

func bfdProfile(p *model.BFDProfile) frrk8sv1beta1.BFDProfile {
	return frrk8sv1beta1.BFDProfile{
		Name:             p.Name,
		ReceiveInterval:  p.ReceiveInterval,
		TransmitInterval: p.TransmitInterval,
		DetectMultiplier: p.DetectMultiplier,
		EchoInterval:     p.EchoInterval,
		EchoMode:         p.EchoMode,
		PassiveMode:      p.PassiveMode,
		MinimumTTL:       p.MinimumTTL,
	}
}
