import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.substitution import substitute
from lazy_vos_ros.engine.substitution import without_overlaps
from lazy_vos_ros.engine.xmem.aggregation import aggregate


def _mask(*pixels, score=0.5):
    return RefinedMask(torch.tensor([pixels], dtype=torch.bool), score)


def test_higher_score_wins_the_overlap():
    masks = {1: _mask(1, 1, 0, score=0.3), 2: _mask(0, 1, 1, score=0.9)}
    exclusive = without_overlaps(masks)
    assert exclusive[1].tolist() == [[True, False, False]]
    assert exclusive[2].tolist() == [[False, True, True]]


def test_equal_scores_leave_the_overlap_to_the_lower_id():
    exclusive = without_overlaps({5: _mask(1, 1, 0), 2: _mask(0, 1, 1)})
    assert exclusive[2].tolist() == [[False, True, True]]
    assert exclusive[5].tolist() == [[True, False, False]]


def test_three_masks_on_one_pixel():
    masks = {1: _mask(1, score=0.1), 2: _mask(1, score=0.3), 3: _mask(1, score=0.2)}
    assert {key: value.item() for key, value in without_overlaps(masks).items()} == {
        1: False,
        2: True,
        3: False,
    }


def test_refined_wins_over_a_sure_object_that_is_not_refined():
    objects = torch.tensor([[[1.0, 1.0]], [[0.0, 0.0]]])
    probabilities = substitute(objects, (3, 8), {8: _mask(1, 0)})
    assert probabilities.argmax(0).tolist() == [[2, 1]]
    assert probabilities[2, 0, 0] > 0.999


def test_pixels_given_up_by_the_refined_mask_become_background():
    probabilities = substitute(torch.tensor([[[0.9, 0.9]]]), (1,), {1: _mask(1, 0)})
    assert probabilities.argmax(0).tolist() == [[1, 0]]


def test_objects_without_a_correction_keep_soft_probabilities_elsewhere():
    objects = torch.tensor([[[0.3, 0.6]], [[0.0, 0.0]]])
    probabilities = substitute(objects, (1, 2), {2: _mask(1, 0)})
    expected = aggregate(torch.tensor([[[0.0, 0.6]], [[1.0, 0.0]]]))
    torch.testing.assert_close(probabilities, expected)
    assert 0.5 < probabilities[1, 0, 1] < 0.9


def test_input_is_left_alone():
    objects = torch.tensor([[[0.3, 0.6]]])
    substitute(objects, (1,), {1: _mask(1, 1)})
    torch.testing.assert_close(objects, torch.tensor([[[0.3, 0.6]]]))


def test_empty_mask_removes_the_object_from_the_frame():
    probabilities = substitute(torch.tensor([[[0.9, 0.9]]]), (4,), {4: _mask(0, 0)})
    assert probabilities.argmax(0).tolist() == [[0, 0]]


def test_unknown_object_is_named():
    with pytest.raises(ValueError, match=r'\[9\].*allowed: \[1, 2\]'):
        substitute(torch.zeros(2, 1, 1), (1, 2), {9: _mask(1)})


@given(st.integers(1, 5), st.integers(0, 2**31))
def test_channels_sum_to_1_and_refined_pixels_are_won(objects, seed):
    generator = torch.Generator().manual_seed(seed)
    ids = tuple(range(10, 10 + objects))
    predicted = torch.rand(objects, 6, 7, generator=generator)
    masks = {
        object_id: RefinedMask(torch.rand(6, 7, generator=generator) > 0.6, index / 10)
        for index, object_id in enumerate(ids[::2])
    }
    probabilities = substitute(predicted, ids, masks)
    assert probabilities.shape == (objects + 1, 6, 7)
    torch.testing.assert_close(probabilities.sum(0), torch.ones(6, 7))
    winners = probabilities.argmax(0)
    for object_id, mask in without_overlaps(masks).items():
        assert bool((winners[mask] == 1 + ids.index(object_id)).all())
