"""Flags, specification files, outputs and servers that are wrong: refused with the exit code of the rule, naming the
flag, before any process starts and with nothing left behind."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest

import broken_models as broken
import heroq_cli
import refusals
import tiny_llama
from refusals import expect

ERROR, USAGE, NOT_ALLOWED, UNAVAILABLE = 1, 2, 4, 5
CALIBRATED = ["--samples", "4", "--sequence-length", "32"]

SCHEMES = [
    (["--group-size", "48"], ERROR, "group size 48 does not divide the input of model.layers.0.self_attn.q_proj (input 128)",
     "sizes that divide every linear of the job: 8, 16, 32, 64, 128 and channel (-1)"),
    (["--group-size", "0"], USAGE, "--group-size is '0'; expected auto, channel or a number"),
    (["--bits", "9"], USAGE, "--bits: Value 9 not in range 2 to 8"),
    (["--keep", "("], USAGE, "--override/--keep (scheme.overrides[0].pattern) '(' is not a regular expression", "missing )"),
    (["--override", "[=w8"], USAGE, "'[' is not a regular expression", "missing ]"),
    (["--override", "down_proj"], USAGE, "--override 'down_proj'", "expected REGEX=SCHEME"),
    (["--override", "down_proj=w8,w4"], USAGE, "--override 'down_proj=w8,w4'", "'w4' is not a part of a scheme"),
    (["--override", "down_proj=w9"], USAGE, "--override/--keep (scheme.overrides[0].scheme.weight_bits) is 9, expected 2 to 8"),
    (["--override", "experts=w8"], USAGE, "'experts' matches no linear that can be quantized"),
    (["--keep", "experts"], USAGE, "'experts' matches no linear that can be quantized"),
    (["--override", "v_proj=w8"], USAGE, "q_proj (W4A16 g128 asymmetric)", "v_proj (W8A16 g128 asymmetric)",
     "loaders fuse them, so they must share one"),
    (["--keep", "gate_proj"], USAGE, "gate_proj (kept)", "up_proj (W4A16 g128 asymmetric)", "loaders fuse them"),
    (["--keep", "."], USAGE, "keep every linear: nothing would be quantized"),
    (["--tensor-parallel", "3"], USAGE, "--tensor-parallel (target_tensor_parallel) is 3, but the model has 4 attention heads"),
    (["--method", "rtn", "--damping", "0.1"], USAGE, "--damping has no meaning for --method rtn"),
    (["--max-kl", "0.1"], USAGE, "--max-kl (quality_gate.max_kl) is set, but the job has no evaluation.source"),
    (["--evaluation", "EVALUATION", "--evaluation-length", "513"], USAGE,
     "--evaluation-length (evaluation.sequence_length) is 513, longer than the model's 512"),
    (["--bit", "3"], USAGE, "'--bit' is not a flag of heroq plan. Did you mean --bits?"),
    (["--max-shard-size", "0"], USAGE, "--max-shard-size is '0'; expected a size such as 5GB"),
]

ZEROS = ["--samples", "--sequence-length", "--shards", "--micro-batch", "--threads", "--tensor-parallel",
         "--evaluation-sequences", "--evaluation-length", "--max-kl", "--max-perplexity-ratio"]

SPECS = [
    ("sheme:\n  weight_bits: 3\n", "job.yaml:1: the job has no field 'sheme'. Did you mean scheme?"),
    ("scheme:\n  weight_bit: 3\n", "job.yaml:2: scheme has no field 'weight_bit'. Did you mean weight_bits?"),
    ("scheme:\n  weight_bits: four\n", "job.yaml:2: scheme.weight_bits is 'four'; expected a number"),
    ("scheme: [\n", "job.yaml:"),
    ("calibration:\n  shards: -3\n", "--shards (calibration.shards) is -3, expected 1 to 4096"),
    ("method:\n  rtn: {}\n  gptq: {}\n", "method"),
]


@pytest.fixture(scope="module")
def heroq(tmp_path_factory):
    return refusals.lonely_heroq(tmp_path_factory.mktemp("bin"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original")
    (folder / "good.txt").write_text(tiny_llama.text(600))
    return tiny_llama.write_model(folder / "model", num_hidden_layers=1)


def arguments(model, out, *flags):
    return [model, "--output", out, "--calibration", model.parent / "good.txt", *CALIBRATED, *flags]


def refuse(heroq, model, place, flags, code, *parts):
    """By plan and quantize, with the same words."""
    before = refusals.tree(place)
    flags = [model.parent / "good.txt" if flag == "EVALUATION" else flag for flag in flags]
    for command in ("plan", "quantize"):
        result = refusals.run(heroq, command, *arguments(model, place / "out", *flags))
        expect(result, code, *(part.replace("heroq plan", f"heroq {command}") for part in parts))
    assert refusals.tree(place) == before


@pytest.mark.parametrize("flags,code,parts", [(entry[0], entry[1], entry[2:]) for entry in SCHEMES],
                         ids=[" ".join(entry[0]) for entry in SCHEMES])
def test_a_flag_that_is_wrong_is_refused_by_name(heroq, model, tmp_path, flags, code, parts):
    refuse(heroq, model, tmp_path, flags, code, *parts)


@pytest.mark.parametrize("flag", ZEROS)
def test_zero_is_no_default_on_the_command_line(heroq, model, tmp_path, flag):
    flags = ["--evaluation", model.parent / "good.txt", flag, "0"]
    for command in ("plan", "quantize"):
        result = refusals.run(heroq, command, model, "--output", tmp_path / "out", *flags)
        expect(result, USAGE, f"{flag}: Value 0 ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flags,parts", [
    (["--workers", "0"], ["--workers: Value 0 not in range 1 to 1024"]),
    (["--device", "gpu"], ["--device is 'gpu'; expected cpu or cuda:N"]),
    (["--timeout", "soon"], ["--timeout is 'soon'; expected a duration such as 90s"]),
], ids=["workers", "device", "timeout"])
def test_flags_of_local_processes_are_refused_by_name(heroq, model, tmp_path, flags, parts):
    expect(refusals.run(heroq, "quantize", *arguments(model, tmp_path / "out", *flags)), USAGE, *parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text,parts", [(entry[0], entry[1:]) for entry in SPECS], ids=range(len(SPECS)))
def test_a_specification_that_is_wrong_is_refused_with_its_line(heroq, model, tmp_path, text, parts):
    (tmp_path / "job.yaml").write_text(text)
    refuse(heroq, model, tmp_path, ["--spec", tmp_path / "job.yaml"], USAGE, *parts)


def test_flags_win_over_the_specification_and_what_they_contradict_is_refused(heroq, model, tmp_path):
    spec = tmp_path / "job.yaml"
    spec.write_text("scheme: {weight_bits: 8}\nmethod: {rtn: {}}\n")
    planned = refusals.run(heroq, "plan", *arguments(model, tmp_path / "out", "--spec", spec, "--bits", "3",
                                                     "--method", "gptq"), "-o", "json")
    assert planned.returncode == 0, planned.stderr
    resolved = json.loads(planned.stdout)["resolved_spec"]
    assert resolved["scheme"]["weight_bits"] == 3 and "gptq" in resolved["method"]
    refuse(heroq, model, tmp_path, ["--spec", spec, "--act-order", "on"], USAGE, "--act-order has no meaning for --method rtn")


def make_file(out):
    out.write_text("mine")


def make_empty(out):
    out.mkdir()


def make_full(out):
    out.mkdir()
    (out / "notes.txt").write_text("mine")


def make_foreign(out):
    make_full(out)
    (out / "config.json").write_text("{}")
    (out / "model.safetensors").write_bytes(b"")


@pytest.mark.parametrize("make,words", [
    (make_file, "is a file"), (make_empty, "is an empty directory"), (make_full, "is a directory that is not empty"),
    (make_foreign, "is a directory that is not empty")], ids=["file", "empty", "full", "foreign"])
def test_an_output_that_exists_is_refused_and_untouched(heroq, model, tmp_path, make, words):
    make(tmp_path / "out")
    refuse(heroq, model, tmp_path, [], ERROR, f"output {tmp_path}/out {words}, expected a name that does not exist",
           "Choose another directory or remove it.")


def test_an_output_that_cannot_be_made_is_refused(heroq, model, tmp_path):
    (tmp_path / "file").write_text("mine")
    out = tmp_path / "file/below/out"
    for command in ("plan", "quantize"):
        result = refusals.run(heroq, command, *arguments(model, out))
        expect(result, ERROR, f"output {out} cannot be created: write to {tmp_path}/file: Not a directory")
    for command in ("plan", "quantize"):
        result = refusals.run(heroq, command, *arguments(model, model / "w4"))
        expect(result, USAGE, "--output (output.location) lies inside the model directory")
    assert not (model / "w4").exists() and not pathlib.Path(f"{model}/w4.heroq").exists()
    name = "n" * 300
    expect(refusals.run(heroq, "quantize", *arguments(model, tmp_path / name)), ERROR, name, "File name too long")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_parent_without_write_permission_is_refused(heroq, model):
    # Below /tmp and open to all, because only another user than root is ever refused.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        place = pathlib.Path(folder)
        shutil.copytree(model, place / "model")
        shutil.copy(model.parent / "good.txt", place)
        shutil.copy(heroq, place)
        (place / "closed").mkdir()
        for path in [place, *place.rglob("*")]:
            path.chmod(0o755)
        (place / "closed").chmod(0o555)
        other_user = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
        for command in ("plan", "quantize"):
            result = refusals.run(place / "heroq", command, *arguments(place / "model", place / "closed/new/out"), **other_user)
            expect(result, ERROR, f"output {place}/closed/new/out cannot be created: write to {place}/closed: Permission denied")
        assert list((place / "closed").iterdir()) == []


@pytest.mark.parametrize("address", ["127.0.0.1:1", "unix:/nonexistent/heroq.sock"])
def test_a_server_that_does_not_answer_is_named(heroq, address):
    begin = time.monotonic()
    for command in (["list"], ["plan", "models:a", "--output", "out:b", "--method", "rtn"]):
        expect(refusals.run(heroq, *command, "--server", address), UNAVAILABLE, address)
    assert time.monotonic() - begin < 30
    expect(refusals.run(heroq, "list", "--server", "nowhere"), USAGE, "nowhere")


def test_a_long_path_is_quantized_to(model, tmp_path):
    out = tmp_path / ("d" * 150) / ("e" * 150) / "out"
    assert len(str(out)) > 300
    result = heroq_cli.heroq("quantize", *arguments(model, out), "--workers", "1")
    assert (out / "MANIFEST.json").exists(), result.stderr
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_hub_snapshot_is_quantized_here_and_below_the_roots_of_a_server(model, tmp_path):
    hub = tmp_path / "hub/models--tiny"
    (hub / "blobs").mkdir(parents=True)
    (hub / "snapshots/0123").mkdir(parents=True)
    for number, file in enumerate(sorted(model.iterdir())):
        shutil.copy(file, hub / f"blobs/blob{number}")
        (hub / "snapshots/0123" / file.name).symlink_to(f"../../blobs/blob{number}")
    snapshot = hub / "snapshots/0123"
    heroq_cli.heroq("quantize", snapshot, "--output", tmp_path / "local", "--calibration", model.parent / "good.txt",
                    *CALIBRATED, "--workers", "1")
    shutil.copy(model.parent / "good.txt", tmp_path / "hub")
    (tmp_path / "out").mkdir()
    address = f"unix:{tempfile.mkdtemp(dir='/tmp')}/heroq.sock"
    server = heroq_cli.start("serve", "--listen", address, "--state-dir", tmp_path / "state", "--blob-dir", tmp_path / "blobs",
                             "--root", f"hub={tmp_path}/hub", "--root", f"out={tmp_path}/out")
    worker = heroq_cli.start("worker", "--server", address)
    try:
        assert server.stdout.readline().startswith("listening on ")
        heroq_cli.heroq("quantize", "hub:models--tiny/snapshots/0123", "--output", "out:remote", "--calibration",
                        "hub:good.txt", *CALIBRATED, "--server", address, timeout=60)
        result = heroq_cli.heroq("plan", "hub:../out", "--output", "out:other", "--method", "rtn", "--server", address,
                                 check=False)
        expect(result, NOT_ALLOWED, 'must not contain ".."')
    finally:
        for process in (worker, server):
            process.terminate()
        for process in (worker, server):
            process.communicate(timeout=30)
        shutil.rmtree(os.path.dirname(address.removeprefix("unix:")))
    assert heroq_cli.published_bytes(tmp_path / "out/remote") == heroq_cli.published_bytes(tmp_path / "local")
    for copied in (tmp_path / "local").iterdir():
        assert not copied.is_symlink()
