"""What a coordinator's journal says about a run under DIR.heroq/, also while it runs: a copy of the database is read."""
import json
import pathlib
import shutil
import subprocess
import tempfile

from heroq_cli import BIN

COPIES = 5


def updates(out):
    """Updates in order, as the JSON of the journal's protos; empty before there is a journal."""
    state = pathlib.Path(f"{out}.heroq/state")
    if not (state / "journal.db").exists():
        return []
    # A copy taken in the middle of a write may not open; the next one will.
    for _ in range(COPIES):
        with tempfile.TemporaryDirectory() as copy:
            for name in ("journal.db", "journal.db-wal"):
                if (state / name).exists():
                    shutil.copy(state / name, copy)
            dump = subprocess.run([BIN / "journal_dump", copy], capture_output=True, text=True)
        if dump.returncode == 0:
            return [json.loads(line) for line in dump.stdout.splitlines()]
    return []


def leases(out):
    """(lease id, task ids) in the order they were granted."""
    return [(u["taskLeased"]["leaseId"], u["taskLeased"]["taskIds"]) for u in updates(out) if "taskLeased" in u]


def completed_in(updates):
    """Ids of tasks that are done, in order."""
    tasks, done = {}, []
    for update in updates:
        if "taskLeased" in update:
            tasks[update["taskLeased"]["leaseId"]] = update["taskLeased"]["taskIds"]
        elif "taskCompleted" in update:
            done += tasks[update["taskCompleted"]["leaseId"]]
    return done


def completed(out):
    return completed_in(updates(out))


def open_leases(updates):
    """The updates that granted leases which have neither a result nor an end, by lease id."""
    held = {}
    for update in updates:
        if "taskLeased" in update:
            held[update["taskLeased"]["leaseId"]] = update["taskLeased"]
        elif "epochStarted" in update:
            held.clear()
        for end in ("taskCompleted", "taskReturned"):
            if end in update:
                held.pop(update[end]["leaseId"], None)
    return held


def leases_ended(updates, cause):
    """The updates that granted leases which came back without a result for `cause`, in the order of their ends."""
    granted = {update["taskLeased"]["leaseId"]: update["taskLeased"] for update in updates if "taskLeased" in update}
    return [granted[update["taskReturned"]["leaseId"]] for update in updates
            if update.get("taskReturned", {}).get("cause") == cause]


def lose_volatile_blobs(out):
    """Removes what a power cut may take from a run: the statistics and hidden states of its results. Their tasks."""
    store, lost, leased = pathlib.Path(f"{out}.heroq/blobs"), [], {}
    for update in updates(out):
        if "taskLeased" in update:
            leased[update["taskLeased"]["leaseId"]] = update["taskLeased"]["taskIds"]
        elif "taskCompleted" in update:
            result = update["taskCompleted"]["result"]
            blobs = [node["blob"] for node in result.get("statistics", [])]
            blobs += [output["digest"] for output in result.get("outputs", []) if output["name"].startswith("hidden/")]
            gone = [store / blob["sha256"][:1] / blob["sha256"] for blob in blobs]
            gone = [path for path in gone if path.exists()]
            for path in gone:
                path.unlink()
            lost += leased[update["taskCompleted"]["leaseId"]] if gone else []
    return lost


def holders(out):
    """Ids of workers with a lease that has neither a result nor an end."""
    return {lease["workerId"] for lease in open_leases(updates(out)).values()}
