"""Token ids of heroq against the `tokenizers` library: real text, every character of Unicode 14, and hard mixtures."""
import glob
import os
import pathlib
import subprocess

import pytest

import tokenizer_recipes
import unicode_torture
from token_ids import assert_same_ids, heroq_ids

SOURCE = pathlib.Path(os.environ["HEROQ_SOURCE"])
KINDS = ["smollm2", "llama3", "qwen2", "llama2", "mistral"]


@pytest.fixture(scope="session")
def manual():
    files = sorted({os.path.realpath(name) for name in glob.glob("/usr/share/perl/5.*/pod/*.pod")})
    assert len(files) > 100, "apt-get install perl-doc"
    return [pathlib.Path(name).read_text(encoding="utf-8", errors="replace") for name in files]


@pytest.fixture(scope="session")
def tokenizers(manual):
    folder = subprocess.run([SOURCE / "deploy/demo/prepare.sh"], capture_output=True, text=True, check=True).stdout
    lines = [line for text in manual[::12] for line in text.splitlines()]
    made = {kind: getattr(tokenizer_recipes, kind)(lines) for kind in KINDS if kind != "smollm2"}
    made["smollm2"] = tokenizer_recipes.smollm2(pathlib.Path(folder.strip()) / "model")
    return made


def special_tokens(tokenizer):
    return [token.content for token in tokenizer.get_added_tokens_decoder().values()][:20]


@pytest.mark.parametrize("kind", KINDS)
def test_ids_of_the_perl_manual_are_those_of_the_library(kind, tokenizers, manual, tmp_path):
    assert_same_ids(tokenizers[kind], manual, True, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_of_every_character_are_those_of_the_library(kind, tokenizers, tmp_path):
    assert_same_ids(tokenizers[kind], list(unicode_torture.every_character()), True, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("add_special_tokens", [False, True])
def test_ids_of_hard_texts_are_those_of_the_library(kind, add_special_tokens, tokenizers, tmp_path):
    tokenizer = tokenizers[kind]
    special = special_tokens(tokenizer)
    documents = list(unicode_torture.mixtures(special)) + list(unicode_torture.edges(special))
    assert_same_ids(tokenizer, documents, add_special_tokens, tmp_path)


def test_truncation_and_padding_of_the_file_are_left_aside(tokenizers, manual, tmp_path):
    limited = tokenizers["llama3"].from_str(tokenizers["llama3"].to_str())
    limited.enable_truncation(max_length=8)
    limited.enable_padding(length=16)
    ids = heroq_ids(limited, manual[:3], True, tmp_path)
    assert [len(i) for i in ids] == [len(e.ids) for e in tokenizers["llama3"].encode_batch_fast(manual[:3])]
