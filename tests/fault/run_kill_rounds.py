"""Kills a process of `heroq quantize` at a random moment, runs the same command again and compares what was published
with an undisturbed run, many times. deploy/kill_rounds.sh sets it up. Exits 1 on the first round that lost anything but
time; that round's directory is kept."""
import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import time

import kill_plan
import kill_rounds
import killable_run


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="end after this long, whatever number of rounds that is")
    return parser.parse_args()


def main():
    options = parse()
    deadline = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
    generator = random.Random(options.seed)
    work = pathlib.Path(tempfile.mkdtemp(prefix="kill-rounds-"))
    inputs = killable_run.write_inputs(work / "inputs")

    def command(out):
        return killable_run.arguments(inputs, out)

    runs = [kill_rounds.measure(command, work / name) for name in ("cold", "warm", "warmer")]
    undisturbed = min(runs, key=lambda run: run.killable[1])
    kills, redone, rounds, missed, mismatches = [], 0, 0, 0, 0
    while rounds < options.rounds and time.monotonic() < deadline and missed < options.rounds and not mismatches:
        folder = work / f"round-{rounds}"
        plan = kill_plan.plan_of(rounds, undisturbed, generator)
        try:
            result = kill_rounds.run_round(command, folder, undisturbed, plan, generator)
        except kill_rounds.NothingKilled:
            missed += 1
            shutil.rmtree(folder)
            continue
        except AssertionError as error:
            print(f"\nround {rounds}, {plan}: {error}\nkept in {folder}", file=sys.stderr)
            mismatches += 1
            break
        finally:
            print(f"\r{rounds} rounds", end="", file=sys.stderr, flush=True)
        rounds += 1
        kills += result.kills
        redone += len(result.redone)
        shutil.rmtree(folder)
    print(file=sys.stderr)
    print(kill_plan.table(kills))
    print(f"\n{rounds} rounds (seed {options.seed}), {len(kills)} kills, {len(undisturbed.tasks)} tasks a run, {redone} tasks "
          f"redone, {sum(len(kill.leased) for kill in kills)} leased when something was killed, {mismatches} mismatches; "
          f"{missed} rounds in which the moment passed unseen were made again")
    complete = rounds == options.rounds or time.monotonic() >= deadline
    if not mismatches:
        shutil.rmtree(work)
    return 0 if complete and not mismatches else 1


if __name__ == "__main__":
    sys.exit(main())
