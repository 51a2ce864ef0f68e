"""Low-rank branches against numpy's singular vectors of W G^(1/2), and residual formats against the numbers of NVFP4."""
import os
import pathlib
import subprocess

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

BIN = pathlib.Path(os.environ["HEROQ_BIN"])


def directions(weight, moment, rank):
    outputs, inputs = weight.shape
    run = subprocess.run([BIN / "low_rank_probe", str(outputs), str(inputs), str(rank)], check=True, capture_output=True,
                         input=np.concatenate([weight.ravel(), moment.ravel()]).tobytes())
    return np.frombuffer(run.stdout).reshape(outputs, rank)


def reference(weight, moment, rank):
    """The truncated SVD of W G^(1/2), taken back by the pseudoinverse of the root, as the paper has it."""
    values, vectors = np.linalg.eigh(moment)
    values = np.where(values > 1e-12 * values.max(), values, 0)
    root = (vectors * np.sqrt(values)) @ vectors.T
    u, s, v = np.linalg.svd(weight @ root)
    inverse = np.divide(1, np.sqrt(values), out=np.zeros_like(values), where=values > 0)
    return (u[:, :rank] * s[:rank]) @ v[:rank] @ (vectors * inverse) @ vectors.T, root


@pytest.mark.parametrize("outputs,inputs,tokens", [(24, 40, 200), (40, 24, 200), (24, 40, 15)])
@pytest.mark.parametrize("rank", [1, 8, 14])
def test_the_branch_is_the_truncated_svd_of_w_root_g(outputs, inputs, tokens, rank):
    rng = np.random.default_rng(outputs + rank)
    weight = rng.standard_normal((outputs, inputs))
    residuals = rng.standard_normal((tokens, inputs)) * np.exp(rng.standard_normal(inputs))
    moment = residuals.T @ residuals  # of rank 15 in the last case: singular
    u = directions(weight, moment, rank)
    branch = u @ (u.T @ weight)
    expected, root = reference(weight, moment, rank)
    # Only what G sees is determined.
    assert np.abs((branch - expected) @ root).max() < 1e-9 * np.abs(weight @ root).max()
    if tokens > inputs:
        assert np.abs(branch - expected).max() < 1e-9 * np.abs(weight).max()


E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])


def nvfp4(x):
    """One 16-element block: nearest of E2M1's values, even codes on ties, scale amax / 6 with four significant bits."""
    scale = np.abs(x).max() / 6
    if scale == 0:
        return x
    unit = 2.0 ** (np.floor(np.log2(scale)) - 3)
    scale = np.round(scale / unit) * unit
    distance = np.abs(np.abs(x / scale)[:, None] - E2M1)
    nearest = np.array([min(range(8), key=lambda code: (row[code], code % 2)) for row in distance])
    return np.sign(x) * E2M1[nearest] * scale


def test_nvfp4_residuals_are_those_of_its_numbers(tmp_path):
    rng = np.random.default_rng(1)
    x = (rng.standard_normal((40, 48)) * np.exp(2 * rng.standard_normal((40, 1)))).astype(np.float32)
    x[3] = 0
    x[4] = np.round(x[4] * 4) / 4
    save_file({"x": torch.from_numpy(x)}, tmp_path / "x")
    subprocess.run([BIN / "activation_probe", "nvfp4", "f32", tmp_path / "x", tmp_path / "q"], check=True)
    expected = np.stack([np.concatenate([nvfp4(row[i:i + 16]) for i in range(0, 48, 16)]) for row in x.astype(np.float64)])
    assert np.allclose(load_file(tmp_path / "q")["q"].numpy(), expected, rtol=1e-6, atol=0)
