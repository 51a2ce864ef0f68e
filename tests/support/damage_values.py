"""Damage to tensors of a checkpoint: other values, other shapes, other names."""
import torch

LAYER = "model.layers.0."
Q, K, V, O = (LAYER + f"self_attn.{name}_proj" for name in "qkvo")
GATE, UP, DOWN = (LAYER + f"mlp.{name}_proj" for name in ("gate", "up", "down"))
Q1, DOWN1 = "model.layers.1.self_attn.q_proj", "model.layers.1.mlp.down_proj"
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
NORM, FINAL_NORM = LAYER + "input_layernorm.weight", "model.norm.weight"
AFTER = LAYER + "post_attention_layernorm.weight"


def fill(tensor, byte):
    return lambda c, random: c.write(tensor, bytes([byte]) * len(c.bytes_of(tensor)))


def scramble(tensor):
    return lambda c, random: c.write(tensor, random.randbytes(len(c.bytes_of(tensor))))


def reverse(tensor):
    return lambda c, random: c.write(tensor, c.bytes_of(tensor)[::-1])


def raise_exponents(tensor):
    """Doubles every bfloat16 value."""
    def damage(c, random):
        values = torch.frombuffer(bytearray(c.bytes_of(tensor)), dtype=torch.bfloat16) * 2
        c.write(tensor, values.view(torch.uint8).numpy().tobytes())
    return damage


def swap(one, other):
    return lambda c, random: c.swap(one, other)


def roll_rows(tensor, row_bytes):
    """The right values, each row of the next one."""
    return lambda c, random: c.write(tensor, c.bytes_of(tensor)[row_bytes:] + c.bytes_of(tensor)[:row_bytes])


# Name, damage, damaged tensor, its linear.
QUANTIZED = [
    ("codes-zeroed", fill(Q + ".weight_packed", 0), Q + ".weight_packed", Q),
    ("codes-all-ones", fill(DOWN + ".weight_packed", 255), DOWN + ".weight_packed", DOWN),
    ("codes-scrambled", scramble(UP + ".weight_packed"), UP + ".weight_packed", UP),
    ("codes-scrambled-last-layer", scramble(DOWN1 + ".weight_packed"), DOWN1 + ".weight_packed", DOWN1),
    ("codes-reversed", reverse(K + ".weight_packed"), K + ".weight_packed", K),
    ("codes-shifted-a-row", roll_rows(V + ".weight_packed", 32), V + ".weight_packed", V),
    ("codes-shifted-a-word", roll_rows(O + ".weight_packed", 4), O + ".weight_packed", O),
    ("scales-doubled", raise_exponents(GATE + ".weight_scale"), GATE + ".weight_scale", GATE),
    ("scales-doubled-last-layer", raise_exponents(Q1 + ".weight_scale"), Q1 + ".weight_scale", Q1),
    ("zero-points-zeroed", fill(K + ".weight_zero_point", 0), K + ".weight_zero_point", K),
    ("zero-points-scrambled", scramble(DOWN + ".weight_zero_point"), DOWN + ".weight_zero_point", DOWN),
    ("swapped-q-o", swap(Q + ".weight_packed", O + ".weight_packed"), O + ".weight_packed", O),
    ("swapped-gate-up", swap(GATE + ".weight_packed", UP + ".weight_packed"), GATE + ".weight_packed", GATE),
    ("swapped-k-v", swap(K + ".weight_packed", V + ".weight_packed"), V + ".weight_packed", V),
    ("swapped-layers", swap(Q + ".weight_packed", Q1 + ".weight_packed"), Q1 + ".weight_packed", Q1),
]

# Name, damage, damaged tensor.
DENSE = [
    ("swapped-norms", swap(NORM, AFTER), AFTER),
    ("swapped-embedding-head", swap(EMBEDDING, HEAD), HEAD),
    ("norm-zeroed", fill(FINAL_NORM, 0), FINAL_NORM),
    ("embedding-reversed", reverse(EMBEDDING), EMBEDDING),
    ("head-shifted-a-row", roll_rows(HEAD, 128), HEAD),
    ("norm-doubled", raise_exponents(NORM), NORM),
]


def changed(tensor, change):
    """A shard written anew, and an index that agrees with it."""
    def damage(c, random):
        c.rewrite(c.shard_of(tensor), lambda tensors: change(tensors, tensor))
        c.update_index()
    return damage


def removed(tensor):
    return changed(tensor, lambda tensors, name: tensors.pop(name))


def added(tensor, value):
    return changed(NORM, lambda tensors, name: tensors.update({tensor: value}))


def converted(tensor, convert):
    return changed(tensor, lambda tensors, name: tensors.update({name: convert(tensors[name])}))


def renamed(tensor, other):
    return changed(tensor, lambda tensors, name: tensors.update({other: tensors.pop(name)}))


# Name, damage, rule, tensor.
STRUCTURE = [
    *((f"missing-{tensor.split('.')[-1]}-{number}", removed(tensor), "tensor_missing", tensor) for number, tensor in enumerate(
        [Q + ".weight_packed", GATE + ".weight_scale", O + ".weight_zero_point", DOWN + ".weight_shape", NORM, EMBEDDING, HEAD])),
    ("renamed", renamed(V + ".weight_scale", V + ".weight_scales"), "tensor_missing", V + ".weight_scale"),
    ("extra", added("model.layers.2.mlp.gate_proj.weight", torch.zeros(2, 2)), "tensor_unexpected", "model.layers.2.mlp.gate_proj.weight"),
    ("extra-dense", added(Q + ".weight", torch.zeros(64, 64)), "tensor_unexpected", Q + ".weight"),
    ("extra-bias", added(Q + ".bias", torch.zeros(64)), "tensor_unexpected", Q + ".bias"),
    ("extra-index", added(Q + ".weight_g_idx", torch.zeros(64, dtype=torch.int32)), "tensor_unexpected", Q + ".weight_g_idx"),
    ("one-group-more", converted(Q + ".weight_scale", lambda t: torch.cat([t, t[:, :1]], 1)), "tensor_shape", Q + ".weight_scale"),
    ("one-group-less", converted(UP + ".weight_scale", lambda t: t[:, 1:]), "tensor_shape", UP + ".weight_scale"),
    ("one-zero-point-group-less", converted(UP + ".weight_zero_point", lambda t: t[:, 1:]), "tensor_shape", UP + ".weight_zero_point"),
    ("transposed-scales", converted(K + ".weight_scale", lambda t: t.T), "tensor_shape", K + ".weight_scale"),
    ("transposed-codes", converted(K + ".weight_packed", lambda t: t.T), "tensor_shape", K + ".weight_packed"),
    ("wide-codes", converted(O + ".weight_packed", lambda t: t.long()), "tensor_shape", O + ".weight_packed"),
    ("double-scales", converted(O + ".weight_scale", lambda t: t.double()), "tensor_shape", O + ".weight_scale"),
    ("byte-zero-points", converted(O + ".weight_zero_point", lambda t: t.to(torch.int8)), "tensor_shape", O + ".weight_zero_point"),
    ("float-shape", converted(Q + ".weight_shape", lambda t: t.double()), "tensor_shape", Q + ".weight_shape"),
    ("short-embedding", converted(EMBEDDING, lambda t: t[:-1]), "tensor_shape", EMBEDDING),
    ("flat-norm", converted(NORM, lambda t: t[None]), "tensor_shape", NORM),
]
