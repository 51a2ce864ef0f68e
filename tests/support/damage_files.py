"""Damage to files of a checkpoint: shards, index, configuration, manifest and what lies beside them."""
from damage import INDEX

Q = "model.layers.0.self_attn.q_proj"
MANIFEST_NAME = "MANIFEST.json"
LOST = "model-00009-of-00009.safetensors"
BROKEN, TOTAL = "tensor_file_invalid", "index_total_size"


def swap_shards(c, random):
    first, second, *_ = c.shards()
    data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(data)


def on_shard(change):
    """Changes the bytes of the shard that holds the first q_proj's codes."""
    def damage(c, random):
        path = c.shard_of(Q + ".weight_packed")
        path.write_bytes(change(path.read_bytes()))
    return damage


def on_header(change):
    return lambda c, random: c.rewrite_header(c.shard_of(Q + ".weight_packed"), change)


def on_json(name, change):
    return lambda c, random: c.edit(name, change)


def index(change):
    return on_json(INDEX, change)


def lie(header, field, value):
    header[Q + ".weight_packed"][field] = value


def other_shard(c):
    return next(path for path in c.shards() if path != c.shard_of(Q + ".weight_shape"))


def duplicate_tensor(c, random):
    name = Q + ".weight_shape"
    other, shape = other_shard(c), {}
    c.rewrite(c.shard_of(name), lambda tensors: shape.update({name: tensors[name]}))
    c.rewrite(other, lambda tensors: tensors.update(shape))


def shard_of_codes(c):
    return c.shard_of(Q + ".weight_packed").name


# Name, damage, file the finding names (or how to tell before the damage), rule.
BROKEN_FILES = [
    ("swapped-shards", swap_shards, INDEX, BROKEN),
    ("tensor-in-two-shards", duplicate_tensor, lambda c: max(c.shard_of(Q + ".weight_shape"), other_shard(c)).name,
     BROKEN),
    ("truncated-by-a-byte", on_shard(lambda data: data[:-1]), shard_of_codes, BROKEN),
    ("truncated-by-half", on_shard(lambda data: data[:len(data) // 2]), shard_of_codes, BROKEN),
    ("truncated-header", on_shard(lambda data: data[:40]), shard_of_codes, BROKEN),
    ("emptied", on_shard(lambda data: b""), shard_of_codes, BROKEN),
    ("bytes-after-the-end", on_shard(lambda data: data + b"\0"), shard_of_codes, BROKEN),
    ("header-length-lies", on_shard(lambda data: bytes([data[0] ^ 8]) + data[1:]), shard_of_codes, BROKEN),
    ("header-length-huge", on_shard(lambda data: b"\xff" * 8 + data[8:]), shard_of_codes, BROKEN),
    ("header-shape-lies", on_header(lambda h: lie(h, "shape", [64, 9])), shard_of_codes, BROKEN),
    ("header-offset-lies", on_header(lambda h: lie(h, "data_offsets", [0, 1 << 40])), shard_of_codes, BROKEN),
    ("header-type-unknown", on_header(lambda h: lie(h, "dtype", "I128")), shard_of_codes, BROKEN),
    ("shard-missing", lambda c, random: c.shards()[1].unlink(), lambda c: c.shards()[1].name, BROKEN),
    ("index-missing", lambda c, random: c.file(INDEX).unlink(), "model.safetensors", BROKEN),
    ("index-not-json", lambda c, random: c.file(INDEX).write_text("{"), INDEX, BROKEN),
    ("index-without-a-tensor", index(lambda i: i["weight_map"].pop(Q + ".weight_scale") and None), INDEX, BROKEN),
    ("index-with-another-tensor", index(lambda i: i["weight_map"].update({"old.weight": list(i["weight_map"].values())[0]})),
     INDEX, BROKEN),
    ("index-names-a-lost-shard", index(lambda i: i["weight_map"].update({Q + ".weight_scale": LOST})), LOST, BROKEN),
    ("index-leaves-the-directory", index(lambda i: i["weight_map"].update({Q + ".weight_scale": "../model.safetensors"})),
     INDEX, BROKEN),
    ("total-size-above", index(lambda i: i["metadata"].update(total_size=i["metadata"]["total_size"] + 1)), INDEX, TOTAL),
    ("total-size-text", index(lambda i: i["metadata"].update(total_size=str(i["metadata"]["total_size"]))), INDEX, BROKEN),
    ("total-size-missing", index(lambda i: i.pop("metadata") and None), INDEX, TOTAL),
]


def quantization(change):
    return on_json("config.json", lambda config: change(config["quantization_config"]))


def weights(**values):
    return quantization(lambda q: q["config_groups"]["group_0"]["weights"].update(values))


def config(**values):
    return on_json("config.json", lambda c: c.update(values))


def store_whole_bytes(q):
    q["format"] = q["config_groups"]["group_0"]["format"] = "int-quantized"


CONFIG = [
    ("config-bits-8", weights(num_bits=8), Q + ".weight_packed", "tensor_shape"),
    ("config-bits-3", weights(num_bits=3), Q + ".weight_packed", "tensor_shape"),
    ("config-group-size", weights(group_size=16), Q + ".weight_scale", "tensor_shape"),
    ("config-group-size-indivisible", weights(group_size=24), Q, "group_size_indivisible"),
    ("config-channel", weights(strategy="channel"), Q + ".weight_scale", "tensor_shape"),
    ("config-symmetric", weights(symmetric=True), Q + ".weight_zero_point", "tensor_unexpected"),
    ("config-int-quantized", quantization(store_whole_bytes), Q + ".weight", "tensor_missing"),
    ("config-ignores-a-linear", quantization(lambda q: q["ignore"].append(Q)), Q + ".weight", "tensor_missing"),
    ("config-ignores-everything", quantization(lambda q: q["ignore"].append("re:.*")), Q + ".weight", "tensor_missing"),
    ("config-without-quantization", on_json("config.json", lambda c: c.pop("quantization_config") and None), Q + ".weight",
     "tensor_missing"),
    ("config-hidden-size", config(hidden_size=128), "model.embed_tokens.weight", "tensor_shape"),
    ("config-intermediate-size", config(intermediate_size=128), "model.layers.0.mlp.up_proj.weight_packed", "tensor_shape"),
    ("config-vocabulary", config(vocab_size=321), "model.embed_tokens.weight", "tensor_shape"),
    ("config-a-layer-more", config(num_hidden_layers=3), "model.layers.2.input_layernorm.weight", "tensor_missing"),
    ("config-a-layer-less", config(num_hidden_layers=1), "model.layers.1.input_layernorm.weight", "tensor_unexpected"),
    ("config-key-heads", config(num_key_value_heads=4), "model.layers.0.self_attn.k_proj.weight_packed", "tensor_shape"),
    ("config-tied-head", config(tie_word_embeddings=True), "lm_head.weight", "tied_head_differs"),
    ("config-attention-bias", config(attention_bias=True), Q + ".bias", "tensor_missing"),
    ("config-another-model", config(model_type="unheard-of", architectures=["Unheard"]), "config.json", "config_invalid"),
    ("config-not-json", lambda c, random: c.file("config.json").write_text("{\"model_type\": "), "config.json", "config_invalid"),
]


def manifest(change):
    return on_json(MANIFEST_NAME, change)


def file_entry(m, name):
    return next(entry for entry in m["files"] if entry["name"] == name)


def tensor_entry(m, name):
    return next(entry for entry in m["tensors"] if entry["name"] == name)


MANIFEST = [
    ("manifest-file-hash", manifest(lambda m: file_entry(m, "config.json").update(sha256="0" * 64)), "config.json", "file_hash"),
    ("manifest-file-size", manifest(lambda m: file_entry(m, "README.md").update(size_bytes=1)), "README.md", "file_size"),
    ("manifest-file-forgotten", manifest(lambda m: m["files"].remove(file_entry(m, "tokenizer.json"))), "tokenizer.json", "file_unlisted"),
    ("manifest-file-invented", manifest(lambda m: m["files"].append({"name": "a.bin", "size_bytes": 1, "sha256": "0" * 64})), "a.bin",
     "file_missing"),
    ("manifest-file-unhashed", manifest(lambda m: m["files"].remove(file_entry(m, "tokenizer.json")) or m["unhashed_files"].append(
        "tokenizer.json")), MANIFEST_NAME, "manifest_invalid"),
    ("manifest-tensor-hash", manifest(lambda m: tensor_entry(m, Q + ".weight_scale").update(sha256="0" * 64)), Q + ".weight_scale",
     "tensor_hash"),
    ("manifest-tensor-shape", manifest(lambda m: tensor_entry(m, Q + ".weight_scale").update(shape=[1, 2])), Q + ".weight_scale",
     "manifest_tensor"),
    ("manifest-tensor-forgotten", manifest(lambda m: m["tensors"].remove(tensor_entry(m, Q + ".weight_scale"))), Q + ".weight_scale",
     "manifest_tensor"),
    ("manifest-weight-error", manifest(lambda m: m["linears"][0].update(weight_error=0.5)), Q, "manifest_report"),
    ("manifest-linear-forgotten", manifest(lambda m: m["linears"].pop(0) and None), Q, "manifest_linear"),
    ("manifest-spec-digest", manifest(lambda m: m.update(spec_digest="0" * 64)), MANIFEST_NAME, "manifest_report"),
    ("manifest-numeric-class", manifest(lambda m: m.update(numeric_class="other")), MANIFEST_NAME, "manifest_report"),
    ("manifest-method", manifest(lambda m: m.update(method="gptq")), MANIFEST_NAME, "manifest_report"),
    ("manifest-schema", manifest(lambda m: m.update(schema_version=2)), MANIFEST_NAME, "manifest_invalid"),
    ("manifest-not-json", lambda c, random: c.file(MANIFEST_NAME).write_text("{"), MANIFEST_NAME, "manifest_invalid"),
    ("manifest-leaves-the-directory", manifest(lambda m: m["files"][0].update(name="../config.json")), MANIFEST_NAME,
     "manifest_invalid"),
]

def edit_tokenizer(c, random):
    path = c.file("tokenizer.json")
    path.write_text(path.read_text().replace("the", "thy", 1))


SIDE_FILES = [
    ("tokenizer-edited", edit_tokenizer, "tokenizer.json", "file_hash"),
    ("tokenizer-missing", lambda c, random: c.file("tokenizer.json").unlink(), "tokenizer.json", "file_missing"),
    ("card-edited", lambda c, random: c.file("README.md").write_text("better than ever"), "README.md", "file_size"),
    ("report-edited", on_json("report/report.json", lambda r: r["linears"][0].update(weight_error=0.0)), "report/report.json", "file_size"),
    ("file-added", lambda c, random: c.file("weights.bin").write_bytes(b"x"), "weights.bin", "file_unlisted"),
]
