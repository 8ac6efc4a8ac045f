# The lab of end-to-end tests and demo. Included by the Makefile.

LAB_BIN := $(CACHE)/lab/bin
# What nodes cannot do without and no system call asks for.
LAB_MODULES := vrf,openvswitch,vport-geneve

# As root there are labs, and so their tests: what these need is built first.
# The Debian root is for amd64.
ifeq ($(shell id -u) $(shell uname -m),0 x86_64)
test: lab-root
test: export LAB_REQUIRED = 1
endif

##@ The lab

.PHONY: lab-root
lab-root: $(VM) ## Build the Debian root that labs run in (minutes, once; needs root)
	$(VM) build

.PHONY: lab-binaries
lab-binaries: frrk8s ## Put what labs run into .cache/lab/bin: manager, agent, frr-k8s
	mkdir -p $(LAB_BIN)
	go build -ldflags "-s -w" -o $(LAB_BIN)/ ./cmd/...
	ln -sf $(or $(FRRK8S_ASSETS),$(FRRK8S))/* $(LAB_BIN)/
