#!/usr/bin/env python3
"""What the HeRo-Q paper claims, on one model: the ablation of rotation and smoothing, the curve over alpha, and the spectrum
before and after; writes sections of docs/experiments.md. Called by deploy/experiments.sh.

    hero_q_claims.py --heroq BIN --model DIR --text DIR --work DIR --page docs/experiments.md
"""
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import experiment

BITS = (4, 3)
ABLATION = {
    "gptq": ["--method", "gptq"],
    "+ rotation": ["--method", "hero-q", "--transform", "fused", "--rotation", "hadamard", "--alpha", "0"],
    "+ smoothing": ["--method", "hero-q", "--transform", "none", "--rotation", "none"],
    "+ both": ["--method", "hero-q", "--transform", "fused", "--rotation", "hadamard"],
}
# Nothing is chosen: one value of alpha is taken wherever it loses less than none.
ALPHAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
INPUTS = ("attention_in", "attention_out", "mlp_in", "mlp_out")
SMOOTHED = "+ smoothing W4"


def plan_runs(options):
    runs = {f"{name} W{bits}": experiment.heroq(options, *flags, "--bits", str(bits), "--symmetric", "on")
            for bits in BITS for name, flags in ABLATION.items()}
    for alpha in ALPHAS:
        runs[f"alpha {alpha} W4"] = experiment.heroq(options, "--method", "hero-q", "--transform", "none", "--rotation", "none",
                                                     "--alpha", str(alpha), "--bits", "4", "--symmetric", "on")
    return runs


def ablation(results):
    lines = [f"`deploy/experiments.sh hero-q`: {experiment.SETTING} Symmetric grids. {experiment.WHAT_IS_JUDGED} Rotation: the "
             "residual stream and value heads, by Hadamard matrices; smoothing: D with the alpha that loses least per input.", "",
             "| | " + " | ".join(f"W{bits}" for bits in BITS) + " |", "|---|" + "---|" * len(BITS)]
    best = {bits: [min(kl) for kl in zip(*(results[f"{name} W{bits}"] for name in ABLATION))] for bits in BITS}
    for name in ABLATION:
        cells = (experiment.cell(results[f"{name} W{bits}"], best[bits]) for bits in BITS)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def alpha_curve(results, report):
    """Loss relative to alpha 0 in the mean over blocks, and KL of models quantized with that alpha alone."""
    ratios = {}
    for transform in report["transforms"]:
        # The first round has every alpha on the same rows.
        rows = min(point["rows"] for point in transform["curve"])
        curve = {round(point["alpha"], 4): point["loss"] for point in transform["curve"] if point["rows"] == rows}
        for alpha in ALPHAS:
            if curve.get(0, 0) > 0:
                ratios.setdefault((transform["input"], alpha), []).append(curve[alpha] / curve[0])
    chosen = {name: statistics.median(t["alpha"] for t in report["transforms"] if t["input"] == name) for name in INPUTS}
    lines = ["Same setting, W4. Columns of inputs: the base quantizer's loss on a sample of rows relative to alpha 0, geometric mean "
             "over the blocks (report.json of the `+ smoothing` run). KL: a model whose inputs all take that alpha, or none where "
             "it loses more.", "",
             "| alpha | " + " | ".join(INPUTS) + " | KL |", "|---|" + "---|" * (len(INPUTS) + 1),
             "| 0 | 1 | 1 | 1 | 1 | " + experiment.cell(results["gptq W4"]) + " |"]
    for alpha in ALPHAS:
        cells = (f"{statistics.geometric_mean(ratios[name, alpha]):.3f}" for name in INPUTS)
        lines.append(f"| {alpha} | {' | '.join(cells)} | {experiment.cell(results[f'alpha {alpha} W4'])} |")
    lines.append("| chosen (median) | " + " | ".join(f"{chosen[name]:.2f}" for name in INPUTS) +
                 f" | {experiment.cell(results[SMOOTHED])} |")
    return "\n".join(lines)


def spectrum(base, smoothed):
    role_of = {"q_proj": "attention_in", "k_proj": "attention_in", "v_proj": "attention_in", "o_proj": "attention_out",
               "gate_proj": "mlp_in", "up_proj": "mlp_in", "down_proj": "mlp_out"}
    before_of = {linear["name"]: linear for linear in base["linears"]}
    rows = {name: [] for name in INPUTS}
    for linear in smoothed["linears"]:
        if "spectrum_before" in linear:
            rows[role_of[linear["name"].rsplit(".", 1)[1]]].append((before_of[linear["name"]], linear))
    lines = ["The `+ smoothing` run at W4 against `gptq`, linears whose basis was changed: medians of after / before, and in how many of "
             "them the figure fell. λ_max and condition number of H per token with 1 % damping; ‖e‖²: error of the weight "
             "relative to its norm; eᵀHe: error of the output relative to its energy, all rows; share: what part of ‖e‖² lies "
             "along the eight top eigenvectors, before on the sampled rows.", "",
             "| input | linears | λ_max | condition number | ‖e‖² | eᵀHe | share before | share after |",
             "|---|---|---|---|---|---|---|---|"]

    def change(pairs):
        ratios = [after / before for before, after in pairs]
        return f"{statistics.median(ratios):.2f} ({sum(ratio < 1 for ratio in ratios)})"

    def of_spectra(pairs, figure):
        return [(figure(after["spectrum_before"]), figure(after["spectrum"])) for _, after in pairs]
    for name, pairs in rows.items():
        if not pairs:
            continue
        figures = [change(of_spectra(pairs, lambda s: s["eigenvalues"][0])),
                   change(of_spectra(pairs, lambda s: s["condition_number"])),
                   change([(before["weight_error"], after["weight_error"]) for before, after in pairs]),
                   change([(before["relative_error"], after["relative_error"]) for before, after in pairs])]
        shares = [f"{100 * statistics.median(values):.2f} %"
                  for values in zip(*of_spectra(pairs, lambda s: s["norm_share"]))]
        lines.append(f"| {name} | {len(pairs)} | {' | '.join(figures + shares)} |")
    return "\n".join(lines)


def main():
    options = experiment.arguments(__doc__)
    results = experiment.measure(options, plan_runs(options))
    smoothed = experiment.report(options, SMOOTHED)
    experiment.write(options, "HeRo-Q: rotation, smoothing, both", ablation(results))
    experiment.write(options, "HeRo-Q: the curve over alpha", alpha_curve(results, smoothed))
    experiment.write(options, "HeRo-Q: spectrum and error", spectrum(experiment.report(options, "gptq W4"), smoothed))


if __name__ == "__main__":
    main()
