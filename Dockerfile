# One small image with the three commands: validator, fixer and trueup.
#
#   docker buildx build --sbom=true --provenance=mode=max -t REGISTRY/trueup:v1.2.3 --push \
#     --build-arg VERSION=v1.2.3 --build-arg COMMIT=$(git rev-parse HEAD) \
#     --build-arg DATE=$(TZ=UTC git show -s --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ HEAD) .
#
# --sbom=true attaches a software bill of materials, which BuildKit's scanner reads
# from the commands; `docker buildx imagetools inspect IMAGE --format '{{json .SBOM}}'`
# shows it. `make sbom` makes one without Docker. Plain `docker build` works as well
# and attaches none.
#
# The bases are named by tag. Whoever publishes pins them by digest, as shown by
# `docker buildx imagetools inspect golang:1.26-bookworm`, since a tag may move:
#   --build-arg GOLANG=golang:1.26-bookworm@sha256:… --build-arg BUSYBOX=busybox:1.37-musl@sha256:…

ARG GOLANG=golang:1.26-bookworm
ARG BUSYBOX=busybox:1.37-musl

FROM ${BUSYBOX} AS busybox

FROM --platform=$BUILDPLATFORM ${GOLANG} AS build
WORKDIR /src
# Dependencies first: they change less often than the code.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=dev COMMIT= DATE=
# timetzdata puts the time zones into the binaries: schedules name them, and the
# final image has no files of its own.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    export CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH; \
    into=github.com/trueup/trueup/services/assembly; \
    go build -trimpath -tags timetzdata -ldflags "-s -w -X $into.version=$VERSION -X $into.commit=$COMMIT -X $into.date=$DATE" -o /out/ ./services/...

FROM scratch
ARG VERSION=dev COMMIT= DATE=
LABEL org.opencontainers.image.title="trueup" \
      org.opencontainers.image.description="Proves that two databases hold the same data while both are live, and repairs what differs" \
      org.opencontainers.image.source="https://github.com/trueup/trueup" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.created="$DATE"
# TLS to databases and brokers needs the usual authorities.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# For health checks: GET /healthz and /readyz.
COPY --from=busybox /bin/busybox /usr/local/bin/wget
COPY --from=build /out/ /usr/local/bin/
ENV PATH=/usr/local/bin
# By number, so that Kubernetes' runAsNonRoot can tell it is not root.
# They write nothing: run them with a read-only root, --read-only.
USER 65532:65532
EXPOSE 8080
CMD ["trueup", "--help"]
