#!/usr/bin/env python3
"""Methods where activations are quantized too, on one model, judged by stock transformers; writes a section of
docs/benchmarks.md. Called by deploy/experiments.sh.

    activation_table.py --heroq BIN --model DIR --text DIR --work DIR --page docs/benchmarks.md
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import experiment

HEADING = "Quantized activations"
# Bits of weights and of activations; W4A4 is arhq_rank.py's.
SCHEMES = {"W8A16": (8, None), "W8A8": (8, 8), "W6A6": (6, 6), "W4A8": (4, 8)}
METHODS = {
    "gptq": ["--method", "gptq"],
    "smoothquant, gptq": ["--method", "smoothquant"],
    "hero-q fused": ["--method", "hero-q"],
}


def run_name(method, scheme):
    return f"{method} {scheme}"


def plan_runs(options):
    runs = {}
    for scheme, (bits, activation_bits) in SCHEMES.items():
        activations = [] if activation_bits is None else ["--activation-bits", str(activation_bits)]
        for method, flags in METHODS.items():
            runs[run_name(method, scheme)] = experiment.heroq(options, *flags, "--bits", str(bits), "--symmetric", "on", *activations)
    return runs


def section(results):
    lines = [f"`deploy/experiments.sh activations`: {experiment.SETTING} Symmetric weights; activations rounded at run time with a "
             f"scale per token. {experiment.WHAT_IS_JUDGED} Bold: the lowest of a column on either text.", "",
             "| method | " + " | ".join(SCHEMES) + " |", "|---|" + "---|" * len(SCHEMES)]
    best = {scheme: [min(kl) for kl in zip(*(results[run_name(method, scheme)] for method in METHODS))] for scheme in SCHEMES}
    for method in METHODS:
        cells = (experiment.cell(results[run_name(method, scheme)], best[scheme]) for scheme in SCHEMES)
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    options = experiment.arguments(__doc__)
    experiment.write(options, HEADING, section(experiment.measure(options, plan_runs(options))))


if __name__ == "__main__":
    main()
