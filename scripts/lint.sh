#!/usr/bin/env bash
# Formatting, vet and the linters; their versions are pinned in tools/go.mod.
set -euo pipefail
cd "$(dirname "$0")/.."
unformatted=$(gofmt -l $(git ls-files '*.go'))
if [ -n "$unformatted" ]; then
  printf 'not formatted, run gofmt -w:\n%s\n' "$unformatted" >&2
  exit 1
fi
mkdir -p .cache/bin
go -C tools build -o ../.cache/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
.cache/bin/golangci-lint run ./...
