# The unmodified frr-k8s that tests run against. Included by the Makefile,
# whose stamps it uses.

FRRK8S := $(CACHE)/frrk8s/bin
FRRK8S_STAMP := $(CACHE)/frrk8s/stamp-$(call stamp,hack/frrk8s/go.mod hack/frrk8s/go.sum hack/frrk8s/build.sh)

##@ Parts of the tests

.PHONY: frrk8s
frrk8s: ## Build frr-k8s' controller and webhook (a minute or two, once), unless FRRK8S_ASSETS is set
ifdef FRRK8S_ASSETS
	@echo "frr-k8s is that of FRRK8S_ASSETS=$(FRRK8S_ASSETS)"
else
frrk8s: $(FRRK8S_STAMP)
endif

test: frrk8s

tidy: tidy-frrk8s

.PHONY: tidy-frrk8s
tidy-frrk8s:
	go -C hack/frrk8s mod tidy -diff || { echo "hack/frrk8s: run go mod tidy there"; exit 1; }

$(FRRK8S_STAMP):
	hack/frrk8s/build.sh $(FRRK8S)
	@rm -f $(CACHE)/frrk8s/stamp-* && touch $@
