package rbac_test

import (
	"context"
	"slices"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// as is a client of an account, with what RBAC gives it.
func (a account) as(ctx context.Context) client.Client {
	GinkgoHelper()
	made, err := client.New(a.config(ctx), client.Options{Scheme: admin.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return made
}

// named is a client of a user that RBAC lets do everything.
func named(user string) client.Client {
	GinkgoHelper()
	config := rest.CopyConfig(cluster.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
	made, err := client.New(config, client.Options{Scheme: admin.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return made
}

func refused(err error, why ...string) {
	GinkgoHelper()
	Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)
	for _, text := range why {
		Expect(err).To(MatchError(ContainSubstring(text)))
	}
}

func definition(namespace, name string) *nadv1.NetworkAttachmentDefinition {
	return &nadv1.NetworkAttachmentDefinition{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       nadv1.NetworkAttachmentDefinitionSpec{Config: `{"cniVersion":"1.0.0","type":"macvlan"}`},
	}
}

func controlledBy(cudn string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "k8s.ovn.org/v1", Kind: ovnk.CUDNKind, Name: cudn, UID: "a-guess", Controller: new(true)}}
}

// patch merges JSON into an object, in no version in particular.
func patch(ctx context.Context, c client.Client, o client.Object, json string) error {
	return c.Patch(ctx, o.DeepCopyObject().(client.Object), client.RawPatch(types.MergePatchType, []byte(json)))
}

var _ = Describe("Which network a NetworkAttachmentDefinition is of, says", Ordered, func() {
	const (
		cudns   = `{"k8s.ovn.org/network-name":"cluster_udn_blue","k8s.ovn.org/network-id":"4"}`
		advice  = "If the account is one of OVN-Kubernetes, add it to the writers of ValidatingAdmissionPolicy ovn-bgp-network-identity"
		manager = "system:serviceaccount:ovn-kubernetes:ovnkube-cluster-manager"
	)
	tenant := account{"tenant", "default", ""}
	var c client.Client

	BeforeAll(func(ctx context.Context) {
		create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: tenant.namespace, Name: tenant.name}},
			&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: "networks"}, Rules: []rbacv1.PolicyRule{
				{APIGroups: []string{"k8s.cni.cncf.io"}, Resources: []string{"*"}, Verbs: []string{"*"}},
			}},
			&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "tenant", Name: "networks"},
				RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "networks"},
				Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "tenant", Name: "default"}}})
		c = tenant.as(ctx)
	})

	It("OVN-Kubernetes, whose garbage is collected", func(ctx context.Context) {
		upstream := named(manager)
		made := definition("tenant", "blue")
		made.Labels = map[string]string{ovnk.LabelUserDefinedNetwork: ""}
		made.OwnerReferences = controlledBy("blue")
		Expect(upstream.Create(ctx, made)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(admin.Delete(ctx, made))).To(Succeed()) })
		Expect(patch(ctx, upstream, made, `{"metadata":{"annotations":`+cudns+`}}`)).To(Succeed())
		for _, collector := range []string{"system:serviceaccount:kube-system:generic-garbage-collector", "system:kube-controller-manager"} {
			Expect(patch(ctx, named(collector), made, `{"metadata":{"ownerReferences":null}}`)).To(Succeed())
			made.OwnerReferences = controlledBy("blue")
			Expect(patch(ctx, upstream, made, `{"metadata":{"ownerReferences":[{"apiVersion":"k8s.ovn.org/v1","kind":"ClusterUserDefinedNetwork","name":"blue","uid":"a-guess","controller":true}]}}`)).To(Succeed())
		}

		By("a tenant changing the rest of it, and deleting it")
		Expect(patch(ctx, c, made, `{"metadata":{"annotations":{"note":"mine"},"labels":{"a":"b"}}}`)).To(Succeed())
		refused(patch(ctx, c, made, `{"metadata":{"annotations":{"k8s.ovn.org/network-id":"5"}}}`), "k8s.ovn.org/network-id", advice)
		refused(patch(ctx, c, made, `{"metadata":{"annotations":{"k8s.ovn.org/network-name":null}}}`), "k8s.ovn.org/network-name", advice)
		refused(patch(ctx, c, made, `{"metadata":{"labels":{"k8s.ovn.org/user-defined-network":null}}}`), "k8s.ovn.org/user-defined-network", advice)
		refused(patch(ctx, c, made, `{"metadata":{"ownerReferences":null}}`), "ownerReferences", advice)
		Expect(c.Delete(ctx, made)).To(Succeed())
	})

	It("no tenant, whatever the rest is", func(ctx context.Context) {
		mine := definition("tenant", "mine")
		Expect(c.Create(ctx, mine)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, mine)).To(Succeed()) })
		Expect(patch(ctx, c, mine, `{"metadata":{"annotations":{"k8s.v1.cni.cncf.io/resourceName":"a/b"}}}`)).To(Succeed())
		for _, annotation := range []string{
			ovnk.AnnotationNetworkName, ovnk.AnnotationNetworkID, ovnk.AnnotationRouteAdvertisements, "k8s.ovn.org/tunnel-keys", "ovnbgp.io/route-advertisements",
		} {
			refused(patch(ctx, c, mine, `{"metadata":{"annotations":{"`+annotation+`":"1"}}}`), "tenant/mine", annotation, "system:serviceaccount:tenant:default", advice)
			o := definition("tenant", "another")
			o.Annotations = map[string]string{annotation: "1"}
			refused(c.Create(ctx, o), "tenant/another", annotation, advice)
		}
		o := definition("tenant", "")
		o.GenerateName, o.Labels = "another-", map[string]string{ovnk.LabelUserDefinedNetwork: ""}
		refused(c.Create(ctx, o), "tenant/another-", "k8s.ovn.org/user-defined-network", advice)
		o = definition("tenant", "another")
		o.OwnerReferences = controlledBy("blue")
		refused(c.Create(ctx, o), "tenant/another", "ownerReferences", advice)
	})

	It("whoever the policy names beside it", func(ctx context.Context) {
		o := definition("tenant", "blue")
		o.Annotations = map[string]string{ovnk.AnnotationNetworkName: "cluster_udn_blue"}
		refused(c.Create(ctx, o, client.DryRunAll), advice)
		setVariable(ctx, "ovn-bgp-network-identity", "writers", "['"+tenant.user()+"']")
		Eventually(func() error { return c.Create(ctx, o, client.DryRunAll) }).Should(Succeed())
	})

	It("no administrator by mistake", func(ctx context.Context) {
		o := definition("tenant", "blue")
		o.Annotations = map[string]string{ovnk.AnnotationNetworkName: "cluster_udn_blue"}
		refused(admin.Create(ctx, o), ovnk.AnnotationNetworkName, advice)
	})
})

var _ = Describe("The manager's account", Ordered, func() {
	var manager client.Client

	BeforeAll(func(ctx context.Context) { manager = managerAccount.as(ctx) })

	// apply applies as the manager does.
	apply := func(ctx context.Context, o *frrk8sv1beta1.FRRConfiguration) error {
		o = o.DeepCopy()
		o.ManagedFields, o.ResourceVersion, o.UID = nil, "", ""
		o.SetGroupVersionKind(frrk8sv1beta1.GroupVersion.WithKind("FRRConfiguration"))
		//nolint:staticcheck // SA1019: frr-k8s has no types to apply with.
		return manager.Patch(ctx, o, client.Apply, client.FieldOwner(model.FieldManager), client.ForceOwnership)
	}
	generated := func(name string) *frrk8sv1beta1.FRRConfiguration {
		o := template()
		o.Name = name
		o.Labels = map[string]string{model.LabelGenerated: "true"}
		o.Annotations = map[string]string{model.AnnotationNode: "node-7"}
		return o
	}
	remove := func(ctx context.Context, o client.Object) {
		GinkgoHelper()
		DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(admin.Delete(ctx, o))).To(Succeed()) })
	}

	It("writes and deletes what it generates", func(ctx context.Context) {
		for _, name := range []string{render.Name("node-7", 1), render.Name("node-7", 2), render.Name("node-7", 12)} {
			o := generated(name)
			Expect(apply(ctx, o)).To(Succeed())
			remove(ctx, o)
			By("putting back its label")
			Expect(patch(ctx, admin, o, `{"metadata":{"labels":null}}`)).To(Succeed())
			Expect(apply(ctx, o)).To(Succeed())
			Expect(manager.Delete(ctx, o)).To(Succeed())
		}
		By("deleting the copy that somebody made of one")
		duplicate := generated("my-own-name")
		Expect(admin.Create(ctx, duplicate)).To(Succeed())
		Expect(manager.Delete(ctx, duplicate)).To(Succeed())
	})

	It("writes no FRRConfiguration of anybody else", func(ctx context.Context) {
		fabric, squatter := template(), template()
		squatter.Name = render.Name("node-8", 1)
		create(ctx, fabric, squatter)
		for _, o := range []*frrk8sv1beta1.FRRConfiguration{fabric, squatter} {
			refused(manager.Delete(ctx, o), o.Name, "was not generated by the operator")
			o.Labels = map[string]string{model.LabelGenerated: "true"}
			refused(apply(ctx, o), o.Name, "was not generated by the operator", "rename it")
		}
		for _, name := range []string{"fabric-2", "ovnbgp", "ovnbgp1-node-7", "not-ovnbgp-node-7"} {
			refused(apply(ctx, generated(name)), name, "does not have the name of a generated one (ovnbgp-NODE)")
		}
		plain := generated(render.Name("node-7", 1))
		plain.Labels = nil
		refused(apply(ctx, plain), "lacks the label ovnbgp.io/generated")
	})

	It("writes no raw configuration, unless that is switched on", func(ctx context.Context) {
		o := generated(render.Name("node-7", 1))
		Expect(apply(ctx, o)).To(Succeed())
		remove(ctx, o)
		o.Spec.Raw.Config = "router bgp 64512"
		refused(apply(ctx, o), "spec.raw.rawConfig", "variable raw")
		setVariable(ctx, "ovn-bgp-operator-frrconfigurations", "raw", "true")
		Eventually(func() error { return apply(ctx, o) }).Should(Succeed())
	})

	It("changes nothing of a network but its annotation", func(ctx context.Context) {
		o := definition("ovn-kubernetes", "some")
		create(ctx, o)
		Expect(patch(ctx, manager, o, `{"metadata":{"annotations":{"k8s.ovn.org/route-advertisements":"[\"a\"]","ovnbgp.io/route-advertisements":"[\"a\"]"}}}`)).To(Succeed())
		Expect(patch(ctx, manager, o, `{"metadata":{"annotations":{"k8s.ovn.org/route-advertisements":null,"ovnbgp.io/route-advertisements":null}}}`)).To(Succeed())
		for json, what := range map[string]string{
			`{"metadata":{"annotations":{"k8s.ovn.org/network-id":"4"}}}`:                                                                   "k8s.ovn.org/network-id",
			`{"metadata":{"annotations":{"other":"4","k8s.ovn.org/route-advertisements":"[]"}}}`:                                            "not other",
			`{"metadata":{"labels":{"k8s.ovn.org/user-defined-network":""}}}`:                                                               "not its spec, labels",
			`{"metadata":{"finalizers":["a/b"]}}`:                                                                                           "finalizers",
			`{"metadata":{"ownerReferences":[{"apiVersion":"k8s.ovn.org/v1","kind":"ClusterUserDefinedNetwork","name":"blue","uid":"x"}]}}`: "owners",
			`{"spec":{"config":"{}"}}`: "not its spec",
		} {
			refused(patch(ctx, manager, o, json), "ovn-kubernetes/some", "only the annotation k8s.ovn.org/route-advertisements", what)
		}
		refused(named(managerAccount.user()).Delete(ctx, o), "may not create or delete it")
		refused(named(managerAccount.user()).Create(ctx, definition("tenant", "new")), "may not create or delete it")
	})

	It("makes and deletes no RouteAdvertisements but the one of managed routing", func(ctx context.Context) {
		own := advertisement()
		own.Name, own.Labels = model.ManagedName, map[string]string{model.LabelManaged: "true"}
		Expect(manager.Create(ctx, own)).To(Succeed())
		Expect(patch(ctx, manager, own, `{"spec":{"targetVRF":"auto"}}`)).To(Succeed())
		refused(patch(ctx, manager, own, `{"metadata":{"labels":null}}`), "belongs to users")
		Expect(manager.Delete(ctx, own)).To(Succeed())

		users := advertisement()
		create(ctx, users)
		refused(manager.Delete(ctx, users), "RouteAdvertisements pods belongs to users", "only its own, ovnbgp-managed")
		for _, json := range []string{
			`{"spec":{"targetVRF":"auto"}}`, `{"metadata":{"labels":{"a":"b"}}}`, `{"metadata":{"annotations":{"a":"b"}}}`, `{"metadata":{"finalizers":["a/b"]}}`,
		} {
			refused(patch(ctx, manager, users, json), "belongs to users")
		}
		another := advertisement()
		another.Name = "another"
		refused(manager.Create(ctx, another), "belongs to users")
		squatter := advertisement()
		squatter.Name = model.ManagedName
		create(ctx, squatter)
		refused(patch(ctx, manager, squatter, `{"metadata":{"labels":{"ovnbgp.io/managed":"true"}}}`), "belongs to users")

		By("leaving them to somebody else, as a hand-back does")
		Expect(patch(ctx, manager, users, `{"metadata":{"managedFields":[{}]}}`)).To(Succeed())
		By("writing the status of all")
		Expect(manager.Status().Patch(ctx, &ovnv1.RouteAdvertisements{ObjectMeta: metav1.ObjectMeta{Name: users.Name}},
			client.RawPatch(types.MergePatchType, []byte(`{"status":{"status":"Accepted"}}`)))).To(Succeed())
	})
})

var _ = Describe("Of a VTEP, the manager's account", func() {
	const accepted = `{"status":{"conditions":[{"type":"Accepted","status":"True","reason":"Allocated","message":"","lastTransitionTime":"2026-01-02T03:04:05Z"}]}}`
	made := func(ctx context.Context, name string, mode ovnv1.VTEPMode) *ovnv1.VTEP {
		o := &ovnv1.VTEP{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: ovnv1.VTEPSpec{CIDRs: []ovnv1.NetworkCIDR{"100.64.0.0/24"}, Mode: mode}}
		create(ctx, o)
		return o
	}
	status := func(ctx context.Context, c client.Client, o *ovnv1.VTEP, json string) error {
		return c.Status().Patch(ctx, o.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(json)))
	}
	const others = `{"status":{"conditions":[{"type":"Other","status":"True","reason":"A","message":"","lastTransitionTime":"2026-01-02T03:04:05Z"}]}}`

	It("writes the condition Accepted alone", func(ctx context.Context) {
		manager, all := managerAccount.as(ctx), named(managerAccount.user())
		o := made(ctx, "given", ovnv1.VTEPModeManaged)
		Expect(status(ctx, manager, o, accepted)).To(Succeed())
		Expect(status(ctx, manager, o, `{"status":{"conditions":[]}}`)).To(Succeed())
		refused(status(ctx, manager, o, others), "only the condition Accepted of VTEP given")
		Expect(status(ctx, admin, o, others)).To(Succeed())
		refused(status(ctx, manager, o, accepted), "only the condition Accepted of VTEP given")
		refused(patch(ctx, all, o, `{"metadata":{"annotations":{"a":"b"}}}`), "may not create, delete or change it")
		refused(all.Delete(ctx, o), "may not create, delete or change it")
	})

	It("judges none but those of mode Managed", func(ctx context.Context) {
		manager := managerAccount.as(ctx)
		o := made(ctx, "found", ovnv1.VTEPModeUnmanaged)
		refused(status(ctx, manager, o, accepted), "VTEP found if its mode is Managed")
		By("and takes back what it wrote when it was")
		Expect(status(ctx, admin, o, accepted)).To(Succeed())
		Expect(status(ctx, manager, o, `{"status":{"conditions":[]}}`)).To(Succeed())
	})
})

// setVariable sets a variable of a policy, as users do who patch it.
func setVariable(ctx context.Context, policy, name, expression string) {
	GinkgoHelper()
	o := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: policy}}
	set := func(ctx context.Context, expression string) (before string) {
		GinkgoHelper()
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
		i := slices.IndexFunc(o.Spec.Variables, func(v admissionregistrationv1.Variable) bool { return v.Name == name })
		before, o.Spec.Variables[i].Expression = o.Spec.Variables[i].Expression, expression
		Expect(admin.Update(ctx, o)).To(Succeed())
		return before
	}
	before := set(ctx, expression)
	DeferCleanup(func(ctx context.Context) {
		set(ctx, before)
		awaitPolicies(ctx)
	})
}

// awaitPolicies waits until the API server has taken the policies, which it does
// in its own time.
func awaitPolicies(ctx context.Context) {
	GinkgoHelper()
	stray := definition("monitoring", "probe")
	stray.Annotations = map[string]string{ovnk.AnnotationNetworkID: "1"}
	raw := template()
	raw.Name, raw.Labels, raw.Spec.Raw.Config = render.Name("node-7", 1), map[string]string{model.LabelGenerated: "true"}, "router bgp 64512"
	manager, agent := named(managerAccount.user()), named(agentAccount.user())
	vtep := &ovnv1.VTEP{ObjectMeta: metav1.ObjectMeta{Name: "probe"}, Spec: ovnv1.VTEPSpec{CIDRs: []ovnv1.NetworkCIDR{"100.64.0.0/24"}}}
	for what, try := range map[string]func() error{
		"the networks'":                       func() error { return admin.Create(ctx, stray.DeepCopy(), client.DryRunAll) },
		"the manager's FRRConfigurations":     func() error { return manager.Create(ctx, raw.DeepCopy(), client.DryRunAll) },
		"the manager's networks":              func() error { return manager.Create(ctx, stray.DeepCopy(), client.DryRunAll) },
		"the manager's RouteAdvertisements":   func() error { return manager.Create(ctx, advertisement(), client.DryRunAll) },
		"the manager's VTEPs":                 func() error { return manager.Create(ctx, vtep.DeepCopy(), client.DryRunAll) },
		"the agent's, with a token's absence": func() error { return agent.Create(ctx, state("node-9"), client.DryRunAll) },
	} {
		Eventually(func() bool { return apierrors.IsForbidden(try()) }).Should(BeTrue(), what)
	}
}
