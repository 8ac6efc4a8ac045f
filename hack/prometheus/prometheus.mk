# promtool, with which the alert rules are tested, the parser of their queries,
# and the Prometheus operator's CRDs. Included by the Makefile, whose stamps it
# uses.

PROMETHEUS_FOLDER := $(CACHE)/prometheus
PROMETHEUS_STAMP := $(PROMETHEUS_FOLDER)/stamp-$(call stamp,$(sort $(wildcard hack/prometheus/*.go hack/prometheus/*/*.go)) hack/prometheus/go.mod hack/prometheus/go.sum)

.PHONY: prometheus
prometheus: $(PROMETHEUS_STAMP)

.PHONY: alerts
alerts: $(PROMETHEUS_STAMP) ## Check the alert rules of config/monitoring and run their tests with promtool
	$(PROMETHEUS_FOLDER)/bin/promtool check rules --lint=all --lint-fatal config/monitoring/alerts.yaml
	$(PROMETHEUS_FOLDER)/bin/promtool test rules config/monitoring/alerts_test.yaml

verify: alerts

test: prometheus

# Not part of `make tidy`: go mod tidy would download what every part of
# Prometheus can talk to, for minutes. Building with -mod=readonly, the default,
# fails where go.mod lacks something.

# Without the ways to discover targets, which pull in every cloud's SDK.
$(PROMETHEUS_STAMP):
	@echo "Building promtool from its module (two minutes, once)"
	@mkdir -p $(PROMETHEUS_FOLDER)/bin $(PROMETHEUS_FOLDER)/crds
	go build -C hack/prometheus -tags remove_all_sd -ldflags "-s -w" -o $(PROMETHEUS_FOLDER)/bin/ \
		github.com/prometheus/prometheus/cmd/promtool ./selectors
	go -C hack/prometheus mod download github.com/prometheus-operator/prometheus-operator
	crds=$$(go -C hack/prometheus list -m -f '{{.Dir}}' github.com/prometheus-operator/prometheus-operator)/example/prometheus-operator-crd && \
		install -m 644 $$crds/monitoring.coreos.com_servicemonitors.yaml $$crds/monitoring.coreos.com_prometheusrules.yaml $(PROMETHEUS_FOLDER)/crds/
	@rm -f $(PROMETHEUS_FOLDER)/stamp-* && touch $@
