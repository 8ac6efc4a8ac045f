package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/format"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/kube"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// What a spec needs of the kernel.
var (
	NeedsVRF = Label("vrf")
	NeedsOVS = Label("openvswitch")
	// Slow specs are left to `make e2e`; CI has no time for them.
	Slow = Label("slow")
)

// changeWithin is how long a change may take on a quiet machine: six seconds at
// most, nearly all of it FRR's own, and as much again for what a spec waits for
// in one go. In emulation the same takes up to 40.
const changeWithin = 60 * time.Second

var (
	cluster  *kube.Cluster
	binaries string
	evidence string
	// inGuest tells whether this is a virtual machine, whose clock is its own.
	inGuest = os.Getenv("CLOCK_MAY_JUMP") != ""
)

func TestMain(m *testing.M) { machine.Main(m) }

func TestE2E(t *testing.T) {
	if os.Getenv("OVNBGP_LAB_BINARIES") == "" {
		t.Skip("SKIPPED, NOT PASSED: the stories take half an hour and have a runner of their own: `make e2e`")
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(machine.Patience(changeWithin))
	// Emulated, looking more often would slow down what is waited for.
	SetDefaultEventuallyPollingInterval(machine.Patience(100 * time.Millisecond))
	SetDefaultConsistentlyDuration(2 * time.Second)
	SetDefaultConsistentlyPollingInterval(100 * time.Millisecond)
	// Without it an Eventually with a context waits for as long as the spec may.
	EnforceDefaultTimeoutsWhenUsingContexts()
	// Objects are long, and the evidence has them.
	format.MaxLength = 2000
	format.RegisterCustomFormatter(func(value any) (string, bool) {
		switch value := value.(type) {
		case netip.Addr:
			return value.String(), true
		case netip.Prefix:
			return value.String(), true
		}
		return "", false
	})
	ctrl.SetLogger(logr.Discard())
	RunSpecs(t, "End to end")
}

var _ = BeforeSuite(func() {
	fmt.Printf("e2e: %s\n", machine.ThisKernel())
	checkout, err := controlplane.RepositoryRoot()
	Expect(err).NotTo(HaveOccurred())
	if evidence = os.Getenv("OVNBGP_LAB_EVIDENCE"); evidence == "" {
		evidence = filepath.Join(checkout, ".cache", "e2e", time.Now().Format("0102-150405"))
	}
	binaries, err = lab.BinariesFolder()
	Expect(err).NotTo(HaveOccurred())
	cluster, err = kube.Connect(os.Getenv("OVNBGP_LAB_KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(cluster.Stop()).To(Succeed()) })
})

var _ = BeforeEach(func() {
	kernel := machine.ThisKernel()
	for label, has := range map[string]bool{"vrf": kernel.VRF, "openvswitch": kernel.OpenVSwitch} {
		if !has && slices.Contains(CurrentSpecReport().Labels(), label) {
			Skip("SKIPPED, NOT PASSED: this kernel has no " + label + "; `make e2e-vm` runs it in a virtual machine")
		}
	}
})

// current is the lab that specs share.
var current struct {
	*lab.Lab
	started int
	broken  bool
}

// use returns a running lab of a description, and checks after the spec that
// the spec left nothing in it.
func use(ctx context.Context, d lab.Description) *lab.Lab {
	GinkgoHelper()
	if current.Lab != nil && (current.broken || current.Description.String() != d.String()) {
		closeLab(ctx)
	}
	fresh := current.Lab == nil
	if fresh {
		current.started++
		current.broken = true
		var err error
		current.Lab, err = lab.Start(ctx, d, lab.Options{
			Kube: cluster, Binaries: binaries, Progress: os.Stdout,
			Evidence: filepath.Join(evidence, fmt.Sprintf("lab%d", current.started)),
		})
		Expect(err).NotTo(HaveOccurred())
		current.broken = false
	}
	l := current.Lab
	if !fresh {
		restartFRR(ctx, l)
	}
	// What is deferred first is done last: after the spec's own cleanup.
	DeferCleanup(func(ctx context.Context) {
		if CurrentSpecReport().Failed() {
			return
		}
		clean := false
		defer func() {
			if !clean {
				left, err := leftovers(ctx, l)
				fmt.Printf("e2e: the spec left %q (%v)\n", left, err)
				collect(ctx)
			}
		}()
		expectNothingLeft(ctx, l)
		clean = true
	})
	return l
}

// restartFRR gives the nodes of a lab that a spec has used an FRR that remembers
// nothing of it. A bgpd in which frr-k8s deletes route-maps and makes them again
// has been seen, in one spec of thirty, to deny everything from then on although
// its configuration permits it: github.com/FRRouting/frr/issues/16367.
func restartFRR(ctx context.Context, l *lab.Lab) {
	GinkgoHelper()
	if inGuest && machine.Patience(time.Second) > 2*time.Second {
		return // Emulated, it would take a minute.
	}
	for _, n := range l.Nodes {
		// What the reloader writes when it is done.
		Eventually(func() (string, error) { return n.Machine.ReadFile("/etc/frr/frr.conf") }).
			ShouldNot(ContainSubstring("router bgp"), "configuration of %s without templates", n.Name)
		Expect(n.FRR.Restart(ctx)).To(Succeed())
	}
}

func closeLab(ctx context.Context) {
	GinkgoHelper()
	closing := current.Lab
	current.Lab = nil
	if closing != nil {
		Expect(closing.Close(ctx)).To(Succeed())
	}
}

var _ = AfterSuite(func(ctx context.Context) {
	closeLab(ctx)
	// Without a failure nobody asks for it. The folder itself may be a mount.
	if !anyFailed {
		labs, _ := filepath.Glob(filepath.Join(evidence, "lab*"))
		for _, folder := range labs {
			_ = os.RemoveAll(folder)
		}
	}
})

var anyFailed bool

// Evidence is collected before the spec's cleanup.
var _ = JustAfterEach(func(ctx context.Context) {
	if CurrentSpecReport().Failed() && current.Lab != nil {
		collect(ctx)
	}
})

// collect writes down how the lab is, which is not used again.
func collect(ctx context.Context) {
	anyFailed, current.broken = true, true
	AddReportEntry("where", current.FirstBreak(ctx), ReportEntryVisibilityFailureOrVerbose)
	folder, err := current.Collect(ctx, fileName(CurrentSpecReport().FullText()))
	if err != nil {
		AddReportEntry("evidence is not complete", err.Error())
	}
	AddReportEntry("evidence", folder, ReportEntryVisibilityFailureOrVerbose)
	fmt.Printf("e2e: evidence of the failure: %s\n", folder)
}

func fileName(text string) string {
	name := []byte(text)
	for i, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			name[i] = '-'
		}
	}
	return string(name[:min(len(name), 100)])
}
