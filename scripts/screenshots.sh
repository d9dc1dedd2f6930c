#!/usr/bin/env bash
# Takes the pictures of the dashboard that README and docs show, from a platform of its own with demo clients.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/docker.sh
scripts/browser.sh
work=$(mktemp -d)
BAAS_DATA=$work/data BAAS_DEMO=true BAAS_LISTEN=127.0.0.1:18080 BAAS_AGENT_LISTEN="$(docker network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}'):18081" \
  bin/baas serve >"$work/log" 2>&1 &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do
  curl -fs http://127.0.0.1:18080/readyz >/dev/null && break
  sleep 0.3
done
sleep 20 # the first usage and events
(cd web && BASE=http://127.0.0.1:18080 VARIANTS=desktop:light:pt-BR node scripts/screens.mjs "$work/shots")
mkdir -p docs/images
for page in board overview; do
  cp "$work/shots/$page-desktop-light-pt-BR.png" "docs/images/$page.png"
done
