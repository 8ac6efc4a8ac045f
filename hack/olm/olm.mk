# The bundles for the Operator Lifecycle Manager, and what judges them. Included
# by the Makefile, whose stamps it uses.

OLM := $(CACHE)/olm/bin/olm
OLM_STAMP := $(CACHE)/olm/stamp-$(call stamp,$(sort $(wildcard hack/olm/*.go)) hack/olm/go.mod hack/olm/go.sum)
# What is in git: that which `make chart` packages, with the same image.
BUNDLE_VERSION ?= 0.1.0
BUNDLE_IMG ?= ovn-bgp-operator:$(BUNDLE_VERSION)
BUNDLE_FOLDER ?= config/olm/bundle

##@ OLM

.PHONY: bundle
bundle: $(OLM_STAMP) ## Make the OLM bundles of BUNDLE_VERSION and BUNDLE_IMG in BUNDLE_FOLDER, and validate them
	$(OLM) -version=$(BUNDLE_VERSION) -image=$(BUNDLE_IMG) -into=$(BUNDLE_FOLDER)

verify: verify-bundle

.PHONY: verify-bundle
verify-bundle: $(OLM_STAMP)
	$(OLM) -check -version=0.1.0 -image=ovn-bgp-operator:0.1.0

tidy: tidy-olm

.PHONY: tidy-olm
tidy-olm:
	go -C hack/olm mod tidy -diff || { echo "hack/olm: run go mod tidy there"; exit 1; }

test: test-olm

.PHONY: test-olm
test-olm:
	go -C hack/olm test ./...

$(OLM_STAMP):
	@echo "Building hack/olm with operator-framework's validators (a minute or two, once)"
	@mkdir -p $(dir $(OLM))
	go build -C hack/olm -ldflags "-s -w" -o $(OLM) .
	@rm -f $(CACHE)/olm/stamp-* && touch $@
