# The lab of end-to-end tests and demo. Included by the Makefile.

.PHONY: lab-root
lab-root: ## Build the Debian root that labs run in (minutes, once; needs root)
	go build -o .cache/vm/bin/vm ./hack/vm
	.cache/vm/bin/vm build
