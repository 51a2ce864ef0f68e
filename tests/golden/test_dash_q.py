"""DASH-Q (arXiv 2604.13806) against an implementation in float64 written from the paper's equations."""
import numpy as np
import pytest

from quantizer_runs import layer, run

SHARES = (1, 0.9, 0.8, 0.7, 0.6, 0.45)  # of the min-max range: where rounds start from
ROUNDS = 9


def assign(w, scale, zero, bits):
    return np.clip(np.rint(w / scale + zero), 0, 2**bits - 1)


def loss_of(w, h, scale, zero, bits):
    return h @ (w - scale * (assign(w, scale, zero, bits) - zero))**2


def fit_offset(w, h, scale, offset, bits, damped):
    """One round of the paper: codes, then s = Cov_h(w, q) / (Var_h(q) + lambda) and z = s mean_h(q) - mean_h(w), w = s q - z."""
    q = assign(w, scale, offset / scale, bits)
    share = h / h.sum()
    mean_q, mean_w = share @ q, share @ w
    variance = share @ (q - mean_q)**2
    if variance == 0:
        return scale, offset
    fitted = share @ ((q - mean_q) * (w - mean_w)) / (variance + (0.01 if damped else 0))
    if fitted <= 0:
        return scale, offset
    step = 0.5 if damped else 1
    return scale + step * (fitted - scale), offset + step * (fitted * mean_q - mean_w - offset)


def fit_scale(w, h, scale, zero, bits, damped):
    """The same with the zero point held: s = sum h (q - z) w / sum h ((q - z)^2 + lambda)."""
    level = assign(w, scale, zero, bits) - zero
    product = h @ (level * w)
    if product <= 0:
        return scale
    fitted = product / (h @ (level**2 + (0.01 if damped else 0)))
    return scale + (0.5 if damped else 1) * (fitted - scale)


def reference(w, h, bits, symmetric, damped):
    """The least loss over starts of rounds with a free offset, then of rounds with each integer zero point beside it."""
    low, high = min(w.min(), 0), max(w.max(), 0)
    middle, top = 2**(bits - 1), 2**bits - 1
    base = max(-low, high) / (top / 2) if symmetric else (high - low) / top
    best = np.inf
    for share in SHARES:
        start = base * share
        candidates = [(start, middle if symmetric else np.clip(np.rint(-low / base), 0, top))]
        if not symmetric:
            scale, offset = start, start * (-low / base)
            for _ in range(ROUNDS):
                scale, offset = fit_offset(w, h, scale, offset, bits, damped)
            zero = offset / scale
            near = np.rint(np.clip(zero, 0, top))
            candidates += [(scale, near), (scale, np.clip(near + (1 if zero > near else -1), 0, top))]
        best = min(best, loss_of(w, h, *candidates[0], bits))
        for scale, zero in candidates:
            for _ in range(ROUNDS):
                scale = fit_scale(w, h, scale, zero, bits, damped)
            best = min(best, loss_of(w, h, scale, zero, bits))
    return best


@pytest.mark.parametrize("method", ["dash-q", "dash-q-damped"])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("bits, group", [(2, 32), (3, -1), (4, 64)])
def test_the_loss_is_that_of_the_paper_s_rounds(method, symmetric, bits, group):
    weight, moments = layer(24, 192, 500, 20 + bits)
    h = np.maximum(np.diag(moments).astype(np.float64), 1e-6 * np.diag(moments).mean())
    ours = run(method, weight, bits, group, symmetric, scale_type="f16", moments=moments, tokens=500)
    length = 192 if group == -1 else group
    expected, found = [], []
    for row in range(3, 24):  # the first three are degenerate: all zero, one sign
        for g in range(192 // length):
            cut = slice(g * length, (g + 1) * length)
            w = weight[row, cut].astype(np.float64)
            expected.append(reference(w, h[cut], bits, symmetric, method == "dash-q-damped"))
            found.append(h[cut] @ (w - ours.dequantized[row, cut])**2)
    ratio = np.array(found) / np.array(expected)
    # Codes on a rounding boundary send float32 and float64 to different local minima, either way.
    assert np.median(ratio) == pytest.approx(1, rel=2e-3)
    assert np.sum(found) == pytest.approx(np.sum(expected), rel=5e-3)


def free_reference(w, h, bits, damped):
    """The least loss over starts of rounds with a free offset, scale and offset as they are."""
    low, high = min(w.min(), 0), max(w.max(), 0)
    base = (high - low) / (2**bits - 1)
    best = loss_of(w, h, base, np.rint(-low / base), bits)  # min-max
    for share in SHARES:
        scale, offset = base * share, base * share * (-low / base)
        best = min(best, loss_of(w, h, scale, offset / scale, bits))
        for _ in range(ROUNDS):
            scale, offset = fit_offset(w, h, scale, offset, bits, damped)
        best = min(best, loss_of(w, h, scale, offset / scale, bits))
    return best


@pytest.mark.parametrize("damped", [False, True])
@pytest.mark.parametrize("bits, group", [(2, 32), (3, -1), (4, 64)])
def test_a_free_offset_is_the_paper_s(damped, bits, group):
    weight, moments = layer(24, 192, 500, 30 + bits)
    h = np.maximum(np.diag(moments).astype(np.float64), 1e-6 * np.diag(moments).mean())
    ours = run("dash-q-offset" + ("-damped" if damped else ""), weight, bits, group, False, moments=moments, tokens=500)
    stored = run("dash-q" + ("-damped" if damped else ""), weight, bits, group, False, moments=moments, tokens=500)
    length = 192 if group == -1 else group
    expected, found, integer = [], [], []
    for row in range(3, 24):
        for g in range(192 // length):
            cut = slice(g * length, (g + 1) * length)
            w = weight[row, cut].astype(np.float64)
            expected.append(free_reference(w, h[cut], bits, damped))
            found.append(h[cut] @ (w - ours.dequantized[row, cut])**2)
            integer.append(h[cut] @ (w - stored.dequantized[row, cut])**2)
    assert np.median(np.array(found) / np.array(expected)) == pytest.approx(1, rel=2e-3)
    assert np.sum(found) == pytest.approx(np.sum(expected), rel=5e-3)
    # What is lost by storing an integer zero point. Damped rounds stop short of their minimum, and the integer search
    # starts from more places.
    if not damped:
        assert np.sum(found) < np.sum(integer)
    assert np.array_equal(ours.dequantized[0], np.zeros(192))


def test_it_needs_fewer_tokens_than_gptq_at_two_bits():
    """The paper's point: from a handful of tokens the diagonal of H is known, its inverse is not."""
    weight, moments = layer(200, 192, 20000, 40)
    generator = np.random.default_rng(41)
    factor = np.linalg.cholesky(moments.astype(np.float64) / 20000 + 1e-9 * np.eye(192))
    few = generator.standard_normal((16, 192)) @ factor.T
    few_moments = (few.T @ few).astype(np.float32)

    def true_loss(method):
        error = run(method, weight, 2, 32, False, moments=few_moments, tokens=16).dequantized - weight
        return np.einsum("ri,ij,rj->", error, moments.astype(np.float64), error)

    assert true_loss("dash-q") < true_loss("gptq")
