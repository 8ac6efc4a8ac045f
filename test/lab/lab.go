package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/kube"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// startWithin is how long a program may take to be ready on a quiet machine.
const startWithin = time.Minute

// fabricBridge is the segment, on a machine of its own.
const fabricBridge = "br0"

// Options are where things are, other than what the lab has.
type Options struct {
	// Kube is the control plane; it outlives the lab.
	Kube *kube.Cluster
	// Binaries is the folder of the programs that the lab runs; BinariesFolder
	// finds it.
	Binaries string
	// Evidence is where logs go at once, and everything else when Collect is
	// called.
	Evidence string
	// Progress gets a line per step; nil for none.
	Progress io.Writer
}

// Lab is a running lab.
type Lab struct {
	Description
	Kube    *kube.Cluster
	CNI     *cni.Cluster
	Manager *Manager
	Nodes   []*Node
	Routers []*Router
	// Programs is a folder with another version of manager and agent, which each
	// runs from its next start on; the lab's own if empty.
	Programs string

	options Options
	fabric  *machine.Machine
	capture *machine.Process
	// sniffers is how many there were.
	sniffers int
	began    time.Time
	// routerLinks numbers the links between routers.
	routerLinks int
	// follow ends what plays OVN-Kubernetes' node components.
	follow   context.CancelFunc
	followed chan error
}

// Start brings up a lab. Close has to be called on it, also after an error
// unless it is nil.
func Start(ctx context.Context, d Description, options Options) (*Lab, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	l := &Lab{Description: d, Kube: options.Kube, options: options, began: time.Now()}
	if err := os.MkdirAll(l.logs(), 0o755); err != nil {
		return nil, err
	}
	l.say("%s, on %s", d, machine.ThisKernel())
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"rights", l.grantRights},
		{"machines", l.makeMachines},
		{"routers, OVN", l.startNetworks},
		{"FRR, frr-k8s, manager", l.startPrograms},
		{"agents", l.startAgents},
	} {
		if err := step.do(ctx); err != nil {
			return l, fmt.Errorf("start the lab's %s: %w", step.name, err)
		}
		l.say("%s after %.1f s", step.name, time.Since(l.began).Seconds())
	}
	return l, nil
}

func (l *Lab) say(format string, args ...any) {
	if l.options.Progress != nil {
		fmt.Fprintf(l.options.Progress, "lab: "+format+"\n", args...)
	}
}

// program is the path of the manager or the agent.
func (l *Lab) program(name string) string {
	return filepath.Join(cmp.Or(l.Programs, l.options.Binaries), name)
}

func (l *Lab) logs() string { return filepath.Join(l.options.Evidence, "logs") }

// Log is the path of a machine's log by the label of the process.
func (l *Lab) Log(machine, label string) string {
	return filepath.Join(l.logs(), machine+"-"+label+".log")
}

// Node is a node by name; it is there.
func (l *Lab) Node(name string) *Node {
	for _, n := range l.Nodes {
		if n.Name == name {
			return n
		}
	}
	panic("the lab has no node " + name)
}

// Router is a router by name; it is there.
func (l *Lab) Router(name string) *Router {
	for _, r := range l.Routers {
		if r.Name == name {
			return r
		}
	}
	panic("the lab has no router " + name)
}

func (l *Lab) grantRights(ctx context.Context) error {
	checkout, err := controlplane.RepositoryRoot()
	if err != nil {
		return err
	}
	return l.Kube.GrantRights(ctx, checkout)
}

func (l *Lab) makeMachines(ctx context.Context) error {
	var err error
	if l.fabric, err = machine.New(ctx, "fabric", machine.Options{Logs: l.logs()}); err != nil {
		return err
	}
	if err := l.fabric.Bridge(fabricBridge, texts(l.onFabric(gateway))...); err != nil {
		return err
	}
	if err := l.startCapture(ctx); err != nil {
		return err
	}
	for i, description := range l.Description.Routers {
		r := &Router{RouterDescription: description, lab: l, number: byte(firstRouter + i)}
		l.Routers = append(l.Routers, r)
		if err := r.boot(ctx); err != nil {
			return err
		}
	}
	for i := range l.Description.Nodes {
		n := &Node{Name: fmt.Sprintf("node%d", i+1), Addresses: l.onFabric(byte(firstNode + i)), lab: l, number: byte(firstNode + i)}
		l.Nodes = append(l.Nodes, n)
		if err := n.boot(ctx); err != nil {
			return err
		}
	}
	m, err := machine.New(ctx, "manager", machine.Options{Logs: l.logs()})
	if err != nil {
		return err
	}
	l.Manager = &Manager{Machine: m, lab: l}
	return l.Kube.Open(ctx, m)
}

func (l *Lab) startNetworks(ctx context.Context) error {
	together, ctx := errgroup.WithContext(ctx)
	for _, r := range l.Routers {
		together.Go(func() error { return r.start(ctx) })
	}
	together.Go(func() error { return l.startCNI(ctx) })
	together.Go(func() error { return l.createNodes(ctx) })
	return together.Wait()
}

func (l *Lab) startCNI(ctx context.Context) error {
	options := cni.Options{LocalGateway: l.LocalGateway, LeaveVRFs: l.LeaveVRFs, LeaveSNAT: l.LeaveSNAT, LeaveEVPN: l.LeaveEVPN}
	for _, n := range l.Nodes {
		options.Nodes = append(options.Nodes, n.spec())
	}
	if l.SharedOVN {
		options.SharedOVN, options.SharedOVNAddress = l.fabric, l.onFabric(gateway)[0].Addr()
	}
	var err error
	if l.CNI, err = cni.New(ctx, options); err != nil {
		return err
	}
	return l.CNI.AddNetwork(ctx, cni.Network{
		Name: cni.Default, Topology: cni.Layer3, Subnets: l.ofFamilies(PodSubnets), NoOverlay: l.NoOverlay,
	})
}

func (l *Lab) startPrograms(ctx context.Context) error {
	if err := l.CNI.Publish(ctx, l.Kube.Client, nil); err != nil {
		return err
	}
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.follow, l.followed = stop, make(chan error, 1)
	go func() {
		err := l.CNI.Follow(following, l.Kube.Client)
		if err != nil {
			l.say("what plays OVN-Kubernetes' node components has ended: %v", err)
		}
		l.followed <- err
	}()
	together, ctx := errgroup.WithContext(ctx)
	together.Go(func() error { return l.Manager.Restart(ctx) })
	for _, n := range l.Nodes {
		together.Go(func() error { return n.start(ctx) })
	}
	return together.Wait()
}

func (l *Lab) startAgents(ctx context.Context) error {
	together, ctx := errgroup.WithContext(ctx)
	for _, n := range l.Nodes {
		together.Go(func() error { return n.StartAgent(ctx) })
	}
	return together.Wait()
}

// Close ends everything, and removes from the API server what the lab and its
// nodes have written. The control plane stays.
func (l *Lab) Close(ctx context.Context) error {
	var troubles []error
	if l.follow != nil {
		l.follow()
		troubles = append(troubles, <-l.followed)
	}
	// First those that write to the API server.
	if l.Manager != nil {
		troubles = append(troubles, l.Manager.Machine.Close())
	}
	for _, n := range l.Nodes {
		if n.Machine != nil {
			troubles = append(troubles, n.Machine.Close())
		}
	}
	for _, r := range l.Routers {
		if r.Machine != nil {
			troubles = append(troubles, r.Machine.Close())
		}
	}
	if l.fabric != nil {
		troubles = append(troubles, l.fabric.Close())
	}
	return errors.Join(append(troubles, l.removeObjects(ctx))...)
}

// Gateway is the fabric's default gateway, which leads nowhere.
func (l *Lab) Gateway(ipv4 bool) netip.Addr { return ofFamily(l.onFabric(gateway), ipv4).Addr() }
