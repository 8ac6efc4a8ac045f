package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
)

// evpnManaged is evpnByAgent, where nodes have their ends of tunnels from the operator.
func evpnManaged() lab.Description {
	d := evpnByAgent()
	d.AgentArgs = append(d.AgentArgs, "--manage-vteps")
	d.ManagerArgs = []string{"--manage-vteps"}
	return d
}

// Ranges of the VTEP: at first it has an address for each of the lab's two nodes. The
// router's end is in none of them.
var (
	narrow = netip.MustParsePrefix("192.168.103.0/31")
	wide   = netip.MustParsePrefix("192.168.103.0/29")
)

// tellOfManagedVTEP is story 31: nodes come and go, and so do addresses.
func tellOfManagedVTEP() {
	It("keep them while others come and go and the range is widened, and no address changes hands", func(ctx context.Context) {
		l := use(ctx, evpnManaged())
		tor, staying, leaving := l.Router("tor"), l.Node("node1"), l.Node("node2")
		e := startTunnels(ctx, l, tor, l.Nodes...)
		g := watchGiven(ctx, l, e.VTEP)
		apply(ctx, l, vtepManifest(e, "Managed", narrow))
		t, v, pods := guest(ctx, l, e, "tenants", 4)
		apply(ctx, l, peering(l, tor), overVRF("story31", "auto", t.selector()))
		for _, pod := range pods {
			expectEachOther(ctx, l, pod, t.server)
		}
		first := g.current()
		Expect(first).To(And(HaveLen(len(l.Nodes)), HaveEach(Satisfy(narrow.Contains))))
		for _, node := range l.Nodes {
			t.expectBehind(ctx, l, node, first[node.Name])
		}
		f := &streams{}
		f.add(ctx, "server to a pod of another node", t.server.Machine, pods[0].Address(true))

		By("a node for which no address is left")
		const third = "node3"
		addNode(ctx, l, third)
		Eventually(ctx, acceptance(l, e)).Should(And(HavePrefix(ovnv1.VTEPReasonAllocationFailed), ContainSubstring(third)))
		Expect(g.current()).To(Equal(first))

		By("the range widened")
		apply(ctx, l, vtepManifest(e, "Managed", wide))
		Eventually(ctx, g.current).Should(HaveKeyWithValue(third, Satisfy(wide.Contains)))
		Eventually(ctx, acceptance(l, e)).Should(HavePrefix(ovnv1.VTEPReasonAllocated))
		for node, address := range first {
			Expect(g.current()).To(HaveKeyWithValue(node, address))
		}

		By("a node gone")
		Expect(l.Kube.Client.Delete(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: leaving.Name}})).To(Succeed())
		DeferCleanup(func(ctx context.Context) {
			if !current.broken {
				Expect(rejoin(ctx, l, leaving)).To(Succeed())
			}
		})
		leaving.Drain()
		t.expectPathsTo(ctx, l, v, leaving.Name, 0)
		Eventually(ctx, func(ctx context.Context) ([]string, error) { return tor.Prefixes(ctx, "", true) }).
			ShouldNot(ContainElement(netip.PrefixFrom(first[leaving.Name], 32).String()))
		Eventually(ctx, g.current).ShouldNot(HaveKey(leaving.Name))
		expectEachOther(ctx, l, pods[0], t.server)

		By("and back")
		Expect(rejoin(ctx, l, leaving)).To(Succeed())
		Eventually(ctx, g.current).Should(HaveKeyWithValue(leaving.Name, Satisfy(wide.Contains)))
		t.expectBehind(ctx, l, leaving, g.current()[leaving.Name])
		expectEachOther(ctx, l, pods[1], t.server)
		expectSeenAs(ctx, pods[0].Machine, pods[1].Address(true), pods[0].Address(true))

		By("nobody else had a hand in it")
		t.expectBehind(ctx, l, staying, first[staying.Name])
		for address, nodes := range g.everyHolder() {
			Expect(nodes).To(HaveLen(1), "nodes that were given %s", address)
		}
		Expect(f.hasAnswers()).To(BeTrue())
		reportOutage("EVPN, nodes come and go", "server to a pod of another node", f.outage())
		Expect(f.outage()).To(BeNumerically("<", notAnOutage))
	})
}

// expectBehind waits until the router has a node's part of the network behind one end of
// tunnels only.
func (t *evpnTenant) expectBehind(ctx context.Context, l *lab.Lab, node *lab.Node, end netip.Addr) {
	GinkgoHelper()
	subnet := nodeSubnetOf(l, t.name(), node.Name, true)
	Eventually(ctx, func(ctx context.Context) ([]netip.Addr, error) {
		routes, err := l.Router("tor").FRR.TypeFives(ctx)
		var ends []netip.Addr
		for _, route := range routes {
			if route.Prefix == subnet {
				ends = append(ends, route.NextHops...)
			}
		}
		return ends, err
	}).Should(ConsistOf(end), "ends of tunnels to %s, on %s", subnet, node.Name)
}

// addNode adds a node to the API on which nothing runs.
func addNode(ctx context.Context, l *lab.Lab, name string) {
	GinkgoHelper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}}}
	Expect(l.Kube.Client.Create(ctx, node)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(l.Kube.Client.Delete(ctx, node)).To(Succeed()) })
}

// acceptance is the reason and the message of a VTEP's condition.
func acceptance(l *lab.Lab, e *lab.EVPN) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		var vtep ovnv1.VTEP
		if err := l.Kube.Client.Get(ctx, client.ObjectKey{Name: e.VTEP}, &vtep); err != nil {
			return "", err
		}
		condition := meta.FindStatusCondition(vtep.Status.Conditions, ovnv1.VTEPAccepted)
		if condition == nil {
			return "", nil
		}
		return condition.Reason + ": " + condition.Message, nil
	}
}

// given is which nodes were given which addresses of a VTEP.
type given struct {
	vtep string

	mutex   sync.Mutex
	now     map[string]netip.Addr
	holders map[netip.Addr][]string
	problem error
}

// watchGiven follows until the end of the spec which node is given which address. A look
// now and then could miss that two have the same one.
func watchGiven(ctx context.Context, l *lab.Lab, vtep string) *given {
	GinkgoHelper()
	g := &given{vtep: vtep, now: map[string]netip.Addr{}, holders: map[netip.Addr][]string{}}
	events, err := l.Kube.Client.Watch(context.WithoutCancel(ctx), &v1alpha1.NodeNetworksList{})
	Expect(err).NotTo(HaveOccurred())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range events.ResultChan() {
			g.note(event)
		}
	}()
	DeferCleanup(func() {
		events.Stop()
		<-done
		Expect(g.problem).NotTo(HaveOccurred())
	})
	return g
}

func (g *given) note(event watch.Event) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	object, is := event.Object.(client.Object)
	if !is {
		g.problem = fmt.Errorf("the watch of NodeNetworks ended: %v", event.Object)
		return
	}
	delete(g.now, object.GetName())
	value := object.GetAnnotations()["ovnbgp.io/vteps"]
	if event.Type == watch.Deleted || value == "" {
		return
	}
	var all map[string]struct{ IPs []netip.Addr }
	if err := json.Unmarshal([]byte(value), &all); err != nil {
		g.problem = fmt.Errorf("%s was given %q: %w", object.GetName(), value, err)
		return
	}
	for _, address := range all[g.vtep].IPs {
		g.now[object.GetName()] = address
		if !slices.Contains(g.holders[address], object.GetName()) {
			g.holders[address] = append(g.holders[address], object.GetName())
		}
	}
}

// current are the addresses by node.
func (g *given) current() map[string]netip.Addr {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return maps.Clone(g.now)
}

// everyHolder are all nodes that were ever given an address.
func (g *given) everyHolder() map[netip.Addr][]string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return maps.Clone(g.holders)
}
