#!/usr/bin/env bash
# Runs the product for a person who just cloned it: with Docker where it can be had, else on the process engine.
set -euo pipefail
cd "$(dirname "$0")/.."
if scripts/docker.sh; then
  engine=docker
else
  engine=process
  printf '\nNo Docker Engine, and none can be installed without root: Workers run as plain processes.\n'
  printf 'NOTHING IS ISOLATED. This is for a look around on your own machine, never for clients.\n\n'
fi
export BAAS_ENGINE=${BAAS_ENGINE:-$engine} BAAS_DEMO=${BAAS_DEMO:-true}
exec bin/baas serve "$@"
