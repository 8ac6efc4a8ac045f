package ovnk

import "strconv"

// DeviceAlias begins the alias of devices that OVN-Kubernetes' node component made.
const DeviceAlias = "ovn-k8s-ndm:"

// VTEPDevices are what a node has for all networks of a VTEP.
type VTEPDevices struct {
	// Bridge has a VLAN for each MAC-VRF and IP-VRF.
	Bridge string
	// VXLAN is the bridge's port to the fabric, over IPv4.
	VXLAN string
}

// VTEPDevicesOf names the devices of a VTEP.
func VTEPDevicesOf(vtep string) VTEPDevices {
	return VTEPDevices{Bridge: deviceOf("evbr", vtep), VXLAN: deviceOf("evx4", vtep)}
}

// NetworkDevices are what a node has for one EVPN network.
type NetworkDevices struct {
	// L3SVI is the bridge's VLAN device of the IP-VRF, L2SVI that of the MAC-VRF.
	L3SVI, L2SVI string
	// Port is OVN's port of the bridge, by which pods are in the MAC-VRF.
	Port string
}

// NetworkDevicesOf names the devices of a network. ok is false where its name is too long
// for a device's, and its ID isn't known (0), which decides then.
func NetworkDevicesOf(network string, id int) (names NetworkDevices, ok bool) {
	cudn, _ := CUDNName(network)
	ok = true
	of := func(kind string) string {
		if name := kind + "-" + cudn; cudn != "" && len(name) <= maxDeviceName {
			return name
		}
		ok = ok && id > 0
		return kind + "." + strconv.Itoa(id)
	}
	return NetworkDevices{L3SVI: of("svl3"), L2SVI: of("svl2"), Port: of("ovl2")}, ok
}
