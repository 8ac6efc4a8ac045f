# Tests that need VRF devices: on the host where its kernel has them, otherwise
# in a virtual machine (hack/vm), by KVM or emulated. Needs root.

VM_PACKAGES ?= ./hack/vm/selftest $(patsubst %,./%/...,$(wildcard internal/agent test/integration/agent))
VM := $(CACHE)/vm/bin/vm
# Flags of hack/vm, such as -accel=tcg.
VM_FLAGS ?=
# The binary that is shipped is tested too, and can't be built in the machine.
VM_PROGRAMS := $(CACHE)/vm/bin/programs

.PHONY: $(VM)
$(VM):
	go build -o $@ ./hack/vm

.PHONY: test-vm
test-vm: $(VM) controlplane ## Run the agent's tests with kernel VRFs, in a VM if this kernel has none; PKG, ARGS as in go test
	go build -o $(VM_PROGRAMS)/ ./cmd/agent
	$(VM) run -controlplane -modules $(LAB_MODULES) -binaries $(VM_PROGRAMS) -with config/agent -with internal/plan/testdata/golden $(VM_FLAGS) -- $(or $(PKG),$(VM_PACKAGES)) $(ARGS)
