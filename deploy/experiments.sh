#!/usr/bin/env bash
# Runs one experiment on the dithered demo model and writes its section of docs/experiments.md. An interrupted run goes on
# where it stopped; build/experiments holds what was measured.
#
#   deploy/experiments.sh calibration-size     methods over bits and calibration text; half an hour on two cores
#   deploy/experiments.sh methods              every method at 4, 3 and 2 bits; half an hour on two cores
set -euo pipefail
cd "$(dirname "$0")/.."
experiment="${1:-}"
case "$experiment" in
  calibration-size) script=tests/benchmark/calibration_size.py ;;
  methods) script=tests/benchmark/method_table.py ;;
  *) echo "experiments.sh: unknown experiment '$experiment' (known: calibration-size, methods)" >&2; exit 2 ;;
esac
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
deploy/build.sh --test
demo="$(deploy/demo/prepare.sh --dithered)"
exec "$HEROQ_CACHE/oracle/bin/python" "$script" --heroq "$PWD/build/release/bin/heroq" --model "$demo/model-dithered" \
  --text "$demo/text" --work "$PWD/build/experiments/$experiment" --page docs/experiments.md
