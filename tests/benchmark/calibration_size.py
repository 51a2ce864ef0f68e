#!/usr/bin/env python3
"""Where DASH-Q is ahead of GPTQ: quantizes one model at 2, 3 and 4 bits with ever more calibration text, judges every
checkpoint with stock transformers, and writes a section of docs/experiments.md. Called by deploy/experiments.sh.

    calibration_size.py --heroq BIN --model DIR --text DIR --work DIR --page docs/experiments.md
"""
import argparse
import json
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import judge
import page_section
import process_tree

HEADING = "Bits and calibration text: DASH-Q, GPTQ and rounding to nearest"
TEXTS = ("evaluation", "policy")
# The widest groups that SmolLM2 allows (576 = 9 x 64) of those the paper pairs with each width.
GROUPS = {4: 64, 3: 64, 2: 32}
SEQUENCES = (2, 4, 16, 64)
LENGTH = 512
METHODS = ("rtn", "dash-q", "gptq")
JUDGED_SEQUENCES, JUDGED_LENGTH = 8, 256


class Judge:
    """KL per token against the model on two held-out texts of other genres."""

    def __init__(self, model, text):
        self.reference = judge.load(model)
        self.windows = [judge.read_windows(model, f"{text}/{name}.txt", JUDGED_SEQUENCES, JUDGED_LENGTH) for name in TEXTS]

    def kl(self, checkpoints):
        """For every checkpoint, a value per text."""
        candidates = [judge.load(str(checkpoint)) for checkpoint in checkpoints]
        texts = [judge.score_all(self.reference, candidates, windows) for windows in self.windows]
        return [[score["kl"] for score in scores] for scores in zip(*texts)]


def quantize(arguments, bits, sequences, method):
    out = arguments.work / f"w{bits}-{sequences}-{method}"
    shutil.rmtree(out, ignore_errors=True)
    command = [arguments.heroq, "quantize", arguments.model, "--output", str(out), "--method", method,
               "--bits", str(bits), "--group-size", str(GROUPS[bits]), "--symmetric", "off",
               "--calibration", f"{arguments.text}/calibration.txt", "--samples", str(sequences),
               "--sequence-length", str(LENGTH), "--no-progress"]
    process_tree.run(command, arguments.work / f"{out.name}.log")
    return out


def measure(arguments):
    """One row per (bits, sequences); what an interrupted run measured is not measured again."""
    results_file = arguments.work / "results.json"
    results = json.loads(results_file.read_text()) if results_file.exists() else {}
    judge_of_all = None
    for bits in GROUPS:
        for sequences in SEQUENCES:
            key = f"{bits} {sequences}"
            if key in results:
                continue
            judge_of_all = judge_of_all or Judge(arguments.model, arguments.text)
            checkpoints = [quantize(arguments, bits, sequences, method) for method in METHODS]
            results[key] = dict(zip(METHODS, judge_of_all.kl(checkpoints)))
            results_file.write_text(json.dumps(results, indent=1))
            print(key, results[key], flush=True)
            for checkpoint in checkpoints:
                shutil.rmtree(checkpoint)
    return results


def section(results):
    lines = [
        "`deploy/experiments.sh calibration-size`: SmolLM2-135M-Instruct, dithered; asymmetric, "
        + ", ".join(f"W{bits} group {group}" for bits, group in GROUPS.items()) +
        f"; sequences of {LENGTH} tokens of technical prose. KL divergence per token against the unquantized model on the texts "
        f"{' / '.join(TEXTS)} ({JUDGED_SEQUENCES} x {JUDGED_LENGTH} tokens each), judged by transformers. Bold: lower than the other two "
        "on both texts.", "",
        "| bits | sequences | " + " | ".join(METHODS) + " | dash-q / gptq |", "|---|---|" + "---|" * (len(METHODS) + 1)]
    for bits in GROUPS:
        for sequences in SEQUENCES:
            row = results[f"{bits} {sequences}"]
            cells = []
            for method, kl in row.items():
                best = all(kl[t] < other[t] for t in range(len(TEXTS)) for name, other in row.items() if name != method)
                text = " / ".join(f"{value:.3f}" for value in kl)
                cells.append(f"**{text}**" if best else text)
            ratio = " / ".join(f"{row['dash-q'][t] / row['gptq'][t]:.2f}" for t in range(len(TEXTS)))
            lines.append(f"| {bits} | {sequences} | {' | '.join(cells)} | {ratio} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("heroq", "model", "text"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--page", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    page_section.replace_section(arguments.page, HEADING, section(measure(arguments)))


if __name__ == "__main__":
    main()
