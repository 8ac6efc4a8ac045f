package lab

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/kube"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Uplink is the node's link to the fabric, a port of br-ex.
const Uplink = "eth0"

// Node is a node of the cluster.
type Node struct {
	Name      string
	Machine   *machine.Machine
	Addresses []netip.Prefix
	FRR       *frr.FRR
	FRRK8s    *frrk8s.FRRK8s
	Agent     *machine.Process

	lab    *Lab
	number byte
}

// Address is the node's on the fabric.
func (n *Node) Address(ipv4 bool) netip.Addr { return ofFamily(n.Addresses, ipv4).Addr() }

// boot makes the machine and links it to the fabric.
func (n *Node) boot(ctx context.Context) error {
	var err error
	if n.Machine, err = machine.New(ctx, n.Name, machine.Options{Logs: n.lab.logs()}); err != nil {
		return err
	}
	if err := machine.Link(
		// A network card keeps its MAC when its machine reboots.
		machine.End{Machine: n.Machine, Name: Uplink, MAC: fmt.Sprintf("02:00:00:64:00:%02x", n.number)},
		machine.End{Machine: n.lab.fabric, Name: n.Name, Master: fabricBridge}); err != nil {
		return err
	}
	return n.lab.Kube.Open(ctx, n.Machine)
}

func (n *Node) spec() cni.NodeSpec {
	return cni.NodeSpec{
		Machine: n.Machine, Uplink: Uplink, Addresses: n.Addresses,
		NextHops: addresses(n.lab.onFabric(gateway)),
	}
}

// start starts FRR and frr-k8s.
func (n *Node) start(ctx context.Context) error {
	var err error
	// What else is in it is frr-k8s' business.
	if n.FRR, err = frr.Start(ctx, n.Machine, "frr defaults traditional\nlog stdout informational\n"); err != nil {
		return err
	}
	kubeconfig, err := n.lab.Kube.Admit(ctx, n.Machine, kube.FRRK8sAccount)
	if err != nil {
		return err
	}
	n.FRRK8s, err = frrk8s.Start(ctx, n.Machine, frrk8s.Options{
		Binaries: n.lab.options.Binaries, Kubeconfig: kubeconfig,
		Debounce: n.lab.Debounce, Poll: 5 * time.Second,
	})
	return err
}

// StartAgent starts the agent, ending it first if it runs.
func (n *Node) StartAgent(ctx context.Context, args ...string) error {
	if n.Agent != nil {
		n.Agent.Kill()
	}
	kubeconfig, err := n.lab.Kube.Admit(ctx, n.Machine, kube.AgentAccount)
	if err != nil {
		return err
	}
	const probes = "127.0.0.1:8083"
	central := n.lab.CNI.Central(n.Name)
	northbound := central.NorthboundEndpoint()
	if central.Machine != n.Machine {
		northbound = central.RemoteNorthboundEndpoint()
	}
	flags := []string{
		"--kubeconfig=" + kubeconfig, "--node=" + n.Name, "--ovn-nb=" + northbound,
		"--cluster-subnets=" + strings.Join(texts(n.lab.ofFamilies(PodSubnets)), ","),
		"--service-subnets=" + strings.Join(texts(n.lab.ofFamilies(ServiceSubnets)), ","),
		"--health-probe-bind-address=" + probes, "--metrics-bind-address=0",
		"--log-format=text", "--log-level=debug",
	}
	if n.lab.NoOverlay {
		flags = append(flags, "--default-network-no-overlay")
	}
	flags = append(append(flags, n.lab.AgentArgs...), args...)
	if n.Agent, err = n.Machine.Start(ctx, "agent", n.lab.program("agent"), flags...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, machine.Patience(startWithin))
	defer cancel()
	return n.Machine.AwaitHTTP(ctx, "http://"+probes+"/readyz", n.Agent)
}

// PowerOff ends the node's machine as a power failure does.
func (n *Node) PowerOff() error { return n.Machine.Close() }

// PowerOn makes the machine anew, as it is after a reboot: everything that was
// not on a disk is gone, pods as well. It needs a lab with an OVN per node.
func (n *Node) PowerOn(ctx context.Context) error {
	if err := n.boot(ctx); err != nil {
		return err
	}
	if err := n.lab.CNI.Reboot(ctx, n.Machine); err != nil {
		return err
	}
	if err := n.lab.CNI.Publish(ctx, n.lab.Kube.Client, nil); err != nil {
		return err
	}
	n.Agent = nil
	if err := n.start(ctx); err != nil {
		return err
	}
	return n.StartAgent(ctx)
}

// Drain ends what a node's Pods run when its Node is deleted: the DaemonSets'
// pods go with it.
func (n *Node) Drain() {
	n.Agent.Kill()
	n.FRRK8s.Kill()
	n.FRR.Kill()
}

// Undrain starts them again, as new pods do: FRR without a configuration.
func (n *Node) Undrain(ctx context.Context) error {
	if err := n.start(ctx); err != nil {
		return err
	}
	return n.StartAgent(ctx)
}
