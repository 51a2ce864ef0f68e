"""What docs/benchmarks.md promises about heroq beside its peers, and the section that says what was found."""
import dataclasses
import statistics

import machine

TEXTS = ("evaluation", "policy")
HEADING = "Side by side with other tools"


class Names:
    """Of the runs."""
    gptq = "heroq gptq, symmetric"
    llm_compressor = "llm-compressor gptq, symmetric"
    fast = "heroq hero-q fast, symmetric"
    hero_q = "heroq hero-q, symmetric"
    best_fused = "heroq hero-q best, fused, symmetric"
    best_online = "heroq hero-q best, online, symmetric"
    gptqmodel = "GPTQModel gptq, symmetric"
    dash_q = "heroq dash-q, symmetric"
    rtn_searched = "heroq rtn, symmetric, scale search"
    rtn_plain = "heroq rtn, symmetric, plain"
    gptq_asymmetric = "heroq gptq, asymmetric"
    llm_compressor_asymmetric = "llm-compressor gptq, asymmetric"

    def __init__(self, iterations):
        self.autoround = f"AutoRound, {iterations} iterations, symmetric"


@dataclasses.dataclass
class Row:
    figure: str
    value: float
    at_least: float = None
    at_most: float = None
    note: str = ""  # what is found besides

    @property
    def found(self):
        return f"{self.value:.2f}" + (f"; {self.note}" if self.note else "")

    def bound(self):
        return ", ".join(f"{words} {limit:.2f}" for words, limit in (("at least", self.at_least), ("at most", self.at_most))
                         if limit is not None)

    def kept(self):
        return (self.at_least is None or self.value >= self.at_least) and (self.at_most is None or self.value <= self.at_most)

    def kept_in_words(self):
        return "" if not self.bound() else "yes" if self.kept() else "**no**"


def kl_of(run):
    return " / ".join(f"{run.scores[text]['kl']:.3f}" for text in TEXTS)


def requirements(runs, names):
    """Rows of what was found, beside what docs promise; `runs` by name, measured and judged."""
    def wall_ratio(a, b):
        return runs[a].median("wall_seconds") / runs[b].median("wall_seconds")

    def worst_kl_ratio(a, b):
        return max(runs[a].scores[text]["kl"] / runs[b].scores[text]["kl"] for text in TEXTS)

    def memory_ratio(a, b):
        return runs[a].median("peak_pss_bytes") / runs[b].median("peak_pss_bytes")

    gptq, autoround = runs[names.gptq], runs[names.autoround]
    held = max(gptq.worker_peaks)
    others = [run.predicted_worker_peak / max(run.worker_peaks) for run in runs.values() if run.worker_peaks and run is not gptq]
    rows = [
        Row("wall time, llm-compressor's gptq / gptq", wall_ratio(names.llm_compressor, names.gptq), at_least=5),
        Row("the same of llm-compressor's oneshot() alone",
            runs[names.llm_compressor].quantize_seconds() / gptq.median("wall_seconds")),
        Row("wall time, llm-compressor's gptq / hero-q fast", wall_ratio(names.llm_compressor, names.fast), at_least=3),
    ]
    rows += [Row(f"wall time, {names.autoround.removesuffix(', symmetric')} / hero-q best, transform {transform}",
                 wall_ratio(names.autoround, name), at_least=5, note=f"KL {kl_of(autoround)} and {kl_of(runs[name])}")
             for transform, name in (("fused", names.best_fused), ("online", names.best_online))]
    rows += [
        Row("wall time, GPTQModel's gptq / gptq", wall_ratio(names.gptqmodel, names.gptq)),
        Row("wall time, hero-q fast / gptq", wall_ratio(names.fast, names.gptq), at_most=1.5),
        Row("wall time, hero-q (learned rotations) / gptq", wall_ratio(names.hero_q, names.gptq), at_most=4),
        Row("peak memory, llm-compressor's gptq / gptq", memory_ratio(names.llm_compressor, names.gptq), at_least=1.8),
        Row("peak memory, GPTQModel's gptq / gptq", memory_ratio(names.gptqmodel, names.gptq)),
        Row("peak memory of a worker of gptq, predicted / found", gptq.predicted_worker_peak / held, at_least=1, at_most=1.25,
            note=f"{gptq.predicted_worker_peak / 1e6:.0f} and {held / 1e6:.0f} MB"),
        Row("the same of heroq's other runs, least", min(others), at_least=1,
            note=f"most {max(others):.2f}"),
        Row("KL, gptq symmetric / llm-compressor's (worst text)", worst_kl_ratio(names.gptq, names.llm_compressor), at_most=0.75),
        Row("KL, gptq asymmetric / llm-compressor's (worst text)",
            worst_kl_ratio(names.gptq_asymmetric, names.llm_compressor_asymmetric), at_most=0.95),
        Row("KL, gptq symmetric / GPTQModel's (worst text)", worst_kl_ratio(names.gptq, names.gptqmodel)),
        Row("KL, rtn with scale search / plain rtn (worst text)", worst_kl_ratio(names.rtn_searched, names.rtn_plain), at_most=0.7),
        Row("KL, hero-q symmetric / llm-compressor's gptq (worst text)", worst_kl_ratio(names.hero_q, names.llm_compressor),
            at_most=0.58),
    ]
    return rows


def spread(values):
    """Median, and the ends where there are several."""
    middle = f"{statistics.median(values):.1f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.1f} to {max(values):.1f})"


def accuracy(runs, reference, arguments):
    lines = [
        "### Accuracy", "",
        "KL divergence per token against the unquantized model, and perplexity, on two held-out texts of "
        f"{arguments.judged} x 512 tokens, judged by stock transformers and compressed-tensors in bfloat16 "
        "(`tests/support/judge.py`): transform online is loaded with the lines of its model card, and "
        "GPTQModel's checkpoint as the dense values of its codes.", "",
        "| checkpoint | " + " | ".join(f"{t}: KL | {t}: perplexity" for t in TEXTS) + " |",
        "|---|" + "---|" * (2 * len(TEXTS)),
        "| unquantized | " + " | ".join(f"0 | {reference[t]['perplexity']:.3f}" for t in TEXTS) + " |",
    ]
    for run in runs:
        cells = " | ".join(f"{run.scores[t]['kl']:.4f} | {run.scores[t]['perplexity']:.3f}" for t in TEXTS)
        lines.append(f"| {run.name} | {cells} |")
    return lines


def cost(runs):
    lines = [
        "### Cost", "",
        "From process start to exit; memory is the largest sum of proportional set sizes of all processes of a run, looked at five "
        "times a second. Medians, and in parentheses the ends of repetitions, which are interleaved. Quantizing alone: what a "
        "peer spends inside its own call (llm-compressor: oneshot()). A worker: the largest resident set of one of heroq's worker "
        "processes, and what `heroq plan` says it is at most.", "",
        "| run | repetitions | wall, s | quantizing alone, s | CPU, s | peak memory, GB | a worker, GB: found, predicted |",
        "|---|---|---|---|---|---|---|"]
    for run in runs:
        alone = run.quantize_seconds()
        worker = f"{max(run.worker_peaks) / 1e9:.2f}, {run.predicted_worker_peak / 1e9:.2f}" if run.worker_peaks else ""
        lines.append(f"| {run.name} | {len(run.measurements)} | {spread([m.wall_seconds for m in run.measurements])} | "
                     f"{f'{alone:.1f}' if alone else ''} | {run.median('cpu_seconds'):.1f} | "
                     f"{run.median('peak_pss_bytes') / 1e9:.2f} | {worker} |")
    return lines


def section(runs, reference, rows, arguments):
    taken_over = f" Taken over from an earlier call of that day: {'; '.join(arguments.reuse)}." if arguments.reuse else ""
    lines = [
        f"Written by `deploy/benchmark.sh` on {machine.today_and_processor()}. Model: SmolLM2-135M-Instruct, dithered "
        f"(`deploy/demo/make_smollm2.py --dither`), W4 group 64, {arguments.samples} x {arguments.length} calibration tokens of "
        "Debian's perl-doc. Two threads for every side: heroq's two workers have one each, peers run with OMP_NUM_THREADS=2 and "
        f"torch.set_num_threads(2). Machines are noisy: read the ratios.{taken_over}", "", *accuracy(runs, reference, arguments), "", *cost(runs), "",
        "### Ratios", "", "Of medians.", "", "| figure | found | bound | kept |", "|---|---|---|---|"]
    lines += [f"| {row.figure} | {row.found} | {row.bound()} | {row.kept_in_words()} |" for row in rows]
    return "\n".join(lines) + "\n"
