#!/usr/bin/env bash
# Sets up and builds a release into build/release/bin: heroq, heroq-coordinator, heroq-worker.
set -euo pipefail
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
# Clones in different folders share compiler results.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
deploy/setup.sh "$@"
cmake --preset release -DHEROQ_TORCH_DIR="$HEROQ_CACHE/libtorch" >/dev/null
cmake --build --preset release -j "$(nproc)"
deploy/check_release.sh
