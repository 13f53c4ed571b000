import pytest
from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus

from lazy_vos_ros.nodes.operator_desk import OperatorDesk
from lazy_vos_ros.nodes.operator_health import FORGOTTEN_AFTER
from lazy_vos_ros.nodes.operator_health import LONGEST_TEXT
from lazy_vos_ros.nodes.operator_health import MOST_LINES
from lazy_vos_ros.nodes.operator_health import SILENT_AFTER
from lazy_vos_ros.nodes.operator_health import OperatorHealth
from lazy_vos_ros.nodes.operator_view import Level


class World:
    def __init__(self):
        self.now = 100.0
        self.desk = OperatorDesk(None)
        self.health = OperatorHealth(self.desk, lambda: self.now)

    def report(self, *statuses):
        made = [DiagnosticStatus(name=n, level=lv, message=m) for n, lv, m in statuses]
        self.health.take(DiagnosticArray(status=made))

    @property
    def lines(self):
        return [(line.name, line.level, line.message) for line in self.desk.snapshot().health]


@pytest.fixture
def world():
    return World()


def test_the_worst_comes_first(world):
    world.report(
        ('b', DiagnosticStatus.OK, 'well'),
        ('a', DiagnosticStatus.OK, 'well'),
        ('d', DiagnosticStatus.ERROR, 'no image'),
        ('c', DiagnosticStatus.WARN, 'hot'),
        ('e', b'\x09', 'what is this level?'),
    )
    assert [name for name, _, _ in world.lines] == ['d', 'e', 'c', 'a', 'b']


def test_who_does_not_report_any_more_is_silent_then_forgotten(world):
    world.report(('a', DiagnosticStatus.OK, 'well'))
    world.now += SILENT_AFTER + 0.1
    world.health.look()
    assert world.lines == [('a', Level.SILENT, 'no report; before: well')]
    world.report(('a', DiagnosticStatus.OK, 'well'))
    assert world.lines == [('a', Level.OK, 'well')]
    world.now += FORGOTTEN_AFTER
    world.health.look()
    assert world.lines == []


def test_views_are_told_of_changes_only(world):
    world.report(('a', DiagnosticStatus.OK, 'well'))
    version = world.desk.snapshot().version
    world.report(('a', DiagnosticStatus.OK, 'well'))
    assert world.desk.snapshot().version == version
    world.report(('a', DiagnosticStatus.WARN, 'hot'))
    assert world.desk.snapshot().version > version


def test_what_comes_is_bounded(world):
    world.report(*((f'{n:03d}', DiagnosticStatus.OK, 'x' * 500) for n in range(MOST_LINES + 9)))
    assert len(world.lines) == MOST_LINES
    assert {len(message) for _, _, message in world.lines} == {LONGEST_TEXT}
