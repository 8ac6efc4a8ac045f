package install

import (
	"context"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// left are the objects that --take-over leaves to OVN-Kubernetes, and what it says
// of them.
var left = map[string]string{
	"bare": `network "bare" with transport NoOverlay`,
	"pods": "the default network, without overlay",
}

// TestTakeOverOfOtherTransports takes over a cluster of which only one network can
// be: the cluster manager doesn't do without its controller. The operator leaves it
// what has no overlay, renders EVPN beside it, and hands back both.
func TestTakeOverOfOtherTransports(t *testing.T) {
	c := newCluster(t)
	c.kubectl("apply", "--server-side", "--kustomize=config/crd")
	c.kubectl("apply", "--server-side", "--kustomize=config/overlays/ovn-kubernetes")
	c.fourTransports()
	complete := clusterManager{c: c, routeAdvertisements: true, evpn: true, transport: ovnk.TransportNoOverlay}
	c.Expect(complete.start()).To(Succeed())
	before := map[string]map[string]any{}
	for _, o := range c.atWork() {
		c.Expect(o.applyStatus()).To(Succeed())
		before[o.ra] = c.theirs(o)
	}
	there := c.follow()

	t.Log("what it would do")
	out, err := command(t, binary(t, "kubectl-ra"), "plan", "--kubeconfig="+c.kubeconfig, "--take-over")
	c.Expect(err).To(HaveOccurred(), "it says that something is left out")
	c.Expect(out).To(And(ContainSubstring("10.10.1.0/24"), ContainSubstring("10.20.1.0/24"), Not(ContainSubstring("10.30.1.0/24")), Not(ContainSubstring("10.244.1.0/24"))))
	for _, why := range left {
		c.Expect(strings.Join(strings.Fields(out), " ")).To(ContainSubstring("it is not taken over, because it selects " + why))
	}

	t.Log("OVN-Kubernetes' controller can't be switched off, as the page says")
	page := file(t, filepath.Join(root(t), "config", "MIGRATION.md"))
	off := complete
	off.routeAdvertisements = false
	c.Expect(off.start()).To(MatchError(errEVPNNeedsIt))
	c.Expect(page).To(ContainSubstring("| cluster manager with `--enable-evpn` | it does not start; CUDNs with transport EVPN turn `NetworkCreated=False` without that flag, too |"))
	off.evpn = false
	c.Expect(off.start()).To(MatchError(errNoOverlayNeedsIt))
	c.Expect(page).To(ContainSubstring("| default network with `transport=no-overlay` | it does not start |"))
	off.transport = ""
	c.Expect(off.start()).To(Succeed())
	c.Expect(c.refusedNetworks()).To(ConsistOf("evpn NetworkCreated", "evpn TransportAccepted", "bare TransportAccepted"))
	c.Expect(page).To(ContainSubstring("| CUDNs with transport NoOverlay | they turn `TransportAccepted=False` |"))
	c.Expect(complete.start()).To(Succeed())
	c.Expect(c.refusedNetworks()).To(BeEmpty())

	t.Log("taking over what can be")
	manager := c.run(home, c.flags("--take-over"))
	c.kubectl("wait", "--for=condition=Rendered", "--timeout=90s", "routeadvertisements", "plain")
	c.Expect(c.conditionOf("plain", status.Rendered).Message).To(ContainSubstring("OVN-Kubernetes' own controller can't be switched off in this cluster"))
	for ra, why := range left {
		c.Eventually(func() metav1.Condition { return c.conditionOf(ra, status.Rendered) }).Should(And(
			HaveField("Reason", "StandingAside"), HaveField("Message", ContainSubstring("It is not taken over, because it selects "+why))))
	}
	c.kubectl("wait", "--for=condition=Rendered", "--timeout=90s", "routeadvertisements", "evpn")
	c.Expect(c.conditionOf("evpn", status.Rendered).Message).To(And(HavePrefix("rendered on all 2 nodes"),
		ContainSubstring("OVN-Kubernetes' own controller renders it, too")))
	c.Expect(c.generated()).To(ConsistOf("ovnbgp-node-1", "ovnbgp-node-2"))
	c.kubectl("delete", "frrconfigurations", "--all-namespaces", "--selector="+ovnk.LabelRouteAdvertisements+"=plain")
	c.Expect(c.generatedFor("plain")).To(BeEmpty())
	there.expectNothingLost()
	c.expectLeft(before)

	t.Log("handing back")
	c.kubectl("--namespace="+home, "scale", "deployment", "ovn-bgp-operator", "--replicas=0")
	manager.stop(c)
	c.Expect(complete.start()).To(Succeed())
	for _, o := range c.atWork() {
		if o.ra == "plain" {
			c.Expect(o.applyStatus()).To(Satisfy(apierrors.IsConflict), "it can't write what this operator owns")
		}
	}
	c.kubectl("apply", "--kustomize=config/hand-back")
	ctx, cancel := context.WithCancel(t.Context())
	wait := c.runJobs(ctx)
	c.kubectl("--namespace="+home, "wait", "--for=condition=complete", "--timeout=3m", "job/ovn-bgp-operator-cleanup")
	cancel()
	wait()
	c.Expect(c.generated()).To(BeEmpty())
	there.expectNothingLost()
	for _, o := range c.atWork() {
		c.Expect(o.applyStatus()).To(Succeed(), o.ra)
		c.Expect(c.theirs(o)).To(Equal(before[o.ra]), "as before: %s", o.ra)
	}
}

// expectLeft finds what is not taken over as it was, but for what this operator says.
func (c *cluster) expectLeft(before map[string]map[string]any) {
	c.t.Helper()
	for _, o := range c.atWork() {
		if left[o.ra] == "" && !o.evpn {
			continue
		}
		now := c.theirs(o)
		maps.DeleteFunc(now, func(what string, _ any) bool {
			return what == "condition "+status.Rendered || o.evpn && what == "condition "+status.FRRConfigured
		})
		c.Expect(now).To(Equal(before[o.ra]), "left as it was: %s", o.ra)
	}
}

// refusedNetworks are the conditions of networks that are False.
func (c *cluster) refusedNetworks() (out []string) {
	c.t.Helper()
	var networks ovnv1.ClusterUserDefinedNetworkList
	c.Expect(c.admin.List(c.t.Context(), &networks)).To(Succeed())
	for i := range networks.Items {
		for _, condition := range networks.Items[i].Status.Conditions {
			if condition.Status == metav1.ConditionFalse {
				out = append(out, networks.Items[i].Name+" "+condition.Type)
			}
		}
	}
	return out
}
