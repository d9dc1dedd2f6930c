#!/usr/bin/env bash
# Makes sure that Chromium is there, for the tests in a real browser.
set -euo pipefail
if command -v chromium >/dev/null; then
  exit 0
fi
echo "browser: installing chromium with apt-get" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq chromium >/dev/null # with what Debian recommends: fonts, and what draws without a graphics card
