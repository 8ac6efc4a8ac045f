package ovnk

import (
	"strconv"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// maxDeviceName is how many characters the kernel takes (IFNAMSIZ without its
// terminator).
const maxDeviceName = 15

// VRFFromName returns the name of a ClusterUserDefinedNetwork's VRF device
// where it follows from the network's name alone; otherwise ok is false, and
// the network's ID decides: see VRFFromID.
func VRFFromName(cudn string) (vrf string, ok bool) {
	// "default" is how FRR calls the VRF that has no device.
	if cudn == model.DefaultVRF || len(cudn) > maxDeviceName {
		return "", false
	}
	return cudn, true
}

// VRFFromID returns the name of the VRF device of a network whose own name
// can't serve as one.
func VRFFromID(networkID int) string { return "mp" + strconv.Itoa(networkID) + "-udn-vrf" }

// ManagementPort is the device by which a node reaches a network's pods. The
// default network has the ID 0.
func ManagementPort(networkID int) string { return "ovn-k8s-mp" + strconv.Itoa(networkID) }
