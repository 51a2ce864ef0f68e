#!/usr/bin/env python3
"""Draws where the time of a job goes, method by method, as docs/explanation/where_time_goes.svg. Called by deploy/scaling.sh.

    time_picture.py --heroq BIN --benchmarks BIN --model DIR --text FILE --work DIR --picture FILE.svg
"""
import argparse
import json
import pathlib
import sys
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import machine
import scaling

SAMPLES, LENGTH = 32, scaling.LENGTH
METHODS = {"rtn": ["--method", "rtn"], "dash-q": ["--method", "dash-q"], "gptq": [],
           "hero-q fast": ["--method", "hero-q", "--tier", "fast"], "hero-q": ["--method", "hero-q"],
           "hero-q best": ["--method", "hero-q", "--tier", "best"]}
# Colours that stay apart for the colour-blind (Okabe and Ito) and on white and black.
PHASES = {"forward pass": "#0072B2", "second moments": "#56B4E9", "search and quantize": "#D55E00",
          "start, tokens, publish": "#999999"}
WIDTH, LABEL, BAR, ROW, TOP = 760, 110, 560, 34, 64


def moment_seconds(bench):
    """Of all second moments of the job, at the rate the kernel has on this machine now."""
    rates = {int(b["name"].split(":")[1]): b["flop/s"] for b in bench.benchmarks("^SecondMoments/in:(576|1536)$")}
    config = json.loads((pathlib.Path(bench.model) / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    tokens = SAMPLES * LENGTH * config["num_hidden_layers"]
    return tokens * (3 * hidden ** 2 / rates[hidden] + inner ** 2 / rates[inner])


def measure(arguments):
    bench = scaling.Bench(arguments)
    moments = moment_seconds(bench)
    rows = {}
    for name, flags in METHODS.items():
        job = bench.job(*flags, samples=0 if name == "rtn" else SAMPLES, workers=1)
        wall, totals = job.wall, job.run["totals"]
        capture = totals.get("capture", {}).get("seconds", 0)
        quantize = totals["quantize"]["seconds"]
        rows[name] = [max(capture - moments, 0), min(moments, capture), quantize, wall - capture - quantize]
        print(name, " ".join(f"{phase} {seconds:.1f} s" for phase, seconds in zip(PHASES, rows[name])), flush=True)
    return rows


def draw(rows):
    height = TOP + ROW * len(rows) + 44
    scale = BAR / max(sum(parts) for parts in rows.values())
    title = f"Where the time goes: SmolLM2-135M, {SAMPLES} x {LENGTH} tokens, W4 group 64, one worker of one thread"
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13" '
           f'role="img" aria-label="{escape(title)}">', f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
           f'<text x="10" y="22" font-size="14">{escape(title)}</text>']
    x = 10
    for phase, colour in PHASES.items():
        svg.append(f'<rect x="{x}" y="36" width="12" height="12" fill="{colour}"/><text x="{x + 17}" y="47">{phase}</text>')
        x += 40 + 7 * len(phase)
    for i, (name, parts) in enumerate(rows.items()):
        y, x = TOP + ROW * i, LABEL
        svg.append(f'<text x="{LABEL - 8}" y="{y + 17}" text-anchor="end">{name}</text>')
        for seconds, colour in zip(parts, PHASES.values()):
            svg.append(f'<rect x="{x:.1f}" y="{y}" width="{seconds * scale:.1f}" height="24" fill="{colour}"/>')
            if seconds * scale > 34:
                svg.append(f'<text x="{x + seconds * scale / 2:.1f}" y="{y + 17}" text-anchor="middle" fill="white">{seconds:.1f}</text>')
            x += seconds * scale
        svg.append(f'<text x="{x + 6:.1f}" y="{y + 17}">{sum(parts):.1f} s</text>')
    svg.append(f'<text x="10" y="{height - 14}" fill="#555">deploy/scaling.sh, {escape(machine.today_and_processor())}</text></svg>')
    return "\n".join(svg) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("heroq", "benchmarks", "model", "text"):
        parser.add_argument("--" + name, required=True)
    for name in ("work", "picture"):
        parser.add_argument("--" + name, required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    arguments.picture.write_text(draw(measure(arguments)))


if __name__ == "__main__":
    main()
