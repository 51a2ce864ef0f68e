"""Token ids by heroq, and their comparison with those of the `tokenizers` library."""
import os
import pathlib
import struct
import subprocess

import numpy
import pytest

PROGRAM = pathlib.Path(os.environ["HEROQ_BIN"]) / "print_token_ids"


def heroq_ids(tokenizer, documents, add_special_tokens, folder):
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    with open(folder / "documents", "wb") as file:
        for document in documents:
            text = document.encode("utf-8")
            file.write(struct.pack("<I", len(text)) + text)
    result = subprocess.run([PROGRAM, folder / "tokenizer.json", folder / "documents", str(int(add_special_tokens))],
                            capture_output=True)
    assert result.returncode == 0, result.stderr.decode()
    numbers = numpy.frombuffer(result.stdout, dtype="<i4")
    ids, position = [], 0
    for _ in documents:
        count = numbers[position]
        ids.append(numbers[position + 1:position + 1 + count])
        position += 1 + count
    assert position == len(numbers)
    return ids


def assert_same_ids(tokenizer, documents, add_special_tokens, folder):
    expected = tokenizer.encode_batch_fast(documents, add_special_tokens=add_special_tokens)
    actual = heroq_ids(tokenizer, documents, add_special_tokens, folder)
    for document, want, got in zip(documents, expected, actual):
        want = numpy.array(want.ids, dtype=numpy.int32)
        if not numpy.array_equal(want, got):
            first = next((i for i, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))
            around = slice(max(0, first - 3), first + 6)
            pytest.fail(f"token {first} of {document[:60]!r}...: "
                        f"{[tokenizer.id_to_token(int(i)) for i in want[around]]} expected, "
                        f"{[tokenizer.id_to_token(int(i)) for i in got[around]]} given")
