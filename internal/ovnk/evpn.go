package ovnk

import (
	"encoding/json"
	"fmt"
)

// TransportEVPN is how a NetworkAttachmentDefinition calls the transport.
const TransportEVPN = "evpn"

// NADEVPN is what OVN-Kubernetes decided about the EVPN of a network.
type NADEVPN struct {
	MACVRF, IPVRF NADVPN
}

// NADVPN is one VRF of it, zero where the network has none.
type NADVPN struct {
	VNI uint32 `json:"vni"`
	// VID is allocated once for the whole cluster, from 2 to 4094.
	VID uint16 `json:"vid"`
}

// lastVID is the highest VLAN that 802.1Q has; 0 stands for none, and OVN-Kubernetes
// reserves 1, a bridge's own default.
const lastVID = 4094

// ParseNADEVPN reads the EVPN of a NetworkAttachmentDefinition's configuration; nil for
// a network of another transport. OVN-Kubernetes (go-controller/pkg/cni/types) writes
// more into it, which repeats the ClusterUserDefinedNetwork.
func ParseNADEVPN(config string) (*NADEVPN, error) {
	var parsed struct {
		Transport string `json:"transport"`
		EVPN      *struct {
			MACVRF NADVPN `json:"macVRF"`
			IPVRF  NADVPN `json:"ipVRF"`
		} `json:"evpn"`
	}
	if err := json.Unmarshal([]byte(config), &parsed); err != nil {
		return nil, fmt.Errorf("the configuration can't be read: %w", err)
	}
	if parsed.Transport != TransportEVPN || parsed.EVPN == nil {
		return nil, nil
	}
	out := &NADEVPN{MACVRF: parsed.EVPN.MACVRF, IPVRF: parsed.EVPN.IPVRF}
	for _, vpn := range []NADVPN{out.MACVRF, out.IPVRF} {
		if vpn.VID == 1 || vpn.VID > lastVID {
			return nil, fmt.Errorf("VLAN %d of VNI %d is not one from 2 to %d", vpn.VID, vpn.VNI, lastVID)
		}
	}
	return out, nil
}
