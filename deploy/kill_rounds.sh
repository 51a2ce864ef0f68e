#!/usr/bin/env bash
# Kills a process of heroq at a random moment, runs the same command again, compares what is published, and prints how
# often what was killed when. Takes about five seconds a round; fails when a round lost anything but time.
#
#   deploy/kill_rounds.sh [--rounds N] [--seed N] [--minutes M]     1000 rounds without flags
set -euo pipefail
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
deploy/setup.sh --test
cmake --preset dev -DHEROQ_TORCH_DIR="$HEROQ_CACHE/libtorch" >/dev/null
cmake --build --preset dev -j "$(nproc)" --target heroq heroq-coordinator heroq-worker journal_dump
HEROQ_BIN="$PWD/build/dev/bin" PYTHONPATH="$PWD/tests/support" PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1 \
  exec "$HEROQ_CACHE/oracle/bin/python" tests/fault/run_kill_rounds.py "$@"
