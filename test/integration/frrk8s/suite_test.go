package frrk8s_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// requiredVariable turns missing parts from a skip into a failure; `make test`
// sets it.
const requiredVariable = "CONTROLPLANE_REQUIRED"

var (
	cluster *controlplane.ControlPlane
	// admin refuses unknown fields, as the operator's server-side apply does.
	admin client.Client
)

func TestFRRK8s(t *testing.T) {
	if os.Getenv("CI") == "true" {
		t.Setenv(requiredVariable, "1")
	}
	controlplane.Require(t)
	requireBinaries(t)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	suite, reporter := GinkgoConfiguration()
	suite.Timeout += *differences
	RunSpecs(t, "frr-k8s", suite, reporter)
}

var _ = BeforeSuite(func() {
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(GinkgoWriter, nil)))
	cluster = controlplane.StartForTest(GinkgoT(), controlplane.Options{})
	scheme := controller.Scheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	lenient, err := client.New(cluster.Config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	admin = client.WithFieldValidation(lenient, metav1.FieldValidationStrict)
})

// createNamespace leaves namespaces that are there: without a namespace
// controller they can't be removed between specs.
func createNamespace(ctx context.Context, name string) {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	Expect(client.IgnoreAlreadyExists(admin.Create(ctx, namespace))).To(Succeed())
}
