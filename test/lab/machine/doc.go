// Package machine builds machines from namespaces. Each has its own network, mounts,
// host name and processes, so that FRR, frr-k8s, Open vSwitch, OVN and the agent find
// their fixed paths and don't see each other's.
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
// All machines of a program are in one enclosure: a process, mount and network
// namespace. Its root is the Debian 13 root of hack/vm, with the checkout at its usual
// path. `vm run` starts test binaries inside the enclosure, on the host or in the
// virtual machine. Main and Enter create it for a program that is started in another
// way, such as by go test.
//
// The enclosure has no device but lo and no way out, so no packet of a lab can leave
// the machine. Everything in it ends with its first process, and that process ends
// with the program that started it, whatever kills the program. So a second run has
// nothing to clean up.
//
// # What to know about threads
//
// Namespaces belong to threads. Do, and the start of a Cmd, run on a thread of their
// own inside the machine, which ends afterwards. A function that is passed to Do must
// do its work itself: goroutines that it starts run outside. An open file or socket
// stays where it was opened.
//
// This package knows nothing about BGP, OVN or Kubernetes.
package machine
