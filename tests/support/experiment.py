"""What experiments on one model share: checkpoints of heroq and its peers that are judged by stock transformers, kept between
interrupted runs, and a section of a page."""
import argparse
import json
import pathlib
import shutil

import torch
from peft import PeftModel

import judge
import machine
import model_card
import page_section
import process_tree

TEXTS = ("evaluation", "policy")
JUDGED_SEQUENCES, JUDGED_LENGTH = 16, 512
SAMPLES, LENGTH = 64, 512
GROUP = 64
SETTING = (f"SmolLM2-135M-Instruct, dithered; group {GROUP}; {SAMPLES} x {LENGTH} tokens of technical prose.")
WHAT_IS_JUDGED = (f"KL divergence per token against the unquantized model on the texts {' / '.join(TEXTS)} ({JUDGED_SEQUENCES} x "
                  f"{JUDGED_LENGTH} tokens each), judged by transformers.")


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("heroq", "model", "text", "peer-python"):
        parser.add_argument("--" + name, required=name != "peer-python")
    for name in ("work", "page"):
        parser.add_argument("--" + name, required=True, type=pathlib.Path)
    found = parser.parse_args()
    found.work.mkdir(parents=True, exist_ok=True)
    return found


class Judge:
    """KL per token against the model on held-out texts of other genres."""

    def __init__(self, model, text):
        reference = judge.load(model)
        self.texts = []
        for name in TEXTS:
            windows = judge.read_windows(model, f"{text}/{name}.txt", JUDGED_SEQUENCES, JUDGED_LENGTH)
            self.texts.append((windows, judge.logits(reference, windows)))

    def kl(self, checkpoint):
        """A value per text."""
        candidate = model_card.load_as_it_needs(checkpoint, torch.bfloat16)
        if (checkpoint / "adapter").exists():
            candidate = PeftModel.from_pretrained(candidate, checkpoint / "adapter").eval()
        return [judge.kl(original, judge.logits(candidate, windows)) for windows, original in self.texts]


def heroq(options, *flags):
    """The command of a run of heroq, but for its output; flags given here win."""
    def command(out):
        defaults = {"--group-size": GROUP, "--samples": SAMPLES, "--sequence-length": LENGTH}
        settings = [text for flag, value in defaults.items() if flag not in flags for text in (flag, str(value))]
        return [options.heroq, "quantize", options.model, "--output", str(out), "--calibration",
                f"{options.text}/calibration.txt", "--no-progress", *settings, *flags]
    return command


def file_name(run):
    return run.replace(" ", "-").replace(",", "")


def measure(options, runs):
    """KL per text of every run, a name and the command that publishes to a directory; what an interrupted call measured is
    taken as it is. The report of a run of heroq is kept (`report`)."""
    results_file = options.work / "results.json"
    results = json.loads(results_file.read_text()) if results_file.exists() else {}
    judge_of_all = None
    for name, command in runs.items():
        if name in results:
            continue
        judge_of_all = judge_of_all or Judge(options.model, options.text)
        out = options.work / file_name(name)
        shutil.rmtree(out, ignore_errors=True)
        process_tree.run(command(out), options.work / f"{out.name}.log")
        results[name] = judge_of_all.kl(out)
        if (out / "report").exists():
            shutil.copy(out / "report/report.json", options.work / f"{out.name}.report.json")
        results_file.write_text(json.dumps(results, indent=1))
        print(name, " / ".join(f"{value:.4f}" for value in results[name]), flush=True)
        shutil.rmtree(out)
    return results


def report(options, run):
    """report/report.json of a run that was measured."""
    return json.loads((options.work / f"{file_name(run)}.report.json").read_text())


def cell(kl, best=None):
    """The values of one run; bold where one is the best of its text."""
    return " / ".join(f"**{value:.3f}**" if best and value == best[t] else f"{value:.3f}" for t, value in enumerate(kl))


def write(options, heading, body):
    page_section.replace_section(options.page, heading, f"{body}\n\nWritten on {machine.today_and_processor()}.")
