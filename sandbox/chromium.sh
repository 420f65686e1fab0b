#!/bin/sh
# Prints the path of a Chromium for the browser tests: CHROMIUM, one on PATH, or (as root on Debian) a new one.
set -eu

if [ -n "${CHROMIUM:-}" ]; then
    [ -x "$CHROMIUM" ] || { echo "CHROMIUM is $CHROMIUM, which is no program." >&2; exit 1; }
    echo "$CHROMIUM"
    exit 0
fi
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name"; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Debian's chromium for the browser tests" >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -q && apt-get install -q -y --no-install-recommends chromium; } >&2
    command -v chromium
    exit 0
fi
echo "The browser tests need Chromium: install it (on Debian: apt-get install chromium), or set CHROMIUM to its path." >&2
exit 1
