package manager_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

const (
	repoRoot = "../../.."
	// operatorUser is whom config/rbac gives the operator's rights to.
	operatorUser = "system:serviceaccount:ovn-bgp-operator-system:ovn-bgp-operator"
	operatorHome = "ovn-bgp-operator-system"
)

var (
	// cluster is the control plane of most tests.
	cluster *controlplane.ControlPlane
	// admin does what users and other controllers do.
	admin client.Client
	// operator has the operator's rights.
	operator *controlplane.User
)

func TestManager(t *testing.T) {
	controlplane.Require(t)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	// Longer than the pace of statuses in these tests, and than any pause that
	// the controllers make.
	SetDefaultConsistentlyDuration(600 * time.Millisecond)
	SetDefaultConsistentlyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "Manager")
}

var _ = BeforeSuite(func(ctx context.Context) {
	log := logr.FromSlogHandler(slogTo(GinkgoWriter))
	ctrl.SetLogger(log)
	cluster = controlplane.StartForTest(GinkgoT(), controlplane.Options{NADs: true})
	admin = newClient(cluster)
	operator = giveRights(ctx, cluster, admin)
	createNamespace(ctx, objects.FRRNamespace)
	createNamespace(ctx, ovnNamespace)
})

// adminScheme has more than the operator's: tests limit and refuse.
func adminScheme() *runtime.Scheme {
	scheme := controller.Scheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	return scheme
}

func newClient(c *controlplane.ControlPlane) client.Client {
	GinkgoHelper()
	made, err := client.New(c.Config, client.Options{Scheme: adminScheme()})
	Expect(err).NotTo(HaveOccurred())
	return client.WithFieldValidation(made, metav1.FieldValidationStrict)
}

// giveRights applies config/rbac and returns the user that it is for.
func giveRights(ctx context.Context, c *controlplane.ControlPlane, admin client.Client) *controlplane.User {
	GinkgoHelper()
	Expect(client.IgnoreAlreadyExists(admin.Create(ctx, namespace(operatorHome)))).To(Succeed())
	for _, file := range []string{"role.yaml", "role_binding.yaml"} {
		content, err := os.ReadFile(filepath.Join(repoRoot, "config", "rbac", file))
		Expect(err).NotTo(HaveOccurred())
		for document := range strings.SplitSeq(strings.TrimPrefix(string(content), "---\n"), "\n---\n") {
			object := &unstructured.Unstructured{}
			Expect(yaml.Unmarshal([]byte(document), &object.Object)).To(Succeed())
			Expect(admin.Create(ctx, object)).To(Succeed())
		}
	}
	user, err := c.AddUser(operatorUser, "system:serviceaccounts", "system:authenticated")
	Expect(err).NotTo(HaveOccurred())
	return user
}

// limit takes verbs on a resource away from the operator's role, and gives
// them back with the returned function, or after the test.
func limit(ctx context.Context, resource string, verbs ...string) (restore func()) {
	GinkgoHelper()
	role := &rbacv1.ClusterRole{}
	Expect(admin.Get(ctx, client.ObjectKey{Name: "ovn-bgp-operator"}, role)).To(Succeed())
	before := role.DeepCopy()
	for i := range role.Rules {
		if rule := &role.Rules[i]; slices.Contains(rule.Resources, resource) {
			rule.Verbs = without(rule.Verbs, verbs...)
		}
	}
	role.Rules = slices.DeleteFunc(role.Rules, func(r rbacv1.PolicyRule) bool { return len(r.Verbs) == 0 })
	Expect(role.Rules).NotTo(Equal(before.Rules), "the role gives nothing to take away")
	Expect(admin.Update(ctx, role)).To(Succeed())
	restored := false
	restore = func() {
		GinkgoHelper()
		if restored {
			return
		}
		restored = true
		Expect(admin.Get(context.Background(), client.ObjectKeyFromObject(role), role)).To(Succeed())
		role.Rules = before.Rules
		Expect(admin.Update(context.Background(), role)).To(Succeed())
	}
	DeferCleanup(restore)
	return restore
}
