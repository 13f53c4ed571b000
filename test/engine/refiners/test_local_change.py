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


def test_what_is_added_brings_no_loss_that_touches_it():
    refined = box(10, 20, 10, 40)  # the right part is new, the lower half is gone
    mask = mask_with_clicks(probabilities(BEFORE), logits(refined), [Click(35, 15)])
    assert mask.equal(BEFORE | box(10, 20, 30, 40))


@pytest.mark.parametrize('positive', [True, False])
def test_a_confirming_click_never_loses_its_own_pixel(positive):
    refined = BEFORE.clone()
    refined[20, 20], refined[35, 50] = False, True
    click = Click(20, 20) if positive else Click(50, 35, positive=False)
    mask = mask_with_clicks(probabilities(BEFORE, 0.6), logits(refined, 6.0), [click])
    assert mask.equal(BEFORE)


def test_the_earlier_mask_weighs_more_where_both_are_as_sure():
    refined = logits(REFINED, 2.0)
    mask = mask_with_clicks(probabilities(BEFORE, 0.88), refined, [Click(20, 20)])
    assert mask.equal(BEFORE)  # logit(0.88) is 1.99


@pytest.mark.parametrize('before', [box(30, 40, 0, 20), box(0, 0, 0, 0)])
def test_of_another_object_the_clicked_parts_of_the_refined_mask_are_taken(before):
    refined = box(2, 12, 40, 55) | box(20, 28, 30, 35)
    mask = mask_with_clicks(probabilities(before), logits(refined), [Click(45, 5)])
    assert mask.equal(box(2, 12, 40, 55))


def test_an_overlap_of_a_tenth_is_the_same_object():
    refined = box(10, 30, 26, 46)  # IoU of 80 / 720 with the mask before
    mask = mask_with_clicks(probabilities(BEFORE), logits(refined), [Click(40, 20)])
    assert mask.equal(BEFORE | refined)
    less = box(10, 30, 27, 47)  # 60 / 740
    assert mask_with_clicks(probabilities(BEFORE), logits(less), [Click(40, 20)]).equal(less)


def test_clicks_that_the_network_does_not_follow_take_the_refined_mask():
    clicks = [Click(35, 20), Click(5, 35)]
    mask = mask_with_clicks(probabilities(BEFORE), logits(REFINED), clicks)
    assert mask.equal(box(10, 30, 14, 40))


def test_minus_infinity_outside_a_window_is_no_object():
    refined = logits(REFINED)
    refined[:, 45:] = -torch.inf
    mask = mask_with_clicks(probabilities(BEFORE, 0.6), refined, [Click(20, 20)])
    assert mask.equal(box(10, 30, 14, 40))
