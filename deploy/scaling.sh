#!/usr/bin/env bash
# Measures how time, memory and reads grow with tokens, layers and workers, and writes a section of
# docs/explanation/performance.md. Takes about half an hour on two cores; fails when a bound of that section is missed.
#
#   deploy/scaling.sh [--only FIGURE ...]
set -euo pipefail
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
deploy/build.sh --test
demo="$(deploy/demo/prepare.sh --dithered)"
exec "$HEROQ_CACHE/oracle/bin/python" tests/benchmark/scaling.py --heroq "$PWD/build/release/bin/heroq" \
  --model "$demo/model-dithered" --text "$demo/text/calibration.txt" --work "$PWD/build/scaling" \
  --page docs/explanation/performance.md "$@"
