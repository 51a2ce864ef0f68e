#!/usr/bin/env python3
"""Quantizes one model with heroq and with llm-compressor in turn, judges every checkpoint with stock transformers, and
writes a section of docs/benchmarks.md. Called by deploy/benchmark.sh.

    compare.py --heroq BIN --peer-python PYTHON --model DIR --text DIR --work DIR --page docs/benchmarks.md
"""
import argparse
import dataclasses
import json
import pathlib
import re
import shutil
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import judge
import machine
import page_section
import process_tree

BITS, GROUP, SAMPLES, LENGTH, THREADS = 4, 64, 64, 512, 2
TEXTS = ("evaluation", "policy")
HEADING = "Side by side with llm-compressor"
HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Run:
    name: str
    command: list
    directory: pathlib.Path
    repetitions: int = 1
    measurements: list = dataclasses.field(default_factory=list)
    scores: dict = dataclasses.field(default_factory=dict)

    def median(self, attribute):
        return statistics.median(getattr(m, attribute) for m in self.measurements)


def plan_runs(arguments):
    calibration = f"{arguments.text}/calibration.txt"
    common = ["--bits", str(BITS), "--group-size", str(GROUP), "--calibration", calibration,
              "--samples", str(SAMPLES), "--sequence-length", str(LENGTH), "--no-progress"]
    runs = []

    def heroq(name, *flags, repetitions=1):
        out = arguments.work / name.replace(" ", "-").replace(",", "")
        runs.append(Run(name, [arguments.heroq, "quantize", arguments.model, "--output", str(out), *common, *flags], out,
                        repetitions))

    def peer(name, *flags, repetitions=1):
        out = arguments.work / name.replace(" ", "-").replace(",", "")
        runs.append(Run(name, [arguments.peer_python, str(HERE / "peer_llmcompressor.py"), arguments.model, str(out),
                               "--text", calibration, "--bits", str(BITS), "--group", str(GROUP),
                               "--samples", str(SAMPLES), "--length", str(LENGTH), "--threads", str(THREADS), *flags],
                        out, repetitions))

    heroq("heroq gptq, symmetric", "--method", "gptq", "--symmetric", "on", repetitions=arguments.repetitions)
    peer("llm-compressor gptq, symmetric", repetitions=arguments.repetitions)
    heroq("heroq hero-q fast, symmetric", "--method", "hero-q", "--tier", "fast", "--symmetric", "on",
          repetitions=arguments.repetitions)
    heroq("heroq hero-q, symmetric", "--method", "hero-q", "--symmetric", "on")
    heroq("heroq gptq, asymmetric", "--method", "gptq", "--symmetric", "off")
    peer("llm-compressor gptq, asymmetric", "--asymmetric")
    heroq("heroq rtn, symmetric, scale search", "--method", "rtn", "--symmetric", "on", "--scale-search", "on")
    heroq("heroq rtn, symmetric, plain", "--method", "rtn", "--symmetric", "on", "--scale-search", "off")
    return runs


def measure(runs, work):
    """Repetitions are interleaved, so that a drift of the machine touches both sides."""
    for repetition in range(max(run.repetitions for run in runs)):
        for run in runs:
            if repetition < run.repetitions:
                shutil.rmtree(run.directory, ignore_errors=True)
                log = work / f"{run.directory.name}.{repetition}.log"
                run.measurements.append(process_tree.run(run.command, log))
                last = run.measurements[-1]
                print(f"{run.name}: {last.wall_seconds:.1f} s, {last.cpu_seconds:.1f} CPU s, "
                      f"{last.peak_pss_bytes / 1e9:.2f} GB", flush=True)


def judge_all(runs, arguments):
    reference = {}
    for text in TEXTS:
        scores = judge.judge(arguments.model, [str(run.directory) for run in runs], f"{arguments.text}/{text}.txt")
        reference[text] = scores[arguments.model]
        for run in runs:
            run.scores[text] = scores[str(run.directory)]
    return reference


def requirements(by_name):
    """(figure, found, bound): what docs promise; every ratio is ours over the peer's."""
    def kl_ratio(a, b):
        return max(by_name[a].scores[t]["kl"] / by_name[b].scores[t]["kl"] for t in TEXTS)
    def wall_ratio(a, b):
        return by_name[a].median("wall_seconds") / by_name[b].median("wall_seconds")
    ours, theirs = by_name["heroq gptq, symmetric"], by_name["llm-compressor gptq, symmetric"]
    return [
        ("KL, gptq symmetric / llm-compressor's (worst text)",
         kl_ratio("heroq gptq, symmetric", "llm-compressor gptq, symmetric"), 0.75),
        ("KL, gptq asymmetric / llm-compressor's (worst text)",
         kl_ratio("heroq gptq, asymmetric", "llm-compressor gptq, asymmetric"), 0.95),
        ("KL, rtn with scale search / plain rtn (worst text)",
         kl_ratio("heroq rtn, symmetric, scale search", "heroq rtn, symmetric, plain"), 0.70),
        ("KL, hero-q symmetric / llm-compressor's gptq (worst text)",
         kl_ratio("heroq hero-q, symmetric", "llm-compressor gptq, symmetric"), 0.58),
        ("wall time, gptq / llm-compressor's", wall_ratio("heroq gptq, symmetric", "llm-compressor gptq, symmetric"), 0.2),
        ("wall time, hero-q fast / llm-compressor's gptq",
         wall_ratio("heroq hero-q fast, symmetric", "llm-compressor gptq, symmetric"), 0.33),
        ("wall time, hero-q fast / gptq", wall_ratio("heroq hero-q fast, symmetric", "heroq gptq, symmetric"), 1.5),
        ("wall time, hero-q (learned rotations) / gptq", wall_ratio("heroq hero-q, symmetric", "heroq gptq, symmetric"), 4.0),
        ("peak memory (PSS of all processes), gptq / llm-compressor's", ours.median("peak_pss_bytes") / theirs.median("peak_pss_bytes"), 1.0),
    ]


def section(runs, reference, rows, arguments):
    lines = [
        f"Written by `deploy/benchmark.sh` on {machine.today_and_processor()}. Model: SmolLM2-135M-Instruct, dithered "
        f"(`deploy/demo/make_smollm2.py --dither`), W{BITS} group {GROUP}, {SAMPLES} x {LENGTH} calibration tokens of "
        f"Debian's perl-doc, {THREADS} threads for either side. Machines are noisy: read the ratios.", "",
        "### Accuracy", "",
        "KL divergence per token against the unquantized model, and perplexity, on two held-out texts; loaded and judged by "
        "stock transformers and compressed-tensors (`tests/support/judge.py`), bfloat16.", "",
        "| checkpoint | " + " | ".join(f"{t}: KL | {t}: perplexity" for t in TEXTS) + " |",
        "|---|" + "---|" * (2 * len(TEXTS)),
        "| unquantized | " + " | ".join(f"0 | {reference[t]['perplexity']:.3f}" for t in TEXTS) + " |",
    ]
    for run in runs:
        cells = " | ".join(f"{run.scores[t]['kl']:.4f} | {run.scores[t]['perplexity']:.3f}" for t in TEXTS)
        lines.append(f"| {run.name} | {cells} |")
    lines += ["", "### Cost", "", "From process start to exit, all processes of either side; median of the repetitions. "
              "oneshot: the part of llm-compressor's run inside oneshot().", "",
              "| run | repetitions | wall, s | oneshot, s | CPU, s | peak memory, GB |", "|---|---|---|---|---|---|"]
    for run in runs:
        oneshot = [float(match.group(1)) for measurement in run.measurements
                   if (match := re.search(r"oneshot_seconds ([\d.]+)", measurement.output))]
        lines.append(f"| {run.name} | {len(run.measurements)} | {run.median('wall_seconds'):.1f} | "
                     f"{f'{statistics.median(oneshot):.1f}' if oneshot else ''} | {run.median('cpu_seconds'):.1f} | "
                     f"{run.median('peak_pss_bytes') / 1e9:.2f} |")
    lines += ["", "### Ratios", "", "Medians.", "", "| figure | found | at most |", "|---|---|---|"]
    lines += [f"| {name} | {found:.2f} | {bound:.2f} |" for name, found, bound in rows]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("heroq", "peer-python", "model", "text"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--page", required=True, type=pathlib.Path)
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    runs = plan_runs(arguments)
    measure(runs, arguments.work)
    reference = judge_all(runs, arguments)
    rows = requirements({run.name: run for run in runs})
    page_section.replace_section(arguments.page, HEADING, section(runs, reference, rows, arguments))
    (arguments.work / "results.json").write_text(json.dumps(
        {run.name: {"scores": run.scores, "wall": [m.wall_seconds for m in run.measurements]} for run in runs}, indent=2))
    missed = [f"{name}: {found:.3f} > {bound}" for name, found, bound in rows if found > bound]
    print("\n".join(["missed:"] + missed) if missed else "all bounds kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
