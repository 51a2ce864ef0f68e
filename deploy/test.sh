#!/usr/bin/env bash
# Sets up, builds and runs every test. What continuous integration runs.
#
#   deploy/test.sh [-R REGEX]     arguments go to ctest
set -euo pipefail
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
# Clones in different folders share compiler results.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
deploy/setup.sh --test
jobs="$(nproc)"
cmake --preset dev -DHEROQ_TORCH_DIR="$HEROQ_CACHE/libtorch" >/dev/null
cmake --build --preset dev -j "$jobs"
exec ctest --preset dev -j "$jobs" "$@"
