#!/usr/bin/env bash
# Runs one experiment on the dithered demo model and writes its sections. An interrupted run goes on where it stopped;
# build/experiments holds what was measured.
#
#   deploy/experiments.sh activations          W8A16, W8A8, W6A6 and W4A8: docs/benchmarks.md; half an hour
#   deploy/experiments.sh arhq                 what the ARHQ paper claims: docs/experiments.md; ten minutes
#   deploy/experiments.sh calibration-size     methods over bits and calibration text: docs/experiments.md; an hour on two cores
#   deploy/experiments.sh hero-q               what the HeRo-Q paper claims: docs/experiments.md; half an hour
#   deploy/experiments.sh methods              every method and its peers at 4, 3 and 2 bits: docs/benchmarks.md; three hours, two
#                                              of them AutoRound's
set -euo pipefail
cd "$(dirname "$0")/.."
experiment="${1:-}"
page=docs/experiments.md
case "$experiment" in
  calibration-size) script=tests/benchmark/calibration_size.py ;;
  activations) script=tests/benchmark/activation_table.py page=docs/benchmarks.md ;;
  arhq) script=tests/benchmark/arhq_rank.py ;;
  hero-q) script=tests/benchmark/hero_q_claims.py ;;
  methods) script=tests/benchmark/method_table.py page=docs/benchmarks.md ;;
  *) echo "experiments.sh: unknown experiment '$experiment' (known: activations, arhq, calibration-size, hero-q, methods)" >&2; exit 2 ;;
esac
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
deploy/build.sh --test --peer
demo="$(deploy/demo/prepare.sh --dithered)"
exec "$HEROQ_CACHE/oracle/bin/python" "$script" --heroq "$PWD/build/release/bin/heroq" --model "$demo/model-dithered" \
  --peer-python "$HEROQ_CACHE/peer/bin/python" --text "$demo/text" --work "$PWD/build/experiments/$experiment" --page "$page"
