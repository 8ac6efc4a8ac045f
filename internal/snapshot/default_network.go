package snapshot

import (
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// defaultNetwork is the pod network, which OVN-Kubernetes runs as a Layer3 one.
// Its subnets are in OVN-Kubernetes' flags only: they have to be known where it
// has no overlay, because nodes learn each other's parts by BGP then.
func defaultNetwork(objs *Objects, settings model.Settings) model.Network {
	out := model.Network{Name: model.DefaultNetwork, Primary: true, Topology: model.TopologyLayer3}
	if len(settings.DefaultNoOverlay) > 0 {
		out.Transport, out.Subnets = model.TransportNoOverlay, settings.DefaultNoOverlay
		return out
	}
	if evidence := defaultWithoutOverlay(objs); evidence != "" {
		out.Transport = model.TransportNoOverlay
		out.SubnetsNotice = finding.PodSubnetsUnknown(evidence)
	}
	return out
}

// defaultWithoutOverlay returns the evidence that the default network has no
// overlay, "" if there is none.
func defaultWithoutOverlay(objs *Objects) finding.NoOverlayEvidence {
	for i := range objs.NADs {
		nad := &objs.NADs[i]
		if !IsDefaultNAD(nad) {
			continue
		}
		if transport, err := ovnk.NADTransport(nad.Spec.Config); err == nil && transport == ovnk.TransportNoOverlay {
			return finding.NADWithTransport(nad.Namespace+"/"+nad.Name, transport)
		}
	}
	for i := range objs.RouteAdvertisements {
		if name := objs.RouteAdvertisements[i].Name; name == ovnk.ManagedDefaultName {
			return finding.ManagedDefault(name)
		}
	}
	return ""
}
