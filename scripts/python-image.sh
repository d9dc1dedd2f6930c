#!/usr/bin/env bash
# Makes a small image with Python from Debian's packages, for the tests of a bot in another language: no registry is
# asked. Prints the image's name.
set -euo pipefail
cd "$(dirname "$0")/.."
image=baas-test/python:3
if docker image inspect "$image" >/dev/null 2>&1; then
  echo "$image"
  exit 0
fi
work=$PWD/.cache/python-image
rm -rf "$work"
mkdir -p "$work/debs" "$work/root"
{
  apt-get -qq update
  version=$(apt-cache depends python3-minimal | sed -n 's/.*Depends: \(python3\.[0-9]*\)-minimal.*/\1/p' | head -1)
  cd "$work/debs"
  apt-get -qq download libc6 "$version-minimal" "lib$version-minimal" "lib$version-stdlib" zlib1g libexpat1 libssl3 libffi8 \
    libbz2-1.0 liblzma5 libsqlite3-0 libcrypt1 libuuid1 dash
  for deb in *.deb; do dpkg -x "$deb" "$work/root"; done
  cd "$work/root"
  ln -sf "$version" usr/bin/python3
  [ -e bin/sh ] || ln -sf dash bin/sh
  mkdir -p tmp etc data
  echo 'bot:x:65532:65532::/data:/bin/sh' >etc/passwd
  tar -c . | docker import --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' - "$image"
  rm -rf "$work"
} >&2
echo "$image"
