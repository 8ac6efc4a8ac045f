# Tests that need VRF devices: on the host where its kernel has them, otherwise
# in an emulated virtual machine (hack/vm). Needs root.

VM_PACKAGES ?= ./hack/vm/selftest $(patsubst %,./%/...,$(wildcard internal/agent test/integration/agent))

.PHONY: test-vm
test-vm: ## Run the agent's tests where the kernel has VRF, in a VM if need be; PKG, ARGS as in go test
	go build -o .cache/vm/bin/vm ./hack/vm
	.cache/vm/bin/vm run $(VM_FLAGS) -- $(or $(PKG),$(VM_PACKAGES)) $(ARGS)
