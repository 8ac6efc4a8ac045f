# The unmodified MetalLB that the end-to-end tests run beside the operator.
# Included by the Makefile, whose stamps it uses.

METALLB := $(CACHE)/metallb/bin
METALLB_STAMP := $(CACHE)/metallb/stamp-$(call stamp,hack/metallb/go.mod hack/metallb/go.sum hack/metallb/build.sh)

##@ Parts of the tests

.PHONY: metallb
metallb: $(METALLB_STAMP) ## Build MetalLB's controller and speaker (a minute or two, once)

tidy: tidy-metallb

.PHONY: tidy-metallb
tidy-metallb:
	go -C hack/metallb mod tidy -diff || { echo "hack/metallb: run go mod tidy there"; exit 1; }

$(METALLB_STAMP): | $(TOOLS_STAMP)
	hack/metallb/build.sh $(METALLB) $(KUSTOMIZE)
	@rm -f $(CACHE)/metallb/stamp-* && touch $@
