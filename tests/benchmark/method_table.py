#!/usr/bin/env python3
"""Every weight-only method on one model at 4, 3 and 2 bits and on both kinds of grid, beside
llm-compressor and AutoRound, judged by stock transformers; writes a section of docs/benchmarks.md. Called by
deploy/experiments.sh.

    method_table.py --heroq BIN --peer-python PYTHON --model DIR --text DIR --work DIR --page docs/benchmarks.md
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import experiment

HEADING = "Methods at 4, 3 and 2 bits"
BITS = (4, 3, 2)
GRIDS = {"symmetric": "on", "asymmetric": "off"}
METHODS = {
    "rtn": ["--method", "rtn"],
    "awq": ["--method", "awq"],
    "dash-q": ["--method", "dash-q"],
    "gptq": ["--method", "gptq"],
    "smoothquant, gptq": ["--method", "smoothquant"],
    "hero-q none": ["--method", "hero-q", "--transform", "none"],
    "hero-q fused, rotation only": ["--method", "hero-q", "--rotation", "hadamard", "--alpha", "0"],
    "hero-q fused, fast": ["--method", "hero-q", "--tier", "fast"],
    "hero-q fused": ["--method", "hero-q"],
    "hero-q auto": ["--method", "hero-q", "--transform", "auto"],
    "hero-q online, hadamard, rotation only": ["--method", "hero-q", "--transform", "online", "--rotation", "hadamard", "--alpha", "0"],
    "hero-q online, hadamard": ["--method", "hero-q", "--transform", "online", "--rotation", "hadamard"],
    "hero-q online, rotation only": ["--method", "hero-q", "--transform", "online", "--alpha", "0"],
    "hero-q online": ["--method", "hero-q", "--transform", "online"],
}
PEER = pathlib.Path(__file__).resolve().parent
# Script, flags and the columns it is run for: AutoRound takes a quarter of an hour to an hour for one checkpoint.
COLUMNS = [(bits, grid) for bits in BITS for grid in GRIDS]
PEERS = {
    "llm-compressor gptq": ("peer_llmcompressor.py", [], COLUMNS),
    "AutoRound, 50 iterations": ("peer_autoround.py", ["--iterations", "50"], [(4, "symmetric")]),
    "AutoRound, 200 iterations": ("peer_autoround.py", ["--iterations", "200"], [(4, "symmetric")]),
}


def run_name(method, bits, grid):
    return f"{method} {bits} {grid}"


def peer(options, script, bits, grid, flags):
    kind = ["--asymmetric"] if grid == "asymmetric" else []
    return lambda out: [options.peer_python, str(PEER / script), options.model, str(out), "--text",
                        f"{options.text}/calibration.txt", "--bits", str(bits), "--group", str(experiment.GROUP),
                        "--samples", str(experiment.SAMPLES), "--length", str(experiment.LENGTH), *kind, *flags]


def plan_runs(options):
    runs = {run_name(method, bits, grid):
            experiment.heroq(options, *flags, "--bits", str(bits), "--symmetric", GRIDS[grid])
            for bits, grid in COLUMNS for method, flags in METHODS.items()}
    for name, (script, flags, columns) in PEERS.items():
        for bits, grid in columns:
            runs[run_name(name, bits, grid)] = peer(options, script, bits, grid, flags)
    return runs


def section(results):
    lines = [
        f"`deploy/experiments.sh methods`: {experiment.SETTING} {experiment.WHAT_IS_JUDGED} Bold: the lowest of heroq's in a "
        "column on either text.", "",
        "| method | " + " | ".join(f"W{bits} {grid}" for bits, grid in COLUMNS) + " |", "|---|" + "---|" * len(COLUMNS)]
    for method in [*METHODS, *PEERS]:
        cells = []
        for column in COLUMNS:
            ours = [results[run_name(name, *column)] for name in METHODS]
            best = [min(scores) for scores in zip(*ours)] if method in METHODS else None
            name = run_name(method, *column)
            cells.append(experiment.cell(results[name], best) if name in results else "")
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    options = experiment.arguments(__doc__)
    experiment.write(options, HEADING, section(experiment.measure(options, plan_runs(options))))


if __name__ == "__main__":
    main()
