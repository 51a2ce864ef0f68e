"""The damage that `heroq verify` must find in a checkpoint of heroq: what is done, and which finding must name what.

Every case is found through MANIFEST.json. `structure` is the finding without it, `against_source` the one without it and
with the source; None where nothing can tell."""
from dataclasses import dataclass
from typing import Callable, Optional

import damage_files
import damage_values

LAYER = "model.layers.0."
Q, O, GATE, UP = LAYER + "self_attn.q_proj", LAYER + "self_attn.o_proj", LAYER + "mlp.gate_proj", LAYER + "mlp.up_proj"
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
NORM, FINAL_NORM = LAYER + "input_layernorm.weight", "model.norm.weight"


@dataclass
class Case:
    name: str
    damage: Callable
    with_manifest: tuple
    structure: Optional[tuple] = None
    against_source: Optional[tuple] = None


def bit_flips():
    for kind, tensor, structure, source in (
            ("packed", Q + ".weight_packed", None, None), ("scale", GATE + ".weight_scale", None, None),
            ("zero-point", O + ".weight_zero_point", None, None),
            ("shape", UP + ".weight_shape", "weight_shape", "weight_shape"),
            ("embedding", EMBEDDING, None, "copied_tensor_differs"), ("norm", NORM, None, "copied_tensor_differs"),
            ("final-norm", FINAL_NORM, None, "copied_tensor_differs"), ("head", HEAD, None, "copied_tensor_differs")):
        for seed in range(3):
            yield Case(f"flip-{kind}-{seed}", lambda c, random, t=tensor: c.flip(t, random), ("tensor_hash", tensor),
                       structure and (structure, tensor), source and (source, tensor))


def bad_values():
    """bfloat16 values that no scale and no weight may have."""
    values = {"zero": b"\x00\x00", "negative-zero": b"\x00\x80", "negative": b"\x80\xbf", "nan": b"\xc0\x7f", "inf": b"\x80\x7f",
              "minus-inf": b"\x80\xff"}
    for name, value in values.items():
        tensor = (Q if len(name) % 2 else UP) + ".weight_scale"
        yield Case(f"scale-{name}", lambda c, random, t=tensor, v=value: c.write(t, v, 2 * random.randrange(64)),
                   ("tensor_hash", tensor), ("scale_not_positive", tensor))
    for name, tensor, value in (("norm-nan", NORM, "nan"), ("embedding-inf", EMBEDDING, "inf"), ("head-minus-inf", HEAD, "minus-inf"),
                                ("final-norm-nan", FINAL_NORM, "nan")):
        yield Case(name, lambda c, random, t=tensor, v=values[value]: c.write(t, v, 2 * random.randrange(64)),
                   ("tensor_hash", tensor), ("value_not_finite", tensor))


def value_cases():
    for name, damage, tensor, linear in damage_values.QUANTIZED:
        yield Case(name, damage, ("tensor_hash", tensor), None, ("weights_not_the_sources", linear + ".weight"))
    for name, damage, tensor in damage_values.DENSE:
        yield Case(name, damage, ("tensor_hash", tensor), None, ("copied_tensor_differs", tensor))


def tensor_cases():
    for name, damage, rule, tensor in damage_values.STRUCTURE:
        yield Case(name, damage, ("manifest_tensor", tensor), (rule, tensor))


def file_cases():
    for name, damage, place, rule in damage_files.BROKEN_FILES:
        yield Case(name, damage, (rule, place), (rule, place))
    for name, damage, place, rule in damage_files.CONFIG:
        yield Case(name, damage, ("file_size", "config.json"), (rule, place))
    for name, damage, place, rule in damage_files.MANIFEST + damage_files.SIDE_FILES:
        yield Case(name, damage, (rule, place))


def all_cases():
    return [case for cases in (bit_flips, bad_values, value_cases, tensor_cases, file_cases) for case in cases()]
