// Command vm runs Go tests where the kernel has VRF devices.
//
// Where the host's kernel has them, the test binaries run on the host in new
// namespaces. Elsewhere they run in a virtual machine that is built from
// Debian's packages (once, into .cache/vm) and emulated, so that neither KVM
// nor any right of the hypervisor is needed. Tests see the same in both: a
// Debian 13 root with FRR, Open vSwitch and OVN, no network device but lo, and
// OVNBGP_VM=1 in the environment. No packet can leave: the machine has no
// network card, the namespaces no way out.
//
//	go run ./hack/vm run -- ./internal/agent/... -run VRF -v
//	go run ./hack/vm build
//	go run ./hack/vm shell -- ./internal/agent/kernel
//
// It needs root: for namespaces, and to install what it lacks with apt-get.
package main
