"""Damage to checkpoints in GPTQ's layout, made by GPTQModel and AutoRound: `heroq verify` must find and name it."""
import os
import pathlib
import random

import pytest
import torch

from damage import Checkpoint
from verification import assert_found, verify

DATA = pathlib.Path(os.environ["HEROQ_SOURCE"]) / "tests/golden/data"
SOURCE = DATA / "source"
LAYER = "model.layers.0."
Q, K, DOWN = LAYER + "self_attn.q_proj", LAYER + "self_attn.k_proj", LAYER + "mlp.down_proj"
SCALE, MIDDLE, MISSING = "scale_not_positive", "zero_point_not_middle", "tensor_missing"


def tensors(tensor, change):
    return lambda c, r: c.rewrite(c.shard_of(tensor), change)


def converted(tensor, convert):
    return tensors(tensor, lambda held: held.update({tensor: convert(held[tensor])}))


def half(value):
    return torch.tensor([value], dtype=torch.float16).view(torch.uint8).numpy().tobytes()


def put(tensor, data):
    size = len(data)
    return lambda c, r: c.write(tensor, data, size * r.randrange(len(c.bytes_of(tensor)) // size))


def quantization(**values):
    def damage(c, r):
        c.edit("config.json", lambda config: config["quantization_config"].update(values))
        # The copy says the same: only the tensors tell.
        c.file("quantize_config.json").unlink(missing_ok=True)
    return damage


def swap_columns(c, r):
    index = bytearray(c.bytes_of(DOWN + ".g_idx"))
    index[:4], index[-4:] = index[-4:], index[:4]
    c.write(DOWN + ".g_idx", bytes(index))


def truncate(c, r):
    path = c.file("model.safetensors")
    path.write_bytes(path.read_bytes()[:-1])


def lose_configuration(c, r):
    c.edit("config.json", lambda config: config.pop("quantization_config") and None)
    c.file("quantize_config.json").unlink()


STRUCTURE = [
    *((f"scale-{value}", "gptqmodel-w4-v1", put(Q + ".scales", half(value)), SCALE, Q + ".scales")
      for value in (0.0, -0.0, -1.0, float("nan"), float("inf"), float("-inf"))),
    ("scale-zero-signed", "autoround-w4", put(Q + ".scales", half(0.0)), SCALE, Q + ".scales"),
    ("scale-nan-signed", "autoround-w4-gptq", put(K + ".scales", half(float("nan"))), SCALE, K + ".scales"),
    ("scale-negative-asymmetric", "autoround-w2-gptq-asymmetric", put(K + ".scales", half(-1.0)), SCALE, K + ".scales"),
    *((f"flip-symmetric-zero-point-{seed}", "gptqmodel-w3-v1", lambda c, r: c.flip(DOWN + ".qzeros", r), MIDDLE,
       DOWN + ".qzeros") for seed in range(3)),
    ("flip-zero-point-autoround", "autoround-w3-mixed", lambda c, r: c.flip(DOWN + ".qzeros", r), MIDDLE, DOWN + ".qzeros"),
    ("index-above", "gptqmodel-w4-v1", put(DOWN + ".g_idx", b"\x04\0\0\0"), "group_index", DOWN + ".g_idx"),
    ("index-negative", "gptqmodel-w4-desc-act", put(DOWN + ".g_idx", b"\xff\xff\xff\xff"), "group_index", DOWN + ".g_idx"),
    ("index-far-above", "gptqmodel-w2-v2-asymmetric", put(Q + ".g_idx", b"\0\0\0\x7f"), "group_index", Q + ".g_idx"),
    ("index-out-of-order", "gptqmodel-w4-v1", swap_columns, "group_index", DOWN + ".g_idx"),
    ("index-all-one-group", "gptqmodel-w4-desc-act", converted(DOWN + ".g_idx", torch.zeros_like), "group_index", DOWN + ".g_idx"),
    ("index-without-desc-act", "gptqmodel-w4-desc-act", quantization(desc_act=False), "group_index", DOWN + ".g_idx"),
    ("index-missing", "gptqmodel-w4-desc-act", tensors(Q + ".g_idx", lambda held: held.pop(Q + ".g_idx")), MISSING, Q + ".g_idx"),
    *((f"missing-{part}", "gptqmodel-w4-v1", tensors(K + part, lambda held, part=part: held.pop(K + part)), MISSING, K + part)
      for part in (".qweight", ".qzeros", ".scales")),
    ("dense-beside-codes", "gptqmodel-w4-v1", tensors(K + ".scales", lambda held: held.update({K + ".weight": torch.zeros(32, 64)})),
     "tensor_unexpected", K + ".weight"),
    ("one-group-less", "gptqmodel-w4-v1", converted(Q + ".scales", lambda t: t[1:]), "tensor_shape", Q + ".scales"),
    ("transposed-codes", "gptqmodel-w8-channel", converted(DOWN + ".qweight", lambda t: t.T), "tensor_shape", DOWN + ".qweight"),
    ("wide-codes", "gptqmodel-w4-v1", converted(Q + ".qweight", lambda t: t.long()), "tensor_shape", Q + ".qweight"),
    ("config-bits", "gptqmodel-w4-v1", quantization(bits=8), "tensor_shape", Q + ".qweight"),
    ("config-group-size", "gptqmodel-w4-v1", quantization(group_size=64), "tensor_shape", Q + ".scales"),
    ("config-version", "gptqmodel-w4-v1", quantization(checkpoint_format="gptq_v2"), MIDDLE, Q + ".qzeros"),
    ("config-symmetric", "gptqmodel-w4-v2-asymmetric", quantization(sym=True), MIDDLE, Q + ".qzeros"),
    ("config-override-lost", "gptqmodel-w4-dynamic", quantization(dynamic=None), MISSING, K + ".qweight"),
    ("config-copy-differs", "gptqmodel-w4-v1", lambda c, r: c.edit("quantize_config.json", lambda q: q.update(bits=8)),
     "quantization_config_invalid", "quantize_config.json"),
    ("config-lost", "gptqmodel-w4-v1", lose_configuration, MISSING, Q + ".weight"),
    ("truncated", "autoround-w4", truncate, "tensor_file_invalid", "model.safetensors"),
]

VALUES = [
    ("codes-scrambled", "gptqmodel-w4-v1", lambda c, r: c.write(Q + ".qweight", r.randbytes(len(c.bytes_of(Q + ".qweight")))), Q),
    ("codes-zeroed", "autoround-w3-mixed", lambda c, r: c.write(Q + ".qweight", bytes(len(c.bytes_of(Q + ".qweight")))), Q),
    ("codes-reversed", "gptqmodel-w8-channel", lambda c, r: c.write(DOWN + ".qweight", c.bytes_of(DOWN + ".qweight")[::-1]), DOWN),
    ("codes-swapped", "gptqmodel-w4-desc-act", lambda c, r: c.swap(K + ".qweight", LAYER + "self_attn.v_proj.qweight"), K),
    ("version-of-zero-points", "gptqmodel-w2-v2-asymmetric", quantization(checkpoint_format="gptq"), Q),
    ("scales-doubled", "gptqmodel-w4-v2-asymmetric", converted(DOWN + ".scales", lambda t: t * 2), DOWN),
]


def damaged(tmp_path, checkpoint, damage, seed):
    copy = Checkpoint(DATA / checkpoint, tmp_path / "damaged")
    damage(copy, random.Random(seed))
    return copy.directory


@pytest.mark.parametrize("name,checkpoint,damage,rule,place", STRUCTURE, ids=[case[0] for case in STRUCTURE])
def test_damaged_structure_is_found_and_named(tmp_path, name, checkpoint, damage, rule, place):
    assert_found(damaged(tmp_path, checkpoint, damage, name), rule, place)


@pytest.mark.parametrize("name,checkpoint,damage,linear", VALUES, ids=[case[0] for case in VALUES])
def test_damaged_values_are_found_against_the_source(tmp_path, name, checkpoint, damage, linear):
    directory = damaged(tmp_path, checkpoint, damage, name)
    assert verify(directory)[:2] == (0, []), "the structure is sound"
    assert_found(directory, "weights_not_the_sources", linear + ".weight", SOURCE)


@pytest.mark.parametrize("tensor", ["model.norm.weight", "model.embed_tokens.weight", LAYER + "input_layernorm.weight"])
def test_a_flipped_bit_of_a_copied_tensor_is_found_against_the_source(tmp_path, tensor):
    directory = damaged(tmp_path, "gptqmodel-w4-v1", lambda c, r: c.write(tensor, bytes([c.bytes_of(tensor)[0] ^ 1])), tensor)
    assert_found(directory, "copied_tensor_differs", tensor, SOURCE)
