"""The whole product on tiny random llamas: real processes, real sockets, real files."""
import json
import os
import pathlib
import signal

import pytest
import torch
from transformers import AutoModelForCausalLM

import heroq_cli
import journal
import judge
import process_tree
import run_processes
from heroq_cli import heroq, published_bytes
from run_inputs import EVALUATION, inputs, quantize_command  # noqa: F401 (inputs is a fixture)


def quantize(inputs, out, *flags, model="model"):
    return heroq(*quantize_command(inputs, out, *flags, model=model))


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    quantize(inputs, out, "--workers", "2", model="deep")
    return published_bytes(out)


@pytest.mark.parametrize("flags", [[], ["--propagation", "quantized"], ["--evaluation", "EVALUATION", *EVALUATION],
                                   ["--max-shard-size", "100000"], ["--method", "dash-q"]],
                         ids=["default", "quantized", "evaluated", "shards", "dash-q"])
def test_published_bytes_do_not_depend_on_the_number_of_workers(inputs, tmp_path, flags):
    flags = [str(inputs / "evaluation.txt") if flag == "EVALUATION" else flag for flag in flags]
    found = []
    for workers in ("1", "2", "3"):
        out = tmp_path / f"out{workers}"
        quantize(inputs, out, "--workers", workers, *flags)
        found.append(published_bytes(out))
    assert len(found[0]) >= 8
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("flags", [
    ["--bits", "4", "--symmetric", "on"], ["--bits", "4", "--group-size", "channel"],
    ["--bits", "3", "--group-size", "32"], ["--bits", "8", "--group-size", "64"], ["--bits", "2", "--group-size", "32"],
    ["--bits", "5"], ["--method", "rtn"], ["--method", "dash-q", "--bits", "2", "--group-size", "32", "--symmetric", "off"],
    ["--method", "dash-q", "--bits", "3", "--fit-rounds", "3", "--fit-damped", "on"],
    ["--keep", "layers.0", "--override", "down_proj=W8"],
], ids=lambda flags: " ".join(flags))
def test_transformers_loads_what_was_measured(inputs, tmp_path, flags):
    out = tmp_path / "out"
    # In float32: on a random model bfloat16's rounding alone moves the perplexity by more than the bound.
    quantize(inputs, out, "--compute", "f32", "--evaluation", inputs / "evaluation.txt", "--evaluation-sequences", "8",
             "--evaluation-length", "64", *flags)
    report = json.loads((out / "report/report.json").read_text())
    scores = judge.judge(str(inputs / "model"), [str(out)], inputs / "evaluation.txt", 8, 64, torch.float32)
    assert report["evaluation"]["quantized_perplexity"] == pytest.approx(scores[str(out)]["perplexity"], rel=0.005)
    assert report["evaluation"]["original_perplexity"] == pytest.approx(
        scores[str(inputs / "model")]["perplexity"], rel=0.005)
    assert heroq("verify", out, "--source", inputs / "model").returncode == 0


def test_rtn_needs_no_calibration(inputs, tmp_path):
    out = tmp_path / "out"
    heroq("quantize", inputs / "model", "--output", out, "--method", "rtn")
    model = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32)
    assert torch.isfinite(model(torch.arange(16)[None]).logits).all()


def kill_in_the_middle_of_a_task(process, out):
    """A stopped worker cannot finish what the journal says it holds."""
    while True:
        worker, pid = next(child for child in run_processes.family(process).items() if child[0] != "coordinator")
        run_processes.wait_until(lambda: worker in journal.holders(out))
        run_processes.stop(pid)
        if worker in journal.holders(out):
            os.kill(pid, signal.SIGKILL)
            return
        os.kill(pid, signal.SIGCONT)
        assert process.poll() is None, "the job ended before a worker was caught at work"


def start_deep(inputs, out):
    return heroq_cli.start(*quantize_command(inputs, out, "--workers", "2", "--keep-state", model="deep"))


def test_a_killed_worker_costs_nothing_but_time(inputs, tmp_path, undisturbed):
    out = tmp_path / "out"
    process = start_deep(inputs, out)
    run_processes.wait_until(lambda: len(journal.completed(out)) >= 6)
    kill_in_the_middle_of_a_task(process, out)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    assert any(update["taskReturned"]["cause"] == "CAUSE_LOST" for update in journal.updates(out) if "taskReturned" in update)
    assert published_bytes(out) == undisturbed


def test_interrupted_job_resumes_without_redoing_tasks(inputs, tmp_path, undisturbed):
    out = tmp_path / "out"
    process = start_deep(inputs, out)
    run_processes.wait_until(lambda: len(journal.completed(out)) >= 6)
    children = process_tree.descendants(process.pid)
    os.kill(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=10)
    assert process.returncode == 130, error
    assert "same command" in error
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in children)
    assert not out.exists()
    done, granted = set(journal.completed(out)), len(journal.leases(out))
    resumed = start_deep(inputs, out)
    _, error = resumed.communicate(timeout=300)
    assert resumed.returncode == 0, error
    after = [task for _, tasks in journal.leases(out)[granted:] for task in tasks]
    assert after and not done.intersection(after)
    assert published_bytes(out) == undisturbed


def test_a_finished_job_is_found_again(inputs, tmp_path):
    out = tmp_path / "out"
    quantize(inputs, out)
    first = published_bytes(out)
    again = quantize(inputs, out)
    assert "already" in again.stderr
    assert published_bytes(out) == first
    assert not pathlib.Path(f"{out}.heroq").exists()


def test_changed_flags_over_unfinished_state_are_refused(inputs, tmp_path):
    out = tmp_path / "out"
    process = start_deep(inputs, out)
    run_processes.wait_until(lambda: len(journal.completed(out)) >= 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    changed = quantize_command(inputs, out, "--bits", "3", "--group-size", "32", model="deep")
    refused = heroq(*changed, check=False)
    assert refused.returncode == 1
    assert "--restart" in refused.stderr and "weightBits" in refused.stderr.replace("weight_bits", "weightBits")
    heroq(*changed, "--restart")
    assert heroq_cli.manifest(out)
