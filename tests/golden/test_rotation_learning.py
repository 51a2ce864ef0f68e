"""Learned rotations against numpy in float64: dense matrices instead of blocks, the Jacobian of every group written out,
momentum kept in the frame of the inputs instead of the rotation's."""
import os
import pathlib
import subprocess

import numpy as np
import pytest

PROBE = pathlib.Path(os.environ["HEROQ_BIN"]) / "rotation_probe"
STEPS, STEP, MOMENTUM = 12, 0.1, 0.9


def layer(rows, columns, seed):
    generator = np.random.default_rng(seed)
    weight = generator.standard_t(4, (rows, columns)) * 0.03
    inputs = generator.standard_normal((3 * columns, columns)) * np.exp(generator.standard_normal(columns))
    inputs += generator.standard_normal((3 * columns, 2)) @ generator.standard_normal((2, columns))
    return weight, inputs.T @ inputs


def orthogonal(count, block, seed):
    generator = np.random.default_rng(seed)
    return np.stack([np.linalg.qr(generator.standard_normal((block, block)))[0] for _ in range(count)])


def round_group(values, bits, symmetric):
    """Rounded values and their straight-through Jacobian [output, input]."""
    levels = 2**bits - 1
    ends = np.zeros(len(values))
    if symmetric:
        top = np.argmax(np.abs(values))
        scale, zero = 2 * np.abs(values[top]) / levels, 2 ** (bits - 1)
        ends[top] = 2 * np.sign(values[top]) / levels
    else:
        high, low = max(values.max(), 0), min(values.min(), 0)
        scale = (high - low) / levels
        zero = np.rint(-low / scale)
        if high > 0:
            ends[np.argmax(values)] += 1 / levels
        if low < 0:
            ends[np.argmin(values)] -= 1 / levels
    free = np.rint(values / scale * (1 + 1e-6)) + zero
    code = np.clip(free, 0, levels)
    inside = free == code
    by_scale = code - zero - np.where(inside, values / scale, 0)
    return scale * (code - zero), np.diag(inside.astype(float)) + np.outer(by_scale, ends)


class Reference:
    def __init__(self, weight, moments, owner, bits, group, symmetric, metric):
        self.weight, self.owner, self.bits, self.symmetric = weight, owner, bits, symmetric
        self.length = weight.shape[1] if group == -1 else group
        self.metric = moments if metric == "output" else np.diag(np.sqrt(np.diag(moments)))
        self.energy = np.trace(weight @ self.metric @ weight.T)

    def dense(self, rotations):
        block = rotations.shape[1]
        whole = np.zeros((self.weight.shape[1],) * 2)
        for k, rotation in enumerate(self.owner):
            whole[k * block:(k + 1) * block, k * block:(k + 1) * block] = rotations[rotation]
        return whole

    def loss_and_gradient(self, rotations):
        whole = self.dense(rotations)
        loss, by_whole = 0, np.zeros_like(whole)
        for row in self.weight:
            rotated = row @ whole
            rounded, jacobian = np.zeros_like(row), np.zeros_like(whole)
            for begin in range(0, len(row), self.length):
                at = slice(begin, begin + self.length)
                rounded[at], jacobian[at, at] = round_group(rotated[at], self.bits, self.symmetric)
            error = rounded @ whole.T - row
            loss += error @ self.metric @ error
            upstream = 2 * self.metric @ error
            by_whole += np.outer(upstream, rounded) + np.outer(row, jacobian.T @ (whole.T @ upstream))
        gradient, block = np.zeros_like(rotations), rotations.shape[1]
        for k, rotation in enumerate(self.owner):
            gradient[rotation] += by_whole[k * block:(k + 1) * block, k * block:(k + 1) * block]
        return loss / self.energy, gradient / self.energy

    def learn(self, rotations):
        """Losses of all iterates, and the best of them."""
        losses, iterates, block = [], [], rotations.shape[1]
        turns = np.zeros_like(rotations)
        for step in range(STEPS + 1):
            loss, gradient = self.loss_and_gradient(rotations)
            losses.append(loss)
            iterates.append(rotations)
            length, moved = STEP * np.sqrt(block) * (1 - step / STEPS), []
            for k, rotation in enumerate(rotations):
                turns[k] = MOMENTUM * turns[k] - (gradient[k] @ rotation.T - rotation @ gradient[k].T)
                half = turns[k] * length / np.linalg.norm(turns[k]) / 2
                moved.append(np.linalg.inv(np.eye(block) - half) @ (np.eye(block) + half) @ rotation)
            rotations = np.stack(moved)
        return np.array(losses), iterates[int(np.argmin(losses))]


SHARED, OWN, PAIRS = [0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 1, 1]


# Blocks of 8 in 32 inputs: groups that divide blocks, equal them, span two, span all.
@pytest.mark.parametrize("group, symmetric, metric, owner", [
    (4, True, "output", OWN), (4, False, "root-diagonal", SHARED),
    (8, True, "root-diagonal", PAIRS), (8, False, "output", SHARED),
    (16, True, "output", SHARED), (16, False, "root-diagonal", OWN),
    (-1, True, "root-diagonal", OWN), (-1, False, "output", PAIRS)])
def test_loss_gradient_and_learning_equal_numpy(group, symmetric, metric, owner):
    weight, moments = layer(10, 32, seed=group + 2)
    initial = orthogonal(max(owner) + 1, 8, seed=11)
    data = weight.tobytes() + moments.tobytes() + initial.tobytes() + np.array(owner, np.int64).tobytes()
    arguments = [10, 32, 8, len(initial), 3, group, "symmetric" if symmetric else "asymmetric", metric, STEPS]
    out = subprocess.run([PROBE, *map(str, arguments)], input=data, check=True, capture_output=True).stdout
    doubles = np.frombuffer(out[:8 * (1 + initial.size + STEPS + 1)])
    learned = np.frombuffer(out[doubles.nbytes:], np.float32).reshape(initial.shape)

    reference = Reference(weight, moments, owner, 3, group, symmetric, metric)
    loss, gradient = reference.loss_and_gradient(initial)
    assert doubles[0] == pytest.approx(loss, rel=1e-12)
    found = doubles[1:1 + initial.size].reshape(initial.shape)
    np.testing.assert_allclose(found, gradient, rtol=0, atol=1e-11 * np.abs(gradient).max())
    losses, best = reference.learn(initial)
    assert losses.min() < 0.97 * losses[0]
    np.testing.assert_allclose(doubles[1 + initial.size:], losses, rtol=1e-8)
    np.testing.assert_allclose(learned, best, rtol=0, atol=1e-6)
