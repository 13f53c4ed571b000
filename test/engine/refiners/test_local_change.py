"""Clicks on a mask that was there before."""

import pytest
import torch

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners.local_change import mask_with_clicks


def box(top, bottom, left, right):
    mask = torch.zeros(40, 60, dtype=torch.bool)
    mask[top:bottom, left:right] = True
    return mask


def probabilities(mask, sure=0.95):
    return torch.where(mask, sure, 1 - sure)


def logits(mask, size=3.0):
    return torch.where(mask, size, -size)


BEFORE = box(10, 30, 10, 30)
"""Of the object, its right part is missing."""
REFINED = box(10, 30, 14, 40) | box(2, 6, 50, 58)
"""It has the right part, lacks some on the left, and found something elsewhere."""


def test_a_positive_click_adds_the_missing_part_and_nothing_else():
    mask = mask_with_clicks(probabilities(BEFORE), logits(REFINED), [Click(35, 20)])
    assert mask.equal(box(10, 30, 10, 40))


def test_a_negative_click_takes_away_the_part_it_lies_on():
    click = Click(11, 20, positive=False)
    mask = mask_with_clicks(probabilities(BEFORE), logits(REFINED), [click])
    assert mask.equal(box(10, 30, 14, 30))


def test_several_clicks_make_several_changes():
    clicks = [Click(35, 20), Click(11, 20, positive=False), Click(20, 20)]
    mask = mask_with_clicks(probabilities(BEFORE), logits(REFINED), clicks)
    assert mask.equal(box(10, 30, 14, 40))


@pytest.mark.parametrize(('sure', 'size', 'changes'), [(0.999, 1.0, False), (0.55, 3.0, True)])
def test_a_click_that_confirms_weighs_the_two_by_how_sure_they_are(sure, size, changes):
    mask = mask_with_clicks(probabilities(BEFORE, sure), logits(REFINED, size), [Click(20, 20)])
    assert mask.equal(REFINED if changes else BEFORE)


def test_masks_with_nothing_in_common_are_not_mixed():
    other = box(2, 12, 40, 55)
    assert mask_with_clicks(probabilities(BEFORE), logits(other), [Click(45, 5)]).equal(other)
    empty = torch.zeros(40, 60)
    assert mask_with_clicks(empty, logits(other), [Click(45, 5)]).equal(other)


def test_a_click_that_the_network_does_not_follow_takes_the_refined_mask():
    mask = mask_with_clicks(probabilities(BEFORE), logits(REFINED), [Click(5, 35)])
    assert mask.equal(REFINED)


def test_minus_infinity_outside_a_window_is_no_object():
    refined = logits(REFINED)
    refined[:, 45:] = -torch.inf
    mask = mask_with_clicks(probabilities(BEFORE, 0.6), refined, [Click(20, 20)])
    assert not mask[:, 45:].any()
    assert mask.equal(box(10, 30, 14, 40))
