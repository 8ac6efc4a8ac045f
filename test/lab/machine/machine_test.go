package machine

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

func newMachine(t *testing.T, name string) *Machine {
	t.Helper()
	m, err := New(t.Context(), name, Options{Logs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func run(t *testing.T, m *Machine, program string, args ...string) string {
	t.Helper()
	out, err := m.Run(t.Context(), program, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func TestMachinesAreHostsOfTheirOwn(t *testing.T) {
	a, b := newMachine(t, "a"), newMachine(t, "b")
	if got := run(t, a, "hostname"); got != "a" {
		t.Errorf("hostname is %q", got)
	}
	if err := a.WriteFile("/etc/frr_reloader/x", "here"); err != nil {
		t.Fatal(err)
	}
	if got := run(t, a, "cat", "/etc/frr_reloader/x"); got != "here" {
		t.Errorf("the machine reads %q", got)
	}
	if text, err := b.ReadFile("/etc/frr_reloader/x"); err == nil {
		t.Errorf("another machine reads %q", text)
	}
	if _, err := os.Stat("/etc/frr_reloader/x"); err == nil {
		t.Error("the test sees the machine's file at its own path")
	}
	if got := run(t, a, "ls", "/sys/class/net"); got != "lo" {
		t.Errorf("its devices are %q", got)
	}
	// The machine's first process, and the question.
	if got := run(t, a, "ps", "-e", "-o", "comm="); got != "bash\nps" {
		t.Errorf("it sees the processes %q", got)
	}
	// The test's own view is what it was.
	if name, _ := os.Hostname(); name == "a" || name == "b" {
		t.Errorf("the test is in machine %s now", name)
	}
}

func TestLinkedMachinesReachEachOther(t *testing.T) {
	a, router, b := newMachine(t, "a"), newMachine(t, "router"), newMachine(t, "b")
	if err := router.Bridge("br0", "192.0.2.1/24", "2001:db8:1::1/64"); err != nil {
		t.Fatal(err)
	}
	for _, ends := range [][2]End{
		{{Machine: a, Name: "eth0", MAC: "02:00:00:00:00:0a", Addresses: []string{"192.0.2.2/24", "2001:db8:1::2/64"}}, {Machine: router, Name: "a", Master: "br0"}},
		{{Machine: b, Name: "eth0", Addresses: []string{"198.51.100.2/24", "2001:db8:2::2/64"}}, {Machine: router, Name: "b", Addresses: []string{"198.51.100.1/24", "2001:db8:2::1/64"}}},
	} {
		if err := Link(ends[0], ends[1]); err != nil {
			t.Fatal(err)
		}
	}
	for m, via := range map[*Machine][]string{a: {"192.0.2.1", "2001:db8:1::1"}, b: {"198.51.100.1", "2001:db8:2::1"}} {
		for _, gateway := range via {
			address := netip.MustParseAddr(gateway)
			all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
			if address.Is6() {
				all = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
			}
			if err := m.AddRoute(all, address, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(t, a, "ping", "-c1", "-W5", "198.51.100.2")
	run(t, a, "ping", "-c1", "-W5", "2001:db8:2::2")
	if got := run(t, a, "cat", "/sys/class/net/eth0/address"); got != "02:00:00:00:00:0a" {
		t.Errorf("the MAC is %s", got)
	}

	pod, err := b.Pod("pod")
	if err != nil {
		t.Fatal(err)
	}
	if err := Link(End{Machine: b, Name: "veth-pod", Addresses: []string{"10.1.0.1/24"}}, End{Machine: pod, Name: "eth0", Addresses: []string{"10.1.0.2/24"}}); err != nil {
		t.Fatal(err)
	}
	run(t, pod, "ping", "-c1", "-W5", "10.1.0.1")
	if got := run(t, pod, "hostname"); got != "b" {
		t.Errorf("the pod's host name is %s", got)
	}
}

func TestAProcessCanBeWatchedAndEnded(t *testing.T) {
	m := newMachine(t, "m")
	p, err := m.Start(t.Context(), "talker", "bash", "-c", "echo hello; exec sleep infinity")
	if err != nil {
		t.Fatal(err)
	}
	for tick := time.NewTicker(time.Millisecond); p.LastWords() != "hello\n"; <-tick.C {
		if !p.Running() || t.Context().Err() != nil {
			t.Fatalf("it ended by itself: %q", p.LastWords())
		}
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if p.Running() {
		t.Error("it runs after Stop")
	}
	if filepath.Base(p.Log) != "m-talker.log" {
		t.Errorf("the log is %s", p.Log)
	}
	stubborn, err := m.Start(t.Context(), "stubborn", "bash", "-c", "trap '' TERM; while :; do read -t 60 < /dev/zero; done")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := stubborn.Wait(ctx); err == nil {
		t.Error("waiting ends without an error although the process goes on")
	}
	stubborn.Kill()
}

// A daemon that forked itself away belongs to nobody, and is gone all the same.
func TestCloseLeavesNothing(t *testing.T) {
	router := newMachine(t, "router")
	for round := range 3 {
		m, err := New(t.Context(), "node", Options{Logs: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		// The name at the router's end has to be free again at once.
		if err := Link(End{Machine: m, Name: "eth0"}, End{Machine: router, Name: "node"}); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		marker := fmt.Sprintf("600%d.5", round)
		run(t, m, "bash", "-c", "(setsid sleep "+marker+" > /dev/null 2>&1 &)")
		waitForProcess(t, "sleep "+marker)
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		if out, _ := exec.Command("pgrep", "-f", "sleep "+marker).Output(); len(out) != 0 {
			t.Errorf("the daemon outlives its machine: process %s", out)
		}
		if _, err := m.Run(t.Context(), "true"); err == nil {
			t.Error("a closed machine runs programs")
		}
	}
}

// waitForProcess waits because a process has no command line in the moment of
// its execve.
func waitForProcess(t *testing.T, commandLine string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for tick := time.NewTicker(time.Millisecond); ; {
		if found, _ := exec.Command("pgrep", "-f", commandLine).Output(); len(found) != 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%q does not run", commandLine)
		case <-tick.C:
		}
	}
}

// Nothing of a lab survives the program that made it, not even its being
// killed. The test stands in for that program with another enclosure.
func TestAKilledProgramLeavesNothing(t *testing.T) {
	if os.Getenv("MACHINE_TEST_VICTIM") != "" {
		m := newMachine(t, "victim")
		if _, err := m.Start(t.Context(), "daemon", "sleep", "7007.5"); err != nil {
			t.Fatal(err)
		}
		fmt.Println("ready")
		select {}
	}
	victim := exec.Command("/proc/self/exe", "-test.run=^TestAKilledProgramLeavesNothing$")
	victim.Env = append(os.Environ(), "MACHINE_TEST_VICTIM=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 6)
	if _, err := out.Read(buffer); err != nil || string(buffer) != "ready\n" {
		t.Fatalf("the victim says %q, %v", buffer, err)
	}
	waitForProcess(t, "sleep 7007.5")
	if err := victim.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	deadline := time.After(10 * time.Second)
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		if found, _ := exec.Command("pgrep", "-f", "sleep 7007.5").Output(); len(found) == 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatal("the daemon outlives the program that made its machine")
		case <-tick.C:
		}
	}
}

func TestTheKernelIsNamed(t *testing.T) {
	t.Log(ThisKernel())
	if ThisKernel().Release == "" {
		t.Error("no release")
	}
}
