# make run   builds, sets up what is missing and runs the product with demo data
# make test  sets up what the tests need and runs every test and linter
SHELL := /bin/bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
GOFLAGS_STATIC := CGO_ENABLED=0

.DEFAULT_GOAL := help
.PHONY: help run build web test test-dashboard test-kubernetes lint bench bench-kubernetes screenshots mutate faults isolation-report openapi clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: build ## set up what is missing and run the product with demo data in ./data
	@scripts/run.sh

build: web ## the binary bin/baas, with the dashboard inside
	$(GOFLAGS_STATIC) go build -trimpath -ldflags '$(LDFLAGS)' -o bin/baas ./cmd/baas

web: ## the dashboard, built into web/dist
	@scripts/web.sh build

test: ## every test and linter, with what they need
	@scripts/test.sh

test-dashboard: web ## the dashboard alone, in a real browser: flows, every page, Lighthouse, frames of a large board
	@scripts/docker.sh
	@scripts/browser.sh
	go test ./e2e -run '^TestDashboard$$' -v -count=1 -timeout 60m

test-kubernetes: ## the engine and the main job on a real one-node cluster, which is built from source
	eval "$$(scripts/postgres.sh)" && eval "$$(test/kubernetes/cluster.sh up)" && \
	go test -parallel 6 -timeout 30m ./internal/engine/kubernetes/conformance && go test -v -run '^TestCluster' -timeout 30m ./e2e

lint: ## formatting and linters alone
	@scripts/lint.sh

bench: build ## measure; prints a table and writes bench/report.json
	@scripts/bench.sh

bench-kubernetes: build ## measure the control plane with 2,000 Workers on a cluster with simulated nodes
	eval "$$(scripts/postgres.sh)" && eval "$$(test/kubernetes/cluster.sh up)" && \
	go run ./bench -v -only cluster -report .cache/kubernetes/report.json

mutate: ## leave out each authorization and tenant filter in turn, on a copy: the tests must notice
	go run ./test/mutate

faults: ## 1,000 random faults under load, with a seed that is printed (BAAS_FAULTS, BAAS_SEED)
	@scripts/docker.sh
	BAAS_FAULTS=$${BAAS_FAULTS:-1000} go test ./e2e -run '^TestFaults$$' -v -count=1 -timeout 2h

isolation-report: ## attack from inside a Worker and write what was found to .cache/isolation-report.txt
	@scripts/docker.sh gvisor
	@rm -f .cache/isolation-report.txt
	BAAS_ISOLATION_REPORT=$(CURDIR)/.cache/isolation-report.txt go test ./e2e -run '^TestAttacks$$' -count=1 -timeout 20m
	@cat .cache/isolation-report.txt

screenshots: build ## take the pictures that README and docs show
	@scripts/screenshots.sh

openapi: ## write api/openapi.json anew from the code
	go generate ./internal/httpapi

clean: ## remove what was built and cached (not ./data)
	rm -rf bin .cache web/dist web/node_modules
