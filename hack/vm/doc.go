// Command vm runs Go tests on a kernel that has VRF devices.
//
// If the host's kernel has them, the test binaries run on the host in new
// namespaces. If not, they run in a virtual machine, which is built from Debian's
// packages once, into .cache/vm. KVM runs it if /dev/kvm can be opened and the
// processor has vmx or svm. Otherwise, or if it does not come up that way, QEMU
// emulates it (tcg), which needs no right on the hypervisor. -accel chooses, and a
// run prints what was chosen and why. Emulated, everything takes about ten times as
// long: tests scale their waits by what the machine can do.
//
// Tests see the same on host and guest: a Debian 13 root with FRR, Open vSwitch and
// OVN, no network device but lo, and OVNBGP_VM=1 in the environment. No packet can
// leave: the machine has no network card, and the namespaces have no way out.
//
// The end-to-end lab needs more. Flags add it, and environment variables tell the
// tests where it is:
//
//	-controlplane        OVNBGP_LAB_KUBECONFIG  etcd and kube-apiserver; they run natively on the host,
//	                                            and the virtual machine reaches them at the same address
//	-binaries FOLDER     OVNBGP_LAB_BINARIES    programs to run
//	-evidence FOLDER     OVNBGP_LAB_EVIDENCE    what tests write there is in FOLDER afterwards
//	-modules NAME,...                           kernel modules
//
// From inside, only the API server's port on the host can be reached
// (internal/forward). In the virtual machine OVNBGP_LAB_TIER is vm.
//
//	go run ./hack/vm run -- ./internal/agent/... -run VRF -v
//	go run ./hack/vm run -controlplane -- ./hack/vm/selftest -v -bench API
//	go run ./hack/vm build
//	go run ./hack/vm shell -- ./internal/agent/kernel
//
// It must run as root, to create namespaces and to install missing packages with
// apt-get.
package main
