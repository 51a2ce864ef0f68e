"""Thousands of seeded safetensors files, sound ones and liars: what we accept the Python library accepts, and both accept
every sound one."""
import json
import random
from collections import Counter

from safetensors_verdicts import our_verdicts, python_accepts

SIZES = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "F64": 8,
         "I64": 8, "U64": 8}
NAMES = ["w", "model.layers.0.mlp.up_proj.weight", "é", "\U0001F600", 'quote"d', "back\\slash", "line\nfeed", "", "\x7f", "a/b",
         "__metadata", "n" * 300]
BLANKS = ["", " ", "\n", "\t", "\r\n", "   "]
ODD_NUMBERS = ["-1", "-0", "1.0", "1e2", "1E400", "01", "+1", "0x10", "9223372036854775807", "9223372036854775808",
               "18446744073709551615", "18446744073709551616", "1" * 400, "NaN", "null", '"4"', "true", "[]"]
ODD_SHAPES = ["[4294967296,4294967296]", "[4294967296,4294967296,0]", "[0,18446744073709551615]", "[2,9223372036854775807]",
              "[1,1,1,1,1,1,1,1,1]", "[-1]", "[1.5]", "[[1]]", "{}", "null", '"[1]"', "[1,]", "[,1]", "[9223372036854775808]"]
ODD_TYPES = ['"F31"', '"f32"', '"F8_E4M3"', '"F4"', '"C64"', '"F32 "', '"\\u004632"', "32", "null", '["F32"]', '""']
ODD_STRINGS = ['"\\ud800"', '"\\udc00\\ud800"', '"\\x41"', '"\\u00g0"', '"\\u0000"', '"\\/"', '"\\uD83D\\uDE00"', '"a', "'a'",
               '"\\', '"\t"']


class File:
    """A sound file, kept in parts that mutations replace: every value is JSON text."""

    def __init__(self, generator):
        self.generator = generator
        count = generator.choice([0, 1, 1, 2, 3, 8])
        self.entries, begin = [], 0
        for name in generator.sample(NAMES, count):
            dtype = generator.choice(list(SIZES))
            shape = [generator.choice([0, 1, 1, 2, 3, 7]) for _ in range(generator.randrange(5))]
            size = SIZES[dtype]
            for dimension in shape:
                size *= dimension
            self.entries.append({"name": self.quote(name), "dtype": f'"{dtype}"', "shape": json.dumps(shape),
                                 "data_offsets": [str(begin), str(begin + size)], "more": []})
            begin += size
        generator.shuffle(self.entries)
        self.metadata = generator.choice([None, None, "{}", '{"format":"pt"}', '{"é":"\\n\\u00e9","":""}'])
        self.data = generator.randbytes(begin)
        self.before, self.after, self.length, self.pad = b"", b"", None, generator.choice(["", " ", "       ", "\n"])
        self.raw = None

    def quote(self, text):
        return json.dumps(text, ensure_ascii=self.generator.random() < 0.5)

    def render(self):
        blank = lambda: self.generator.choice(BLANKS) if self.generator.random() < 0.1 else ""
        members = []
        if self.metadata is not None:
            members.append(f'"__metadata__"{blank()}:{self.metadata}')
        for entry in self.entries:
            offsets = f"[{blank()}{','.join(entry['data_offsets'])}{blank()}]"
            fields = [f'"dtype":{blank()}{entry["dtype"]}', f'"shape":{entry["shape"]}', f'"data_offsets":{offsets}']
            self.generator.shuffle(fields)
            members.append(f"{blank()}{entry['name']}{blank()}:{{{','.join(fields + entry['more'])}{blank()}}}")
        header = self.raw if self.raw is not None else ("{" + blank() + ",".join(members) + blank() + "}" + self.pad).encode()
        header = self.before + header + self.after
        length = len(header) if self.length is None else self.length
        return length.to_bytes(8, "little") + header + self.data


def an_entry(file):
    if not file.entries:
        file.entries.append({"name": '"w"', "dtype": '"U8"', "shape": "[0]", "data_offsets": ["0", "0"], "more": []})
    return file.generator.choice(file.entries)


def change_offset(file):
    offsets = an_entry(file)["data_offsets"]
    i = file.generator.randrange(2)
    offsets[i] = str(max(0, int(offsets[i]) + file.generator.choice([-8, -4, -1, 1, 2, 4, 1 << 40])))


def shift_tensors(file):
    by, from_byte = file.generator.choice([-4, -1, 1, 4]), file.generator.randrange(len(file.data) + 1)
    for entry in file.entries:
        if int(entry["data_offsets"][0]) >= from_byte:
            entry["data_offsets"] = [str(max(0, int(offset) + by)) for offset in entry["data_offsets"]]


def share_bytes(file):
    an_entry(file)["data_offsets"] = list(an_entry(file)["data_offsets"])


def odd_number(file):
    an_entry(file)["data_offsets"][file.generator.randrange(2)] = file.generator.choice(ODD_NUMBERS)


def odd_offsets(file):
    an_entry(file)["data_offsets"] = file.generator.choice([[], ["0"], ["0", "0", "0"], ["null", "0"], ["0,", "0"], ["[0]", "0"]])


def replace(field, values):
    def mutate(file):
        an_entry(file)[field] = file.generator.choice(values)
    return mutate


def other_type(file):
    an_entry(file)["dtype"] = f'"{file.generator.choice(list(SIZES))}"'


def other_shape(file):
    an_entry(file)["shape"] = json.dumps([file.generator.choice([0, 1, 2, 3, 1 << 20]) for _ in range(file.generator.randrange(4))])


def duplicate_name(file):
    file.entries.append({**an_entry(file), "more": []})


def more_fields(file):
    an_entry(file)["more"].append(file.generator.choice(['"x":1', '"dtype":"F32"', '"shape":[]', '"dtyp\\u0065":"F32"', '"x":{"x":[]}', ""]))


def odd_metadata(file):
    file.metadata = file.generator.choice(["null", "[]", '{"a":1}', '{"a":null}', '{"a":{"b":"c"}}', '{"a":"b","a":"c"}', '"pt"', "{"])


def deep(file):
    depth = file.generator.choice([20, 63, 64, 65, 127, 128, 129, 5000])
    an_entry(file)["more"].append('"x":' + "[" * depth + "]" * depth)


def cut_data(file):
    file.data = file.data[:file.generator.randrange(len(file.data) + 1)]


def add_data(file):
    file.data += file.generator.choice([b"\0", b"PK\3\4", b"\x93NUMPY", b"\x80\x04\x95", bytes(8), bytes(4096)])


def other_length(file):
    true = len(file.render()) - 8 - len(file.data)
    file.length = file.generator.choice([0, 1, true - 1, true + 1, true + len(file.data), true + len(file.data) + 1, 1 << 32,
                                         (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 100_000_000, 100_000_001, true << 8])
    file.length = max(0, file.length)


def surround(file):
    part = file.generator.choice([b" ", b"\n", b"\xef\xbb\xbf", b"\0", b"{}", b"[", b"//x\n", b"PK\3\4", b"\x80\x04"])
    if file.generator.random() < 0.5:
        file.before += part
    else:
        file.after += part


def other_root(file):
    file.raw = file.generator.choice([b"", b"{", b"}", b"[]", b"null", b"3", b'"a"', b"{}{}", b'{"a":}', b"{,}", b'{"a"}'])


def not_utf8(file):
    raw = bytearray(file.render()[8:len(file.render()) - len(file.data) or None])
    raw[file.generator.randrange(len(raw)) if raw else 0:0] = file.generator.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc3"])
    file.raw, file.before, file.after = bytes(raw), b"", b""


def flip_bytes(file):
    raw = bytearray(file.raw if file.raw is not None else file.render()[8:])
    for _ in range(file.generator.randint(1, 3)):
        if raw:
            raw[file.generator.randrange(len(raw))] = file.generator.choice(b'0123456789{}[]",:- \\FBIU\0\xff')
    file.raw, file.before, file.after, file.data = bytes(raw), b"", b"", b""
    if file.generator.random() < 0.7:
        end = bytes(raw).rfind(b"}") + 1
        file.raw, file.data = bytes(raw[:end]), bytes(raw[end:])


LIES = [change_offset, shift_tensors, share_bytes, odd_number, odd_offsets, replace("shape", ODD_SHAPES), replace("dtype", ODD_TYPES),
        replace("name", ODD_STRINGS), other_type, other_shape, duplicate_name, more_fields, odd_metadata, deep, cut_data,
        add_data, other_length, surround, other_root, not_utf8, flip_bytes]


def test_sound_files_are_accepted_by_both(tmp_path):
    generator = random.Random(11)
    for i in range(1000):
        (tmp_path / f"{i:04}").write_bytes(File(generator).render())
    verdicts = our_verdicts(tmp_path)
    assert len(verdicts) == 1000
    for name, verdict in verdicts.items():
        data = (tmp_path / name).read_bytes()
        assert verdict == "ok" and python_accepts(data), data


def test_liars_we_accept_are_accepted_by_the_python_library(tmp_path):
    generator = random.Random(12)
    told = {}
    for i in range(4000):
        file = File(generator)
        # The last one may work on the rendered bytes, so the order is that of the list.
        chosen = sorted(generator.sample(range(len(LIES)), generator.choice([1, 1, 1, 2, 3])))
        for lie in chosen:
            LIES[lie](file)
        told[f"{i:04}"] = chosen
        (tmp_path / f"{i:04}").write_bytes(file.render())
    refused_alone, accepted = Counter(), 0
    for name, verdict in our_verdicts(tmp_path).items():
        data = (tmp_path / name).read_bytes()
        if verdict == "ok":
            accepted += 1
            assert python_accepts(data), (told[name], data)
        elif len(told[name]) == 1:
            refused_alone[told[name][0]] += 1
    # Some lies change nothing; but every kind is caught at times, or it is no test of anything.
    assert accepted > 100
    assert set(refused_alone) == set(range(len(LIES))), refused_alone
