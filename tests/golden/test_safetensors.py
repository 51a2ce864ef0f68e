"""Our safetensors files are the Python library's, byte for byte, and we accept nothing it refuses."""
import json
import random
import subprocess

import pytest
import torch
from safetensors.torch import save

from safetensors_verdicts import PROBE, our_verdicts, python_accepts

DTYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.uint16, torch.float16, torch.bfloat16, torch.int32,
          torch.uint32, torch.float32, torch.float64, torch.int64, torch.uint64]
SHAPES = [(), (0,), (1,), (7,), (3, 5), (2, 0, 4), (1, 1, 1, 3)]


def tensor(dtype, shape, generator):
    count = torch.Size(shape).numel() * torch.empty(0, dtype=dtype).element_size()
    raw = torch.randint(256, (count,), dtype=torch.uint8, generator=generator)
    if dtype is torch.bool:
        raw %= 2
    return raw.view(dtype).reshape(shape) if count else torch.empty(shape, dtype=dtype)


def every_dtype():
    generator = torch.Generator().manual_seed(1)
    return {f"{name}{i}.{dtype}".removeprefix("x"): tensor(dtype, shape, generator)
            for dtype in DTYPES for i, shape in enumerate(SHAPES) for name in ("z", "a", "x")}


def rewrite(tmp_path, data):
    (tmp_path / "in").write_bytes(data)
    subprocess.run([PROBE, "rewrite", tmp_path / "in", tmp_path / "out"], check=True)
    return (tmp_path / "out").read_bytes()


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"é\u2028": 'quote " slash / back \\ \n\t\x01\x7f\U0001F600'}])
def test_files_equal_those_of_the_python_library(tmp_path, metadata):
    data = save(every_dtype(), metadata)
    assert rewrite(tmp_path, data) == data


@pytest.mark.parametrize("names", [["b", "B", "a.10", "a.9", "a"], ["é", "e", "\U0001F600", "\uffff"], [""],
                                   ['"', "\\", "\n", "\x7f"]])
def test_names_are_ordered_and_spelled_as_the_python_library_does(tmp_path, names):
    data = save({name: torch.arange(i + 1, dtype=torch.int16) for i, name in enumerate(names)})
    assert rewrite(tmp_path, data) == data


def test_headers_of_every_length_are_padded_alike(tmp_path):
    for length in range(1, 17):
        data = save({"n" * length: torch.zeros(3, dtype=torch.uint8)})
        assert rewrite(tmp_path, data) == data


def test_several_metadata_keys_are_sorted_and_otherwise_the_same(tmp_path):
    metadata = {f"key{i}": str(i) for i in range(9)}
    data = save({"w": torch.ones(2, 2)}, metadata)
    ours = rewrite(tmp_path, data)
    size = int.from_bytes(ours[:8], "little")
    header = json.loads(ours[8:8 + size])
    assert list(header["__metadata__"]) == sorted(metadata)
    theirs = json.loads(data[8:8 + size])
    assert header == theirs and ours[:8] == data[:8] and ours[8 + size:] == data[8 + size:]


def entry(dtype="F32", shape="[1]", offsets="[0,4]", extra=""):
    return f'{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}{extra}}}}}'


# header, bytes of data, what we say. What the library takes and we do not is on purpose: duplicates, spellings that only
# its JSON library knows, types we do not read, ranks above 8.
TABLE = [
    ("{}", 0, "ok"), (entry(), 4, "ok"), (entry() + "\n\t ", 4, "ok"), (entry(shape="[]"), 4, "ok"),
    (entry(shape="[0,4294967296,4294967296]", offsets="[0,0]"), 0, "ok"),
    ('{"__metadata__":{}}', 0, "ok"), ('{"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1, "ok"),
    (" {}", 0, "FILE_CORRUPT"), ('{"__metadata__":null}', 0, "FILE_CORRUPT"), ('{"a":["F32",[],[0,4]]}', 4, "FILE_CORRUPT"),
    (entry(extra=',"x":1'), 4, "FILE_CORRUPT"), ('{"__metadata__":{"a":"b","a":"c"}}', 0, "FILE_CORRUPT"),
    (entry()[:-1] + "," + entry()[1:], 4, "FILE_CORRUPT"), (entry("F8_E4M3", offsets="[0,1]"), 1, "UNSUPPORTED"),
    (entry(shape="[1,1,1,1,1,1,1,1,1]"), 4, "FILE_CORRUPT"),
    ("", 0, "FILE_CORRUPT"), ("[]", 0, "FILE_CORRUPT"), (entry() + "\0", 4, "FILE_CORRUPT"),
    (entry(extra=',"dtype":"F32"'), 4, "FILE_CORRUPT"), ('{"__metadata__":{"a":1}}', 0, "FILE_CORRUPT"),
    (entry(shape="[1.0]"), 4, "FILE_CORRUPT"), (entry(shape="[-0]", offsets="[0,0]"), 0, "FILE_CORRUPT"),
    (entry(shape="[4294967296,4294967296,0]", offsets="[0,0]"), 0, "FILE_CORRUPT"), (entry("F31"), 4, "FILE_CORRUPT"),
    (entry(offsets="[0,4,5]"), 4, "FILE_CORRUPT"), (entry(offsets="[4,8]"), 8, "FILE_CORRUPT"), (entry(), 5, "FILE_CORRUPT"),
    (entry(), 3, "FILE_CORRUPT"), ('{"a\\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4, "FILE_CORRUPT"),
]


def test_verdicts_on_hand_made_headers(tmp_path):
    for i, (header, size, _) in enumerate(TABLE):
        raw = header.encode()
        (tmp_path / f"{i:03}").write_bytes(len(raw).to_bytes(8, "little") + raw + bytes(size))
    verdicts = our_verdicts(tmp_path)
    for i, (header, _, expected) in enumerate(TABLE):
        assert verdicts[f"{i:03}"] == expected, header
        if expected == "ok":
            assert python_accepts((tmp_path / f"{i:03}").read_bytes()), header


def test_no_damaged_file_is_accepted_that_the_python_library_refuses(tmp_path):
    generator = random.Random(5)
    whole = save({"w": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(3, dtype=torch.bfloat16)}, {"format": "pt"})
    size = int.from_bytes(whole[:8], "little")
    accepted = 0
    for i in range(3000):
        data = bytearray(whole)
        for _ in range(generator.randint(1, 2)):
            at = generator.randrange(8 + size) if generator.random() < 0.9 else generator.randrange(8)
            kind = generator.randrange(3)
            if kind == 0:
                data[at] = generator.choice(b'0123456789{}[]",:- \\FBI\x00\xff')
            elif kind == 1:
                data[at] ^= 1 << generator.randrange(8)
            else:
                del data[at]
                data[0] = (data[0] - generator.randrange(2)) % 256
        (tmp_path / f"{i:04}").write_bytes(data)
    for name, verdict in our_verdicts(tmp_path).items():
        if verdict == "ok":
            accepted += 1
            assert python_accepts((tmp_path / name).read_bytes()), name
    assert accepted > 30  # or the damage was too heavy to tell anything
