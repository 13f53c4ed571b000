"""Aligning the sensory memory against sums written out."""

import torch

from lazy_vos_ros.engine.xmem import alignment
from lazy_vos_ros.engine.xmem.alignment import align


def unit(*shape):
    torch.manual_seed(1)
    return torch.nn.functional.normalize(torch.randn(*shape), dim=1)


def written_out(states, remembered, current, sharpness, locality):
    height, width = states.shape[-2:]
    cells = [(r, c) for r in range(height) for c in range(width)]
    out = torch.zeros_like(states)
    for r, c in cells:
        scores = torch.tensor([
            sharpness * float(current[0, :, r, c] @ remembered[0, :, i, j])
            - locality * ((r - i) ** 2 + (c - j) ** 2)
            for i, j in cells
        ])  # fmt: skip
        weights = scores.softmax(0)
        for weight, (i, j) in zip(weights, cells, strict=True):
            out[0, :, :, r, c] += weight * states[0, :, :, i, j]
    return out


def test_against_sums_written_out():
    states, remembered, current = torch.randn(1, 2, 3, 4, 5), unit(1, 6, 4, 5), unit(1, 6, 4, 5)
    sharpness, locality = torch.tensor(7.0), torch.tensor(0.3)
    expected = written_out(states, remembered, current, 7.0, 0.3)
    torch.testing.assert_close(
        align(states, remembered, current, sharpness, locality), expected, atol=1e-5, rtol=1e-4
    )


def test_a_shifted_frame_takes_its_memory_along():
    key = unit(1, 16, 6, 9)
    states = torch.randn(1, 1, 2, 6, 9)
    moved = align(states, key, key.roll((1, 2), (2, 3)), torch.tensor(200.0), torch.tensor(0.1))
    torch.testing.assert_close(
        moved[..., 1:, 2:], states.roll((1, 2), (3, 4))[..., 1:, 2:], atol=1e-3, rtol=0
    )


def test_of_two_look_alikes_the_nearer_one_answers():
    key = torch.zeros(1, 2, 1, 11)
    key[:, 0] = 1
    key[..., [2, 9]] = torch.tensor([0.0, 1.0])[None, :, None, None]
    states = torch.zeros(1, 1, 1, 1, 11)
    states[..., 2] = 1
    read = align(states, key, key.roll(1, 3), torch.tensor(50.0), torch.tensor(0.2))
    assert read[0, 0, 0, 0, 3] > 0.95
    assert read[0, 0, 0, 0, 10] < 0.05


def test_parts_give_the_same_as_the_whole(monkeypatch):
    states, key = torch.randn(2, 1, 3, 5, 5), unit(2, 4, 5, 5)
    options = (torch.tensor(5.0), torch.tensor(0.1))
    whole = align(states, key, key, *options)
    monkeypatch.setattr(alignment, '_WEIGHTS_AT_ONCE', 150)
    torch.testing.assert_close(align(states, key, key, *options), whole)
