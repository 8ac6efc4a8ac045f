// Package machine makes machines of namespaces: each has a network, mounts, a
// host name and processes of its own, so that FRR, frr-k8s, Open vSwitch, OVN
// and the agent find their fixed paths and see nothing of each other.
//
//	func TestMain(m *testing.M) { machine.Main(m) }
//
//	node, err := machine.New(ctx, "node1", machine.Options{Logs: folder})
//	tor, err := machine.New(ctx, "tor", machine.Options{Logs: folder})
//	err = machine.Link(
//		machine.End{Machine: node, Name: "eth0", Addresses: []string{"192.0.2.1/31"}},
//		machine.End{Machine: tor, Name: "node1", Addresses: []string{"192.0.2.0/31"}})
//	zebra, err := node.Start(ctx, "zebra", "/usr/lib/frr/zebra", "-A", "127.0.0.1")
//	routes, err := node.Run(ctx, "ip", "route")
//	pod, err := node.Pod("pod1")
//
// # Where machines are
//
// All machines live in one enclosure, that of the program that makes them: a
// process, mount and network namespace whose root is the Debian 13 root of
// hack/vm, with the checkout at its usual path. `vm run` starts test binaries
// inside of it, on the host or in the virtual machine; Main and Enter make it
// for a program that is started in any other way, such as by go test.
//
// The enclosure has no device but lo and no way out, so no packet of a lab can
// leave the machine. Everything in it dies with its first process, and that
// with the program that started it, whatever kills the program: there is
// nothing that a second run would have to clean up.
//
// # What to know about threads
//
// Namespaces belong to threads. Do, and what a Cmd does to start, run on a
// thread of their own inside of the machine, which ends afterwards. A function
// given to Do must do its work itself: goroutines that it starts are outside.
// An open file or socket stays where it was opened.
//
// This room knows nothing of BGP, OVN or Kubernetes.
package machine
