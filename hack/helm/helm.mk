# Helm, with which the chart is tested and packaged. Included by the Makefile,
# whose stamps it uses.

HELM_FOLDER := $(CACHE)/helm/bin
HELM_STAMP := $(CACHE)/helm/stamp-$(call stamp,hack/helm/go.mod hack/helm/go.sum)
# A chart's version is a semantic one.
CHART_VERSION ?= 0.1.0

##@ Chart

.PHONY: helm
helm: $(HELM_STAMP) ## Build helm from its module (a minute or two, once)

.PHONY: chart
chart: $(HELM_STAMP) ## Package config/helm as version CHART_VERSION into .cache/chart
	$(HELM_FOLDER)/helm package config/helm --version $(CHART_VERSION) --app-version $(VERSION) --destination $(CACHE)/chart

test: helm

tidy: tidy-helm

.PHONY: tidy-helm
tidy-helm:
	go -C hack/helm mod tidy -diff || { echo "hack/helm: run go mod tidy there"; exit 1; }

$(HELM_STAMP):
	@echo "Building helm (a minute or two, once)"
	@mkdir -p $(HELM_FOLDER)
	go build -C hack/helm -ldflags "-s -w" -o $(HELM_FOLDER)/ helm.sh/helm/v4/cmd/helm
	@rm -f $(CACHE)/helm/stamp-* && touch $@
