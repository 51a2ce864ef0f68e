#!/usr/bin/env python3
"""Where DASH-Q is ahead of GPTQ: quantizes one model at 2, 3 and 4 bits with ever more calibration text, judges every
checkpoint with stock transformers, and writes a section of docs/experiments.md. Called by deploy/experiments.sh.

    calibration_size.py --heroq BIN --model DIR --text DIR --work DIR --page docs/experiments.md
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import experiment
from experiment import TEXTS

HEADING = "Bits and calibration text: DASH-Q, GPTQ and rounding to nearest"
# The widest groups that SmolLM2 allows (576 = 9 x 64) of those the paper pairs with each width.
GROUPS = {4: 64, 3: 64, 2: 32}
SEQUENCES = (2, 4, 16, 64)
LENGTH = 512
METHODS = ("rtn", "dash-q", "gptq")


def run_name(bits, sequences, method):
    return f"W{bits} {sequences} {method}"


def runs(options):
    return {run_name(bits, sequences, method):
            experiment.heroq(options, "--method", method, "--bits", str(bits), "--group-size", str(group),
                             "--symmetric", "off", "--samples", str(sequences), "--sequence-length", str(LENGTH))
            for bits, group in GROUPS.items() for sequences in SEQUENCES for method in METHODS}


def section(results):
    lines = [
        "`deploy/experiments.sh calibration-size`: SmolLM2-135M-Instruct, dithered; asymmetric, "
        + ", ".join(f"W{bits} group {group}" for bits, group in GROUPS.items()) +
        f"; sequences of {LENGTH} tokens of technical prose. {experiment.WHAT_IS_JUDGED} Bold: lower than the other two "
        "on both texts.", "",
        "| bits | sequences | " + " | ".join(METHODS) + " | dash-q / gptq |", "|---|---|" + "---|" * (len(METHODS) + 1)]
    for bits in GROUPS:
        for sequences in SEQUENCES:
            row = {method: results[run_name(bits, sequences, method)] for method in METHODS}
            cells = []
            for method, kl in row.items():
                best = all(kl[t] < other[t] for t in range(len(TEXTS)) for name, other in row.items() if name != method)
                text = experiment.cell(kl)
                cells.append(f"**{text}**" if best else text)
            ratio = " / ".join(f"{row['dash-q'][t] / row['gptq'][t]:.2f}" for t in range(len(TEXTS)))
            lines.append(f"| {bits} | {sequences} | {' | '.join(cells)} | {ratio} |")
    return "\n".join(lines)


def main():
    options = experiment.arguments(__doc__)
    experiment.write(options, HEADING, section(experiment.measure(options, runs(options))))


if __name__ == "__main__":
    main()
