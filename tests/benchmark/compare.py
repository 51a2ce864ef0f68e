#!/usr/bin/env python3
"""Quantizes one model with heroq, llm-compressor, AutoRound and GPTQModel in turn, judges every checkpoint with transformers
and writes a section of docs/benchmarks.md; 1 when a bound of that section is missed. Called by deploy/benchmark.sh.

    compare.py --heroq BIN --peer-python PYTHON --gptqmodel-python PYTHON --model DIR --text DIR --work DIR --page PAGE
        [--repetitions 3] [--samples 64 --length 512 --iterations 200 --judged 16] [--only NAME ...] [--reuse NAME ...]

--only runs and judges what is named, prints it and writes no page; a name that is none prints all of them. --reuse takes what is
named from an earlier call with the same command, work folder, day and processor instead of running it again.
"""
import argparse
import dataclasses
import json
import pathlib
import pickle
import re
import shutil
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[1:1] = [str(HERE.parent / "support"), str(HERE.parent / "interop")]

import compare_page
import dense_copy
import judge
import machine
import model_card
import page_section
import process_tree

BITS, GROUP, THREADS = 4, 64, 2
PEER_ENVIRONMENT = {name: str(THREADS) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}


@dataclasses.dataclass
class Run:
    name: str
    command: list
    directory: pathlib.Path
    environment: dict
    repetitions: int = 1
    measurements: list = dataclasses.field(default_factory=list)
    worker_peaks: list = dataclasses.field(default_factory=list)  # heroq's: bytes, of each repetition
    predicted_worker_peak: int = 0
    scores: dict = dataclasses.field(default_factory=dict)  # by text

    def median(self, attribute):
        return statistics.median(getattr(m, attribute) for m in self.measurements)

    def quantize_seconds(self):
        """Median of what a peer says that quantizing alone took; None where it says nothing."""
        said = [re.search(r"^quantize_seconds ([\d.]+)", m.output, re.MULTILINE) for m in self.measurements]
        return statistics.median(float(match.group(1)) for match in said) if all(said) else None


def plan_runs(arguments):
    calibration = f"{arguments.text}/calibration.txt"
    runs = []

    def add(name, command, environment, repetitions):
        out = arguments.work / name.replace(" ", "-").replace(",", "")
        runs.append(Run(name, [part if part is not None else str(out) for part in command], out, environment, repetitions))

    def heroq(name, *flags, repetitions=1):
        add(name, [arguments.heroq, "quantize", arguments.model, "--output", None, "--bits", str(BITS),
                   "--group-size", str(GROUP), "--calibration", calibration, "--samples", str(arguments.samples),
                   "--sequence-length", str(arguments.length), "--workers", str(THREADS), "--threads", "1", "--no-progress",
                   *flags], {}, repetitions)

    def peer(name, python, script, *flags, repetitions=1):
        add(name, [python, str(HERE / script), arguments.model, None, "--text", calibration, "--bits", str(BITS),
                   "--group", str(GROUP), "--samples", str(arguments.samples), "--length", str(arguments.length),
                   "--threads", str(THREADS), *flags], PEER_ENVIRONMENT, repetitions)

    names = compare_page.Names(arguments.iterations)
    best = ["--method", "hero-q", "--tier", "best", "--symmetric", "on", "--transform"]
    heroq(names.gptq, "--method", "gptq", "--symmetric", "on", repetitions=arguments.repetitions)
    peer(names.llm_compressor, arguments.peer_python, "peer_llmcompressor.py", repetitions=arguments.repetitions)
    heroq(names.fast, "--method", "hero-q", "--tier", "fast", "--symmetric", "on", repetitions=arguments.repetitions)
    heroq(names.hero_q, "--method", "hero-q", "--symmetric", "on")
    heroq(names.best_fused, *best, "fused")
    heroq(names.best_online, *best, "online")
    peer(names.autoround, arguments.peer_python, "peer_autoround.py", "--iterations", str(arguments.iterations))
    peer(names.gptqmodel, arguments.gptqmodel_python, "peer_gptqmodel.py")
    heroq(names.dash_q, "--method", "dash-q", "--symmetric", "on")
    heroq(names.rtn_searched, "--method", "rtn", "--symmetric", "on", "--scale-search", "on")
    heroq(names.rtn_plain, "--method", "rtn", "--symmetric", "on", "--scale-search", "off")
    heroq(names.gptq_asymmetric, "--method", "gptq", "--symmetric", "off")
    peer(names.llm_compressor_asymmetric, arguments.peer_python, "peer_llmcompressor.py", "--asymmetric")
    return runs


def memory_of(run):
    return run.directory.with_name(run.directory.name + ".pickle")


def reused(run):
    """The run as an earlier call left it."""
    if not memory_of(run).exists():
        sys.exit(f"{run.name}: no earlier call has run it")
    where, earlier = pickle.loads(memory_of(run).read_bytes())
    if (where, earlier.command, len(earlier.measurements)) != (machine.today_and_processor(), run.command, run.repetitions):
        sys.exit(f"{run.name}: was run on {where}, {len(earlier.measurements)} times, as {' '.join(earlier.command)}")
    return earlier


def look_at_report(run):
    """What heroq's workers held at most, and what the plan had said."""
    predicted = json.loads((run.directory / "report/report.json").read_text())["predicted"]
    held = json.loads((run.directory / "report/run.json").read_text())["worker_peak_rss_bytes"]
    run.predicted_worker_peak = int(predicted["worker_peak_memory_bytes"])
    run.worker_peaks.append(int(held))


def measure(runs, work):
    """Repetitions are interleaved, so that a drift of the machine touches every side."""
    for repetition in range(max((run.repetitions for run in runs), default=0)):
        for run in runs:
            if repetition < run.repetitions:
                # An interrupted call leaves what heroq would go on from.
                for left in (run.directory, run.directory.with_name(f"{run.directory.name}.heroq")):
                    shutil.rmtree(left, ignore_errors=True)
                log = work / f"{run.directory.name}.{repetition}.log"
                last = process_tree.run(run.command, log, run.environment)
                run.measurements.append(last)
                if (run.directory / "report").exists():
                    look_at_report(run)
                memory_of(run).write_bytes(pickle.dumps((machine.today_and_processor(), run)))
                print(f"{run.name}: {last.wall_seconds:.1f} s, {last.cpu_seconds:.1f} CPU s, "
                      f"{last.peak_pss_bytes / 1e9:.2f} GB", flush=True)


def judged_directory(run):
    """GPTQ's tensors need more than transformers, so that their dense values are judged."""
    if not list(run.directory.glob("quantize_config.json")):
        return run.directory
    dense = run.directory.with_name(f"{run.directory.name}-dense")
    shutil.rmtree(dense, ignore_errors=True)
    dense_copy.main(run.directory, dense)
    return dense


def judge_all(runs, arguments):
    reference = {}
    directories = {run.name: str(judged_directory(run)) for run in runs}
    for text in compare_page.TEXTS:
        scores = judge.judge(arguments.model, list(directories.values()), f"{arguments.text}/{text}.txt", arguments.judged,
                             load=model_card.load_as_it_needs)
        reference[text] = scores[arguments.model]
        for run in runs:
            run.scores[text] = scores[directories[run.name]]
    return reference


def results(runs):
    return {run.name: {"scores": run.scores, "quantize_seconds": run.quantize_seconds(),
                       "wall_seconds": [m.wall_seconds for m in run.measurements],
                       "cpu_seconds": [m.cpu_seconds for m in run.measurements],
                       "peak_pss_bytes": [m.peak_pss_bytes for m in run.measurements],
                       "worker_peak_rss_bytes": run.worker_peaks,
                       "predicted_worker_peak_bytes": run.predicted_worker_peak} for run in runs}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("heroq", "peer-python", "gptqmodel-python", "model", "text"):
        parser.add_argument("--" + name, required=True)
    for name in ("work", "page"):
        parser.add_argument("--" + name, required=True, type=pathlib.Path)
    for name, default in (("repetitions", 3), ("samples", 64), ("length", 512), ("iterations", 200), ("judged", 16)):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--reuse", nargs="+", metavar="NAME", default=[])
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    runs = plan_runs(arguments)
    unknown = {*(arguments.only or []), *arguments.reuse} - {run.name for run in runs}
    if unknown:
        parser.error(f"no such run: {', '.join(sorted(unknown))}; there are:\n  " + "\n  ".join(run.name for run in runs))
    if arguments.only is not None:
        runs = [run for run in runs if run.name in arguments.only]
    runs = [reused(run) if run.name in arguments.reuse else run for run in runs]
    measure([run for run in runs if run.name not in arguments.reuse], arguments.work)
    reference = judge_all(runs, arguments)
    if arguments.only is not None:
        print(json.dumps(results(runs), indent=2))
        return 0
    rows = compare_page.requirements({run.name: run for run in runs}, compare_page.Names(arguments.iterations))
    (arguments.work / "results.json").write_text(json.dumps(results(runs), indent=2))
    page_section.replace_section(arguments.page, compare_page.HEADING, compare_page.section(runs, reference, rows, arguments))
    missed = [f"{row.figure}: {row.found}, must be {row.bound()}" for row in rows if not row.kept()]
    print("\n".join(["missed:"] + missed) if missed else "all bounds kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
