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
    "hero-q none, fast": ["--method", "hero-q", "--transform", "none", "--tier", "fast"],
    "hero-q none": ["--method", "hero-q", "--transform", "none"],
    "hero-q fused, rotation only": ["--method", "hero-q", "--rotation", "hadamard", "--alpha", "0"],
    "hero-q fused, fast": ["--method", "hero-q", "--tier", "fast"],
    "hero-q fused": ["--method", "hero-q"],
    "hero-q auto": ["--method", "hero-q", "--transform", "auto"],
    "hero-q online, rotation only": ["--method", "hero-q", "--transform", "online", "--alpha", "0"],
    "hero-q online": ["--method", "hero-q", "--transform", "online"],
    "hero-q online, learned": ["--method", "hero-q", "--transform", "online", "--rotation", "learned"],
}
PEER = pathlib.Path(__file__).resolve().parent
# Script, flags and the bits it is run at: AutoRound takes a quarter of an hour to an hour for one checkpoint.
PEERS = {
    "llm-compressor gptq": ("peer_llmcompressor.py", [], BITS),
    "AutoRound, 50 iterations": ("peer_autoround.py", ["--iterations", "50"], (4,)),
}


def run_name(method, bits, grid):
    return f"{method} {bits} {grid}"


def peer(options, script, bits, grid, flags):
    kind = ["--asymmetric"] if grid == "asymmetric" else []
    return lambda out: [options.peer_python, str(PEER / script), options.model, str(out), "--text",
                        f"{options.text}/calibration.txt", "--bits", str(bits), "--group", str(experiment.GROUP),
                        "--samples", str(experiment.SAMPLES), "--length", str(experiment.LENGTH), *kind, *flags]


def plan_runs(options):
    runs = {}
    for bits in BITS:
        for grid, switch in GRIDS.items():
            for method, flags in METHODS.items():
                runs[run_name(method, bits, grid)] = experiment.heroq(options, *flags, "--bits", str(bits), "--symmetric", switch)
            for name, (script, flags, known_bits) in PEERS.items():
                if bits in known_bits:
                    runs[run_name(name, bits, grid)] = peer(options, script, bits, grid, flags)
    return runs


def section(results):
    columns = [(bits, grid) for bits in BITS for grid in GRIDS]
    lines = [
        f"`deploy/experiments.sh methods`: {experiment.SETTING} {experiment.WHAT_IS_JUDGED} Bold: the lowest of heroq's in a "
        "column on either text.", "",
        "| method | " + " | ".join(f"W{bits} {grid}" for bits, grid in columns) + " |", "|---|" + "---|" * len(columns)]
    for method in [*METHODS, *PEERS]:
        cells = []
        for column in columns:
            ours = [results[run_name(name, *column)] for name in METHODS]
            best = [min(scores) for scores in zip(*ours)] if method in METHODS else None
            kl = results.get(run_name(method, *column))
            cells.append(experiment.cell(kl, best) if kl else "")
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    options = experiment.arguments(__doc__)
    experiment.write(options, HEADING, section(experiment.measure(options, plan_runs(options))))


if __name__ == "__main__":
    main()
