package ovnk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
)

// VTEPFinalizer is on every VTEP that OVN-Kubernetes' cluster manager looks after. It
// adds it before it says anything of one.
const VTEPFinalizer = "k8s.ovn.org/vtep-protection"

// VTEPDummy names the device that has a node's addresses of a VTEP, where the operator
// gave them to it.
func VTEPDummy(vtep string) string { return deviceOf("vtep", vtep) }

// deviceOf is the name of a VTEP's device of a kind: as OVN-Kubernetes names its own, with
// a hash where the name is too long for a device's.
func deviceOf(kind, vtep string) string {
	if name := kind + "-" + vtep; len(name) <= maxDeviceName {
		return name
	}
	hash := sha256.Sum256([]byte(vtep))
	return kind + "." + hex.EncodeToString(hash[:4])
}

// FormatVTEPs is what ParseVTEPs reads, byte by byte the same for the same addresses; ""
// for none.
func FormatVTEPs(vteps map[string][]netip.Addr) string {
	type entry struct {
		IPs []netip.Addr `json:"ips"`
	}
	out := make(map[string]entry, len(vteps))
	for name, addresses := range vteps {
		if len(addresses) > 0 {
			out[name] = entry{addresses}
		}
	}
	if len(out) == 0 {
		return ""
	}
	text, err := json.Marshal(out)
	if err != nil {
		// Names and addresses are text.
		panic(err)
	}
	return string(text)
}
