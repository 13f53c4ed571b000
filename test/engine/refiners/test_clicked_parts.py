import torch

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners.clicked_parts import clicked_parts


def two_parts():
    mask = torch.zeros(20, 30, dtype=torch.bool)
    mask[2:8, 2:8] = True
    mask[8, 8] = True  # touches the first part by a corner
    mask[12:18, 20:28] = True
    return mask


def test_keeps_the_clicked_part_whole_and_drops_the_other():
    kept = clicked_parts(two_parts(), [Click(4, 4)])
    assert kept[2:8, 2:8].all()
    assert kept[8, 8]
    assert not kept[:, 10:].any()


def test_several_clicks_keep_several_parts():
    mask = two_parts()
    assert clicked_parts(mask, [Click(4, 4), Click(22, 15)]).equal(mask)


def test_without_a_positive_click_inside_all_is_kept():
    mask = two_parts()
    assert clicked_parts(mask, [Click(4, 4, positive=False)]).equal(mask)
    assert clicked_parts(mask, [Click(15, 2)]).equal(mask)
    empty = torch.zeros(4, 4, dtype=torch.bool)
    assert clicked_parts(empty, [Click(1, 1)]).equal(empty)
