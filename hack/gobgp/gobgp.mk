# The lab's router that is not FRR. Included by the Makefile, whose stamps it
# uses.

GOBGP := $(CACHE)/gobgp/bin
GOBGP_STAMP := $(CACHE)/gobgp/stamp-$(call stamp,hack/gobgp/go.mod hack/gobgp/go.sum hack/gobgp/build.sh $(wildcard hack/gobgp/gobgprouter/*.go))

.PHONY: gobgp
gobgp: $(GOBGP_STAMP) ## Build the lab's GoBGP router and client (a minute, once)

test: gobgp

tidy: tidy-gobgp

.PHONY: tidy-gobgp
tidy-gobgp:
	go -C hack/gobgp mod tidy -diff || { echo "hack/gobgp: run go mod tidy there"; exit 1; }

$(GOBGP_STAMP):
	hack/gobgp/build.sh $(GOBGP)
	@rm -f $(CACHE)/gobgp/stamp-* && touch $@
