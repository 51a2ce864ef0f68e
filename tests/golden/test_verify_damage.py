"""One hundred ways to damage a published checkpoint; `heroq verify` must find and name every one.

Each case says what is damaged and which finding must name which tensor or file: with MANIFEST.json, without it when the
damage breaks the structure, and against the source when it breaks values."""
import os
import pathlib
import random
import subprocess

import pytest

import damage_cases
import tiny_llama
from damage import Checkpoint
from verification import assert_found, verify

BIN = pathlib.Path(os.environ["HEROQ_BIN"])
CASES = damage_cases.all_cases()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The source and its checkpoint: 4 bits, asymmetric, groups of 32, several shards."""
    root = tmp_path_factory.mktemp("published")
    model = tiny_llama.write_model(root / "model", hidden_size=64, intermediate_size=96, num_hidden_layers=2,
                                   tie_word_embeddings=False)
    subprocess.run([BIN / "publish_checkpoint", model, root / "out", root / "expected", "4", "32", "asymmetric", "60000"],
                   check=True)
    return model, root / "out"


def test_there_are_one_hundred_cases():
    assert len(CASES) >= 100
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_undamaged_checkpoint_has_no_findings(published, tmp_path):
    model, out = published
    assert verify(out)[:2] == (0, [])
    code, findings, errors = verify(out, model)
    assert (code, findings, len(errors)) == (0, [], 14)
    copy = Checkpoint(out, tmp_path / "copy")
    copy.file("MANIFEST.json").unlink()
    assert verify(copy.directory, model)[:2] == (0, [])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_damage_is_found_and_named(published, tmp_path, case):
    model, out = published
    checkpoint = Checkpoint(out, tmp_path / "damaged")
    def resolved(finding):
        return finding and (finding[0], finding[1](checkpoint) if callable(finding[1]) else finding[1])
    with_manifest, structure = resolved(case.with_manifest), resolved(case.structure)
    case.damage(checkpoint, random.Random(case.name))
    assert_found(checkpoint.directory, *with_manifest)
    checkpoint.file("MANIFEST.json").unlink()
    if structure:
        assert_found(checkpoint.directory, *structure)
    if case.against_source:
        assert_found(checkpoint.directory, *case.against_source, source=model)
