package apply_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
)

var _ = Describe("Errors", func() {
	const node = "worker-1"
	var (
		namespace string
		applier   *apply.Applier
		operator  *wire
	)
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		applier, operator = newApplier(cluster.Config)
	})
	write := func(ctx context.Context) error {
		_, err := applier.Node(ctx, node, desired(namespace, node, 1), nil)
		return err
	}

	It("tells what the CRD refuses", func(ctx SpecContext) {
		bad := desired(namespace, node, 1)
		bad[0].Spec.BGP.Routers[0].Neighbors[0].AllowAsIn = "11"
		_, err := applier.Node(ctx, node, bad, nil)
		Expect(kindOf(err)).To(Equal(apply.Refused))
		Expect(err).To(MatchError(ContainSubstring(`FRRConfiguration ` + namespace + `/ovnbgp-worker-1 was refused`)))
		Expect(err).To(MatchError(ContainSubstring(`allowAsIn: Unsupported value: "11"`)))
	})

	DescribeTable("tells what is too large",
		func(ctx SpecContext, size int) {
			large := desired(namespace, node, 1)
			large[0].Spec.BGP.Routers[0].Neighbors[0].Password = strings.Repeat("x", size)
			_, err := applier.Node(ctx, node, large, nil)
			Expect(kindOf(err)).To(Equal(apply.Refused), "%v", err)
		},
		Entry("for etcd", 2<<20),
		Entry("for the API server", 4<<20),
	)

	It("tells a missing permission from a refusal", func(ctx SpecContext) {
		user, err := cluster.AddUser("somebody")
		Expect(err).NotTo(HaveOccurred())
		applier, _ = newApplier(user.Config)
		err = write(ctx)
		Expect(kindOf(err)).To(Equal(apply.Forbidden))
		Expect(err).To(MatchError(And(ContainSubstring("ClusterRole"), ContainSubstring(`User "somebody" cannot patch resource "frrconfigurations"`))))
	})

	It("tells a quota from a refusal", func(ctx SpecContext) {
		limit := corev1.ResourceList{"count/frrconfigurations.frrk8s.metallb.io": resource.MustParse("0")}
		quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: limit}}
		Expect(admin.Create(ctx, quota)).To(Succeed())
		// The quota controller, which isn't there, would do this.
		quota.Status = corev1.ResourceQuotaStatus{Hard: limit, Used: limit}
		Expect(admin.Status().Update(ctx, quota)).To(Succeed())
		// The API server learns of quotas by a watch of its own.
		Eventually(func() apply.Kind { return kindOf(applier.Try(ctx, desired(namespace, node, 1))) }).Should(Equal(apply.QuotaExceeded))
		Expect(write(ctx)).To(MatchError(ContainSubstring("exceeded quota: none")))
	})

	It("takes a namespace that is gone for something to try again", func(ctx SpecContext) {
		_, err := applier.Node(ctx, node, desired("gone", node, 1), nil)
		Expect(kindOf(err)).To(Equal(apply.Unavailable))
		Expect(err).To(MatchError(ContainSubstring(`namespaces "gone" not found`)))
	})

	DescribeTable("tells faults from refusals, and recovers",
		func(ctx SpecContext, fault func(*http.Request) (*http.Response, error), text string) {
			operator.failWith(fault)
			err := write(ctx)
			Expect(kindOf(err)).To(Equal(apply.Unavailable))
			Expect(apply.IsRefused(err)).To(BeFalse())
			Expect(err).To(MatchError(ContainSubstring(text)))
			operator.failWith(nil)
			Expect(write(ctx)).To(Succeed())
		},
		Entry("500", statusOf(500, metav1.StatusReasonInternalError, "etcd is away"), "etcd is away"),
		Entry("503", statusOf(503, metav1.StatusReasonServiceUnavailable, "starting"), "starting"),
		Entry("504", statusOf(504, metav1.StatusReasonTimeout, "too slow"), "too slow"),
		Entry("a lost connection", func(*http.Request) (*http.Response, error) { return nil, errLost }, "connection lost"),
		Entry("a terminating namespace", func(r *http.Request) (*http.Response, error) {
			status := metav1.Status{
				TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
				Status:   metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Code: 403, Message: "it is being terminated",
				Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: "NamespaceTerminating"}}},
			}
			recorder := httptest.NewRecorder()
			recorder.Header().Set("Content-Type", "application/json")
			recorder.WriteHeader(http.StatusForbidden)
			if err := json.NewEncoder(recorder).Encode(status); err != nil {
				return nil, err
			}
			return recorder.Result(), nil
		}, "it is being terminated"),
	)

	It("keeps a cancelled context recognizable", func(ctx SpecContext) {
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		err := write(cancelled)
		Expect(err).To(MatchError(context.Canceled))
		Expect(kindOf(err)).To(Equal(apply.Unavailable))
	})

	DescribeTable("tells what admission webhooks say",
		func(ctx SpecContext, response admissionv1.AdmissionResponse, kind apply.Kind) {
			newWebhook(ctx, namespace, func(http.ResponseWriter) *admissionv1.AdmissionResponse { return &response })
			// The API server learns of webhooks by a watch of its own.
			Eventually(func() error { return applier.Try(ctx, desired(namespace, node, 1)) }).Should(HaveOccurred())
			err := write(ctx)
			Expect(kindOf(err)).To(Equal(kind), "%v", err)
			Expect(err).To(MatchError(ContainSubstring(response.Result.Message)))
		},
		Entry("a denial", denial(0, "different asns (1 != 2) specified for same vrf: "), apply.Refused),
		Entry("a denial with a code of its own", denial(409, "not on Fridays"), apply.Refused),
		Entry("frr-k8s' denial that is a failed look-up", denial(0, "timeout\nfailed to get existing FRRConfiguration objects"), apply.Unavailable),
	)

	It("takes a webhook that fails for something to try again", func(ctx SpecContext) {
		newWebhook(ctx, namespace, func(w http.ResponseWriter) *admissionv1.AdmissionResponse {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return nil
		})
		Eventually(func() error { return applier.Try(ctx, desired(namespace, node, 1)) }).Should(HaveOccurred())
		Expect(kindOf(write(ctx))).To(Equal(apply.Unavailable))
	})

	It("tells what an admission policy says", func(ctx SpecContext) {
		newPolicy(ctx, namespace)
		Eventually(func() apply.Kind { return kindOf(applier.Try(ctx, desired(namespace, node, 1))) }).Should(Equal(apply.Refused))
		Expect(write(ctx)).To(MatchError(ContainSubstring("no BGP here")))
	})

	It("bisects with dry runs, and writes nothing for it", func(ctx SpecContext) {
		newWebhookFor(ctx, namespace, func(_ http.ResponseWriter, object string) *admissionv1.AdmissionResponse {
			if !strings.Contains(object, `"slow"`) {
				return &admissionv1.AdmissionResponse{Allowed: true}
			}
			answer := denial(0, "no profile slow here")
			return &answer
		})
		Eventually(func() error { return applier.Try(ctx, withProfiles(namespace, "slow")) }).Should(HaveOccurred())
		b := apply.Admission{
			Contributors: []string{"fast", "slow", "medium"},
			Try:          applier.Try,
			Render:       rendererOf(namespace, "fast", "slow", "medium"),
		}
		kept, refused, err := b.Run(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(kept).To(Equal([]string{"fast", "medium"}))
		Expect(refused).To(HaveLen(1))
		Expect(refused["slow"]).To(MatchError(ContainSubstring("no profile slow here")))
		Expect(operator.writes()).To(BeEmpty())
	})
})

func denial(code int32, message string) admissionv1.AdmissionResponse {
	return admissionv1.AdmissionResponse{Result: &metav1.Status{Code: code, Message: message}}
}

// newWebhook has the API server ask about FRRConfigurations of the namespace.
func newWebhook(ctx context.Context, namespace string, decide func(http.ResponseWriter) *admissionv1.AdmissionResponse) {
	GinkgoHelper()
	newWebhookFor(ctx, namespace, func(w http.ResponseWriter, _ string) *admissionv1.AdmissionResponse { return decide(w) })
}

func newWebhookFor(ctx context.Context, namespace string, decide func(w http.ResponseWriter, object string) *admissionv1.AdmissionResponse) {
	GinkgoHelper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		response := decide(w, string(review.Request.Object.Raw))
		if response == nil {
			return
		}
		answer := *response
		answer.UID = review.Request.UID
		review.Request, review.Response = nil, &answer
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	}))
	DeferCleanup(server.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	none := admissionregistrationv1.SideEffectClassNone
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name:                    "frr.example.com",
			ClientConfig:            admissionregistrationv1.WebhookClientConfig{URL: &server.URL, CABundle: authority},
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": namespace}},
			SideEffects:             &none,
			AdmissionReviewVersions: []string{"v1"},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{"frrk8s.metallb.io"}, APIVersions: []string{"v1beta1"}, Resources: []string{"frrconfigurations"}},
			}},
		}},
	}
	Expect(admin.Create(ctx, configuration)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(admin.Delete(ctx, configuration)).To(Succeed()) })
}

// newPolicy refuses all FRRConfigurations of the namespace, with a 403.
func newPolicy(ctx context.Context, namespace string) {
	GinkgoHelper()
	forbidden := metav1.StatusReasonForbidden
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionregistrationv1.RuleWithOperations{
					Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
					Rule:       admissionregistrationv1.Rule{APIGroups: []string{"frrk8s.metallb.io"}, APIVersions: []string{"v1beta1"}, Resources: []string{"frrconfigurations"}},
				},
			}}},
			Validations: []admissionregistrationv1.Validation{{
				Expression: fmt.Sprintf("object.metadata.namespace != %q", namespace), Message: "no BGP here", Reason: &forbidden,
			}},
		},
	}
	binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: namespace, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
		},
	}
	Expect(admin.Create(ctx, policy)).To(Succeed())
	Expect(admin.Create(ctx, binding)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		Expect(admin.Delete(ctx, binding)).To(Succeed())
		Expect(admin.Delete(ctx, policy)).To(Succeed())
	})
}

func TestIsRefusedNeedsRefusalsOnly(t *testing.T) {
	refused := &apply.Error{Kind: apply.Refused}
	tests := map[string]struct {
		err  error
		want bool
	}{
		"nothing":              {nil, false},
		"a refusal":            {refused, true},
		"a wrapped refusal":    {fmt.Errorf("trying: %w", refused), true},
		"two refusals":         {errors.Join(refused, refused), true},
		"a refusal and more":   {errors.Join(refused, &apply.Error{Kind: apply.Unavailable}), false},
		"some other error":     {errLost, false},
		"joined with another":  {errors.Join(refused, errLost), false},
		"joined twice, nested": {errors.Join(errors.Join(refused), errors.Join(refused, errLost)), false},
	}
	for name, test := range tests {
		if got := apply.IsRefused(test.err); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
	if got := apply.Errors(errors.Join(refused, errLost, errors.Join(refused))); len(got) != 2 {
		t.Errorf("found %d Errors, want 2", len(got))
	}
}
