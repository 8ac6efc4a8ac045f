// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
)

const repoRoot = "../../.."

var (
	config *rest.Config
	// api refuses unknown fields, so that a misspelt manifest can't pass for
	// an accepted one.
	api client.Client
)

func TestCRDs(t *testing.T) {
	assets, found := controlPlane()
	if !found {
		message := "SKIPPED: no kube-apiserver and etcd for the CRD tests; run 'make controlplane' to build them into " +
			".cache/controlplane/bin, or set KUBEBUILDER_ASSETS to a folder that has them"
		fmt.Fprintln(os.Stderr, message)
		t.Skip(message)
	}

	RegisterFailHandler(Fail)
	var environment *envtest.Environment
	BeforeSuite(func() {
		environment = &envtest.Environment{
			CRDDirectoryPaths:     []string{filepath.Join(repoRoot, "config", "crd", "bases")},
			ErrorIfCRDPathMissing: true,
			BinaryAssetsDirectory: assets,
		}
		var err error
		// A CRD whose rules exceed the API server's cost budget isn't
		// installed, and fails here.
		config, err = environment.Start()
		Expect(err).NotTo(HaveOccurred())

		scheme := runtime.NewScheme()
		Expect(ovnv1.AddToScheme(scheme)).To(Succeed())
		lenient, err := client.New(config, client.Options{Scheme: scheme})
		Expect(err).NotTo(HaveOccurred())
		api = client.WithFieldValidation(lenient, metav1.FieldValidationStrict)
	})
	AfterSuite(func() {
		if environment != nil {
			Expect(environment.Stop()).To(Succeed())
		}
	})
	RunSpecs(t, "CustomResourceDefinitions")
}

// controlPlane finds the folder with kube-apiserver and etcd.
func controlPlane() (string, bool) {
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		return assets, true
	}
	assets, err := filepath.Abs(filepath.Join(repoRoot, ".cache", "controlplane", "bin"))
	if err != nil {
		return "", false
	}
	for _, binary := range []string{"kube-apiserver", "etcd"} {
		if _, err := os.Stat(filepath.Join(assets, binary)); err != nil {
			return "", false
		}
	}
	return assets, true
}

// accepted is the wanted refusal of what must be taken.
const accepted = ""

// resource is the kind that a table is about.
type resource string

// object makes an object of the kind from the YAML of its spec. With a name of
// its own each entry stands alone.
func (r resource) object(spec string) *unstructured.Unstructured {
	GinkgoHelper()
	object := &unstructured.Unstructured{}
	version := ovnv1.GroupVersion
	if r == "RoutePolicy" || r == "DrainPolicy" {
		version = v1alpha1.GroupVersion
	}
	object.SetGroupVersionKind(version.WithKind(string(r)))
	object.SetGenerateName("entry-")
	r.setSpec(object, spec)
	return object
}

func (r resource) setSpec(object *unstructured.Unstructured, spec string) {
	GinkgoHelper()
	var content map[string]any
	Expect(yaml.UnmarshalStrict([]byte(spec), &content)).To(Succeed(), "the entry's YAML:\n%s", spec)
	object.Object["spec"] = content
}

// creates is the body of a table of creations: the YAML of a spec, and a part
// of the refusal that is wanted, or accepted.
func (r resource) creates(ctx context.Context, spec, refusal string) {
	GinkgoHelper()
	expectOutcome(api.Create(ctx, r.object(spec), client.DryRunAll), refusal)
}

// updates is the body of a table of updates from one spec to another.
func (r resource) updates(ctx context.Context, before, after, refusal string) {
	GinkgoHelper()
	object := r.object(before)
	Expect(api.Create(ctx, object)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(api.Delete(ctx, object)).To(Succeed()) })

	changed := object.DeepCopy()
	r.setSpec(changed, after)
	expectOutcome(api.Update(ctx, changed, client.DryRunAll), refusal)
}

func expectOutcome(err error, refusal string) {
	GinkgoHelper()
	if refusal == accepted {
		Expect(err).NotTo(HaveOccurred())
		return
	}
	Expect(err).To(MatchError(ContainSubstring(refusal)))
	Expect(apierrors.IsInvalid(err)).To(BeTrue(), "refused, though not by validation: %v", err)
	// A rule that breaks on the input refuses it too, with words that only its
	// author understands.
	Expect(err.Error()).NotTo(ContainSubstring("evaluating rule"))
}
