# Tests that need VRF devices: on the host where its kernel has them, otherwise
# in an emulated virtual machine (hack/vm). Needs root.

VM_PACKAGES ?= ./hack/vm/selftest $(patsubst %,./%/...,$(wildcard internal/agent test/integration/agent))
VM := $(CACHE)/vm/bin/vm


.PHONY: $(VM)
$(VM):
	go build -o $@ ./hack/vm

.PHONY: test-vm
test-vm: $(VM) controlplane ## Run the agent's tests where the kernel has VRF, in a VM if need be; PKG, ARGS as in go test
	$(VM) run -controlplane -modules $(LAB_MODULES) $(VM_FLAGS) -- $(or $(PKG),$(VM_PACKAGES)) $(ARGS)
