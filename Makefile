# Everything is built, generated, checked and shown with this Makefile. `make help`
# lists the targets. The results are in bin/ and .cache/, which git ignores.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Arguments for the program that a target runs, as in `make demo ARGS=--once` or
# `make test ARGS=-race`.
ARGS ?=
IMG ?= ovn-bgp-operator:dev

# All targets use the same settings, so that they share the build cache: Kubernetes'
# libraries take minutes to compile. So only the shipped binaries are built with
# -trimpath. The race detector needs cgo.
export CGO_ENABLED := $(if $(findstring -race,$(ARGS)),1,0)

CACHE := $(CURDIR)/.cache
TOOLS := $(CACHE)/tools/bin
CONTROLPLANE := $(CACHE)/controlplane/bin

CONTROLLER_GEN := $(TOOLS)/controller-gen
KUSTOMIZE := $(TOOLS)/kustomize
GOLANGCI_LINT := $(TOOLS)/golangci-lint
GOTESTSUM := $(TOOLS)/gotestsum
BENCHSTAT := $(TOOLS)/benchstat

# Stamps carry a hash of their sources: file times mean nothing after a clone, or if a
# cache is restored.
stamp = $(shell cat $(1) | sha256sum | cut -c1-16)
TOOLS_STAMP := $(CACHE)/tools/stamp-$(call stamp,hack/tools/go.mod hack/tools/go.sum)
LINT_STAMP := $(CACHE)/tools/lint-stamp-$(call stamp,hack/tools/go.mod hack/tools/go.sum)
CONTROLPLANE_STAMP := $(CACHE)/controlplane/stamp-$(call stamp,hack/controlplane/go.mod hack/controlplane/go.sum)

##@ Build

.PHONY: help
help: ## Show this text
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build every binary of cmd/ into bin/
	CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)" -o bin/ ./cmd/...

.PHONY: clean
clean: ## Remove what was built; `make clean-cache` also removes tools and control plane
	hack/remove.sh bin cover.out $(CACHE)/test $(CACHE)/bench $(CACHE)/deploy

.PHONY: clean-cache
clean-cache: clean
	hack/remove.sh $(CACHE)

##@ Write and check

.PHONY: generate
generate: $(TOOLS_STAMP) manifests ## Generate everything: deep copies, manifests, go:generate lines, config/REFERENCE.md
	$(CONTROLLER_GEN) object paths=./api/...
	go generate ./api/... ./cmd/... ./internal/...
	go run ./hack/reference

.PHONY: manifests
manifests: $(TOOLS_STAMP) ## Generate CRDs and RBAC roles into config/ from markers in the code
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=ovn-bgp-operator paths=./cmd/manager/... paths=./internal/controller/... \
		paths=./internal/program/... paths=./internal/webhook/... output:rbac:dir=config/rbac
	$(CONTROLLER_GEN) rbac:roleName=ovn-bgp-agent paths=./cmd/agent/... paths=./internal/agent/... \
		paths=./internal/program/... output:rbac:dir=config/agent

.PHONY: fmt
fmt: $(LINT_STAMP) ## Format the Go files
	$(GOLANGCI_LINT) fmt

.PHONY: lint
lint: $(LINT_STAMP) ## Lint the Go files, including the packages' import rules
	$(GOLANGCI_LINT) run ./... $(ARGS)

.PHONY: shellcheck
shellcheck: ## Lint the shell files
	hack/packages.sh
	hack/shellfiles.sh | xargs --no-run-if-empty shellcheck

.PHONY: tidy
tidy: ## Fail if a go.mod is not what the code needs
	for module in . hack/tools hack/controlplane; do \
		go -C $$module mod tidy -diff || { echo "$$module: run go mod tidy there"; exit 1; }; \
	done

.PHONY: verify
verify: tidy shellcheck $(TOOLS_STAMP) ## All checks that need no cluster: generated files, go.mod, lint, shell, manifests
	hack/verify-generated.sh
	@$(MAKE) --no-print-directory lint
	for folder in config/default config/operator config/cleanup config/hand-back config/agent-cleanup config/monitoring config/overlays/*; do $(KUSTOMIZE) build $$folder > /dev/null || exit 1; done
	@echo "verify: everything is in order"

##@ Test and show

.PHONY: controlplane
controlplane: ## Build kube-apiserver, etcd and kubectl (minutes, once), unless KUBEBUILDER_ASSETS is set
ifdef KUBEBUILDER_ASSETS
	@echo "The control plane is that of KUBEBUILDER_ASSETS=$(KUBEBUILDER_ASSETS)"
else
controlplane: $(CONTROLPLANE_STAMP)
endif

.PHONY: test
test: controlplane $(TOOLS_STAMP) ## Run unit, golden, fuzz-seed and API server tests; ARGS go to go test
	hack/packages.sh
	hack/test.sh $(GOTESTSUM) $(CACHE)/test $(ARGS)

.PHONY: bench
bench: controlplane ## Run the benchmarks; BENCH is a regular expression, PKG where they are
	mkdir -p $(CACHE)/bench
	CONTROLPLANE_REQUIRED=1 go test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem -timeout 90m -p 1 \
		$(or $(PKG),./...) $(ARGS) | grep --line-buffered -vE '^(ok|\?) .*|^PASS$$' | tee $(CACHE)/bench/new.txt

.PHONY: bench-compare
bench-compare: $(TOOLS_STAMP) ## Compare benchmarks of PKG (the planner) with BASE (the commit before)
	hack/bench-compare.sh $(BENCHSTAT) $(CACHE)/bench $(or $(BASE),HEAD~1) $(or $(PKG),./internal/plan/...)

# As root the demo shows more: the lab's parts are built first, and the demo says so if
# that is not possible.
.PHONY: demo
demo: controlplane ## Show the operator at work, as root with packets; ARGS=--once exits when done
	go build -o $(CACHE)/demo/ ./hack/demo ./cmd/...
	@[[ $$(id -u) != 0 || '$(ARGS)' == *stage=controlplane* ]] || $(MAKE) --no-print-directory lab-root lab-binaries || \
		echo "The lab's parts could not be built."
	$(CACHE)/demo/demo --binaries=$(CACHE)/demo $(ARGS)

##@ Install, into the cluster that kubectl talks to

# The kustomization: default, or one of config/overlays.
OVERLAY ?= default
overlay = $(firstword $(wildcard config/overlays/$(OVERLAY)) config/$(OVERLAY))

.PHONY: deploy
deploy: $(TOOLS_STAMP) ## Install everything with image IMG and kustomization OVERLAY (default, ovn-kubernetes, standalone, observe-only)
	hack/deployment.sh $(KUSTOMIZE) $(CACHE)/deploy $(IMG) $(overlay) | kubectl apply --server-side -f -

.PHONY: cleanup
cleanup: $(TOOLS_STAMP) ## Withdraw all routes and remove what the manager wrote, before undeploy
	hack/deployment.sh $(KUSTOMIZE) $(CACHE)/deploy $(IMG) config/cleanup | kubectl apply -f -
	kubectl --namespace=ovn-bgp-operator-system wait --for=condition=complete --timeout=5m job/ovn-bgp-operator-cleanup

.PHONY: hand-back
hand-back: $(TOOLS_STAMP) ## Hand everything back to OVN-Kubernetes' own controller: see config/MIGRATION.md
	hack/deployment.sh $(KUSTOMIZE) $(CACHE)/deploy $(IMG) config/hand-back | kubectl apply -f -
	kubectl --namespace=ovn-bgp-operator-system wait --for=condition=complete --timeout=10m job/ovn-bgp-operator-cleanup

.PHONY: cleanup-nodes
cleanup-nodes: $(TOOLS_STAMP) ## Remove what the agents wrote into OVN and the nodes' kernels, after undeploy
	hack/deployment.sh $(KUSTOMIZE) $(CACHE)/deploy $(IMG) config/agent-cleanup | kubectl apply -f -
	kubectl --namespace=ovn-bgp-agent-system rollout status --timeout=10m daemonset/ovn-bgp-agent-cleanup
	kubectl --namespace=ovn-bgp-agent-system logs --selector=app.kubernetes.io/component=agent-cleanup --all-containers --prefix --tail=-1
	$(KUSTOMIZE) build config/agent-cleanup | kubectl delete --ignore-not-found -f -

.PHONY: undeploy
undeploy: $(TOOLS_STAMP) ## Remove manager and agent; CRDs, their objects and, without `make cleanup`, advertised routes stay
	for folder in cleanup webhook agent operator; do \
		$(KUSTOMIZE) build config/$$folder | kubectl delete --ignore-not-found -f - || exit 1; \
	done

.PHONY: uninstall-crds
uninstall-crds: $(TOOLS_STAMP) ## Remove the CRDs of config/crd and all their objects, including networks
	$(KUSTOMIZE) build config/crd | kubectl delete --ignore-not-found -f -

# What the targets above need.

$(TOOLS_STAMP):
	@echo "Building the tools of hack/tools (half a minute, once)"
	@mkdir -p $(TOOLS)
	go build -C hack/tools -ldflags "-s -w" -o $(TOOLS)/ \
		sigs.k8s.io/controller-tools/cmd/controller-gen sigs.k8s.io/kustomize/kustomize/v5 \
		gotest.tools/gotestsum golang.org/x/perf/cmd/benchstat
	@rm -f $(CACHE)/tools/stamp-* && touch $@

$(LINT_STAMP):
	@echo "Building golangci-lint (a minute or two, once)"
	@mkdir -p $(TOOLS)
	go build -C hack/tools -ldflags "-s -w" -o $(TOOLS)/ \
		github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@rm -f $(CACHE)/tools/lint-stamp-* && touch $@

$(CONTROLPLANE_STAMP):
	hack/controlplane/build.sh $(CONTROLPLANE)
	@rm -f $(CACHE)/controlplane/stamp-* && touch $@

-include hack/frrk8s/frrk8s.mk
-include hack/gobgp/gobgp.mk
-include hack/helm/helm.mk
-include hack/image/image.mk
-include hack/metallb/metallb.mk
-include hack/olm/olm.mk
-include hack/prometheus/prometheus.mk
-include hack/vm/vm.mk
-include test/lab/lab.mk
-include test/e2e/e2e.mk
