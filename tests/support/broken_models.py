"""Ways to break a model directory that tiny_llama wrote, each the smallest change that makes it wrong."""
import json
import pathlib
import struct

WEIGHTS = "model.safetensors"
Q_PROJ = "model.layers.0.self_attn.q_proj.weight"
K_PROJ = "model.layers.0.self_attn.k_proj.weight"


def read_file(path):
    """Header as a dict, and the data after it."""
    raw = pathlib.Path(path).read_bytes()
    length, = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8:8 + length]), raw[8 + length:]


def write_file(path, header, data):
    """`header` is a dict, or text that is stored as it is."""
    text = header if isinstance(header, str) else json.dumps(header)
    encoded = text.encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)


def edit_header(edit):
    """A breaker that changes the header and leaves the data."""
    def breaker(model):
        header, data = read_file(model / WEIGHTS)
        changed = edit(header)
        write_file(model / WEIGHTS, header if changed is None else changed, data)
    return breaker


def edit_config(**fields):
    def breaker(model):
        config = json.loads((model / "config.json").read_text())
        config.update(fields)
        (model / "config.json").write_text(json.dumps(config))
    return breaker


def edit_tokenizer(edit):
    def breaker(model):
        tokenizer = json.loads((model / "tokenizer.json").read_text())
        edit(tokenizer)
        (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    return breaker


def rewrite_tensors(edit):
    """A breaker that lays the tensors out again after `edit` changed {name: (dtype, shape, bytes)}."""
    def breaker(model):
        header, data = read_file(model / WEIGHTS)
        metadata = header.pop("__metadata__", {})
        tensors = {name: (entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])])
                   for name, entry in header.items()}
        edit(tensors)
        laid_out, end = {"__metadata__": metadata}, 0
        for name, (dtype, shape, content) in tensors.items():
            laid_out[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + len(content)]}
            end += len(content)
        write_file(model / WEIGHTS, laid_out, b"".join(content for _, _, content in tensors.values()))
    return breaker


def cut(count):
    """The file loses its last bytes."""
    def breaker(model):
        path = model / WEIGHTS
        path.write_bytes(path.read_bytes()[:-count])
    return breaker


def shift(name, by):
    def edit(header):
        header[name]["data_offsets"] = [offset + by for offset in header[name]["data_offsets"]]
    return edit_header(edit)


def duplicate(name):
    def edit(header):
        return json.dumps(header)[:-1] + f', "{name}": {json.dumps(header[name])}}}'
    return edit_header(edit)


def claim_length(length):
    def breaker(model):
        path = model / WEIGHTS
        path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    return breaker


def set_bf16(name, positions, bits):
    """A breaker that puts a bit pattern at elements of a BF16 tensor."""
    def breaker(model):
        header, data = read_file(model / WEIGHTS)
        changed = bytearray(data)
        begin = header[name]["data_offsets"][0]
        for position in positions:
            changed[begin + 2 * position:begin + 2 * position + 2] = struct.pack("<H", bits)
        write_file(model / WEIGHTS, header, bytes(changed))
    return breaker


def into_shards(model):
    """Two shards with an index instead of one file: valid."""
    header, data = read_file(model / WEIGHTS)
    header.pop("__metadata__", None)
    names = sorted(header)
    weight_map, parts = {}, (names[::2], names[1::2])
    for number, part in enumerate(parts, 1):
        shard = f"model-{number:05}-of-{len(parts):05}.safetensors"
        laid_out, content = {}, b""
        for name in part:
            piece = data[slice(*header[name]["data_offsets"])]
            laid_out[name] = {**header[name], "data_offsets": [len(content), len(content) + len(piece)]}
            content += piece
            weight_map[name] = shard
        write_file(model / shard, laid_out, content)
    (model / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": len(data)}, "weight_map": weight_map}))
    (model / WEIGHTS).unlink()


def remove(name):
    return lambda model: (model / name).unlink()


def write(name, content):
    return lambda model: (model / name).write_bytes(content)


def both(first, second):
    def breaker(model):
        first(model)
        second(model)
    return breaker
