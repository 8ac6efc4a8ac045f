# One image with every binary of cmd/; it runs the manager by default.
# `make image` assembles the same one without a container engine.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src

# The modules alone first: they change less often than the code.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

COPY api/ api/
COPY cmd/ cmd/
COPY config/crd/ config/crd/
COPY internal/ internal/
ARG TARGETOS TARGETARCH
# What --version prints; the Makefile sets these.
ARG VERSION=unknown COMMIT=unknown DATE=1970-01-01T00:00:00Z
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    program=github.com/ovn-bgp-operator/ovn-bgp-operator/internal/program && \
    CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X $program.version=${VERSION} -X $program.commit=${COMMIT} -X $program.date=${DATE}" \
    -o /out/ ./cmd/...

# No shell, no package manager: root certificates, and a user that owns nothing.
FROM scratch
ARG VERSION=unknown COMMIT=unknown DATE=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="ovn-bgp-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.created="${DATE}"
COPY --from=build --chmod=0444 /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chmod=0555 /out/ /usr/local/bin/
ENV PATH=/usr/local/bin
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/manager"]
