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


def _decisions(monitor, sights, config=LIVE, frame=1):
    return [monitor.update(sight, config, frame)[1] for sight in sights]


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
        lambda monitor: monitor.found(_sight(0.0), 1),
        lambda monitor: monitor.said_gone(1),
        lambda monitor: _decisions(monitor, [_sight(0.1)] * 3),
    ):
        monitor = ObjectMonitor(_sight(0.0))
        _decisions(monitor, [_sight(0, 0)])
        settle(monitor)
        assert _decisions(monitor, [_sight(0.1, 50)]) == [Decision.NONE]


def test_absent_object_is_spared_only_where_that_is_wanted():
    monitor = ObjectMonitor(_sight(0.0))
    assert monitor.reason_to_spare(LIVE) == ''
    monitor.said_gone(1)
    assert 'gone (spare_absent)' in monitor.reason_to_spare(LIVE)
    assert monitor.reason_to_spare(LazyConfig()) == ''


def test_asks_again_only_after_it_has_calmed_down():
    monitor = ObjectMonitor(_sight(0.1))
    monitor.asked(0.6)
    for uncertainty in (0.5, 0.3, 0.3, 0.31, 0.3, 0.3):
        monitor.update(_sight(uncertainty), LIVE, 1)
        assert 'rearm_ratio' in monitor.reason_to_spare(LIVE)
    assert monitor.reason_to_spare(LazyConfig()) == ''  # off in the paper's profile
    monitor.update(_sight(0.3), LIVE, 1)
    assert monitor.reason_to_spare(LIVE) == ''


def test_empty_mask_is_no_calm():
    monitor = ObjectMonitor(_sight(0.1))
    monitor.asked(0.6)
    for _ in range(5):
        monitor.update(_sight(0.0, 0), replace(LIVE, spare_absent=False), 1)
    assert monitor.reason_to_spare(replace(LIVE, spare_absent=False))


def test_likely_absent_object_is_not_clicked_on():
    monitor = ObjectMonitor(_sight(0.0))
    assert monitor.may_correct_itself(LIVE)
    monitor.update(_sight(0.5, 5), LIVE, 1)
    assert not monitor.may_correct_itself(LIVE)
    away = ObjectMonitor(_sight(0.0))
    away.update(_sight(0.0, 0), LazyConfig(), 1)
    assert away.may_correct_itself(LazyConfig())
    assert not away.may_correct_itself(LIVE)


def test_copy_goes_its_own_way():
    monitor = ObjectMonitor(_sight(0.0))
    other = deepcopy(monitor)
    monitor.update(_sight(0, 0), LIVE, 1)
    assert monitor.absent
    assert not other.absent


def test_newer_knowledge_of_the_whereabouts_stands():
    monitor = ObjectMonitor(_sight(0.0))
    monitor.said_gone(7)
    monitor.found(_sight(0.0), 6)
    assert monitor.gone
    monitor.found(_sight(0.0), 7)
    assert not monitor.absent
    monitor.update(_sight(0, 0), LIVE, 9)
    monitor.found(_sight(0.0), 8)
    assert monitor.absent
    monitor.said_gone(8)  # which is why it is lost
    assert monitor.gone
    monitor.found(_sight(0.0), 8)
    assert monitor.gone
    other = monitor.copy()
    _decisions(other, [_sight(0.1)] * 3, frame=12)
    other.said_gone(11)
    assert not other.absent
    _decisions(other, [_sight(0, 0)], frame=15)
    other.said_gone(11)
    assert (other.absent, other.gone) == (True, False)
    other.said_gone(12)
    assert other.gone
    assert monitor.gone


def test_loss_is_not_due_while_the_object_is_seen_again():
    monitor = ObjectMonitor(_sight(0.0))
    sights = [_sight(0, 0), _sight(0.1), _sight(0, 0), _sight(0.1), _sight(0.1), _sight(0.1)]
    lost, none = Decision.LOST, Decision.NONE
    assert _decisions(monitor, sights) == [lost, none, lost, none, none, none]
