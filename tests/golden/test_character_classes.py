"""The characters that heroq sees otherwise than the `tokenizers` library are those docs/reference/tokenizers.md lists.

They come from the Unicode versions of the libraries: PCRE2 and ICU here, Oniguruma and Rust there.
"""
import os
import pathlib

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

from token_ids import heroq_ids

PAGE = pathlib.Path(os.environ["HEROQ_SOURCE"]) / "docs/reference/tokenizers.md"
BLOCK = 256
# Planes 4 to 13 are empty, 15 and 16 private.
CODE_POINTS = [*range(0xD800), *range(0xE000, 0x34000), *range(0xE0000, 0xE1000)]


def byte_tokenizer():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    return Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))


def splitting(step):
    """A space goes in front of every piece that `step` makes, so the ids tell where it cut."""
    tokenizer = byte_tokenizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [step, pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)])
    return tokenizer


def at_class(name):
    return splitting(pre_tokenizers.Split(Regex(name), "isolated"))


def with_token(**options):
    tokenizer = byte_tokenizer()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.add_tokens([AddedToken("tok", normalized=False, **options)])
    return tokenizer


def normalizing():
    tokenizer = byte_tokenizer()
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return tokenizer


# Name in the page, tokenizer that shows the class, text that shows one character's membership.
CLASSES = {
    r"`\p{L}`": (lambda: at_class(r"\p{L}"), "1{}1"),
    r"`\p{N}`": (lambda: at_class(r"\p{N}"), "x{}x"),
    r"`\p{M}`": (lambda: at_class(r"\p{M}"), "x{}x"),
    r"`\p{P}`": (lambda: at_class(r"\p{P}"), "x{}x"),
    r"`\p{S}`": (lambda: at_class(r"\p{S}"), "x{}x"),
    r"`\p{Z}`": (lambda: at_class(r"\p{Z}"), "x{}x"),
    r"`\p{Lu}`, `\p{Lt}`": (lambda: at_class(r"[\p{Lu}\p{Lt}]"), "1{}1"),
    r"`\s`": (lambda: at_class(r"\s"), "x{}x"),
    r"`\d`": (lambda: at_class(r"\d"), "x{}x"),
    "`Digits`": (lambda: splitting(pre_tokenizers.Digits(individual_digits=True)), "x{}x"),
    "`NFC`": (normalizing, "q\u035e{}\u0334\u0301"),
    "`single_word`": (lambda: with_token(single_word=True), "{}tok "),
    "`lstrip`, `rstrip`": (lambda: with_token(lstrip=True, rstrip=True), "x{0}tok{0}x"),
}


def different(tokenizer, code_points, template, folder):
    """The code points whose text gets other ids, found block by block."""
    def compare(documents):
        ours = heroq_ids(tokenizer, documents, False, folder)
        theirs = tokenizer.encode_batch_fast(documents, add_special_tokens=False)
        return [list(got) != want.ids for got, want in zip(ours, theirs)]
    blocks = [code_points[i:i + BLOCK] for i in range(0, len(code_points), BLOCK)]
    unequal = compare(["".join(template.format(chr(c)) for c in block) for block in blocks])
    suspects = [c for block, differs in zip(blocks, unequal) if differs for c in block]
    return [c for c, differs in zip(suspects, compare([template.format(chr(c)) for c in suspects])) if differs]


def ranges(code_points):
    """Runs of neighbours."""
    runs = []
    for c in code_points:
        if runs and runs[-1][1] == c - 1:
            runs[-1][1] = c
        else:
            runs.append([c, c])
    return ", ".join(f"{a:04X}" if a == b else f"{a:04X}-{b:04X}" for a, b in runs) or "none"


@pytest.mark.parametrize("name", CLASSES)
def test_characters_seen_otherwise_are_those_of_the_page(name, tmp_path):
    make, template = CLASSES[name]
    row = f"| {name} | {ranges(different(make(), CODE_POINTS, template, tmp_path))} |"
    assert row in PAGE.read_text(encoding="utf-8").splitlines()
