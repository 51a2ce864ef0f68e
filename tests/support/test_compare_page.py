"""The table of requirements in docs/benchmarks.md: which side a ratio has above, and when a bound is missed."""
import os
import pathlib
import sys

import process_tree
import pytest

sys.path.insert(0, str(pathlib.Path(os.environ["HEROQ_SOURCE"]) / "tests/benchmark"))

import compare
import compare_page

NAMES = compare_page.Names(200)


def run(name, wall=10.0, peak=1e9, kl=0.1):
    made = compare.Run(name, [], pathlib.Path("none"), {})
    made.measurements = [process_tree.Measurement(wall + extra, 2 * wall, peak, "quantize_seconds 40.0\n") for extra in (0, 5, -4)]
    made.scores = {text: {"kl": kl, "perplexity": 20.0} for text in compare_page.TEXTS}
    if name.startswith("heroq"):
        made.worker_peaks, made.predicted_worker_peak = [380_000_000, 400_000_000], 440_000_000
    return made


@pytest.fixture
def runs():
    """Of which every bound is kept."""
    names = [value for key, value in vars(compare_page.Names).items() if not key.startswith("_") and isinstance(value, str)]
    made = {name: run(name) for name in [*names, NAMES.autoround]}
    for name in (NAMES.llm_compressor, NAMES.llm_compressor_asymmetric, NAMES.gptqmodel):
        made[name] = run(name, wall=80, peak=2e9, kl=0.3)
    made[NAMES.autoround] = run(NAMES.autoround, wall=600, kl=0.08)
    made[NAMES.rtn_plain] = run(NAMES.rtn_plain, kl=0.5)
    return made


def row(runs, figure):
    return next(row for row in compare_page.requirements(runs, NAMES) if row.figure == figure)


def missed(runs):
    return [row.figure for row in compare_page.requirements(runs, NAMES) if not row.kept()]


def test_all_kept(runs):
    assert missed(runs) == []
    assert row(runs, "wall time, llm-compressor's gptq / gptq").value == 8
    assert row(runs, "the same of llm-compressor's oneshot() alone").value == 4
    assert row(runs, "the same of llm-compressor's oneshot() alone").kept_in_words() == ""
    best = row(runs, "wall time, AutoRound, 200 iterations / hero-q best, transform online")
    assert best.found == "60.00; KL 0.080 / 0.080 and 0.100 / 0.100" and best.bound() == "at least 5.00"
    assert row(runs, "peak memory, llm-compressor's gptq / gptq").value == 2
    assert row(runs, "peak memory of a worker of gptq, predicted / found").value == pytest.approx(1.1)
    assert row(runs, "the same of heroq's other runs, least").found == "1.10; most 1.10"


@pytest.mark.parametrize("change, figure", [
    (lambda runs: runs.update({NAMES.llm_compressor: run(NAMES.llm_compressor, 49, 2e9, 0.3)}),
     "wall time, llm-compressor's gptq / gptq"),
    (lambda runs: runs.update({NAMES.best_fused: run(NAMES.best_fused, 121)}),
     "wall time, AutoRound, 200 iterations / hero-q best, transform fused"),
    (lambda runs: runs.update({NAMES.best_online: run(NAMES.best_online, 121)}),
     "wall time, AutoRound, 200 iterations / hero-q best, transform online"),
    (lambda runs: runs.update({NAMES.llm_compressor: run(NAMES.llm_compressor, 80, 1.7e9, 0.3)}),
     "peak memory, llm-compressor's gptq / gptq"),
    (lambda runs: setattr(runs[NAMES.gptq], "worker_peaks", [300_000_000, 441_000_000]),
     "peak memory of a worker of gptq, predicted / found"),
    (lambda runs: setattr(runs[NAMES.gptq], "worker_peaks", [300_000_000, 351_000_000]),
     "peak memory of a worker of gptq, predicted / found"),
    (lambda runs: setattr(runs[NAMES.best_online], "worker_peaks", [441_000_000]),
     "the same of heroq's other runs, least"),
    (lambda runs: runs[NAMES.gptq_asymmetric].scores["policy"].update(kl=0.29),
     "KL, gptq asymmetric / llm-compressor's (worst text)"),
])
def test_a_bound_that_is_missed(runs, change, figure):
    change(runs)
    assert missed(runs) == [figure]
    assert row(runs, figure).kept_in_words() == "**no**"
