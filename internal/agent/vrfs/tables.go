package vrfs

import (
	"fmt"
	"hash/fnv"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// Tables for networks without a management port are out of the reach of the
// numbers that OVN-Kubernetes makes of interface indexes, and below 1<<31, as
// there are tools that take tables for signed numbers.
const (
	firstByID   = 1_000_000_000
	firstByName = 1_100_000_000
	byNameCount = 900_000_000
)

// OVN-Kubernetes adds DefaultTableStart to the index of a network's management
// port, unless its nodes are configured with another start. A start lies above the kernel's
// own tables and below those of networks without a management port.
const (
	DefaultTableStart = 1000
	MinTableStart     = 256
	MaxTableStart     = 900_000_000
)

// owner says what has a table.
type owner struct {
	network string
	text    string
}

// tables knows what is taken.
type tables map[uint32]owner

// choose finds the table of a network that has no device yet.
func (t tables) choose(n *Network, devices map[string]Device, start uint32) (uint32, error) {
	if n.ID > 0 {
		if port, found := devices[ovnk.ManagementPort(n.ID)]; found && port.Kind != kindVRF {
			return t.take(n, start+uint32(port.Index))
		}
		if n.ID < firstByName-firstByID {
			return t.take(n, firstByID+uint32(n.ID))
		}
	}
	return t.takeByName(n), nil
}

// take fails rather than to look for another table: what a network with an ID
// has is the same on every node, or follows from what OVN-Kubernetes has.
func (t tables) take(n *Network, table uint32) (uint32, error) {
	if has, taken := t[table]; taken && has.network != n.Name {
		return 0, fmt.Errorf("its routing table would be %d, but that is taken by %s; remove that, or create the VRF device %q with a free table yourself",
			table, has.text, n.VRF)
	}
	t[table] = owner{network: n.Name, text: "network " + n.Name}
	return table, nil
}

func (t tables) takeByName(n *Network) uint32 {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(n.Name))
	for offset := hash.Sum32() % byNameCount; ; offset = (offset + 1) % byNameCount {
		if table, err := t.take(n, firstByName+offset); err == nil {
			return table
		}
	}
}
