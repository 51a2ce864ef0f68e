"""Models, texts and tokenizers that are wrong: plan and quantize refuse them before any process starts, name the
culprit and the rule, and leave nothing behind."""
import json
import shutil

import pytest
import torch
from safetensors.torch import save_file

import broken_models as broken
import refusals
import tiny_llama
from broken_models import K_PROJ, Q_PROJ
from refusals import expect

ERROR = 1
FLAGS = ["--samples", "4", "--sequence-length", "32"]

HOLE = 4096


def drop(name):
    return broken.rewrite_tensors(lambda tensors: tensors.pop(name))


def reshape(name, shape):
    def edit(tensors):
        dtype, _, content = tensors[name]
        tensors[name] = (dtype, shape, content)
    return broken.rewrite_tensors(edit)


def retype(name, dtype, shape):
    def edit(tensors):
        tensors[name] = (dtype, shape, tensors[name][2])
    return broken.rewrite_tensors(edit)


def add(name):
    return broken.rewrite_tensors(lambda tensors: tensors.update({name: ("BF16", [2], b"\0" * 4)}))


def set_model_type(tokenizer):
    tokenizer["model"]["type"] = "Unigram2"


MODELS = {
    "no weights": (broken.remove("model.safetensors"), "holds neither model.safetensors nor"),
    "no config": (broken.remove("config.json"), "has no config.json"),
    "config is not JSON": (broken.write("config.json", b"{"), "config.json"),
    "missing shard": (broken.both(broken.into_shards, broken.remove("model-00002-of-00002.safetensors")),
                      "model-00002-of-00002.safetensors does not exist"),
    "index names a tensor twice over": (
        broken.both(broken.into_shards, broken.write("model-00001-of-00002.safetensors", b"")),
        "model-00001-of-00002.safetensors"),
    "cut": (broken.cut(100), "model.safetensors", "tensors end at byte", "it is cut short"),
    "cut in its header": (lambda model: (model / "model.safetensors").write_bytes(
        (model / "model.safetensors").read_bytes()[:500]), "model.safetensors: header of", "in a file of 500"),
    "empty file": (broken.write("model.safetensors", b""), "model.safetensors: 0 bytes, expected at least 8"),
    "header of 4 GiB": (broken.claim_length(1 << 32), "model.safetensors: header of 4294967296 bytes"),
    "deep header": (lambda model: broken.write_file(model / "model.safetensors", '{"a":' * 10000, b""),
                    "model.safetensors", "deep"),
    "overlap": (broken.shift(Q_PROJ, -256), "model.safetensors", "an overlap"),
    "hole": (broken.shift(Q_PROJ, HOLE), "model.safetensors", "begins at", "expected"),
    "offsets past the end": (broken.shift(Q_PROJ, 1 << 40), "model.safetensors", "begins at"),
    "duplicate key": (broken.duplicate(Q_PROJ), "model.safetensors", "model.layers.0.self_attn.q_proj.weight"),
    "unknown dtype": (retype(Q_PROJ, "BF17", [128, 128]), Q_PROJ, "unknown dtype", "BF17"),
    "dtype heroq does not read": (retype(Q_PROJ, "F8_E4M3", [256, 128]), Q_PROJ, "does not read dtype F8_E4M3"),
    "integer weight": (retype(Q_PROJ, "I16", [128, 128]), Q_PROJ, "is I16, expected BF16, F16 or F32"),
    "dtype of another size": (broken.edit_header(lambda header: header[Q_PROJ].update(dtype="F32")), Q_PROJ,
                              "data_offsets hold 32768 bytes, but F32 [128, 128] takes 65536"),
    "missing tensor": (drop(Q_PROJ), f"tensor {Q_PROJ} is missing"),
    "two missing tensors": (broken.both(drop(Q_PROJ), drop(K_PROJ)), Q_PROJ, K_PROJ),
    "extra tensor": (add("model.layers.0.self_attn.q_proj.lora"), "model.layers.0.self_attn.q_proj.lora",
                     "is not part of a llama model of this config.json"),
    "misshapen tensor": (reshape(K_PROJ, [128, 64]), K_PROJ, "has shape [128, 64], config.json says [64, 128]"),
    "unknown model type": (broken.edit_config(model_type="mamba"), "mamba", "known families: llama"),
    "unknown architecture": (broken.edit_config(architectures=["LlamaForSequenceClassification"]),
                             "LlamaForSequenceClassification", "known families: llama"),
    "already quantized": (broken.edit_config(quantization_config={"quant_method": "awq"}),
                          "already quantized (quant_method awq)", "Start from the original model."),
    "no tokenizer": (broken.remove("tokenizer.json"), "has no tokenizer.json", "--calibration-tokens"),
    "tokenizer is not JSON": (broken.write("tokenizer.json", b"\x80\x81"), "tokenizer.json: invalid JSON: at byte 1", "last read: '?'"),
    "unknown tokenizer": (broken.edit_tokenizer(set_model_type), "tokenizer.json", "Unigram2",
                          "--calibration-tokens FILE"),
}

TEXTS = {
    "empty": ("calibration.txt", b"", "calibration.txt: 0 tokens, but 4 sequences of 32 need 128"),
    "binary": ("calibration.txt", b"some text\0\0\1", "calibration.txt: a zero byte at byte 9", "a binary file"),
    "not UTF-8": ("calibration.txt", b"caf\xe9 " * 100, "calibration.txt: not UTF-8 at byte 3"),
    "short": ("calibration.txt", b"the quick brown fox", "calibration.txt: 10 tokens, but 4 sequences of 32 need 128",
              "Give more text, fewer samples or shorter sequences."),
    "not JSON lines": ("calibration.jsonl", b'{"text": "the"}\nthe quick\n', "calibration.jsonl line 2"),
    "JSON lines without text": ("calibration.jsonl", b'{"body": "the"}\n', "calibration.jsonl line 1",
                                'must be an object with a string "text"'),
}


@pytest.fixture(scope="module")
def heroq(tmp_path_factory):
    return refusals.lonely_heroq(tmp_path_factory.mktemp("bin"))


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return tiny_llama.write_model(tmp_path_factory.mktemp("original") / "model", num_hidden_layers=1)


@pytest.fixture
def place(original, tmp_path):
    """A copy of the model, and a text that is good."""
    shutil.copytree(original, tmp_path / "model")
    (tmp_path / "good.txt").write_text(tiny_llama.text(600))
    return tmp_path


def refuse(heroq, place, calibration, *parts):
    before = refusals.tree(place)
    arguments = [place / "model", "--output", place / "out", "--calibration", place / calibration, *FLAGS]
    planned = refusals.run(heroq, "plan", *arguments)
    expect(planned, ERROR, *parts)
    quantized = refusals.run(heroq, "quantize", *arguments)
    expect(quantized, ERROR, *parts)
    assert quantized.stderr == planned.stderr
    assert refusals.tree(place) == before


@pytest.mark.parametrize("name", MODELS)
def test_a_broken_model_is_refused(heroq, place, name):
    breaker, *parts = MODELS[name]
    breaker(place / "model")
    refuse(heroq, place, "good.txt", *parts)


@pytest.mark.parametrize("name", TEXTS)
def test_a_broken_text_is_refused(heroq, place, name):
    file, content, *parts = TEXTS[name]
    (place / file).write_bytes(content)
    refuse(heroq, place, file, *parts)


@pytest.mark.parametrize("tensors,parts", [
    ({"ids": torch.zeros(4, 32, dtype=torch.int32)}, ["tokens.safetensors", "input_ids is missing"]),
    ({"input_ids": torch.zeros(4, 32)}, ["input_ids must be I32 or I64", "and is F32 [4, 32]"]),
    ({"input_ids": torch.zeros(3, 32, dtype=torch.int32)}, ["3 sequences of 32 tokens, but 4 of 32 are needed"]),
    ({"input_ids": torch.full((4, 32), 320, dtype=torch.int32)}, ["input_ids[0, 0] is 320, outside [0, 320)"]),
], ids=["other name", "floats", "too few", "id out of range"])
def test_broken_tokens_are_refused(heroq, place, tensors, parts):
    save_file(tensors, place / "tokens.safetensors")
    result = refusals.run(heroq, "plan", place / "model", "--calibration-tokens", place / "tokens.safetensors", *FLAGS)
    expect(result, ERROR, *parts)


def test_sharded_models_and_hub_snapshots_of_links_are_planned(heroq, place):
    broken.into_shards(place / "model")
    blobs, snapshot = place / "hub/blobs", place / "hub/snapshots/0123"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, file in enumerate(sorted((place / "model").iterdir())):
        file.rename(blobs / f"blob{number}")
        (snapshot / file.name).symlink_to(f"../../blobs/blob{number}")
    result = refusals.run(heroq, "plan", snapshot, "--calibration", place / "good.txt", *FLAGS, "-o", "json")
    assert result.returncode == 0, result.stderr
    assert [text["tokens_used"] for text in json.loads(result.stdout)["plan"]["texts"]] == ["128"]


def test_a_plan_lists_everything_that_is_wrong_at_once(heroq, place):
    drop(Q_PROJ)(place / "model")
    (place / "out").mkdir()
    (place / "out/kept").write_text("mine")
    (place / "short.txt").write_text("the quick brown fox")
    result = refusals.run(heroq, "plan", place / "model", "--output", place / "out", "--calibration", place / "short.txt",
                          "--evaluation", place / "none.txt", *FLAGS, "--group-size", "48", "--keep", "experts",
                          "--override", "v_proj=w8", "--damping", "2", "--max-shard-size", "1kB")
    expect(result, 2,
           f"MODEL (model.location) cannot be used: {place}/model: tensor {Q_PROJ} is missing",
           f"--output (output.location) cannot be used: output {place}/out is a directory that is not empty",
           "--max-shard-size (output.max_shard_bytes) is 1000",
           f"--calibration (calibration.source) cannot be used: calibration: {place}/short.txt: 10 tokens",
           f"--evaluation (evaluation.source.text_files[0]) is {place}/none.txt, which is not a file",
           "--group-size (scheme.group_size) cannot be used: group size 48 does not divide",
           "--override/--keep (scheme.overrides[0].pattern) 'experts' matches no linear",
           "--override/--keep (scheme.overrides) give model.layers.0.self_attn.q_proj",
           "--damping (method.gptq.damping) is 2, expected above 0 and at most 1")
    assert (place / "out/kept").read_text() == "mine"
