"""HeRo-Q's transforms of a llama, in numpy, written from the paper (arXiv 2601.21626) and the algebra of folding: what a
published checkpoint must hold before rounding. Nothing of heroq is used."""
import numpy as np
import torch

MASK = (1 << 64) - 1
RESIDUAL, HEADS = 1, 2  # what a stream of random numbers is for


def mix(value):
    """SplitMix64 (Steele, Lea, Flood 2014)."""
    value = (value + 0x9e3779b97f4a7c15) & MASK
    value = ((value ^ (value >> 30)) * 0xbf58476d1ce4e5b9) & MASK
    value = ((value ^ (value >> 27)) * 0x94d049bb133111eb) & MASK
    return value ^ (value >> 31)


def signs(seed, purpose, count):
    key = mix(mix(mix(mix(seed) ^ purpose)))  # block 0, step 0
    return np.array([-1.0 if mix((key + i * 0x9e3779b97f4a7c15) & MASK) >> 63 else 1.0 for i in range(count)])


def hadamard(size):
    matrix = np.ones((1, 1))
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.sqrt(size)


def power_of_two_in(width):
    return width & -width


def residual_rotation(hidden, seed):
    """Signs, then Hadamard blocks."""
    size = power_of_two_in(hidden)
    return signs(seed, RESIDUAL, hidden)[:, None] * np.kron(np.eye(hidden // size), hadamard(size))


def head_rotation(head_dim, seed):
    size = power_of_two_in(head_dim)
    return np.kron(np.eye(head_dim // size), signs(seed, HEADS, size)[:, None] * hadamard(size))


def scale_of(diagonal, alpha):
    """diag(|h|^(alpha / 2)) over its geometric mean."""
    h = np.maximum(diagonal, 1e-6 * diagonal.mean())
    scale = h**(alpha / 2)
    return scale / np.exp(np.log(scale).mean())


@torch.no_grad()
def diagonals(model, ids):
    """diag(sum x^T x) of what every linear of the blocks reads, by its name."""
    sums, hooks = {}, []
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            def observe(_, inputs, name=name):
                x = inputs[0].double().flatten(0, -2)
                sums[name] = sums.get(name, 0) + (x**2).sum(0).numpy()
            hooks.append(module.register_forward_pre_hook(observe))
    model(ids)
    for hook in hooks:
        hook.remove()
    return sums


def transformed(model, config, h, alpha, fused, changed, seed=0):
    """Every tensor of the transformed model in float64. `h` is diagonals() of the original, `changed` the (block, input)
    whose basis changes."""
    source = {name: tensor.double().numpy() for name, tensor in model.state_dict().items()}
    out = dict(source)
    heads, value_heads = config.num_attention_heads, config.num_key_value_heads
    head_dim = config.hidden_size // heads
    rotation = residual_rotation(config.hidden_size, seed) if fused else np.eye(config.hidden_size)
    if fused:
        out["model.embed_tokens.weight"] = source["model.embed_tokens.weight"] @ rotation
        out["lm_head.weight"] = source["lm_head.weight"] * source["model.norm.weight"] @ rotation
        out["model.norm.weight"] = np.ones(config.hidden_size)
    for block in range(config.num_hidden_layers):
        prefix = f"model.layers.{block}."

        def weight(name):
            return source[f"{prefix}{name}.weight"]

        for norm, readers in (("input_layernorm", ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
                              ("post_attention_layernorm", ["mlp.gate_proj", "mlp.up_proj"])):
            gain = weight(norm)
            site = "attention_in" if norm == "input_layernorm" else "mlp_in"
            if fused:
                stored, rest = np.ones_like(gain), gain
            elif (block, site) not in changed:
                stored, rest = gain, 1
            else:
                wanted = gain / scale_of(h[prefix + readers[0]], alpha)
                stored = torch.tensor(wanted).bfloat16().double().numpy()
                rest = gain / stored
            out[f"{prefix}{norm}.weight"] = stored
            for reader in readers:
                out[f"{prefix}{reader}.weight"] = weight(reader) * rest @ rotation
        # Channels of a value head, averaged over the query heads that share it.
        shared = h[prefix + "self_attn.o_proj"].reshape(value_heads, heads // value_heads, head_dim).mean(1)
        scale = scale_of(np.repeat(shared, heads // value_heads, 0).ravel(), alpha).reshape(heads, head_dim)
        turn = head_rotation(head_dim, seed)
        if (block, "attention_out") not in changed:
            scale, turn = np.ones_like(scale), np.eye(head_dim)
        value = out[f"{prefix}self_attn.v_proj.weight"].reshape(value_heads, head_dim, -1)
        value = np.einsum("cij,ik->ckj", value / scale[::heads // value_heads, :, None], turn)
        out[f"{prefix}self_attn.v_proj.weight"] = value.reshape(value_heads * head_dim, -1)
        output = (weight("self_attn.o_proj").reshape(-1, heads, head_dim) * scale) @ turn
        out[f"{prefix}self_attn.o_proj.weight"] = rotation.T @ output.reshape(-1, heads * head_dim)
        delta = scale_of(h[prefix + "mlp.down_proj"], alpha if (block, "mlp_out") in changed else 0)
        out[f"{prefix}mlp.up_proj.weight"] = out[f"{prefix}mlp.up_proj.weight"] / delta[:, None]
        out[f"{prefix}mlp.down_proj.weight"] = rotation.T @ (weight("mlp.down_proj") * delta)
    return out
