#!/usr/bin/env bash
# Every test and linter, with what they need. A missing dependency fails the run.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\n== %s\n' "$*"; }

say "PostgreSQL"
postgres=$(scripts/postgres.sh)
eval "$postgres"
say "Docker"
scripts/docker.sh gvisor
say "Dashboard"
scripts/web.sh test
say "Binary"
make build
say "Linters"
scripts/lint.sh
say "Go tests, with the race detector"
go test -race -timeout 20m ./...
