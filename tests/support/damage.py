"""Damages checkpoint directories: single bytes of a tensor, whole tensors, headers, indexes, JSON files."""
import json
import pathlib
import shutil
import struct

from safetensors import safe_open
from safetensors.torch import save

INDEX = "model.safetensors.index.json"


class Checkpoint:
    """A copy of a checkpoint directory that may be broken."""

    def __init__(self, source, directory):
        self.directory = pathlib.Path(shutil.copytree(source, directory))

    def file(self, name):
        return self.directory / name

    def shards(self):
        return sorted(self.directory.glob("*.safetensors"))

    def header(self, path):
        data = path.read_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        return json.loads(data[8:8 + length]), 8 + length

    def shard_of(self, tensor):
        return next(path for path in self.shards() if tensor in self.header(path)[0])

    def span(self, tensor):
        """The tensor's file and its bytes [begin, end) there."""
        path = self.shard_of(tensor)
        header, base = self.header(path)
        begin, end = header[tensor]["data_offsets"]
        return path, base + begin, base + end

    def bytes_of(self, tensor):
        path, begin, end = self.span(tensor)
        return path.read_bytes()[begin:end]

    def write(self, tensor, data, offset=0):
        path, begin, end = self.span(tensor)
        assert begin + offset + len(data) <= end
        with path.open("r+b") as file:
            file.seek(begin + offset)
            file.write(data)

    def flip(self, tensor, random):
        """Flips one bit; where it is depends on the seed of `random`."""
        path, begin, end = self.span(tensor)
        at = random.randrange(end - begin)
        self.write(tensor, bytes([self.bytes_of(tensor)[at] ^ 1 << random.randrange(8)]), at)

    def swap(self, one, other):
        first, second = self.bytes_of(one), self.bytes_of(other)
        assert len(first) == len(second) and first != second
        self.write(one, second)
        self.write(other, first)

    def rewrite(self, path, change):
        """Writes a shard anew with the tensors that `change` leaves in the dictionary it is given."""
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        change(tensors)
        path.write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}, {"format": "pt"}))

    def rewrite_header(self, path, change):
        """Changes the header alone; it may grow."""
        header, base = self.header(path)
        change(header)
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + path.read_bytes()[base:])

    def edit(self, name, change):
        """Changes a JSON file in place, or by returning another value."""
        path = self.file(name)
        value = json.loads(path.read_text())
        path.write_text(json.dumps(change(value) or value))

    def update_index(self):
        """Makes the index agree with the shards again."""
        if not self.file(INDEX).exists():
            return
        weight_map, total = {}, 0
        for path in self.shards():
            for name, info in self.header(path)[0].items():
                if name != "__metadata__":
                    weight_map[name] = path.name
                    total += info["data_offsets"][1] - info["data_offsets"][0]
        self.edit(INDEX, lambda index: {"metadata": {"total_size": total}, "weight_map": weight_map})
