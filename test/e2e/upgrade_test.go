package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// An upgrade replaces all manifests at once, and then the pods one after the other.
// The CRDs come first, so that the lab has this version's from the start.
var _ = Describe("Upgrades", Label("upgrade"), Ordered, func() {
	var previous, checkout string
	BeforeAll(func() {
		if previous = os.Getenv("OVNBGP_LAB_PREVIOUS"); previous == "" {
			Skip("SKIPPED, NOT PASSED: there is no previous version here; `make e2e-upgrade BASE=<commit>` builds it and runs this")
		}
		var err error
		checkout, err = controlplane.RepositoryRoot()
		Expect(err).NotTo(HaveOccurred())
	})

	for _, managerFirst := range []bool{true, false} {
		order := map[bool]string{true: "manager first", false: "agents first"}[managerFirst]
		It(fmt.Sprintf("withdraw no prefix, remove no row and drop no packet: %s", order), func(ctx context.Context) {
			d := lab.Default()
			d.LeaveSNAT, d.AgentArgs = true, []string{"--manage-snat"}
			l := use(ctx, d)
			downgrade(ctx, l, previous)
			DeferCleanup(func(ctx context.Context) {
				l.Programs = ""
				Expect(l.Kube.GrantRights(ctx, checkout)).To(Succeed())
				Expect(l.Manager.Restart(ctx)).To(Succeed())
				startAgents(ctx, l)
			})
			w := watchUpgrade(ctx, l)

			Expect(l.Kube.GrantRights(ctx, checkout)).To(Succeed())
			l.Programs = ""
			if managerFirst {
				Expect(l.Manager.Restart(ctx)).To(Succeed())
				w.expectNothingLost(ctx, "new manager, old agents without their rights")
				startAgents(ctx, l)
			} else {
				startNewAgents(ctx, l)
				w.expectNothingLost(ctx, "new agents, old manager")
				Expect(l.Manager.Restart(ctx)).To(Succeed())
			}
			w.expectNothingLost(ctx, "all new")
			w.expectCurrent(ctx)
		})
	}
})

// downgrade has the lab run the previous version, on a cluster that has never seen
// this one.
func downgrade(ctx context.Context, l *lab.Lab, previous string) {
	GinkgoHelper()
	l.Manager.Kill()
	for _, n := range l.Nodes {
		n.Agent.Kill()
	}
	Expect(l.Kube.Client.DeleteAllOf(ctx, &v1alpha1.NodeNetworks{})).To(Succeed())
	l.Programs = previous
	Expect(l.Kube.GrantRights(ctx, filepath.Join(previous, "checkout"))).To(Succeed())
	Expect(l.Manager.Restart(ctx)).To(Succeed())
	startAgents(ctx, l)
}

func startAgents(ctx context.Context, l *lab.Lab) {
	GinkgoHelper()
	for _, n := range l.Nodes {
		Expect(n.StartAgent(ctx)).To(Succeed())
	}
}

// startNewAgents starts agents beside the previous version's manager. If that publishes
// no NodeNetworks, they stay unready and wait for the new one: a DaemonSet's rollout stops
// at the first of them.
func startNewAgents(ctx context.Context, l *lab.Lab) {
	GinkgoHelper()
	var published v1alpha1.NodeNetworksList
	Expect(l.Kube.Client.List(ctx, &published)).To(Succeed())
	if len(published.Items) > 0 {
		startAgents(ctx, l)
		return
	}
	for _, n := range l.Nodes {
		soon, cancel := context.WithTimeout(ctx, machine.Patience(3*time.Second))
		Expect(n.StartAgent(soon)).To(MatchError(ContainSubstring("is not ready")))
		cancel()
		Expect(os.ReadFile(n.Agent.Log)).To(ContainSubstring("Waiting for the manager"))
	}
}

// upgrade is what must stay while versions change.
type upgrade struct {
	*lab.Lab
	tor *lab.Router
	// exported are the nodes' subnets, subnets the router's, and later those that it
	// announces once all is new.
	exported, subnets, later []netip.Prefix

	flows           []*flow
	stop            context.CancelFunc
	mutex           sync.Mutex
	lost, unwatched []string
}

// watchUpgrade sets up import and export with the version that runs, and watches rows,
// the router's paths and packets from then on.
func watchUpgrade(ctx context.Context, l *lab.Lab) *upgrade {
	GinkgoHelper()
	w := &upgrade{
		Lab: l, tor: l.Router("tor"),
		subnets: within(l, prefixes("172.20.120.0/24", "fd00:172:20:120::/64")),
		later:   within(l, prefixes("172.20.121.0/24", "fd00:172:20:121::/64")),
	}
	server := startServer(ctx, w.tor, "web", w.subnets...)
	apply(ctx, l, peering(l, w.tor), advertisement("upgrade", defaultNetwork))
	announce(ctx, w.tor, w.subnets...)
	for _, n := range l.Nodes {
		pod := startPod(ctx, l, cni.PodSpec{Namespace: "upgrade", Name: "pod-" + n.Name, Node: n.Name})
		// Seen with its own address: SNAT is open, too.
		expectSeenAs(ctx, pod.Machine, server.Address(true), pod.Address(true))
		expectSeenAs(ctx, server.Machine, pod.Address(true), server.Address(true))
		w.flows = append(w.flows,
			watchFlow(ctx, "client to pod of "+n.Name, server.Machine, pod.Address(true)),
			watchFlow(ctx, "pod of "+n.Name+" to server", pod.Machine, server.Address(true)))
		for _, prefix := range w.subnets {
			expectRowVia(ctx, l, n.Name, prefix, w.tor, prefix.Addr().Is4())
		}
		for _, ipv4 := range l.Families() {
			w.exported = append(w.exported, nodeSubnet(l, n.Name, ipv4))
			expectPathVia(ctx, w.tor, nodeSubnet(l, n.Name, ipv4), n.Address(ipv4))
		}
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	done := make(chan struct{})
	go func() {
		defer close(done)
		again := time.NewTicker(200 * time.Millisecond)
		defer again.Stop()
		for watching.Err() == nil {
			w.look(watching)
			select {
			case <-watching.Done():
			case <-again.C:
			}
		}
	}()
	DeferCleanup(func() {
		stop()
		<-done
	})
	return w
}

// look notes what is missing right now.
func (w *upgrade) look(ctx context.Context) {
	for _, n := range w.Nodes {
		rows, err := importedRows(ctx, w.Lab, n.Name)
		w.note(ctx, err)
		for _, prefix := range w.subnets {
			found := slices.ContainsFunc(rows, func(r row) bool { return r.Prefix == prefix })
			w.noteLost(err != nil || found, "%s has no row to %s", n.Name, prefix)
		}
	}
	for _, subnet := range w.exported {
		paths, err := w.tor.Paths(ctx, "", subnet)
		w.note(ctx, err)
		w.noteLost(err != nil || len(paths) > 0, "%s has no path to %s", w.tor.Name, subnet)
	}
}

func (w *upgrade) note(ctx context.Context, err error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if err != nil && ctx.Err() == nil {
		w.unwatched = append(w.unwatched, err.Error())
	}
}

func (w *upgrade) noteLost(found bool, format string, args ...any) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if !found {
		w.lost = append(w.lost, fmt.Sprintf(format, args...))
	}
}

// expectNothingLost gives a stage of the upgrade time to do harm.
func (w *upgrade) expectNothingLost(ctx context.Context, stage string) {
	GinkgoHelper()
	Consistently(ctx, func() []string {
		w.mutex.Lock()
		defer w.mutex.Unlock()
		return w.lost
	}).WithTimeout(8*time.Second).Should(BeEmpty(), stage)
	for _, f := range w.flows {
		Expect(f.outage()).To(BeNumerically("<", notAnOutage), "%s: %s", stage, f.name)
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	Expect(w.unwatched).To(BeEmpty(), "%s: what could not be looked at", stage)
}

// expectCurrent checks that the version that runs now does its work: routes come and
// go, and prefixes are withdrawn.
func (w *upgrade) expectCurrent(ctx context.Context) {
	GinkgoHelper()
	announce(ctx, w.tor, w.later...)
	for _, n := range w.Nodes {
		var networks v1alpha1.NodeNetworks
		Expect(w.Kube.Client.Get(ctx, client.ObjectKey{Name: n.Name}, &networks)).To(Succeed())
		for _, prefix := range w.later {
			expectRowVia(ctx, w.Lab, n.Name, prefix, w.tor, prefix.Addr().Is4())
		}
	}
	w.stop()
	for _, f := range w.flows {
		f.end()
	}
	Expect(w.tor.Withdraw(ctx, w.subnets...)).To(Succeed())
	remove(ctx, w.Lab, advertisement("upgrade", defaultNetwork))
	for _, n := range w.Nodes {
		Eventually(ctx, rowIs(w.Lab, n, w.subnets[0], false)).Should(BeTrue())
		Eventually(ctx, pathIs(w.tor.FRR, nodeSubnet(w.Lab, n.Name, true), false)).Should(BeTrue())
	}
}
