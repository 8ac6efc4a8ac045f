package vrfs_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// These need no VRF devices: routes and rules are the same without.

func newLoop(ns *testns.Namespace) *vrfs.Loop {
	return vrfs.NewLoop(&vrfs.Keeper{Namespace: ns.Handle, Log: logr.Discard()})
}

// follow returns what the loop is told from now on.
func follow(t *testing.T, loop *vrfs.Loop) (next func() []syscall.NetlinkMessage) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	told, subscribed, ended := make(chan []syscall.NetlinkMessage), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- loop.Follow(ctx, func(messages []syscall.NetlinkMessage) {
			select {
			case told <- messages:
			case <-ctx.Done():
			}
		}, func(ctx context.Context) {
			close(subscribed)
			<-ctx.Done()
		})
	}()
	select {
	case <-subscribed:
	case err := <-ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return func() []syscall.NetlinkMessage {
		t.Helper()
		select {
		case messages := <-told:
			return messages
		case <-time.After(10 * time.Second):
			t.Fatal("the kernel tells nothing for 10 s")
			return nil
		}
	}
}

// TestEventsOfStops undoes a stop, and a rule, in every way, and wants a look
// each time.
func TestEventsOfStops(t *testing.T) {
	ns := testns.New(t)
	loop := newLoop(ns)
	next := follow(t, loop)
	// A rule of another priority is nobody's business here, and marks where the
	// events of a command end.
	const marker = 1999
	const v4, v6 = "unreachable default table 1000000005 metric 4278198272", "unreachable ::/0 table 1000000005 metric 4278198272"
	for i, c := range []struct {
		command string
		look    bool
	}{
		{"route add " + v4 + " proto 173", true}, {"route del " + v4, true},
		{"route add " + v6 + " proto 173", true}, {"route del " + v6, true},
		{"route add " + v4 + " proto 173", true}, {"route replace default via 172.18.0.9 table 1000000005 metric 4278198272", true},
		{"route flush table 1000000005", true},
		{"rule add to 10.10.0.0/16 lookup 5 priority 2000", true}, {"rule del to 10.10.0.0/16 lookup 5 priority 2000", true},
		{"route add default via 172.18.0.2 proto bgp metric 20", false}, {"route add unreachable 10.0.0.0/8 metric 4278198272", false},
		{"link add pod0 type veth peer name pod1", false},
	} {
		ns.IP(t, c.command, fmt.Sprintf("rule add to 203.0.113.%d lookup 5 priority %d", i, marker))
		look := false
		for end := false; !end; {
			messages := next()
			look = look || loop.Concerned(messages)
			for _, m := range messages {
				end = end || m.Header.Type == unix.RTM_NEWRULE && bytes.Contains(m.Data, []byte{203, 0, 113, byte(i)})
			}
		}
		if look != c.look {
			t.Errorf("%q asks for a look: %v, want %v", c.command, look, c.look)
		}
	}
}

// TestRoutesOfBGPAreKeptBack floods the kernel with routes, of which only a
// default one may arrive.
func TestRoutesOfBGPAreKeptBack(t *testing.T) {
	ns := testns.New(t)
	next := follow(t, newLoop(ns))
	var commands []string
	for i := range 2000 {
		commands = append(commands, fmt.Sprintf("route add 20.1.%d.%d/32 via 172.18.0.2 proto bgp", i>>8, i&255), fmt.Sprintf("route add fd20::%x via fd00:18::2 proto bgp", i))
	}
	ns.IP(t, append(commands, "route add default via 172.18.0.2 proto bgp", "rule add to 10.10.0.0/16 lookup 5 priority 2000")...)
	for routes := 0; ; {
		for _, m := range next() {
			switch m.Header.Type {
			case unix.RTM_NEWROUTE:
				routes++
			case unix.RTM_NEWRULE:
				if routes != 1 {
					t.Errorf("%d events of routes arrived", routes)
				}
				return
			}
		}
	}
}

// TestStopWhosePlaceIsTaken leaves a route of somebody else where it is, and
// says that the network is not closed.
func TestStopWhosePlaceIsTaken(t *testing.T) {
	ns := testns.New(t)
	ns.IP(t, "route add default via 172.18.0.9 table 1000000005 metric 4278198272")
	keeper := &vrfs.Keeper{Namespace: ns.Handle, Log: logr.Discard()}
	report, err := keeper.Sync([]vrfs.Network{blue()})
	if err == nil || report.Networks[0].Reason != vrfs.ReasonKernelRefused || !strings.Contains(report.Networks[0].Problem, "ip route show default table 1000000005") {
		t.Errorf("the error is %v, the report is %+v", err, report)
	}
	for _, c := range report.Changes {
		if c.Verb == vrfs.CreateDevice {
			t.Error("a device came for a network that is not closed")
		}
	}
}

// TestKernelUnread has no kernel to read: nothing is known of any network.
func TestKernelUnread(t *testing.T) {
	report, err := (&vrfs.Keeper{Namespace: 1 << 20, Log: logr.Discard()}).Sync([]vrfs.Network{blue()})
	if err == nil || len(report.Networks) != 1 || report.Networks[0].Reason != vrfs.ReasonKernelUnread || report.Networks[0].Reason.Decided() {
		t.Errorf("the error is %v, the report is %+v", err, report)
	}
}
