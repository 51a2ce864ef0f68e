"""What experiments on one model share: runs of heroq whose checkpoints are judged by stock transformers, kept between
interrupted runs, and a section of docs/experiments.md."""
import argparse
import json
import pathlib
import shutil

import judge
import page_section
import process_tree

TEXTS = ("evaluation", "policy")
JUDGED_SEQUENCES, JUDGED_LENGTH = 8, 256
WHAT_IS_JUDGED = (f"KL divergence per token against the unquantized model on the texts {' / '.join(TEXTS)} ({JUDGED_SEQUENCES} x "
                  f"{JUDGED_LENGTH} tokens each), judged by transformers.")


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("heroq", "model", "text"):
        parser.add_argument("--" + name, required=True)
    for name in ("work", "page"):
        parser.add_argument("--" + name, required=True, type=pathlib.Path)
    found = parser.parse_args()
    found.work.mkdir(parents=True, exist_ok=True)
    return found


class Judge:
    """KL per token against the model on held-out texts of other genres."""

    def __init__(self, model, text):
        self.reference = judge.load(model)
        self.windows = [judge.read_windows(model, f"{text}/{name}.txt", JUDGED_SEQUENCES, JUDGED_LENGTH) for name in TEXTS]

    def kl(self, checkpoint):
        """A value per text."""
        candidate = judge.load(str(checkpoint))
        return [judge.score(self.reference, candidate, windows)["kl"] for windows in self.windows]


def measure(options, runs):
    """KL per text of every run, a name and flags of `heroq quantize`; what an interrupted call measured is taken as it is."""
    results_file = options.work / "results.json"
    results = json.loads(results_file.read_text()) if results_file.exists() else {}
    judge_of_all = None
    for name, flags in runs.items():
        if name in results:
            continue
        judge_of_all = judge_of_all or Judge(options.model, options.text)
        out = options.work / name.replace(" ", "-").replace(",", "")
        shutil.rmtree(out, ignore_errors=True)
        command = [options.heroq, "quantize", options.model, "--output", str(out), "--calibration",
                   f"{options.text}/calibration.txt", "--no-progress", *flags]
        process_tree.run(command, options.work / f"{out.name}.log")
        results[name] = judge_of_all.kl(out)
        results_file.write_text(json.dumps(results, indent=1))
        print(name, " / ".join(f"{value:.4f}" for value in results[name]), flush=True)
        shutil.rmtree(out)
    return results


def write(options, heading, body):
    page_section.replace_section(options.page, heading, body)
