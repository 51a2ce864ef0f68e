#!/usr/bin/env bash
# Measures how time, memory and reads grow with tokens, layers and workers, times the solver beside llm-compressor's, and
# writes a section of docs/explanation/performance.md and its picture of where the time goes. Takes about half an hour
# on two cores; fails when a bound of that section is missed.
#
#   deploy/scaling.sh [--only FIGURE ...]
set -euo pipefail
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
deploy/build.sh --peer
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
cmake --preset benchmark -DHEROQ_TORCH_DIR="$HEROQ_CACHE/libtorch" >/dev/null
cmake --build --preset benchmark -j "$(nproc)"
demo="$(deploy/demo/prepare.sh --dithered)"
(( $# )) || "$HEROQ_CACHE/oracle/bin/python" tests/benchmark/time_picture.py --heroq "$PWD/build/release/bin/heroq" \
  --benchmarks "$PWD/build/benchmark/bin/heroq-benchmarks" --model "$demo/model-dithered" \
  --text "$demo/text/calibration.txt" --work "$PWD/build/scaling" --picture docs/explanation/where_time_goes.svg
exec "$HEROQ_CACHE/oracle/bin/python" tests/benchmark/scaling.py --heroq "$PWD/build/release/bin/heroq" \
  --benchmarks "$PWD/build/benchmark/bin/heroq-benchmarks" --peer-python "$HEROQ_CACHE/peer/bin/python" \
  --model "$demo/model-dithered" --text "$demo/text/calibration.txt" --work "$PWD/build/scaling" \
  --page docs/explanation/performance.md "$@"
