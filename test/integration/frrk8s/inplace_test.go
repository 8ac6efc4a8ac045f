package frrk8s_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/inplace"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"
)

var _ = Describe("A template that is changed in place", Ordered, ContinueOnFailure, func() {
	BeforeAll(func(ctx context.Context) { startWebhook(ctx).install(ctx) })

	var configured func() (string, error)
	BeforeEach(func(ctx context.Context) {
		createNamespace(ctx, objects.FRRNamespace)
		createNamespace(ctx, "metallb-system")
		clear := func(ctx context.Context) {
			Expect(admin.DeleteAllOf(ctx, &ovnv1.RouteAdvertisements{})).To(Succeed())
			empty(ctx)
		}
		clear(ctx)
		DeferCleanup(clear)
		keepNodeState(ctx, "node-1")
		create(ctx, objects.Node(1), objects.Node(2), fabricTemplate(), advertisement("pods"))
		startManager()
		// The daemon gathers changes for a moment only: not its patience hides a state.
		configured = startDaemonWith("node-1", time.Millisecond, reloader())
		Eventually(ctx, configured, soon).Should(And(
			ContainSubstring("permit 10.244.1.0/24"), ContainSubstring("network 203.0.113.0/24"), ContainSubstring("timers 3 9")))
		// Told to end in the middle of a change, the daemon hangs.
		DeferCleanup(func(ctx context.Context) {
			last := configuration("last", func(o *frrk8sv1beta1.FRRConfiguration) {
				o.Spec.BGP.Routers, o.Spec.Raw.Config = nil, "! the last change"
			})
			create(ctx, last)
			Eventually(ctx, configured, soon).Should(ContainSubstring(last.Spec.Raw.Config))
		})
	})

	// Neither can go first, so that it helps nobody to tell the operator what comes.
	It("is refused by frr-k8s' webhook from kubectl apply, as generated objects are before it", func(ctx context.Context) {
		wanted := fabricTemplate(withTimers)
		Expect(update(ctx, wanted)).To(MatchError(ContainSubstring("multiple hold times specified")))
		for _, o := range listConfigurations(ctx) {
			if _, generated := o.Labels[model.LabelGenerated]; generated {
				withTimers(&o)
				Expect(admin.Update(ctx, &o)).To(MatchError(ContainSubstring("multiple hold times specified")))
			}
		}
	})

	// Were these taken, generated objects could leave them to the template.
	DescribeTable("can't leave its settings to itself, because frr-k8s refuses beside it a session without them", func(ctx context.Context, adjust func(*frrk8sv1beta1.Neighbor), why string) {
		o := fabricTemplate(onNodes(model.LabelHostname, "node-2"))
		adjust(neighbor(o))
		o.Name = "other"
		o.Labels = nil
		err := admin.Create(ctx, o, client.DryRunAll)
		if why == "" {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		Expect(err).To(MatchError(ContainSubstring(why)))
	},
		Entry("timers", func(n *frrk8sv1beta1.Neighbor) { n.HoldTime, n.KeepaliveTime = nil, nil }, "multiple hold times"),
		Entry("the keepalive time", func(n *frrk8sv1beta1.Neighbor) { n.KeepaliveTime = &metav1.Duration{Duration: 2 * time.Second} }, "multiple keepalive times"),
		Entry("the connect time", func(n *frrk8sv1beta1.Neighbor) { n.ConnectTime = nil }, "multiple connect times"),
		Entry("a password", func(n *frrk8sv1beta1.Neighbor) { n.Password = "" }, "multiple passwords"),
		Entry("ebgpMultiHop", func(n *frrk8sv1beta1.Neighbor) { n.EBGPMultiHop = false }, "conflicting ebgp-multihop"),
		Entry("a source address", func(n *frrk8sv1beta1.Neighbor) { n.SourceAddress = "" }, "multiple source addresses"),
		Entry("a port", func(n *frrk8sv1beta1.Neighbor) { n.Port = nil }, "multiple ports"),
		Entry("a local AS number", func(n *frrk8sv1beta1.Neighbor) { n.LocalASN = 0 }, "multiple localASNs"),
		Entry("but not a BFD profile", func(n *frrk8sv1beta1.Neighbor) { n.BFDProfile = "" }, ""),
		Entry("nor allowAsIn", func(n *frrk8sv1beta1.Neighbor) { n.AllowAsIn = "" }, ""),
		Entry("nor graceful restart, which it does not compare", func(n *frrk8sv1beta1.Neighbor) { n.EnableGracefulRestart = false }, ""),
	)

	DescribeTable("goes from one FRR configuration to the other, and through no third", func(ctx context.Context, adjust func(*frrk8sv1beta1.FRRConfiguration), want ...string) {
		before, err := configured()
		Expect(err).NotTo(HaveOccurred())
		seen := watchVersions(configured)

		Expect(changer().Run(ctx, loose(fabricTemplate(adjust)))).To(Equal([]inplace.Outcome{inplace.InPlace}))
		matchers := []OmegaMatcher{ContainSubstring("permit 10.244.1.0/24"), ContainSubstring("network 203.0.113.0/24"), ContainSubstring("permit any")}
		for _, line := range want {
			matchers = append(matchers, ContainSubstring(line))
		}
		Eventually(ctx, configured, soon).Should(And(matchers...))
		after, err := configured()
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, conversionResult, soon).WithArguments("node-1").Should(Equal("success"))

		Expect(seen()).To(ConsistOf(before, after))
		expectNoTrace(ctx)
	},
		Entry("timers", withTimers, "timers 10 30"),
		Entry("the time between attempts to connect", func(o *frrk8sv1beta1.FRRConfiguration) {
			neighbor(o).ConnectTime = &metav1.Duration{Duration: 7 * time.Second}
		}, "timers connect 7"),
		Entry("a password", func(o *frrk8sv1beta1.FRRConfiguration) { neighbor(o).Password = "open-sesame" }, "password open-sesame"),
		Entry("a BFD profile", func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Spec.BGP.BFDProfiles[0].DetectMultiplier = new(uint32(5))
		}, "detect-multiplier 5"),
		Entry("ebgpMultiHop, a source address and a port", func(o *frrk8sv1beta1.FRRConfiguration) {
			n := neighbor(o)
			n.EBGPMultiHop, n.SourceAddress, n.Port = false, "192.0.2.9", new(uint16(1179))
		}, "update-source 192.0.2.9", "port 1179"),
		Entry("the local AS number of a session", func(o *frrk8sv1beta1.FRRConfiguration) { neighbor(o).LocalASN = 64888 }, "local-as 64888"),
		Entry("the neighbor's AS number", func(o *frrk8sv1beta1.FRRConfiguration) { neighbor(o).ASN = 64999 }, "remote-as 64999"),
		Entry("the router's AS number", func(o *frrk8sv1beta1.FRRConfiguration) { o.Spec.BGP.Routers[0].ASN = 64600 }, "router bgp 64600"),
		Entry("nodes too", func(o *frrk8sv1beta1.FRRConfiguration) {
			withTimers(o)
			o.Spec.NodeSelector.MatchLabels = map[string]string{model.LabelHostname: "node-1"}
		}, "timers 10 30"),
	)

	It("is changed by kubectl ra apply, unless something would be left out", func(ctx context.Context) {
		Expect(kubectlRA(ctx, fabricTemplate(withTimers), "apply", "-f", "-")).To(Equal("frrconfiguration.frrk8s.metallb.io/fabric configured in place\n"))
		Expect(kubectlRA(ctx, fabricTemplate(withTimers), "apply", "-f", "-")).To(Equal("frrconfiguration.frrk8s.metallb.io/fabric unchanged\n"))

		// The operator has no use for a neighbor of both families.
		bothFamilies := fabricTemplate(withTimers, func(o *frrk8sv1beta1.FRRConfiguration) { neighbor(o).DualStackAddressFamily = true })
		_, err := kubectlRA(ctx, bothFamilies, "apply", "-f", "-")
		Expect(err).To(MatchError(And(ContainSubstring("nothing was changed"), ContainSubstring("dualStackAddressFamily"))))
		expectNoTrace(ctx)
		Expect(kubectlRA(ctx, bothFamilies, "apply", "-f", "-", "--force")).To(HaveSuffix("configured in place\n"))
		Eventually(ctx, configured, soon).ShouldNot(ContainSubstring("permit 10.244.1.0/24"))
	})

	It("stays with who applies it server-side", func(ctx context.Context) {
		applied := loose(fabricTemplate())[0]
		Expect(admin.Apply(ctx, client.ApplyConfigurationFromUnstructured(applied.DeepCopy()), client.FieldOwner("flux"), client.ForceOwnership)).To(Succeed())
		wanted := loose(fabricTemplate(withTimers))[0]
		Expect(changer().Run(ctx, []*unstructured.Unstructured{wanted})).To(Equal([]inplace.Outcome{inplace.InPlace}))
		// Without force: nobody else has got hold of a field.
		Expect(admin.Apply(ctx, client.ApplyConfigurationFromUnstructured(wanted.DeepCopy()), client.FieldOwner("flux"))).To(Succeed())
		another := loose(fabricTemplate(withTimers, onNodes(model.LabelHostname, "node-1")))[0]
		Expect(admin.Apply(ctx, client.ApplyConfigurationFromUnstructured(another), client.FieldOwner("flux"))).To(Succeed())
	})

	It("is put back if frr-k8s does not take it in time", func(ctx context.Context) {
		before, err := configured()
		Expect(err).NotTo(HaveOccurred())
		// The planner does not see what is in another namespace; the webhook does.
		create(ctx, configuration("peers", func(o *frrk8sv1beta1.FRRConfiguration) {
			o.Namespace = "metallb-system"
			*neighbor(o) = *neighbor(fabricTemplate()).DeepCopy()
			neighbor(o).ToReceive, neighbor(o).ToAdvertise, neighbor(o).BFDProfile = frrk8sv1beta1.Receive{}, frrk8sv1beta1.Advertise{}, ""
		}))
		seen := watchVersions(configured)
		c := changer()
		c.Within = 3 * time.Second
		_, err = c.Run(ctx, loose(fabricTemplate(withTimers)))
		Expect(err).To(MatchError(And(ContainSubstring("multiple hold times specified"), ContainSubstring("The change was undone"))))
		Eventually(ctx, conversionResult, soon).WithArguments("node-1").Should(Equal("success"))
		Expect(seen()).To(ConsistOf(before))
		expectNoTrace(ctx)
		var found frrk8sv1beta1.FRRConfiguration
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(fabricTemplate()), &found)).To(Succeed())
		Expect(neighbor(&found).HoldTime.Duration).To(Equal(9 * time.Second))
	})

	It("is put back if somebody interrupts", func(ctx context.Context) {
		running, cancel := context.WithCancel(ctx)
		defer cancel()
		c := changer()
		c.Client = &interrupting{Client: c.Client, cancel: cancel}
		_, err := c.Run(running, loose(fabricTemplate(withTimers)))
		Expect(err).To(MatchError(And(ContainSubstring("interrupted"), ContainSubstring("The change was undone"))))
		expectNoTrace(ctx)
		Eventually(ctx, conversionResult, soon).WithArguments("node-1").Should(Equal("success"))
		Expect(configured()).To(ContainSubstring("timers 3 9"))
	})

	It("is finished by the next change if the first was killed", func(ctx context.Context) {
		before, err := configured()
		Expect(err).NotTo(HaveOccurred())
		seen := watchVersions(configured)
		killed := changer()
		killed.Client, killed.Within = &dying{Client: killed.Client}, time.Second
		_, err = killed.Run(ctx, loose(fabricTemplate(withTimers)))
		Expect(err).To(MatchError(ContainSubstring("Nor could the change be undone")))
		Eventually(ctx, rendered("pods"), soon).Should(HaveField("Message", ContainSubstring("is being changed by kubectl ra apply")))

		By("not disturbing one that may still be at work")
		_, err = changer().Run(ctx, loose(fabricTemplate(withTimers)))
		Expect(err).To(MatchError(ContainSubstring("try again after")))

		By("not being given up by the manager when its time is over")
		var hold frrk8sv1beta1.FRRConfiguration
		Expect(admin.Get(ctx, client.ObjectKey{Namespace: objects.FRRNamespace, Name: "hold-fabric"}, &hold)).To(Succeed())
		hold.Annotations[model.AnnotationHoldUntil] = time.Now().Add(-time.Minute).Format(time.RFC3339)
		Expect(admin.Update(ctx, &hold)).To(Succeed())
		Consistently(ctx, func() error { return admin.Get(ctx, client.ObjectKeyFromObject(&hold), &hold) }, time.Second).Should(Succeed())

		By("going on")
		Expect(changer().Run(ctx, loose(fabricTemplate(withTimers)))).To(Equal([]inplace.Outcome{inplace.InPlace}))
		Eventually(ctx, configured, soon).Should(ContainSubstring("timers 10 30"))
		after, err := configured()
		Expect(err).NotTo(HaveOccurred())
		Expect(seen()).To(ConsistOf(before, after))
		expectNoTrace(ctx)
	})

	It("leaves no hold behind, because the manager removes it", func(ctx context.Context) {
		killed := changer()
		killed.Client = &dying{Client: killed.Client, updates: 1}
		_, err := killed.Run(ctx, loose(fabricTemplate(withTimers)))
		Expect(err).To(MatchError(ContainSubstring("FRR stays as it is until FRRConfiguration frr-k8s-system/hold-fabric is deleted")))
		Eventually(ctx, conversionResult, soon).WithArguments("node-1").Should(ContainSubstring("kubectl-ra-apply-is-at-work"))
		var hold frrk8sv1beta1.FRRConfiguration
		Expect(admin.Get(ctx, client.ObjectKey{Namespace: objects.FRRNamespace, Name: "hold-fabric"}, &hold)).To(Succeed())

		hold.Annotations[model.AnnotationHoldUntil] = time.Now().Add(-time.Minute).Format(time.RFC3339)
		Expect(admin.Update(ctx, &hold)).To(Succeed())
		Eventually(ctx, configured, soon).Should(ContainSubstring("timers 10 30"))
		expectNoTrace(ctx)
	})
})

// fabricTemplate has something of everything: a session with settings, a prefix of its
// own, and what it receives.
func fabricTemplate(adjust ...func(*frrk8sv1beta1.FRRConfiguration)) *frrk8sv1beta1.FRRConfiguration {
	return configuration("fabric", append([]func(*frrk8sv1beta1.FRRConfiguration){template, func(o *frrk8sv1beta1.FRRConfiguration) {
		o.Spec.BGP.Routers[0].Prefixes = []string{"203.0.113.0/24"}
		o.Spec.BGP.BFDProfiles = []frrk8sv1beta1.BFDProfile{{Name: "fast", DetectMultiplier: new(uint32(3))}}
		n := neighbor(o)
		n.HoldTime, n.KeepaliveTime = &metav1.Duration{Duration: 9 * time.Second}, &metav1.Duration{Duration: 3 * time.Second}
		n.BFDProfile, n.Password, n.EBGPMultiHop, n.SourceAddress = "fast", "secret", true, "192.0.2.8"
		n.Port, n.ConnectTime, n.LocalASN = new(uint16(1180)), &metav1.Duration{Duration: 5 * time.Second}, 64777
		n.AllowAsIn, n.EnableGracefulRestart = frrk8sv1beta1.AllowAsInOrigin, true
		n.ToAdvertise.Allowed.Mode, n.ToReceive.Allowed.Mode = frrk8sv1beta1.AllowAll, frrk8sv1beta1.AllowAll
	}}, adjust...)...)
}

func neighbor(o *frrk8sv1beta1.FRRConfiguration) *frrk8sv1beta1.Neighbor {
	return &o.Spec.BGP.Routers[0].Neighbors[0]
}

func withTimers(o *frrk8sv1beta1.FRRConfiguration) {
	neighbor(o).HoldTime, neighbor(o).KeepaliveTime = &metav1.Duration{Duration: 30 * time.Second}, &metav1.Duration{Duration: 10 * time.Second}
}

func changer() *inplace.Changer {
	return &inplace.Changer{Client: admin, Now: time.Now, Within: 30 * time.Second}
}

// kubectlRA runs the program with a file on its standard input.
func kubectlRA(ctx context.Context, file *frrk8sv1beta1.FRRConfiguration, arguments ...string) (string, error) {
	GinkgoHelper()
	folder := GinkgoT().TempDir()
	kubeconfig, program := filepath.Join(folder, "kubeconfig"), filepath.Join(folder, "kubectl-ra")
	Expect(cluster.WriteKubeconfig(kubeconfig)).To(Succeed())
	output, err := exec.CommandContext(ctx, "go", "build", "-o", program, "../../../cmd/kubectl-ra").CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", output)
	text, err := yaml.Marshal(loose(file)[0].Object)
	Expect(err).NotTo(HaveOccurred())
	command := exec.CommandContext(ctx, program, append(arguments, "--kubeconfig="+kubeconfig)...)
	command.Stdin = bytes.NewReader(text)
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err = command.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, problems.String())
	}
	return string(output), err
}

// loose are the objects as a file has them.
func loose(configurations ...*frrk8sv1beta1.FRRConfiguration) []*unstructured.Unstructured {
	GinkgoHelper()
	var out []*unstructured.Unstructured
	for _, c := range configurations {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c)
		Expect(err).NotTo(HaveOccurred())
		o := &unstructured.Unstructured{Object: fields}
		o.SetGroupVersionKind(frrk8sv1beta1.GroupVersion.WithKind("FRRConfiguration"))
		unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
		unstructured.RemoveNestedField(o.Object, "status")
		out = append(out, o)
	}
	return out
}

func update(ctx context.Context, o *frrk8sv1beta1.FRRConfiguration) error {
	var live frrk8sv1beta1.FRRConfiguration
	if err := admin.Get(ctx, client.ObjectKeyFromObject(o), &live); err != nil {
		return err
	}
	live.Spec = o.Spec
	return admin.Update(ctx, &live)
}

// watchVersions returns a function that ends the watch and returns all that the daemon
// ever told FRR meanwhile.
func watchVersions(configured func() (string, error)) func() []string {
	ended, ending := make(chan struct{}), make(chan struct{})
	var versions []string
	go func() {
		defer close(ended)
		again := time.NewTicker(200 * time.Microsecond)
		defer again.Stop()
		seen := map[string]bool{}
		for {
			// The daemon empties the file before it writes it.
			text, err := configured()
			if err == nil && strings.Contains(text, "route-map") && !seen[text] {
				seen[text] = true
				versions = append(versions, text)
			}
			select {
			case <-ending:
				return
			case <-again.C:
			}
		}
	}()
	end := sync.OnceFunc(func() { close(ending); <-ended })
	DeferCleanup(end)
	return func() []string { end(); return versions }
}

// expectNoTrace finds no hold and no mark.
func expectNoTrace(ctx context.Context) {
	GinkgoHelper()
	for _, o := range listConfigurations(ctx) {
		Expect(o.Name).NotTo(HavePrefix("hold-"))
		Expect(inplace.IsMarked(&o.Spec.NodeSelector)).To(BeFalse())
	}
}

// interrupting cancels once the template is on no node.
type interrupting struct {
	client.Client
	cancel context.CancelFunc
}

func (i *interrupting) Update(ctx context.Context, o client.Object, options ...client.UpdateOption) error {
	err := i.Client.Update(ctx, o, options...)
	if c, ok := o.(*unstructured.Unstructured); ok && err == nil && strings.Contains(c.GetName(), "fabric") {
		i.cancel()
	}
	return err
}

// dying lets nothing more pass once the template was written so many times and once
// more, as if the program were killed there. The first time it is on no node.
type dying struct {
	client.Client
	// updates are those that it survives.
	updates int
	dead    bool
}

var errDead = errors.New("dead")

func (d *dying) Update(ctx context.Context, o client.Object, options ...client.UpdateOption) error {
	if d.dead {
		return errDead
	}
	err := d.Client.Update(ctx, o, options...)
	if err == nil {
		d.dead = d.updates == 0
		d.updates--
	}
	return err
}

func (d *dying) Delete(ctx context.Context, o client.Object, options ...client.DeleteOption) error {
	if d.dead {
		return errDead
	}
	return d.Client.Delete(ctx, o, options...)
}
