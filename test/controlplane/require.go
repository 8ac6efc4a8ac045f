package controlplane

import "os"

// T is what Require needs of *testing.T and of GinkgoT().
type T interface {
	Helper()
	Cleanup(cleanup func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Require skips the test where there is no control plane to run and says how
// to get one. Under make it fails instead, so that nothing passes by being
// skipped.
func Require(t T) Binaries {
	t.Helper()
	binaries, err := FindBinaries()
	switch {
	case err == nil:
		return binaries
	case os.Getenv(requiredVariable) != "":
		t.Fatalf("%v", err)
	default:
		t.Skipf("SKIPPED, NOT PASSED: %v", err)
	}
	return Binaries{}
}

// StartForTest starts a control plane that ends with the test, or with the
// suite when called in Ginkgo's BeforeSuite.
func StartForTest(t T, options Options) *ControlPlane {
	t.Helper()
	Require(t)
	running, err := Start(options)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := running.Stop(); err != nil {
			t.Errorf("stopping the control plane: %v", err)
		}
	})
	return running
}
