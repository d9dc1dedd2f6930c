#!/usr/bin/env bash
# The dashboard: `web.sh build` makes web/dist, `web.sh test` checks types, style, texts and logic as well.
set -euo pipefail
cd "$(dirname "$0")/../web"
if [ ! -f package.json ]; then
  exit 0
fi
if [ ! -f node_modules/.installed ] || [ package-lock.json -nt node_modules/.installed ]; then
  npm ci --no-audit --no-fund
  touch node_modules/.installed
fi
case "${1:-build}" in
build)
  if [ ! -f dist/index.html ] || [ -n "$(find src index.html public package-lock.json vite.config.ts -newer dist/index.html -print -quit)" ]; then
    npm run build
  fi
  ;;
test)
  npm run check
  npm test
  ;;
esac
