#!/usr/bin/env bash
# Measures bin/baas against its budgets; arguments are bench's own (go run ./bench -help).
# BENCH_SECONDS is how long the usage ledger is written to on each database, 300 when unset.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/docker.sh
postgres=$(scripts/postgres.sh durable)
eval "$postgres"
trap 'scripts/postgres.sh stop-durable' EXIT
mkdir -p .cache/bin
go build -o .cache/bin/bench ./bench
.cache/bin/bench "$@"
