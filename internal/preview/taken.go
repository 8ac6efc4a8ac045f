package preview

import (
	"slices"
	"strings"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// others are FRRConfigurations that the operator did not generate.
type others map[client.ObjectKey]bool

func othersOf(objects *snapshot.Objects) others {
	out := others{}
	for i := range objects.FRRConfigurations {
		if o := &objects.FRRConfigurations[i]; !model.Generated(o.Name, o.Labels, o.Annotations) {
			out[client.ObjectKeyFromObject(o)] = true
		}
	}
	return out
}

// render returns the node's objects but for those whose names are others': the
// operator leaves these alone, and blocks what would be in them.
func (o others) render(plan *model.NodePlan) []*frrk8sv1beta1.FRRConfiguration {
	objects := render.Node(plan)
	free := slices.DeleteFunc(slices.Clone(objects), func(c *frrk8sv1beta1.FRRConfiguration) bool { return o[client.ObjectKeyFromObject(c)] })
	for _, object := range objects {
		if !o[client.ObjectKeyFromObject(object)] {
			continue
		}
		hold(plan, object)
		if !slices.ContainsFunc(free, func(c *frrk8sv1beta1.FRRConfiguration) bool { return c.Namespace == object.Namespace }) {
			plan.Configs = slices.DeleteFunc(plan.Configs, func(c model.NodeConfig) bool { return c.Namespace == object.Namespace })
		}
	}
	return free
}

func hold(plan *model.NodePlan, object *frrk8sv1beta1.FRRConfiguration) {
	name := strings.Replace(object.Name, plan.Node, "<node>", 1)
	contributors := render.Contributors(object)
	for i := range plan.Parts {
		part := &plan.Parts[i]
		if !slices.Contains(contributors, part.RA) {
			continue
		}
		outcome.Move(part, model.PartRefused, finding.NotWritten(finding.NotOurs, render.NameTaken(object.Namespace+"/"+name)))
	}
}
