package cni

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/ovn"
)

// Migration is a virtual machine on its way to another node, with all that it
// remembers, such as TCP connections. There are two pods of it, as with KubeVirt: a
// switch port and a device on either node, with the same MAC and addresses. One of
// them is the machine's; the other one's switch port is disabled.
type Migration struct {
	Pod *Pod
	// Moved is when the node that the machine is on now began to tell of it.
	Moved time.Time

	cluster *Cluster
	network *clusterNetwork
	here    migrationEnd
	there   migrationEnd
}

type migrationEnd struct {
	node         *clusterNode
	port, device string
}

// StartMigration makes the pod on the other node. Until Switch nothing else changes.
func (c *Cluster) StartMigration(ctx context.Context, pod *Pod, to string) (*Migration, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	n := c.find(pod.Network)
	if n == nil || n.EVPN == nil || n.EVPN.MACVRF == nil {
		return nil, fmt.Errorf("pod %s can't migrate: its network %s has no MAC-VRF", pod.key(), pod.Network)
	}
	from, err := c.node(pod.Node)
	if err != nil {
		return nil, err
	}
	target, err := c.node(to)
	if err != nil {
		return nil, err
	}
	c.ports++
	number := strconv.Itoa(c.ports)
	m := &Migration{
		Pod: pod, cluster: c, network: n, here: migrationEnd{from, pod.port, pod.device},
		there: migrationEnd{target, n.podPort(pod.NAD, pod.Namespace, pod.Name+"-"+number), "pod" + number},
	}
	err = m.prepare(ctx)
	return m, err
}

// prepare makes the other end: the machine has the device, and does not use it.
func (m *Migration) prepare(ctx context.Context) error {
	node, target := m.there.node, *m.Pod
	target.Node, target.port = node.Name, m.there.port
	s := node.zone.podPort(&m.network.Network, &target, &node.Node)
	m.disable(s, m.there)
	if _, err := node.zone.central.NB(ctx, s.arguments()...); err != nil {
		return err
	}
	if err := node.vswitch.AddHostPort(ctx, ovn.Port{Name: m.there.device, LogicalPort: target.port, MAC: m.Pod.MAC, MTU: podMTU}); err != nil {
		return err
	}
	link, err := node.machine.Netlink().LinkByName(m.there.device)
	if err != nil {
		return err
	}
	if err := node.machine.Netlink().LinkSetNsFd(link, m.Pod.Machine.Network()); err != nil {
		return fmt.Errorf("move %s of %s into %s: %w", m.there.device, node.Name, m.Pod.Machine.Name, err)
	}
	if err := m.Pod.Machine.TXChecksumOff(m.there.device); err != nil {
		return err
	}
	if _, err := node.zone.central.NB(ctx, "wait-until", "logical_switch_port", target.port, "up=true"); err != nil {
		return fmt.Errorf("ovn-controller on %s did not attach pod %s: %w", node.Name, m.Pod.key(), err)
	}
	return nil
}

// Switch has the machine run on the other node, and nodes follow: first the one
// that it left tells nobody of it any more, then the other one does. Once more, it
// runs where it did before, as after a migration that failed.
func (m *Migration) Switch(ctx context.Context) error {
	c := m.cluster
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err := m.plug(); err != nil {
		return err
	}
	together, ctx := errgroup.WithContext(ctx)
	for end, change := range map[migrationEnd]func(*script, migrationEnd){m.here: m.disable, m.there: m.enable} {
		together.Go(func() error {
			s := &script{}
			change(s, end)
			_, err := end.node.zone.central.NB(ctx, s.arguments()...)
			return err
		})
	}
	err := errors.Join(c.setHost(m.here.node, m.network, m.Pod, false), c.setHost(m.there.node, m.network, m.Pod, true))
	m.Moved = time.Now()
	m.here, m.there = m.there, m.here
	m.Pod.Node, m.Pod.port, m.Pod.device = m.here.node.Name, m.here.port, m.here.device
	return errors.Join(err, together.Wait())
}

// disable and enable are what OVN-Kubernetes does with the ports of a virtual machine's two
// pods: the one that the machine isn't in has no addresses either, only port security.
func (m *Migration) disable(s *script, end migrationEnd) {
	s.add("lsp-set-enabled", end.port, "disabled")
	s.add("lsp-set-addresses", end.port)
}

func (m *Migration) enable(s *script, end migrationEnd) {
	s.add("lsp-set-addresses", end.port, portAddresses(m.Pod.MAC, addressesOf(m.Pod.Addresses)))
	s.add("lsp-set-enabled", end.port, "enabled")
}

// plug has the machine use the other device. Its addresses are on both: sockets
// don't lose them.
func (m *Migration) plug() error {
	guest := m.Pod.Machine
	if err := guest.SetLink(m.here.device, false); err != nil {
		return err
	}
	if err := guest.SetLink(m.there.device, true); err != nil {
		return err
	}
	if err := guest.AddAddresses(m.there.device, text(m.Pod.Addresses)...); err != nil {
		return err
	}
	for _, gateway := range addressesOf(nths(m.network.HostSubnets(&m.there.node.Node), 1)) {
		if err := guest.AddRoute(netip.PrefixFrom(gateway, 0).Masked(), gateway, 0); err != nil {
			return err
		}
	}
	return nil
}

// Finish deletes the pod on the node where the machine is not.
func (m *Migration) Finish(ctx context.Context) error {
	m.cluster.mutex.Lock()
	defer m.cluster.mutex.Unlock()
	left := m.there
	if _, err := left.node.zone.central.NB(ctx, "--if-exists", "lsp-del", left.port); err != nil {
		return err
	}
	return left.node.vswitch.DeletePort(ctx, left.device)
}
