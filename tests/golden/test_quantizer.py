"""Round to nearest against numpy and compressed-tensors; GPTQ against the published algorithm in float64."""
import numpy as np
import pytest
import torch
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward import quantize
from compressed_tensors.quantization.utils import calculate_qparams

from quantizer_runs import expand, layer, long_tailed_weight, output_error, run

DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16}

# Every width with either kind of group, 4 bits with both.
WIDTHS_AND_GROUPS = [(2, 64), (3, -1), (4, 32), (4, -1), (5, 64), (6, -1), (7, 32), (8, -1), (8, 64)]



@pytest.mark.parametrize("bits, group", WIDTHS_AND_GROUPS)
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("search", [True, False])
def test_rtn_codes_equal_float32_numpy_with_the_stored_scales(bits, group, symmetric, search):
    weight = long_tailed_weight(50, 192, bits)
    ours = run("rtn", weight, bits, group, symmetric, search=search)
    middle = np.float32(1 << (bits - 1))
    scale, zero = expand(ours.scales, 192), expand(ours.zeros, 192).astype(np.float32) - middle
    codes = np.rint(np.clip(weight / scale + zero, -middle, middle - 1)) + middle
    np.testing.assert_array_equal(ours.codes, codes.astype(np.uint8))
    np.testing.assert_array_equal(ours.dequantized, scale * (ours.codes - (zero + middle)))


@pytest.mark.parametrize("bits, group", WIDTHS_AND_GROUPS)
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("scale_type", ["bf16", "f16"])
def test_plain_rtn_equals_compressed_tensors(bits, group, symmetric, scale_type):
    weight = long_tailed_weight(50, 192, 100 + bits)
    ours = run("rtn", weight, bits, group, symmetric, scale_type=scale_type, search=False)
    strategy = {"strategy": "channel"} if group == -1 else {"strategy": "group", "group_size": group}
    arguments = QuantizationArgs(num_bits=bits, type="int", symmetric=symmetric, scale_dtype=DTYPES[scale_type], **strategy)
    tensor = torch.from_numpy(weight)
    grouped = tensor.reshape(50, -1, 192 if group == -1 else group)
    scale, zero = calculate_qparams(grouped.amin(-1), grouped.amax(-1), arguments)
    np.testing.assert_array_equal(ours.scales, scale.float().numpy())
    middle = 1 << (bits - 1)
    # The zero point of a group of zeros is the rounding of 0 / 0 there; any will do.
    live = grouped.abs().amax(-1).numpy() > 0
    np.testing.assert_array_equal(ours.zeros[live], (zero.to(torch.int16).numpy() + middle)[live])
    theirs = quantize(tensor, scale.float(), zero, arguments, dtype=torch.int8).to(torch.int16).numpy() + middle
    mask = expand(live, 192)
    np.testing.assert_array_equal(ours.codes[mask], theirs[mask])
    assert np.all(ours.dequantized[~mask] == 0)


def reference_gptq(weight, moments, scales, zeros, bits, damping, act_order):
    """Frantar et al., GPTQ, algorithm 1 in float64 with the grid given, as published: the upper Cholesky factor of the
    inverse of the damped Hessian, one column at a time, the error of each spread over the columns after it. A dead
    column keeps its weights (the reference code zeroes them) and takes part in no update."""
    columns = weight.shape[1]
    hessian = moments.astype(np.float64)
    diagonal = np.diag(hessian)
    order = np.argsort(-diagonal, kind="stable") if act_order else np.arange(columns)
    damped = hessian + damping * diagonal.mean() * np.eye(columns)
    inverse = np.linalg.inv(damped[np.ix_(order, order)])
    upper = np.linalg.cholesky((inverse + inverse.T) / 2).T
    work = weight.astype(np.float64)[:, order]
    scale, zero = expand(scales.astype(np.float64), columns)[:, order], expand(zeros, columns)[:, order].astype(float)
    codes = np.zeros(work.shape)
    for j in range(columns):
        codes[:, j] = np.clip(np.rint(work[:, j] / scale[:, j] + zero[:, j]), 0, 2**bits - 1)
        error = (work[:, j] - scale[:, j] * (codes[:, j] - zero[:, j])) / upper[j, j]
        work[:, j + 1:] -= np.outer(error, upper[j, j + 1:])
    restored = np.zeros(codes.shape, np.uint8)
    restored[:, order] = codes
    return restored


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("group", [32, 64, -1])
@pytest.mark.parametrize("act_order", [True, False])
def test_gptq_equals_the_published_algorithm(bits, symmetric, group, act_order):
    # Rows enough that single codes on a rounding boundary do not decide the loss.
    weight, moments = layer(600, 320, 1500, bits)
    ours = run("gptq", weight, bits, group, symmetric, act_order=act_order, moments=moments, tokens=1500)
    codes = reference_gptq(weight, moments, ours.scales, ours.zeros, bits, 0.01, act_order)
    assert np.mean(ours.codes == codes) >= 0.995
    loss = output_error(weight, moments, ours.scales, ours.zeros, ours.codes)
    assert loss == pytest.approx(output_error(weight, moments, ours.scales, ours.zeros, codes), rel=1e-3)
    assert ours.loss == pytest.approx(loss, rel=1e-3)


@pytest.mark.parametrize("damping", [1e-4, 0.1])
def test_gptq_of_fewer_tokens_than_inputs_equals_the_published_algorithm(damping):
    weight, moments = layer(100, 320, 150, 9)
    ours = run("gptq", weight, 4, 64, False, damping=damping, moments=moments, tokens=150)
    codes = reference_gptq(weight, moments, ours.scales, ours.zeros, 4, damping, True)
    assert np.mean(ours.codes == codes) >= 0.995
    assert ours.loss == pytest.approx(output_error(weight, moments, ours.scales, ours.zeros, codes), rel=1e-3)


def test_scale_search_lowers_the_loss_of_gptq():
    weight, moments = layer(100, 320, 1500, 5)
    plain = run("gptq", weight, 3, 64, False, search=False, moments=moments, tokens=1500)
    assert run("gptq", weight, 3, 64, False, moments=moments, tokens=1500).loss < 0.95 * plain.loss
