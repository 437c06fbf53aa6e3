# `make help` lists what is here. Everything runs with a Go toolchain; `make test`
# and `make bench` also bring up the servers they need (see scripts/services.sh).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# The toolchain records commit and date, where there is a repository that git can read.
BUILDVCS := $(if $(shell git rev-parse HEAD 2>/dev/null),auto,false)
LDFLAGS := -s -w -X github.com/trueup/trueup/services/assembly.version=$(VERSION)
# Every Go module of this repository that has tests.
MODULES := $(patsubst %/go.mod,%,$(wildcard ./go.mod demo/go.mod test/compose/go.mod tools/go.mod))
# Those whose go.mod is kept tidy; tidying tools/ would fetch all its tools' tests need.
PRODUCT := $(filter-out tools,$(MODULES))
# Those whose tests have targets of their own, because of what they need.
APART := test/chart test/page
FUZZTIME ?= 20s
# A test waits for real servers; go test's own 10 minutes are short on 2 cores.
TEST_TIMEOUT ?= 20m

# The race detector is C; where no compiler is, `make test` says so and goes on.
RACE := $(shell [ "$$(go env CGO_ENABLED)" != 1 ] || echo -race)

BUF := $(CURDIR)/bin/buf
LINT := $(CURDIR)/bin/golangci-lint
REPORT := $(CURDIR)/bin/testreport
SBOM := $(CURDIR)/bin/sbom
COMMANDS := validator fixer trueup
PROTOC_PLUGINS := $(CURDIR)/bin/protoc-gen-go $(CURDIR)/bin/protoc-gen-connect-go
APISERVER := $(CURDIR)/bin/apiserver

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Without C nothing of this machine gets into the commands.
.PHONY: build
build: ## build validator, fixer and trueup into bin/
	CGO_ENABLED=0 go build -trimpath -buildvcs=$(BUILDVCS) -ldflags '$(LDFLAGS)' -o bin/ ./services/...

.PHONY: reproducible
reproducible: ## build the commit twice, in different directories and without a cache, and compare the bytes
	@scripts/reproducible.sh

.PHONY: sbom
sbom: build $(SBOM) ## write what the commands were built from beside them, as CycloneDX: bin/fixer.cdx.json
	$(SBOM) $(COMMANDS:%=bin/%)

.PHONY: man
man: build ## write the manual pages into bin/man/man1: man -M bin/man trueup-diff
	@rm -rf bin/man && mkdir -p bin/man/man1
	bin/trueup man bin/man/man1
	bin/validator --man > bin/man/man1/validator.1
	bin/fixer --man > bin/man/man1/fixer.1

DESTDIR ?=
prefix ?= /usr/local
.PHONY: install
install: man ## copy commands, manual pages and shell completion below DESTDIR/prefix (/usr/local)
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(prefix)/share/man/man1 $(DESTDIR)$(prefix)/share/bash-completion/completions \
		$(DESTDIR)$(prefix)/share/zsh/site-functions $(DESTDIR)$(prefix)/share/fish/vendor_completions.d
	install -m 755 $(COMMANDS:%=bin/%) $(DESTDIR)$(prefix)/bin
	install -m 644 bin/man/man1/*.1 $(DESTDIR)$(prefix)/share/man/man1
	bin/trueup completion bash > $(DESTDIR)$(prefix)/share/bash-completion/completions/trueup
	bin/trueup completion zsh > $(DESTDIR)$(prefix)/share/zsh/site-functions/_trueup
	bin/trueup completion fish > $(DESTDIR)$(prefix)/share/fish/vendor_completions.d/trueup.fish

.PHONY: test
test: $(REPORT) services-up ## run all tests, race detector on, on real servers (started when missing)
	@$(if $(RACE),:,echo "note: no C compiler, so the race detector stays off (Debian: apt-get install gcc libc6-dev)")
	$(REPORT) $(MODULES) -- $(RACE) -count=1 -timeout $(TEST_TIMEOUT)

.PHONY: test-unit
test-unit: $(REPORT) ## run the tests that need no server
	$(REPORT) -allow-skips $(MODULES) -- -short -count=1

.PHONY: race
race: $(REPORT) ## run the unit tests 5 times under the race detector, shuffled, to meet rare interleavings
	$(REPORT) -allow-skips $(PRODUCT) -- -race -short -count=5 -shuffle=on -timeout $(TEST_TIMEOUT)

.PHONY: lint
lint: $(LINT) ## run golangci-lint with the house rules of .golangci.yml
	@status=0; for module in $(MODULES) $(APART); do echo "lint $$module"; (cd $$module && $(LINT) run --config $(CURDIR)/.golangci.yml ./...) || status=1; done; exit $$status

.PHONY: fmt
fmt: $(LINT) ## format the Go code
	@for module in $(MODULES) $(APART); do (cd $$module && $(LINT) fmt --config $(CURDIR)/.golangci.yml ./...); done

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (20s) each
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: model
model: ## check docs/model exhaustively with spin, and that its mutants fail (Debian: apt-get install spin gcc libc6-dev)
	@scripts/model.sh

.PHONY: bench
bench: services-up ## measure speed and memory beside other tools; prints a report in Markdown
	scripts/bench.sh

MINUTES ?= 5
SEED ?= 0
# engines of authority and copy, side by side, of mariadb-mariadb,mariadb-postgres,postgres-mariadb,postgres-postgres
ENGINES ?=
.PHONY: soak
soak: build services-up ## MINUTES (5) of writers, damage and failing parts with a SEED, then an independent comparison; FLAGS=-continuous follows changes; prints a summary
	scripts/soak.sh -minutes $(MINUTES) -seed $(SEED) $(if $(ENGINES),-pairs $(ENGINES)) $(FLAGS)

.PHONY: demo
demo: build ## damage, find, carry over Kafka, repair, prove: on embedded servers, needs Go alone
	cd demo && go run . -bin ../bin

PICTURES ?=
.PHONY: page-test
page-test: $(REPORT) services-up ## open the status page in headless Chromium (Debian: apt-get install chromium); PICTURES=DIR keeps screenshots
	cd test/page && go vet ./...
	TRUEUP_PICTURES=$(abspath $(PICTURES)) $(REPORT) test/page -- -count=1

.PHONY: chart-test
chart-test: $(REPORT) services-up ## hold the Helm chart against the APIs of Kubernetes, the services and Kafka
	cd test/chart && go vet ./... && go vet -tags apiserver ./...
	$(REPORT) test/chart -- -count=1

.PHONY: chart-install
chart-install: $(APISERVER) ## install, upgrade and roll back the chart on a real Kubernetes API server (first time: builds it, minutes)
	cd test/chart && TRUEUP_APISERVER=$(APISERVER) go test -tags apiserver -run 'TestEveryChartInstalls|TestAnUpgradeRestarts' -count=1 .

.PHONY: generate
generate: $(BUF) $(PROTOC_PLUGINS) ## generate Go code from proto/
	cd proto && PATH=$(CURDIR)/bin:$$PATH $(BUF) generate

.PHONY: proto-baseline
proto-baseline: $(BUF) ## accept the present messages as what later changes must stay compatible with
	cd proto && $(BUF) build --exclude-source-info -o trueup.binpb

.PHONY: verify
verify: $(BUF) $(PROTOC_PLUGINS) ## check generated code, message compatibility, formatting, go vet, go.mod
	BUF=$(BUF) scripts/verify.sh $(PRODUCT) -- $(APART) test/chart/apiserver

.PHONY: services-up
services-up: ## start MariaDB, PostgreSQL and Kafka for the tests, on 127.0.0.1 and free ports
	@scripts/services.sh up

.PHONY: services-down
services-down: ## stop them; scripts/services.sh purge also removes their data
	@scripts/services.sh down

# The tools, built from pinned versions: tools/go.mod, so that the product's own
# go.mod stays small. protoc-gen-go comes from the product's: generated code and
# the runtime it calls are then always of one version.

$(BUF): tools/go.mod
	cd tools && go build -o $@ github.com/bufbuild/buf/cmd/buf

$(LINT): tools/go.mod
	cd tools && go build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(CURDIR)/bin/protoc-gen-go: go.mod
	go build -o $@ google.golang.org/protobuf/cmd/protoc-gen-go

$(CURDIR)/bin/protoc-gen-connect-go: go.mod
	go build -o $@ connectrpc.com/connect/cmd/protoc-gen-connect-go

# A chart asks for a version of Kubernetes; the server says the one it was built from.
$(APISERVER): $(wildcard test/chart/apiserver/*)
	cd test/chart/apiserver && version=$$(go list -m -f '{{.Version}}' k8s.io/kubernetes) && \
		go build -ldflags "-X k8s.io/component-base/version.gitVersion=$$version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$$(cut -d. -f2 <<<$$version)" -o $@ .

$(REPORT): $(wildcard tools/testreport/*.go)
	cd tools && go build -o $@ ./testreport

$(SBOM): $(wildcard tools/sbom/*.go) tools/go.mod
	cd tools && go build -o $@ ./sbom
