package snapshot

import (
	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// networkIDs finds networks' IDs. Most networks need none, and nodes'
// annotations are large, so that nothing is read before it is asked for.
type networkIDs struct {
	objs     *Objects
	byNAD    map[string]int
	evpn     map[string][]*ovnk.NADEVPN
	byNode   map[string]int
	readNADs bool
	readNode bool
}

// vrf returns the name of the network's VRF device.
func (ids *networkIDs) vrf(cudn *ovnv1.ClusterUserDefinedNetwork) (string, *model.Problem) {
	if cudn.Status.VRFName != "" {
		return usableVRF(cudn.Name, cudn.Status.VRFName, finding.PublishedVRFName)
	}
	if vrf, ok := ovnk.VRFFromName(cudn.Name); ok {
		return usableVRF(cudn.Name, vrf, finding.DerivedVRFName)
	}
	if id, found := ids.find(ovnk.NetworkName(cudn.Name)); found {
		return ovnk.VRFFromID(id), nil
	}
	return "", finding.VRFUnknown(cudn.Name, ovnk.AnnotationNetworkID)
}

// usableVRF refuses a name that no device can have.
func usableVRF(cudn, vrf string, unusable func(cudn, vrf, fault string) *model.Problem) (string, *model.Problem) {
	if fault := model.DeviceNameFault(vrf); fault != "" {
		return "", unusable(cudn, vrf, fault)
	}
	return vrf, nil
}

// published is the ID that NetworkAttachmentDefinitions give, 0 for none. Older
// releases write IDs on nodes; those count for the one node only: see Surroundings.
func (ids *networkIDs) published(network string) int {
	if !ids.readNADs {
		ids.readNADs = true
		ids.byNAD = ids.idsFromNADs()
	}
	return ids.byNAD[network]
}

// find looks at NetworkAttachmentDefinitions first: older releases write the
// IDs on nodes instead.
func (ids *networkIDs) find(network string) (int, bool) {
	if id := ids.published(network); id != 0 {
		return id, true
	}
	if !ids.readNode {
		ids.readNode = true
		ids.byNode = ids.idsFromNodes()
	}
	id, found := ids.byNode[network]
	return id, found
}

// idsFromNADs returns the IDs by network name. The ID is the cluster's to
// give, so that all definitions of a network have the same; should they not
// while it changes, the lowest is as good as any and stays the same.
func (ids *networkIDs) idsFromNADs() map[string]int {
	out := map[string]int{}
	for i := range ids.objs.NADs {
		nad := &ids.objs.NADs[i]
		network := ids.networkOf(nad)
		value, published := nad.Annotations[ovnk.AnnotationNetworkID]
		if network == "" || !published {
			continue
		}
		id, err := ovnk.ParseNetworkID(value)
		if err != nil {
			continue
		}
		if known, found := out[network]; !found || id < known {
			out[network] = id
		}
	}
	return out
}

// networkOf returns the name of the network whose definition this is, "" for what
// a tenant may have written: only one that the very ClusterUserDefinedNetwork
// controls counts, in a namespace that it selects.
func (ids *networkIDs) networkOf(nad *nadv1.NetworkAttachmentDefinition) string {
	name, uid := ovnk.ControllingCUDN(nad)
	for i := range ids.objs.CUDNs {
		cudn := &ids.objs.CUDNs[i]
		if cudn.Name != name {
			continue
		}
		// Files need not have UIDs, nor namespaces.
		if cudn.UID != "" && cudn.UID != uid {
			return ""
		}
		selects, problem := selector(&cudn.Spec.NamespaceSelector, "")
		for j := range ids.objs.Namespaces {
			if ns := &ids.objs.Namespaces[j]; ns.Name == nad.Namespace && problem == nil && !selects.Matches(withName(ns.Labels, ns.Name)) {
				return ""
			}
		}
		return ovnk.NetworkName(name)
	}
	return ""
}

// IsDefaultNAD reports whether the definition is the default network's.
func IsDefaultNAD(nad *nadv1.NetworkAttachmentDefinition) bool {
	return nad.Namespace == ovnk.DefaultNADNamespace && nad.Name == ovnk.DefaultNADName
}

// ReadsConfig reports whether a Snapshot depends on the definition's configuration.
func ReadsConfig(nad *nadv1.NetworkAttachmentDefinition) bool {
	if IsDefaultNAD(nad) {
		return true
	}
	if name, _ := ovnk.ControllingCUDN(nad); name == "" {
		return false
	}
	evpn, err := ovnk.ParseNADEVPN(nad.Spec.Config)
	return err == nil && evpn != nil
}

// idsFromNodes takes the lowest ID of each network over all nodes; a malformed
// annotation counts as missing.
func (ids *networkIDs) idsFromNodes() map[string]int {
	out := map[string]int{}
	for i := range ids.objs.Nodes {
		value, published := ids.objs.Nodes[i].Annotations[ovnk.AnnotationNetworkIDs]
		if !published {
			continue
		}
		parsed, err := ovnk.ParseNetworkIDs(value)
		if err != nil {
			continue
		}
		for network, id := range parsed {
			if known, found := out[network]; !found || id < known {
				out[network] = id
			}
		}
	}
	return out
}
