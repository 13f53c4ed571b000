from copy import deepcopy
from dataclasses import replace

from lazy_vos_ros.engine.config import PROFILES
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.monitor import ObjectMonitor
from lazy_vos_ros.engine.presence import Sight
from lazy_vos_ros.engine.triggers import Decision

LIVE = PROFILES['live']


def _sight(uncertainty, area=100):
    return Sight(area, False, uncertainty)


def _decisions(monitor, sights, config=LIVE):
    return [monitor.update(sight, config)[1] for sight in sights]


def test_loss_is_due_until_it_is_asked_about():
    monitor = ObjectMonitor(_sight(0.0))
    assert _decisions(monitor, [_sight(0, 0)] * 3) == [Decision.LOST] * 3
    monitor.asked(0.0)
    assert _decisions(monitor, [_sight(0, 0)] * 3) == [Decision.NONE] * 3


def test_loss_asks_nobody_where_there_is_no_user_or_no_rule():
    for config in (replace(LIVE, user_corrections=False), LazyConfig()):
        monitor = ObjectMonitor(_sight(0.0))
        assert _decisions(monitor, [_sight(0, 0)] * 2, config) == [Decision.NONE] * 2


def test_loss_is_settled_by_the_operator_or_by_itself():
    for settle in (
        lambda monitor: monitor.found(_sight(0.0)),
        lambda monitor: monitor.said_gone(),
        lambda monitor: _decisions(monitor, [_sight(0.1)] * 3),
    ):
        monitor = ObjectMonitor(_sight(0.0))
        _decisions(monitor, [_sight(0, 0)])
        settle(monitor)
        assert _decisions(monitor, [_sight(0.1, 50)]) == [Decision.NONE]


def test_absent_object_is_spared_only_where_that_is_wanted():
    monitor = ObjectMonitor(_sight(0.0))
    assert monitor.reason_to_spare(LIVE) == ''
    monitor.said_gone()
    assert 'gone (spare_absent)' in monitor.reason_to_spare(LIVE)
    assert monitor.reason_to_spare(LazyConfig()) == ''


def test_asks_again_only_after_it_has_calmed_down():
    monitor = ObjectMonitor(_sight(0.1))
    monitor.asked(0.6)
    for uncertainty in (0.5, 0.3, 0.3, 0.31, 0.3, 0.3):
        monitor.update(_sight(uncertainty), LIVE)
        assert 'rearm_ratio' in monitor.reason_to_spare(LIVE)
    assert monitor.reason_to_spare(LazyConfig()) == ''  # off in the paper's profile
    monitor.update(_sight(0.3), LIVE)
    assert monitor.reason_to_spare(LIVE) == ''


def test_empty_mask_is_no_calm():
    monitor = ObjectMonitor(_sight(0.1))
    monitor.asked(0.6)
    for _ in range(5):
        monitor.update(_sight(0.0, 0), replace(LIVE, spare_absent=False))
    assert monitor.reason_to_spare(replace(LIVE, spare_absent=False))


def test_likely_absent_object_is_not_clicked_on():
    monitor = ObjectMonitor(_sight(0.0))
    assert monitor.may_correct_itself(LIVE)
    monitor.update(_sight(0.5, 5), LIVE)
    assert not monitor.may_correct_itself(LIVE)
    away = ObjectMonitor(_sight(0.0))
    away.update(_sight(0.0, 0), LazyConfig())
    assert away.may_correct_itself(LazyConfig())
    assert not away.may_correct_itself(LIVE)


def test_copy_goes_its_own_way():
    monitor = ObjectMonitor(_sight(0.0))
    other = deepcopy(monitor)
    monitor.update(_sight(0, 0), LIVE)
    assert monitor.absent
    assert not other.absent
