import math

import pytest
import torch

from lazy_vos_ros.engine.xmem.aggregation import aggregate


def test_no_object_is_all_background():
    assert torch.equal(aggregate(torch.zeros(0, 2, 3)), torch.ones(1, 2, 3))


def test_one_object_has_the_squared_odds():
    got = aggregate(torch.tensor([0.8]).view(1, 1, 1))
    # Odds 4 against 1/4: the softmax of their logarithms is 16 to 1.
    assert got[1].item() == pytest.approx(16 / 17, abs=1e-6)
    assert got.sum().item() == pytest.approx(1)


def test_hard_masks_never_give_exactly_0_or_nan_in_the_entropy():
    masks = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]).view(2, 1, 3)
    got = aggregate(masks)
    assert got.min() > 0
    assert (got * got.log()).isfinite().all()
    assert got[:, 0, 0].argmax() == 1
    assert got[:, 0, 1].argmax() == 0
    assert got[1:, 0, 2].tolist() == pytest.approx([0.5, 0.5], abs=1e-5)


def test_aggregating_again_sharpens():
    once = aggregate(torch.full((1, 1, 1), 0.7))
    twice = aggregate(once[1:])
    assert twice[1].item() > once[1].item() + 0.1


def test_half_precision_and_batches():
    objects = torch.rand(2, 3, 4, 5)
    got = aggregate(objects.half())
    assert got.dtype == torch.float32
    assert got.shape == (2, 4, 4, 5)
    torch.testing.assert_close(got, aggregate(objects), rtol=0, atol=0.01)
    torch.testing.assert_close(aggregate(objects)[1], aggregate(objects[1]))


def test_two_objects_against_a_direct_computation():
    p = [0.6, 0.3]
    odds = [v / (1 - v) for v in (0.4 * 0.7, *p)]
    want = [v / math.fsum(odds) for v in odds]
    got = aggregate(torch.tensor(p).view(2, 1, 1)).flatten()
    assert got.tolist() == pytest.approx(want, abs=1e-6)
