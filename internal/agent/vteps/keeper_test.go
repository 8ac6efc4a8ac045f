package vteps_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vteps"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// These tests need a kernel with dummy devices. Where there is none, run
//
//	make test-vm PKG=./internal/agent/vteps

// place is a namespace whose kernel has dummy devices.
func place(t *testing.T) *testns.Namespace {
	t.Helper()
	ns := testns.New(t)
	handle, err := netlink.NewHandleAt(ns.Handle, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close()
	attributes := netlink.NewLinkAttrs()
	attributes.Name = "probe"
	probe := &netlink.Dummy{LinkAttrs: attributes}
	if err := handle.LinkAdd(probe); errors.Is(err, syscall.EOPNOTSUPP) {
		complain := t.Skipf
		if os.Getenv("OVNBGP_VM") != "" {
			complain = t.Fatalf
		}
		complain("NOT TESTED: this kernel has no dummy devices; run: make test-vm PKG=./internal/agent/vteps")
	} else if err != nil {
		t.Fatal(err)
	}
	if err := handle.LinkDel(probe); err != nil {
		t.Fatal(err)
	}
	return ns
}

func vtep(name string, addresses ...string) vteps.VTEP {
	out := vteps.VTEP{Name: name}
	for _, a := range addresses {
		out.Addresses = append(out.Addresses, netip.MustParseAddr(a))
	}
	return out
}

// sync makes a pass with a new Keeper, as an agent that was restarted does.
func sync(t *testing.T, ns *testns.Namespace, wanted ...vteps.VTEP) vteps.Report {
	t.Helper()
	report, err := (&vteps.Keeper{Namespace: ns.Handle, Log: logr.Discard()}).Sync(wanted)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// ip runs iproute2 in the namespace.
func ip(t *testing.T, ns *testns.Namespace, arguments string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ip", append([]string{"-n", ns.Name}, strings.Fields(arguments)...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v: %s", arguments, err, out)
	}
	return string(out)
}

// has are the global addresses on a device, as iproute2 shows them; nil if there is none.
func has(t *testing.T, ns *testns.Namespace, device string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ip", "-n", ns.Name, "-o", "address", "show", "dev", device, "scope", "global").Output()
	if exit := (&exec.ExitError{}); errors.As(err, &exit) {
		return nil
	}
	found := []string{}
	for line := range strings.Lines(string(out)) {
		found = append(found, strings.Fields(line)[3])
	}
	slices.Sort(found)
	return found
}

func expect(t *testing.T, ns *testns.Namespace, device string, addresses ...string) {
	t.Helper()
	if got := has(t, ns, device); got == nil || !slices.Equal(got, addresses) {
		t.Fatalf("%s has %v, not %v", device, got, addresses)
	}
	if shown := ip(t, ns, "link show "+device); !strings.Contains(shown, ",UP") {
		t.Fatalf("it is down: %s", shown)
	}
}

func TestAddressesAreOnADeviceOfTheirOwn(t *testing.T) {
	ns := place(t)
	a, b := vtep("a", "100.64.0.1"), vtep("a-name-too-long", "100.65.0.1", "fd00::1")
	sync(t, ns, a, b)
	expect(t, ns, "vtep-a", "100.64.0.1/32")
	expect(t, ns, "vtep.2f670a53", "100.65.0.1/32", "fd00::1/128")
	if shown := ip(t, ns, "-details link show vtep-a"); !strings.Contains(shown, "dummy") || !strings.Contains(shown, "alias ovnbgp.io/vtep a") {
		t.Errorf("it is %s", shown)
	}
	if report := sync(t, ns, a, b); len(report.Changes) > 0 {
		t.Errorf("it changed %v again", report.Changes)
	}

	ip(t, ns, "link set vtep-a down")
	ip(t, ns, "address delete 100.65.0.1/32 dev vtep.2f670a53")
	sync(t, ns, a, b)
	expect(t, ns, "vtep-a", "100.64.0.1/32")
	expect(t, ns, "vtep.2f670a53", "100.65.0.1/32", "fd00::1/128")

	// A new address comes before the old one goes.
	report := sync(t, ns, vtep("a", "100.64.0.2"), b)
	if len(report.Changes) != 2 || report.Changes[0].Verb != vteps.AddAddress || report.Changes[1].Verb != vteps.DeleteAddress {
		t.Errorf("it changed %v", report.Changes)
	}
	expect(t, ns, "vtep-a", "100.64.0.2/32")
	sync(t, ns, vtep("b", "100.64.0.2"))
	expect(t, ns, "vtep-b", "100.64.0.2/32")
	for _, gone := range []string{"vtep-a", "vtep.2f670a53"} {
		if has(t, ns, gone) != nil {
			t.Errorf("%s is still there", gone)
		}
	}
}

func TestWhatIsForeignStays(t *testing.T) {
	ns := place(t)
	for _, command := range []string{
		"link add vtep-a type dummy", "address add 100.64.0.7/32 dev vtep-a", "link add vtep-old type dummy",
		"link add uplink type dummy", "address add 100.64.0.2/24 dev uplink",
	} {
		ip(t, ns, command)
	}
	before := ip(t, ns, "address show dev vtep-a") + ip(t, ns, "address show dev uplink") + ip(t, ns, "address show dev vtep-old")
	report := sync(t, ns, vtep("a", "100.64.0.1"), vtep("b", "100.64.0.2"), vtep("c", "100.64.0.3"))
	reasons := []vteps.Reason{report.VTEPs[0].Reason, report.VTEPs[1].Reason, report.VTEPs[2].Reason}
	if !slices.Equal(reasons, []vteps.Reason{vteps.ReasonNameTaken, vteps.ReasonAddressTaken, ""}) {
		t.Errorf("it tells %v", report.VTEPs)
	}
	expect(t, ns, "vtep-c", "100.64.0.3/32")
	sync(t, ns)
	if after := ip(t, ns, "address show dev vtep-a") + ip(t, ns, "address show dev uplink") + ip(t, ns, "address show dev vtep-old"); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}

	// Once the address is free, it comes.
	ip(t, ns, "link delete uplink")
	sync(t, ns, vtep("b", "100.64.0.2"))
	expect(t, ns, "vtep-b", "100.64.0.2/32")
}

func TestAnAgentThatIsKilledAnywhereGoesOn(t *testing.T) {
	for _, change := range []struct {
		name           string
		before, wanted []vteps.VTEP
	}{
		{"making", nil, []vteps.VTEP{vtep("a", "100.64.0.1", "fd00::1")}},
		{"replacing", []vteps.VTEP{vtep("a", "100.64.0.1"), vtep("b", "100.65.0.1")}, []vteps.VTEP{vtep("a", "100.64.0.2")}},
	} {
		t.Run(change.name, func(t *testing.T) {
			for steps := 0; ; steps++ {
				ns := place(t)
				sync(t, ns, change.before...)
				keeper := &vteps.Keeper{Namespace: ns.Handle, Log: logr.Discard()}
				all, err := keeper.SyncFirst(change.wanted, steps)
				if err != nil {
					t.Fatal(err)
				}
				sync(t, ns, change.wanted...)
				for _, s := range sync(t, ns, change.wanted...).VTEPs {
					if s.Problem != "" {
						t.Fatalf("after %d steps: %s", steps, s.Problem)
					}
					var want []string
					for _, a := range s.Addresses {
						want = append(want, netip.PrefixFrom(a, a.BitLen()).String())
					}
					expect(t, ns, s.Device, want...)
				}
				if report := sync(t, ns); len(report.Changes) != 1 {
					t.Fatalf("after %d steps it removes %v", steps, report.Changes)
				}
				if steps > all {
					return
				}
			}
		})
	}
}

func TestAnAgentThatOnlyObserves(t *testing.T) {
	ns := place(t)
	keeper := &vteps.Keeper{Namespace: ns.Handle, Log: logr.Discard(), Observing: "start the agent with --manage-vteps"}
	report, err := keeper.Sync([]vteps.VTEP{vtep("a", "100.64.0.1")})
	if err != nil || len(report.Changes) > 0 || report.VTEPs[0].Reason != vteps.ReasonNotManaged {
		t.Errorf("%v, %+v", err, report)
	}
	// By hand is as good.
	ip(t, ns, "link add mine type dummy")
	ip(t, ns, "address add 100.64.0.1/32 dev mine")
	if report, err = keeper.Sync([]vteps.VTEP{vtep("a", "100.64.0.1")}); err != nil || report.VTEPs[0].Problem != "" {
		t.Errorf("%v, %+v", err, report)
	}
}

func TestLoopPutsBackWhatIsTakenAway(t *testing.T) {
	ns := place(t)
	loop := vteps.NewLoop(&vteps.Keeper{Namespace: ns.Handle, Log: logr.Discard()})
	loop.Interval, loop.Pause = time.Hour, time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	loop.Apply([]vteps.VTEP{vtep("a", "100.64.0.1")})
	there := func() {
		t.Helper()
		for !slices.Equal(has(t, ns, "vtep-a"), []string{"100.64.0.1/32"}) || !strings.Contains(ip(t, ns, "link show vtep-a"), ",UP") {
			if ctx.Err() != nil {
				t.Fatal("the test is over, and it is not there")
			}
		}
	}
	there()
	for _, command := range []string{"address delete 100.64.0.1/32 dev vtep-a", "link set vtep-a down", "link delete vtep-a"} {
		ip(t, ns, command)
		there()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
