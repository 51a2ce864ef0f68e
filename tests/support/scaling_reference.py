"""Diagonal scaling of a llama in numpy: where scales of input channels may go, and rounding to nearest afterwards, written from
the papers of AWQ (arXiv 2306.00978) and SmoothQuant (arXiv 2211.10438). Nothing of heroq is used."""
import types

import numpy as np
import torch
from transformers import AutoModelForCausalLM

ATTENTION_IN = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]
# In the order they are worked on: a scaled attention output changes the value projection, which is read by nobody before.
SITES = [("attention_out", ["self_attn.o_proj"], "self_attn.v_proj"), ("mlp_out", ["mlp.down_proj"], "mlp.up_proj"),
         ("attention_in", ATTENTION_IN, "input_layernorm"),
         ("mlp_in", ["mlp.gate_proj", "mlp.up_proj"], "post_attention_layernorm")]


@torch.no_grad()
def observe(model, ids):
    """Per linear of the blocks, what it read: `moments` sum x^T x [in, in] and `largest` |x| [in]."""
    seen, hooks = {}, []
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            def hook(_, inputs, name=name):
                x = inputs[0].double().flatten(0, -2).numpy()
                seen[name] = types.SimpleNamespace(moments=x.T @ x, largest=np.abs(x).max(0))
            hooks.append(module.register_forward_pre_hook(hook))
    model(ids)
    for hook in hooks:
        hook.remove()
    return seen


def normalised(scale):
    return scale / np.exp(np.log(scale).mean())


def over_query_heads(values, config, reduce):
    """Channels of a value head, reduced over the query heads that share it and repeated for each of them."""
    heads, value_heads = config.num_attention_heads, config.num_key_value_heads
    grouped = values.reshape(value_heads, heads // value_heads, -1)
    return np.repeat(reduce(grouped, 1)[:, None], heads // value_heads, 1).ravel()


def fold(weights, block, site, scale, config):
    """Multiplies the columns of the readers by `scale` and divides what produces their input by it. Gains are stored in
    float32: the readers take what that leaves."""
    name, readers, producer = site
    prefix = f"model.layers.{block}."
    if name.endswith("_in"):
        gain = weights[f"{prefix}{producer}.weight"]
        stored = (gain / scale).astype(np.float32).astype(np.float64)
        weights[f"{prefix}{producer}.weight"], scale = stored, gain / stored
    else:
        rows = scale
        if name == "attention_out":
            heads, value_heads = config.num_attention_heads, config.num_key_value_heads
            rows = scale.reshape(value_heads, heads // value_heads, -1)[:, 0].ravel()
        weights[f"{prefix}{producer}.weight"] = weights[f"{prefix}{producer}.weight"] / rows[:, None]
    for reader in readers:
        weights[f"{prefix}{reader}.weight"] = weights[f"{prefix}{reader}.weight"] * scale
    return scale


def round_to_nearest(weight, importance, bits, group, symmetric):
    """Asymmetric s = (max - min) / top, z = round(-min / s); symmetric s = 2 amax / top, z the middle; times the shrink
    factor of 1, 0.98 ... 0.5 with the least sum h (w - q)^2; scales rounded to bfloat16. The weight as it is read back."""
    rows, columns = weight.shape
    length = columns if group == -1 else group
    # In float32, as checkpoints store it: weights of models lie between two codes often.
    w = weight.astype(np.float32).reshape(rows, columns // length, length)
    h = np.maximum(importance, 1e-6 * importance.mean()).reshape(1, -1, length)
    top, middle = np.float32(2**bits - 1), np.float32(2**(bits - 1))
    low, high = np.minimum(w.min(-1, keepdims=True), 0), np.maximum(w.max(-1, keepdims=True), 0)
    base = np.maximum(-low, high) / (top / 2) if symmetric else (high - low) / top
    # The zero point is that of the whole range.
    zero = middle if symmetric else np.clip(np.rint(-low / np.where(base > 0, base, 1)), 0, top)
    best, least = np.zeros_like(w), np.full(base.shape, np.inf)
    for step in range(26):
        scale = torch.tensor(base * np.float32(1 - np.float32(step) * np.float32(0.02))).bfloat16().float().numpy()
        scale = np.where(scale > 0, scale, np.float32(2.0**-7))
        value = scale * (np.clip(np.rint(w / scale + zero), 0, top) - zero)
        loss = (h * (w - value)**2).sum(-1, keepdims=True)
        best, least = np.where(loss < least, value, best), np.minimum(loss, least)
    return best.reshape(rows, columns)


def lost(weights, moments, bits, group, symmetric):
    """tr(E H E^T) / tr(W H W^T) of rounding to nearest over all weights that read one input."""
    error = energy = 0
    for weight in weights:
        e = round_to_nearest(weight, np.diag(moments), bits, group, symmetric) - weight
        error += np.einsum("ri,ij,rj->", e, moments, e, optimize=True)
        energy += np.einsum("ri,ij,rj->", weight, moments, weight, optimize=True)
    return error / energy


def check_rounded(checkpoint, ids, weights, moments, bits, group, dense_tolerance):
    """That transformers loads `weights` from the checkpoint: linears of blocks rounded asymmetrically, `moments` by name of the
    linear being the diagonal that weighs their errors, and all others to a relative tolerance."""
    published = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    published(ids[:1])  # decompresses
    tensors = published.state_dict()
    for name, weight in weights.items():
        ours = tensors[name].double().numpy()
        if not name.endswith("_proj.weight"):
            np.testing.assert_allclose(ours, weight, rtol=dense_tolerance, err_msg=name)
            continue
        rounded = round_to_nearest(weight, moments[name.removesuffix(".weight")], bits, group, False)
        # A value between two codes, or two shrink factors that lose the same, may go either way.
        same = np.isclose(ours, rounded, rtol=1e-5, atol=1e-9 + 1e-5 * np.abs(rounded).max()).mean()
        assert same > 0.99, (name, same)
