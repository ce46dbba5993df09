#!/bin/sh
# Captions are drawn by skia, which needs libEGL and libGL from the system.
# Usage: system-libraries.sh PYTHON
set -e
if "$1" -c 'import skia' 2>/dev/null; then
    exit 0
fi
packages="libegl1 libgl1"
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -q && apt-get install -y -q $packages
elif command -v apt-get >/dev/null 2>&1; then
    echo "Captions need two system libraries. Install them, then run make again:" >&2
    echo "    sudo apt-get install -y $packages" >&2
    exit 1
else
    echo "Captions need the system libraries libEGL and libGL (Debian: $packages)." >&2
    exit 1
fi
"$1" -c 'import skia'
