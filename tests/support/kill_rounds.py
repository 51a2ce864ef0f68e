"""Runs that lose a process at a random moment and are finished by the same command, and what their journals say."""
import collections
import dataclasses
import datetime
import os
import pathlib
import signal
import time

import heroq_cli
import journal
import run_processes
from heroq_cli import published_bytes

PROCESSES = ("worker", "coordinator", "command")
PHASES = ("starting", "calibrating", "quantizing", "assembling", "validating", "publishing", "published")
# What appears in the staged directory when a phase begins. These phases last milliseconds: a kill that is aimed at one
# of them comes when the file is seen, not at a time.
BEGINNINGS = {"assembling": "model.safetensors", "publishing": "report"}
UNAVAILABLE = 5
WORKERS = 2
ATTEMPTS = 10


@dataclasses.dataclass
class Undisturbed:
    """A run nobody disturbed. Moments are steps of the coordinator, the failpoints it has passed since its first lease: how
    far a job is does not depend on how fast the machine is today."""
    windows: dict  # phase -> (begin, end), roughly
    seconds: tuple  # from the start of the command to the first lease and to the job's end
    tasks: set
    bytes: dict

    @property
    def killable(self):
        """From the first lease to the end of the job."""
        return 0, self.windows["publishing"][1]


@dataclasses.dataclass
class Kill:
    process: str
    phase: str
    worker: str = ""
    leased: list = dataclasses.field(default_factory=list)  # tasks whose leases it ended


@dataclasses.dataclass
class Round:
    kills: list
    redone: list  # the task for every time that one was leased again


def phase_of(updates, tasks):
    """Where a job was at the end of its journal; `tasks` are all it has."""
    kinds = {task.split("/")[0] for task in tasks - set(journal.completed_in(updates))}
    if not any("taskLeased" in update for update in updates):
        return "starting"
    if "capture" in kinds:
        return "calibrating"
    if "quantize" in kinds:
        return "quantizing"
    if not any(update.get("jobPhaseChanged", {}).get("phase") == "PHASE_VALIDATING" for update in updates):
        return "assembling"
    if "evaluate" in kinds:
        return "validating"
    return "published" if any("jobEnded" in update for update in updates) else "publishing"


class NothingKilled(AssertionError):
    """The moment of a round passed unseen: says nothing about heroq."""


def measure(command, out):
    """`command(out)` gives the arguments of heroq that publish `out`; it keeps the state."""
    begin = time.time()
    trace = pathlib.Path(f"{out}.trace")
    heroq_cli.heroq(*command(out), env=traced(trace))
    updates = journal.updates(out)
    tasks = set(journal.completed_in(updates))
    first = next(i for i, update in enumerate(updates) if "taskLeased" in update)
    steps = steps_in(trace, until="job_end_before_commit")
    windows, last = {}, None
    for i in range(first, len(updates)):
        at = steps * (i - first) / (len(updates) - 1 - first)
        if last:
            windows[last] = (windows[last][0], at)
        last = phase_of(updates[:i + 1], tasks)
        windows.setdefault(last, (at, at))
    times = [datetime.datetime.fromisoformat(updates[i]["time"].replace("Z", "+00:00")).timestamp() - begin for i in (first, -1)]
    return Undisturbed(windows, tuple(times), tasks, published_bytes(out))


def traced(path):
    return {**os.environ, "HEROQ_FAILPOINTS": f"trace={path}"}


def steps_in(trace, until=None):
    """Steps of the coordinator since its first lease."""
    lines = trace.read_text().splitlines() if trace.exists() else []
    names = [line.split()[1] for line in lines if line.startswith("heroq-coordinator ") and len(line.split()) == 4]
    if "lease_before_send" not in names:
        return -1
    names = names[names.index("lease_before_send"):]
    return len(names[:names.index(until)] if until in names else names)


def wait_for_moment(process, out, trace, moment):
    while process.poll() is None:
        if isinstance(moment, str) and list(out.parent.glob(f".staging-*/{BEGINNINGS[moment]}")):
            return
        if not isinstance(moment, str) and steps_in(trace) >= moment:
            return


def kill_one(process, out, target, wait, undisturbed, generator):
    """Kills after `wait()`; None when there was nothing left to kill."""
    # Looked up before, which takes longer than some phases.
    run_processes.wait_until(lambda: process.poll() is not None or len(run_processes.family(process)) == 1 + WORKERS)
    family = run_processes.family(process)
    wait()
    worker = generator.choice([f"worker-{i + 1}" for i in range(WORKERS)])
    victim = {"worker": family.get(worker), "coordinator": family.get("coordinator"), "command": process.pid}[target]
    if process.poll() is not None or victim not in [process.pid, *family.values()]:
        return None
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return None
    if target == "worker":
        return Kill(target, phase_of(journal.updates(out), undisturbed.tasks), worker)
    output, error = process.communicate(timeout=30)
    # Nothing writes the journal any more.
    run_processes.wait_for_end(family.values())
    updates = journal.updates(out)
    phase = phase_of(updates, undisturbed.tasks)
    codes = {"command": [-signal.SIGKILL], "coordinator": [UNAVAILABLE, 0] if phase == "published" else [UNAVAILABLE]}
    assert process.returncode in codes[target], (target, phase, process.returncode, output, error)
    # Workers that end with the command may still return what they hold.
    held = [*journal.open_leases(updates).values(), *journal.leases_ended(updates, "CAUSE_RELEASED")]
    return Kill(target, phase, "", [task for lease in held for task in lease["taskIds"]])


def run_killed(command, out, undisturbed, plan, generator):
    """Starts the command, kills a process for every (process, moment) of `plan`, starting the same command again when
    the last kill ended it, and lets it finish. A moment is a step of the coordinator, or a phase whose beginning can be
    seen. Raises AssertionError when anything but time was lost."""
    kills, process, trace = [], None, None
    for i, (target, moment) in enumerate(plan):
        if process is None or process.returncode is not None:
            trace = pathlib.Path(f"{out.parent}.trace-{i}")
            process = heroq_cli.start(*command(out), env=traced(trace))
        kill = kill_one(process, out, target, lambda: wait_for_moment(process, out, trace, moment), undisturbed, generator)
        if kill is not None:
            kills.append(kill)
    if process.returncode not in (None, 0):
        process = heroq_cli.start(*command(out))
    output, error = process.communicate(timeout=300)
    assert process.returncode == 0, (kills, process.returncode, output, error)
    return Round(kills, check_end(out, kills, undisturbed))


def run_round(command, folder, undisturbed, plan, generator):
    """run_killed in a new folder; when the job was over before anything was killed, again with earlier moments."""
    for attempt in range(ATTEMPTS):
        (folder / str(attempt)).mkdir(parents=True)
        result = run_killed(command, folder / str(attempt) / "out", undisturbed, plan, generator)
        if any(kill.phase != "published" for kill in result.kills):
            return result
        plan = [(target, moment if isinstance(moment, str) else 0.7 * moment) for target, moment in plan]
    raise NothingKilled(f"every job was over before {plan}")


def check_end(out, kills, undisturbed):
    """What was redone in a run that is finished now."""
    updates = journal.updates(out)
    lost = journal.leases_ended(updates, "CAUSE_LOST")
    # A lease that was written while its worker died never reached it; nobody is charged.
    unsent = journal.leases_ended(updates, "CAUSE_RELEASED")
    for kill in kills:
        if kill.process == "worker":
            # A worker holds two leases at most: one that runs and one ahead.
            mine = [lease for lease in lost + unsent if lease["workerId"] == kill.worker][:2]
            lost, unsent = ([lease for lease in leases if lease not in mine] for leases in (lost, unsent))
            kill.leased = [task for lease in mine for task in lease["taskIds"]]
    assert not lost, f"leases lost to nobody's kill: {lost} after {kills}"
    allowed = collections.Counter(task for kill in kills for task in kill.leased)
    granted = collections.Counter(task for update in updates if "taskLeased" in update
                                  for task in update["taskLeased"]["taskIds"])
    redone = granted - collections.Counter(undisturbed.tasks)
    assert set(granted) == undisturbed.tasks
    assert not redone - allowed, f"redone although done: {redone - allowed} after {kills}"
    assert published_bytes(out) == undisturbed.bytes, f"other bytes after {kills}"
    assert sorted(path.name for path in out.parent.iterdir()) == [out.name, f"{out.name}.heroq"]
    return list(redone.elements())
