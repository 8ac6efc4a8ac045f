# The end-to-end tests: the operator, the agent, frr-k8s, FRR, OVN and MetalLB
# on nodes of namespaces. Included by the Makefile. Needs root.

# Selects specs as Ginkgo's label filter does: LABELS='story1 || story9'.
LABELS ?=
E2E = VM_FLAGS='$(VM_FLAGS)' hack/e2e.sh $(VM) $(LAB_BIN) $(LAB_MODULES) $(CACHE)/e2e '$(LABELS)'

##@ Test and show

.PHONY: e2e
e2e: e2e-parts ## Run the end-to-end specs, in a VM where need be; LABELS selects, ARGS as --ginkgo.focus=x
	$(E2E) native,vm $(ARGS)

.PHONY: e2e-native
e2e-native: e2e-parts ## Only those that any kernel can run, on this one
	$(E2E) native $(ARGS)

.PHONY: e2e-vm
e2e-vm: e2e-parts ## Only those that need VRFs or Open vSwitch in the kernel
	$(E2E) vm $(ARGS)

.PHONY: e2e-upgrade
e2e-upgrade: LABELS = upgrade
e2e-upgrade: e2e-parts ## Upgrade the lab from commit BASE, whose manager and agent are built first
	hack/previous.sh $(CACHE)/previous $(or $(BASE),$(error set BASE to the commit to upgrade from))
	OVNBGP_LAB_PREVIOUS=$(CACHE)/previous $(E2E) native $(ARGS)

.PHONY: e2e-parts
e2e-parts: controlplane lab-root lab-binaries gobgp metallb
	ln -sf $(GOBGP)/* $(METALLB)/* $(LAB_BIN)/
