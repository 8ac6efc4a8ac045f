package importing

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

const (
	protocolBGP = 186
	mainTable   = 254
)

// node is a node's kernel: a network namespace whose main table has the BGP
// routes.
type node struct {
	*testns.Namespace
	netlink *netlink.Handle
	link    int
}

func newNode(b *testing.B, apiServer string) *node {
	b.Helper()
	n := &node{Namespace: testns.New(b)}
	var err error
	if n.netlink, err = netlink.NewHandleAt(n.Handle); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = n.netlink.Close() })
	gateway, err := n.netlink.LinkByName("gw0")
	if err != nil {
		b.Fatal(err)
	}
	n.link = gateway.Attrs().Index
	n.IP(b, "link set lo up")
	if apiServer != "" {
		n.relay(b, apiServer)
	}
	return n
}

// within does something in the namespace. Sockets belong to the namespace
// that they were opened in, so nothing else has to stay there.
func (n *node) within(do func() error) error {
	done := make(chan error)
	go func() {
		// The thread is never unlocked, so that it ends with the goroutine
		// instead of going on in the namespace.
		runtime.LockOSThread()
		if err := netns.Set(n.Handle); err != nil {
			done <- err
			return
		}
		done <- do()
	}()
	return <-done
}

// dial connects to an address of the namespace.
func (n *node) dial(ctx context.Context, network, address string) (connection net.Conn, err error) {
	err = n.within(func() (err error) {
		connection, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return connection, err
}

// relay makes an address of the outside, such as the API server's on the
// loopback, reachable at the same address in the namespace.
func (n *node) relay(b *testing.B, address string) {
	b.Helper()
	var listener net.Listener
	err := n.within(func() (err error) {
		listener, err = new(net.ListenConfig).Listen(b.Context(), "tcp4", address)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			inside, err := listener.Accept()
			if err != nil {
				return
			}
			outside, err := new(net.Dialer).DialContext(context.Background(), "tcp4", address)
			if err != nil {
				_ = inside.Close()
				continue
			}
			copyTo := func(to, from net.Conn) {
				_, _ = io.Copy(to, from)
				_, _ = to.Close(), from.Close()
			}
			go copyTo(inside, outside)
			go copyTo(outside, inside)
		}
	}()
}

// prefix is that of route i: /24s from 32.0.0.0 on.
func prefix(i int) netip.Prefix {
	i += 32 << 16
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), 0}), 24)
}

// nextHop is that of route i, one of two.
func nextHop(i int) netip.Addr { return netip.AddrFrom4([4]byte{172, 18, 0, byte(2 + i%2)}) }

// line is route i as a command of ip.
func line(verb string, i int) string {
	return fmt.Sprintf("route %s %s via %s dev gw0 proto bgp\n", verb, prefix(i), nextHop(i))
}

// change adds or removes ("add", "del") routes as fast as the kernel takes
// them.
func (n *node) change(b *testing.B, verb string, from, to int) {
	b.Helper()
	batch := n.open(b)
	batch.change(verb, from, to)
	batch.end()
}

// batch is ip, which takes commands from a pipe.
type batch struct {
	b       *testing.B
	command *exec.Cmd
	in      io.WriteCloser
	out     strings.Builder
}

func (n *node) open(b *testing.B) *batch {
	b.Helper()
	x := &batch{b: b, command: exec.Command("ip", "-n", n.Name, "-batch", "-")}
	x.command.Stdout, x.command.Stderr = &x.out, &x.out
	var err error
	if x.in, err = x.command.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	if err := x.command.Start(); err != nil {
		b.Fatal(err)
	}
	return x
}

func (x *batch) change(verb string, from, to int) {
	x.b.Helper()
	var text strings.Builder
	for i := from; i < to; i++ {
		text.WriteString(line(verb, i))
	}
	x.write(text.String())
}

// write passes commands on.
func (x *batch) write(text string) {
	x.b.Helper()
	if _, err := io.WriteString(x.in, text); err != nil {
		x.b.Fatal(err)
	}
}

func (x *batch) end() {
	x.b.Helper()
	_ = x.in.Close()
	if err := x.command.Wait(); err != nil {
		x.b.Fatalf("ip: %v: %s", err, x.out.String())
	}
}

// route is route i for the netlink library.
func (n *node) route(i int) *netlink.Route {
	p := prefix(i)
	return &netlink.Route{
		LinkIndex: n.link, Protocol: protocolBGP, Gw: nextHop(i).AsSlice(),
		Dst: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)},
	}
}

// dump lists the BGP routes of the main table and decodes nothing.
func (n *node) dump(b *testing.B) (routes int) { return n.dumpTable(b, mainTable, false) }

func (n *node) dumpTable(b *testing.B, table int, ipv6 bool) (routes int) {
	b.Helper()
	s, err := nl.GetNetlinkSocketAt(n.Handle, netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := unix.SetsockoptInt(s.GetFd(), unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1); err != nil {
		b.Fatal(err)
	}
	request := nl.NewNetlinkRequest(unix.RTM_GETROUTE, unix.NLM_F_DUMP)
	request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
	header := &nl.RtMsg{}
	header.Family, header.Protocol = unix.AF_INET, protocolBGP
	if ipv6 {
		header.Family = unix.AF_INET6
	}
	request.AddData(header)
	request.AddData(nl.NewRtAttr(unix.RTA_TABLE, binary.NativeEndian.AppendUint32(nil, uint32(table))))
	err = request.ExecuteIter(unix.NETLINK_ROUTE, 0, func([]byte) bool {
		routes++
		return true
	})
	if err != nil {
		b.Fatal(err)
	}
	return routes
}
