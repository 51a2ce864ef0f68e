#!/usr/bin/env bash
# Runs heroq and llm-compressor in turn on the same model and text, judges both with transformers and writes
# a section of docs/benchmarks.md. Takes about twenty minutes on two cores; fails when a bound of that page is missed.
#
#   deploy/benchmark.sh [--repetitions N]
set -euo pipefail
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
deploy/build.sh --peer
demo="$(deploy/demo/prepare.sh --dithered)"
exec "$HEROQ_CACHE/oracle/bin/python" tests/benchmark/compare.py \
  --heroq "$PWD/build/release/bin/heroq" --peer-python "$HEROQ_CACHE/peer/bin/python" \
  --model "$demo/model-dithered" --text "$demo/text" --work "$PWD/build/benchmark" --page docs/benchmarks.md "$@"
