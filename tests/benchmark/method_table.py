#!/usr/bin/env python3
"""Every weight-only method on one model at 4, 3 and 2 bits, on both kinds of grid, judged by stock transformers; writes a
section of docs/experiments.md. Called by deploy/experiments.sh.

    method_table.py --heroq BIN --model DIR --text DIR --work DIR --page docs/experiments.md
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import experiment

HEADING = "Methods: KL divergence at 4, 3 and 2 bits"
BITS = (4, 3, 2)
GRIDS = {"symmetric": "on", "asymmetric": "off"}
METHODS = {
    "rtn": ["--method", "rtn"],
    "dash-q": ["--method", "dash-q"],
    "gptq": ["--method", "gptq"],
    "hero-q none, fast": ["--method", "hero-q", "--transform", "none", "--tier", "fast"],
    "hero-q none": ["--method", "hero-q", "--transform", "none"],
    "hero-q fused, rotation only": ["--method", "hero-q", "--rotation", "hadamard", "--alpha", "0"],
    "hero-q fused, fast": ["--method", "hero-q", "--tier", "fast"],
    "hero-q fused": ["--method", "hero-q"],
}


def section(results):
    lines = [
        "`deploy/experiments.sh methods`: SmolLM2-135M-Instruct, dithered; group 64; 64 x 512 tokens of technical prose. "
        f"{experiment.WHAT_IS_JUDGED} Bold: the lowest of a column on either text.", "",
        "| method | " + " | ".join(f"W{bits} {grid}" for bits in BITS for grid in GRIDS) + " |",
        "|---|" + "---|" * (len(BITS) * len(GRIDS))]
    for method in METHODS:
        cells = []
        for bits in BITS:
            for grid in GRIDS:
                column = {name: results[f"{name} {bits} {grid}"] for name in METHODS}
                best = [min(scores[t] for scores in column.values()) for t in range(len(experiment.TEXTS))]
                cells.append(" / ".join(f"**{value:.3f}**" if value == best[t] else f"{value:.3f}"
                                        for t, value in enumerate(column[method])))
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    arguments = experiment.arguments(__doc__)
    runs = {f"{method} {bits} {grid}": [*flags, "--bits", str(bits), "--group-size", "64", "--symmetric", switch,
                                        "--samples", "64", "--sequence-length", "512"]
            for bits in BITS for grid, switch in GRIDS.items() for method, flags in METHODS.items()}
    experiment.write(arguments, HEADING, section(experiment.measure(arguments, runs)))


if __name__ == "__main__":
    main()
