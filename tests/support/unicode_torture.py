"""Texts that tell tokenizers apart: every character of a Unicode version in context, and what people write."""
import random
import unicodedata

# Blocks of characters of one document: an error is then found close to where it is.
BLOCK = 512

WHITE_SPACE = [chr(c) for c in (9, 10, 11, 12, 13, 0x1C, 0x1F, 0x20, 0x85, 0xA0, 0x1680, 0x180E, 0x2000, 0x2003, 0x200A,
                                0x200B, 0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF)]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'Re", "'LL", "'\u017f", "\u2019s", "'", "''ll"]
EMOJI = ["\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466", "\U0001F44D\U0001F3FD", "\u2764\uFE0F",
         "\U0001F1E9\U0001F1EA", "1\uFE0F\u20E3", "\U0001F3F4\U000E0067\U000E0062\U000E007F"]
NUMBERS = ["0", "12", "123", "1234", "1234567", "3.14", "1,000", "\u0663\u0664", "\u00bd", "\u2167", "\u4e09", "\u00b2",
           "\U0001D7D8", "a1b22c333"]
COMBINING = ["e\u0301", "\u00e9", "a\u0323\u0302", "a\u0302\u0323", "\u1112\u1161\u11ab", "\ud55c", "\u0958", "\u212b",
             "\u2126", "\U0001D15E", "q\u0307\u0323", "\u0344", "N\u0067\u0303", "\u1100\u1161\u11a8\u11a9", "\ufb1d"]
# Characters that joined Unicode after version 9 and change what NFC does around them.
LATE_COMBINING = ["a\u07fd\u0301", "a\u035e\u0898\u0334", "\U00011935\U00011930", "q\u035e\u1df6\u0334"]


def assigned():
    assert unicodedata.unidata_version == "14.0.0", "the test names characters of Unicode 14"
    return [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")
            and not 0xE000 <= c <= 0xF8FF and c < 0xF0000]


def decomposed(character):
    parts = unicodedata.normalize("NFD", character)
    return "" if parts == character else parts


def every_character():
    characters = [chr(c) for c in assigned()]
    for begin in range(0, len(characters), BLOCK):
        block = characters[begin:begin + BLOCK]
        yield "".join(f"a{c}b {c}1 {c}\u0301" + decomposed(c) for c in block)


def mixtures(special_tokens, count=400, seed=20261123):
    """Random sequences of the hard parts, special tokens among them."""
    generator = random.Random(seed)
    words = ["Hello", "whole", "wholesome", "caf\u00e9", "cafe\u0301", "stra\u00dfe", "na\u00efve", "\u4f60\u597d", "\u043f\u0440\u0438",
             "x_y", "don", "\u0926\u0947\u0935", "HTTPServer", "...", "!?", "--", "\u00a9", "$5", "<", "|", ">", "#!/usr/bin"]
    runs = [c * n for c in (" ", "\n", "\t", "\r\n", "-", "=", "a", "0") for n in (1, 2, 3, 4, 7, 16, 65)]
    parts = words + WHITE_SPACE + CONTRACTIONS + EMOJI + NUMBERS + COMBINING + LATE_COMBINING + runs + [" "] * 20
    parts += special_tokens * 3
    for _ in range(count):
        yield "".join(generator.choice(parts) for _ in range(generator.randint(1, 60)))


def edges(special_tokens):
    yield from ["", " ", "  ", "\n", "a", " a", "a ", "\ufeff", "\u0301", "\u2581", "\u2581a", " \u2581 ", "\x00", "\x7f"]
    yield " " * 5000 + "x" + "\n" * 5000
    yield "a" * 20000
    yield "ab" * 3000 + " \n" * 3000
    for token in special_tokens:
        yield from [token, token + token, f" {token} ", f"a{token}b", f"{token[:-1]}", f"\n{token}\t{token} x"]
