#!/usr/bin/env bash
# Every test and linter, with what they need. A missing dependency fails the run.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\n== %s (after %d s)\n' "$*" "$SECONDS"; }
# The flags of make build everywhere, so that a package is compiled only once more: for the race detector.
export GOFLAGS=-trimpath CGO_ENABLED=0

# Compiled while the rest is installed, which is mostly waiting. What doesn't compile is told at "Binary".
go build ./... >/dev/null 2>&1 &
compiling=$!

say "PostgreSQL"
postgres=$(scripts/postgres.sh)
eval "$postgres"
say "Docker"
scripts/docker.sh gvisor
say "Chromium"
scripts/browser.sh
say "Dashboard"
scripts/web.sh test
say "Binary"
wait $compiling || true
make build
say "Linters"
scripts/lint.sh
say "Go tests, with the race detector"
CGO_ENABLED=1 go test -race -timeout 20m $(go list ./... | grep -v -e /e2e -e kubernetes/conformance)
say "Use cases and API on PostgreSQL"
BAAS_TEST_DATABASE=postgres go test -timeout 20m ./internal/app ./internal/httpapi
say "Scenarios on the real binary"
# Left out: what needs a cluster (make test-kubernetes). The dashboard follows by itself: a browser on a machine that is
# busy with more than it draws no frame for half a minute now and then.
go test -timeout 40m -skip '^Test(Cluster|Dashboard)' ./e2e
say "Dashboard in a real browser"
# What is measured there, Lighthouse and the frames of a large board, is for a quiet machine (make test-dashboard).
# Every page in both themes, languages and sizes, though not in all their combinations as there.
VARIANTS=desktop:light:pt-BR,phone:dark:en go test -v -timeout 40m -run '^TestDashboard$/^(people|channels)$' ./e2e
