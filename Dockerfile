# One small image with the three commands: validator, fixer and trueup.
#   docker build --build-arg VERSION=$(git describe --tags --always) -t trueup .

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
# Dependencies first: they change less often than the code.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=dev
# timetzdata puts the time zones into the binaries: schedules name them, and the
# final image has no files of its own.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -tags timetzdata -ldflags "-s -w -X github.com/trueup/trueup/services/assembly.version=$VERSION" -o /out/ ./services/...

FROM scratch
# TLS to databases and brokers needs the usual authorities.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# For health checks: GET /healthz and /readyz.
COPY --from=busybox:1.37-musl /bin/busybox /usr/local/bin/wget
COPY --from=build /out/ /usr/local/bin/
ENV PATH=/usr/local/bin
# By number, so that Kubernetes' runAsNonRoot can tell it is not root.
USER 65532:65532
EXPOSE 8080
CMD ["trueup", "--help"]
