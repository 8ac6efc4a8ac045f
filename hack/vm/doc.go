// Command vm runs Go tests where the kernel has VRF devices.
//
// Where the host's kernel has them, the test binaries run on the host in new
// namespaces. Elsewhere they run in a virtual machine that is built from
// Debian's packages (once, into .cache/vm). KVM runs it if /dev/kvm can be
// opened and the processor has vmx or svm; otherwise, or if it does not come up
// that way, QEMU emulates it (tcg), so that no right of the hypervisor is needed.
// -accel chooses, and a run prints what was chosen and why. Emulated, everything
// takes about ten times as long: tests scale what they wait for by what the
// machine can do.
//
// Tests see the same on host and guest: a Debian 13 root with FRR, Open vSwitch
// and OVN, no network device but lo, and OVNBGP_VM=1 in the environment. No
// packet can leave: the machine has no network card, the namespaces no way out.
//
// The end-to-end lab needs more, which flags add; tests find it by environment
// variables:
//
//	-controlplane        OVNBGP_LAB_KUBECONFIG  etcd and kube-apiserver, native on the host also
//	                                            for the virtual machine, at the same address inside
//	-binaries FOLDER     OVNBGP_LAB_BINARIES    programs to run
//	-evidence FOLDER     OVNBGP_LAB_EVIDENCE    what tests write there is in FOLDER afterwards
//	-modules NAME,...                           kernel modules
//
// The API server's port is all of the host that can be reached from inside
// (internal/forward). In the virtual machine OVNBGP_LAB_TIER is vm.
//
//	go run ./hack/vm run -- ./internal/agent/... -run VRF -v
//	go run ./hack/vm run -controlplane -- ./hack/vm/selftest -v -bench API
//	go run ./hack/vm build
//	go run ./hack/vm shell -- ./internal/agent/kernel
//
// It needs root: for namespaces, and to install what it lacks with apt-get.
package main
