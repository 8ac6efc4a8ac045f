# The container image, with and without a container engine. Included by the
# Makefile.

# What --version and the image's labels tell. The commit's time instead of now
# makes the same commit give the same bytes.
VERSION ?= $(or $(shell git describe --tags --always --dirty 2>/dev/null),unknown)
COMMIT ?= $(or $(shell git rev-parse HEAD 2>/dev/null),unknown)
DATE ?= $(or $(shell TZ=UTC git show -s --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ HEAD 2>/dev/null),1970-01-01T00:00:00Z)
PROGRAM := github.com/ovn-bgp-operator/ovn-bgp-operator/internal/program
LDFLAGS := -s -w -X $(PROGRAM).version=$(VERSION) -X $(PROGRAM).commit=$(COMMIT) -X $(PROGRAM).date=$(DATE)

PLATFORMS ?= linux/amd64,linux/arm64
IMAGE := $(CACHE)/image
comma := ,

##@ Image

.PHONY: image
image: image-binaries image-assembler ## Assemble the image IMG for PLATFORMS without a container engine, into .cache/image
	$(IMAGE)/assemble $(image_flags) -layout=$(IMAGE)/oci -archive=$(IMAGE)/docker.tar

.PHONY: image-push
image-push: image-binaries image-assembler ## Assemble the image IMG and push it, with the credentials of `docker login`
	$(IMAGE)/assemble $(image_flags) -push

.PHONY: docker-build
docker-build: ## Build the image IMG from the Dockerfile, for this machine
	docker build $(docker_flags) -t $(IMG) .

.PHONY: docker-push
docker-push: ## Build the image IMG from the Dockerfile for PLATFORMS, and push it
	docker buildx build $(docker_flags) --platform=$(PLATFORMS) --push -t $(IMG) .

image_flags = -binaries=$(IMAGE)/bin -platforms=$(PLATFORMS) -image=$(IMG) -version=$(VERSION) -commit=$(COMMIT) -created=$(DATE)
docker_flags = --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --build-arg DATE=$(DATE)

.PHONY: image-binaries
image-binaries:
	@rm -rf $(IMAGE)/bin
	for platform in $(subst $(comma), ,$(PLATFORMS)); do \
		IFS=/ read -r os architecture variant <<<"$$platform"; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$architecture go build -trimpath -buildvcs=false -ldflags "$(LDFLAGS)" \
			-o $(IMAGE)/bin/$${platform//\//-}/ ./cmd/... || exit 1; \
	done

.PHONY: image-assembler
image-assembler:
	@mkdir -p $(IMAGE)
	go build -C hack/image -o $(IMAGE)/assemble .

tidy: tidy-image

.PHONY: tidy-image
tidy-image:
	go -C hack/image mod tidy -diff || { echo "hack/image: run go mod tidy there"; exit 1; }

test: test-image

.PHONY: test-image
test-image:
	go -C hack/image test ./...
