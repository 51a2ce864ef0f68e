#!/usr/bin/env python3
"""What the ARHQ paper claims, on one model: the branch from residuals against the one from the weight alone and against none,
over rank, with 4-bit weights and activations; writes a section of docs/experiments.md. Called by deploy/experiments.sh.

    arhq_rank.py --heroq BIN --model DIR --text DIR --work DIR --page docs/experiments.md
"""
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import experiment

RANKS = (8, 32, 128)
BRANCHES = ("plain", "residual")
NONE = "none"


def run_name(branch, rank):
    return f"{branch} {rank}"


def plan_runs(options):
    flags = ["--method", "arhq", "--bits", "4", "--activation-bits", "4", "--branch"]
    runs = {NONE: experiment.heroq(options, *flags, "none")}
    for rank in RANKS:
        for branch in BRANCHES:
            runs[run_name(branch, rank)] = experiment.heroq(options, *flags, branch, "--rank", str(rank))
    return runs


def signal(options, run):
    """dB by linear."""
    return {linear["name"]: linear["signal_to_noise_db"] for linear in experiment.report(options, run)["linears"]}


def section(options, results):
    lines = [f"`deploy/experiments.sh arhq`: {experiment.SETTING} 4-bit weights, symmetric, and 4-bit activations with a scale per "
             f"token. {experiment.WHAT_IS_JUDGED.removesuffix('.')} and PEFT. SNR: mean over the linears of their outputs' "
             "signal-to-noise ratio on kept calibration tokens; ahead: linears whose SNR is above that without a branch, and "
             "above that of the plain branch of the same rank.", "",
             "| branch | rank | SNR, dB | ahead of none | ahead of plain | KL |", "|---|---|---|---|---|---|"]
    without = signal(options, NONE)

    def row(branch, rank, run, plain=None):
        found = signal(options, run)

        def ahead(other):
            return f"{sum(found[name] > other[name] for name in found)} of {len(found)}" if other else ""
        lines.append(f"| {branch} | {rank} | {statistics.mean(found.values()):.2f} | {ahead(without) if rank else ''} | {ahead(plain)} | "
                     f"{experiment.cell(results[run])} |")
    row("none", "", NONE)
    for rank in RANKS:
        plain = run_name("plain", rank)
        row("plain", rank, plain)
        row("residual", rank, run_name("residual", rank), signal(options, plain))
    return "\n".join(lines)


def main():
    options = experiment.arguments(__doc__)
    results = experiment.measure(options, plan_runs(options))
    experiment.write(options, "ARHQ: residuals against the weight alone, over rank", section(options, results))


if __name__ == "__main__":
    main()
