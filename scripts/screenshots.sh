#!/usr/bin/env bash
# Takes the pictures of the dashboard that README and docs show, from a platform of its own with demo clients.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/docker.sh
scripts/browser.sh
work=$(mktemp -d)
gateway=$(docker network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}')
BAAS_DATA=$work/data BAAS_DEMO=true BAAS_LISTEN=127.0.0.1:18080 BAAS_AGENT_LISTEN=$gateway:18081 BAAS_DOCKER_POOL=10.215.0.0/16 \
  "${BAAS_BINARY:-bin/baas}" serve >"$work/log" 2>&1 &
server=$!
finish() {
  kill $server
  wait $server || true
  installation=$(grep -o 'installation=[a-z0-9]*' "$work/log" | head -1 | cut -d= -f2)
  docker ps -aq --filter "name=^$installation-" | xargs -r docker rm -f >/dev/null
  docker volume ls -q --filter "name=^$installation-" | xargs -r docker volume rm >/dev/null
  docker network ls -q --filter "name=^$installation-" | xargs -r docker network rm >/dev/null
  docker images --format '{{.Repository}}:{{.Tag}}' baas/worker | { grep ":$installation-" || true; } | xargs -r docker rmi -f >/dev/null
  rm -rf "$work"
}
trap finish EXIT
until curl -fs http://127.0.0.1:18080/readyz >/dev/null; do
  kill -0 $server || { cat "$work/log"; exit 1; }
  sleep 0.3
done
picture() { # variant, pattern of pages
  (cd web && BASE=http://127.0.0.1:18080 VARIANTS=$1 node e2e/pages.mjs "$work/shots" "$2")
}
picture desktop:light:pt-BR 'overview|board|bot|worker-usage|new-worker'
picture desktop:dark:en 'board'
picture phone:light:pt-BR 'board'
mkdir -p docs/images
for page in overview board bot worker-usage new-worker; do
  cp "$work/shots/$page-desktop-light-pt-BR.png" "docs/images/$page.png"
done
cp "$work/shots/board-desktop-dark-en.png" docs/images/board-dark.png
cp "$work/shots/board-phone-light-pt-BR.png" docs/images/board-phone.png
