#!/usr/bin/env bash
# Runs heroq, llm-compressor, AutoRound and GPTQModel in turn on the same model and text, two threads each, judges what they
# publish with transformers and writes the first section of docs/benchmarks.md; fails when a bound of that section is missed.
# Takes about 85 minutes on two cores, half of them AutoRound's; build/side_by_side keeps checkpoints, logs and results.json.
#
#   deploy/benchmark.sh [--repetitions N] [--samples N] [--length N] [--iterations N] [--judged N] [--page FILE]
#   deploy/benchmark.sh --only NAME...    runs, judges and prints single runs, and writes no page
#   deploy/benchmark.sh --reuse NAME...   takes runs from an earlier call of the same day
#
# --repetitions of heroq gptq, llm-compressor and heroq hero-q fast (default 3; all else runs once), --iterations of AutoRound
# (200), --samples of --length tokens for calibration (64 of 512), --judged sequences of 512 tokens of either text (16): other
# numbers than these are for trying; write them to another --page.
set -euo pipefail
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
deploy/build.sh --peer --gptqmodel
demo="$(deploy/demo/prepare.sh --dithered)"
exec "$HEROQ_CACHE/oracle/bin/python" tests/benchmark/compare.py \
  --heroq "$PWD/build/release/bin/heroq" --peer-python "$HEROQ_CACHE/peer/bin/python" \
  --gptqmodel-python "$HEROQ_CACHE/gptqmodel/bin/python" --model "$demo/model-dithered" --text "$demo/text" \
  --work "$PWD/build/side_by_side" --page docs/benchmarks.md "$@"
