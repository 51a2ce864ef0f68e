#!/usr/bin/env bash
# Loads checkpoints that heroq made in vLLM on CPU and compares the mean negative log-likelihood with transformers: at
# most 0.02 apart (0.03 with quantized activations). Outside continuous integration: it installs 6 GB.
#
#   deploy/interop.sh [CHECKPOINT]    default: quantizes the demo model first: gptq, W8A8, and rotations at run time
set -euo pipefail
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
deploy/setup.sh --vllm
demo="$(deploy/demo/prepare.sh)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
prompts="$demo/text/policy.txt"

compare() {  # CHECKPOINT LIMIT
  "$HEROQ_CACHE/oracle/bin/python" tests/interop/nll_transformers.py "$1" "$prompts" "$work/prompts.json" | tee "$work/transformers"
  "$HEROQ_CACHE/vllm/bin/python" tests/interop/nll_vllm.py "$1" "$work/prompts.json" | tee "$work/vllm"
  python3 - "$work" "$2" <<'PY'
import pathlib, re, sys
means = {name: float(re.search(r"mean_nll ([\d.]+)", (pathlib.Path(sys.argv[1]) / name).read_text()).group(1))
         for name in ("transformers", "vllm")}
difference = abs(means["vllm"] - means["transformers"])
limit = float(sys.argv[2])
print(f"mean nll: transformers {means['transformers']:.4f}, vLLM {means['vllm']:.4f}, difference {difference:.4f} (at most {limit})")
sys.exit(difference > limit)
PY
}

quantize() {  # NAME LIMIT FLAG...
  local out="$PWD/build/interop/$1" limit="$2"
  shift 2
  [[ -f "$out/MANIFEST.json" ]] || build/release/bin/heroq quantize "$demo/model" --output "$out" \
    --calibration "$demo/text/calibration.txt" --samples 64 --sequence-length 512 "$@"
  compare "$out" "$limit"
}

if [[ -n "${1:-}" ]]; then
  compare "$1" 0.02
else
  deploy/build.sh
  quantize smollm2-w4 0.02
  # vLLM rounds activations in other arithmetic than transformers does, and what rounds to another integer adds up.
  quantize smollm2-w8a8 0.03 --bits 8 --activation-bits 8 --group-size channel
  quantize smollm2-w4-online 0.02 --method hero-q --transform online --tier fast
fi
