package controlplane_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

func TestControlPlaneServesTheCRDsToThoseWhoMay(t *testing.T) {
	running := controlplane.StartForTest(t, controlplane.Options{NADs: true})
	admin := filepath.Join(t.TempDir(), "admin")
	if err := running.WriteKubeconfig(admin); err != nil {
		t.Fatal(err)
	}
	user, err := running.AddUser("system:serviceaccount:tenant:reader")
	if err != nil {
		t.Fatal(err)
	}
	limited := filepath.Join(t.TempDir(), "limited")
	if err := user.WriteKubeconfig(limited); err != nil {
		t.Fatal(err)
	}

	kubectl := func(kubeconfig string, arguments ...string) (string, error) {
		output, err := exec.Command(running.Binaries.Kubectl,
			append([]string{"--kubeconfig=" + kubeconfig}, arguments...)...).CombinedOutput()
		return string(output), err
	}
	for _, resource := range []string{
		"routeadvertisements.k8s.ovn.org", "clusteruserdefinednetworks.k8s.ovn.org",
		"egressips.k8s.ovn.org", "vteps.k8s.ovn.org",
		"frrconfigurations.frrk8s.metallb.io", "frrnodestates.frrk8s.metallb.io",
		"network-attachment-definitions.k8s.cni.cncf.io",
	} {
		if output, err := kubectl(admin, "get", resource, "--all-namespaces"); err != nil {
			t.Errorf("an administrator can't list %s: %v: %s", resource, err, output)
		}
		output, err := kubectl(limited, "get", resource, "--all-namespaces")
		if err == nil || !strings.Contains(output, "Forbidden") {
			t.Errorf("a user without rights lists %s: %v: %s", resource, err, output)
		}
	}
}

// recorder is a controlplane.T that notes how Require ended.
type recorder struct {
	testing.TB
	skipped, failed bool
}

func (r *recorder) Skipf(string, ...any)  { r.skipped = true }
func (r *recorder) Fatalf(string, ...any) { r.failed = true }

func TestRequireSkipsOnlyWhereNobodyAskedForTheControlPlane(t *testing.T) {
	t.Setenv("KUBEBUILDER_ASSETS", t.TempDir())
	for _, test := range []struct {
		required string
		want     recorder
	}{
		{required: "", want: recorder{skipped: true}},
		{required: "1", want: recorder{failed: true}},
	} {
		t.Setenv("CONTROLPLANE_REQUIRED", test.required)
		got := recorder{TB: t}
		controlplane.Require(&got)
		if got.skipped != test.want.skipped || got.failed != test.want.failed {
			t.Errorf("with CONTROLPLANE_REQUIRED=%q: skipped %v, failed %v", test.required, got.skipped, got.failed)
		}
	}
}
