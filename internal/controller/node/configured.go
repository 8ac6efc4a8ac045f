package node

import (
	"context"
	"slices"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
)

// success is what frr-k8s writes into FRRNodeState where all went well; before
// its first attempt the field is empty.
const success = "success"

// noteConfigured notes in the rendered parts what the node's frr-k8s made of
// them, and reports whether frr-k8s would say so. An FRRNodeState carries its node's name.
func (r *Reconciler) noteConfigured(ctx context.Context, node string, parts []model.NodePart) (told bool, err error) {
	var reported frrk8sv1beta1.FRRNodeState
	err = r.Reader.Get(ctx, types.NamespacedName{Name: node}, &reported, client.UnsafeDisableDeepCopy)
	switch {
	case meta.IsNoMatchError(err):
		return false, nil
	case err != nil:
		return true, client.IgnoreNotFound(err)
	}
	origins := apply.OriginsOf(&reported)
	for i := range parts {
		if !parts[i].State.Rendered() {
			continue
		}
		var state model.PartState
		state, parts[i].Failure = configured(&reported.Status, origins, &parts[i])
		outcome.Move(&parts[i], state)
	}
	return true, nil
}

// noteDrained notes whether the FRR of a node that drains has all that is planned for it.
func (r *Reconciler) noteDrained(node string, revision *current.Revision, parts []model.NodePart, told bool) {
	policy := revision.Drain(node).Policy
	if r.Drained.Set(node, policy != "" && carriedOut(parts, told)) && policy != "" {
		r.Drains.Now(policy)
	}
}

// carriedOut reports whether neighbors get what is planned, as far as frr-k8s tells.
func carriedOut(parts []model.NodePart, told bool) bool {
	return !slices.ContainsFunc(parts, func(part model.NodePart) bool {
		switch part.State {
		case model.PartIdle, model.PartNoTemplate, model.PartHeldBack, model.PartConfigured:
			return false
		default:
			return told || part.State != model.PartWritten
		}
	})
}

func configured(status *frrk8sv1beta1.FRRNodeStateStatus, origins apply.OriginatedPrefixes, part *model.NodePart) (model.PartState, model.Finding) {
	for _, result := range []struct{ step, text string }{
		{"conversion", status.LastConversionResult},
		{"reload", status.LastReloadResult},
	} {
		switch result.text {
		case success:
		case "":
			return model.PartWaiting, model.Finding{}
		default:
			return model.PartFailed, finding.FRRReportsError(result.step, result.text)
		}
	}
	for _, a := range part.Advertised {
		for _, r := range a.Routes {
			if !origins.Has(a.VRF, r.Prefix) {
				return model.PartWaiting, model.Finding{}
			}
		}
		// Without it FRR announces nothing of the VRF. A busy FRR 10.3 has been seen
		// to skip the line, in a reload that succeeded.
		if a.VNI != 0 && !origins.HasVNI(a.VRF, a.VNI) {
			return model.PartWaiting, model.Finding{}
		}
	}
	for _, m := range part.Marked {
		for _, r := range m.Routes {
			if !origins.Marks(m.VRF, m.Neighbor, r.Prefix) {
				return model.PartWaiting, model.Finding{}
			}
		}
	}
	return rawConfigured(origins, part.Raw)
}

// rawConfigured looks for what raw text adds to frr-k8s' filters. Without it the routes are
// not announced, whatever frr-k8s reports.
func rawConfigured(origins apply.OriginatedPrefixes, raw []model.RawRoutes) (model.PartState, model.Finding) {
	for i := range raw {
		r := &raw[i]
		if origins.FilteredOtherwise(r.VRF, r.Neighbor) {
			return model.PartFailed, finding.FilterNotFound(r.Neighbor, r.VRF, model.OutboundMap(r.VRF, r.Neighbor))
		}
		for _, route := range r.Routes {
			if !origins.Raw(r.VRF, r.Neighbor, route, r.ASN) {
				return model.PartWaiting, model.Finding{}
			}
		}
	}
	return model.PartConfigured, model.Finding{}
}
