import numpy as np
import pytest

from lazy_vos_ros.engine.config import PROFILES
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.presence import Presence
from lazy_vos_ros.engine.presence import Sight
from lazy_vos_ros.engine.presence import Whereabouts
from lazy_vos_ros.engine.presence import sight_of

LIVE = PROFILES['live']
LOST, AWAY = Whereabouts.LOST, Whereabouts.AWAY
PRESENT, GONE = Whereabouts.PRESENT, Whereabouts.GONE


def _inside(area, uncertainty=0.1):
    return Sight(area, False, uncertainty)


def _follow(presence, areas, config=LIVE):
    for area in areas:
        presence.update(_inside(area), config)
    return presence.whereabouts


@pytest.mark.parametrize(
    ('rows', 'columns', 'border'),
    [
        (slice(1, 3), slice(1, 3), False),
        (slice(0, 2), slice(1, 3), True),
        (slice(2, 4), slice(1, 3), True),
        (slice(1, 3), slice(0, 2), True),
        (slice(1, 3), slice(3, 5), True),
    ],
)
def test_sight_of_a_mask(rows, columns, border):
    mask = np.zeros((4, 5), bool)
    mask[rows, columns] = True
    assert sight_of(mask, 0.5) == Sight(4, border, 0.5)


@pytest.mark.parametrize('areas', [[0], [100, 100, 9], [90, 60, 30, 0], [100] * 30 + [0]])
def test_mask_that_collapses_inside_the_image_is_lost(areas):
    assert _follow(Presence(_inside(100)), areas) is LOST


@pytest.mark.parametrize('areas', [[100, 11], [50, 200, 30], [80] * 20])
def test_mask_that_only_changes_is_present(areas):
    assert _follow(Presence(_inside(100)), areas) is PRESENT


def test_leaving_through_the_border_is_not_lost():
    presence = Presence(_inside(100))
    presence.update(Sight(60, True, 0.1), LIVE)
    presence.update(_inside(0), LIVE)
    assert presence.whereabouts is AWAY


def test_dwindling_is_not_lost():
    areas = [max(0, 100 - index) for index in range(120)]
    assert _follow(Presence(_inside(100)), areas) is AWAY


def test_mask_that_was_never_sure_is_not_lost():
    presence = Presence(_inside(0))
    for _ in range(5):
        presence.update(_inside(100, uncertainty=0.9), LIVE)
    presence.update(_inside(0), LIVE)
    assert presence.whereabouts is AWAY


def test_without_the_rule_nothing_is_lost():
    assert _follow(Presence(_inside(100)), [0], LazyConfig()) is AWAY
    assert _follow(Presence(_inside(100)), [1], LazyConfig()) is PRESENT


@pytest.mark.parametrize('start', [LOST, GONE])
def test_recovers_after_some_sure_frames_in_a_row(start):
    presence = Presence(_inside(100))
    if start is GONE:
        presence.gone()
    else:
        _follow(presence, [0])
    assert presence.whereabouts is start
    assert _follow(presence, [30, 30, 24, 30, 30]) is start  # 24 is too small
    presence.update(_inside(90, uncertainty=0.9), LIVE)  # and this is not sure
    assert _follow(presence, [90, 90]) is start
    changed = presence.update(_inside(90), LIVE)
    assert changed
    assert presence.whereabouts is PRESENT


def test_what_the_operator_shows_is_present_and_can_be_lost_again():
    presence = Presence(_inside(100))
    _follow(presence, [0])
    presence.found(_inside(40))
    assert presence.whereabouts is PRESENT
    assert _follow(presence, [38, 3]) is LOST
