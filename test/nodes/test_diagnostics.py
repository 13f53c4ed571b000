from dataclasses import replace

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus

from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.device_memory import DeviceMemory
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.engine.results import Timings
from lazy_vos_ros.nodes.diagnostics import Health
from lazy_vos_ros.nodes.diagnostics import array
from lazy_vos_ros.nodes.diagnostics import judge
from lazy_vos_ros.nodes.diagnostics import report
from lazy_vos_ros.nodes.input_watch import Freshness
from lazy_vos_ros.nodes.measures import Faults
from lazy_vos_ros.nodes.measures import Latency
from lazy_vos_ros.nodes.measures import Rate
from lazy_vos_ros.nodes.session import SessionState

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
PLANE = np.zeros((4, 4), np.float32)
CUP = ObjectState(1, 'cup', 0.25, 0.1, 9, (0, 0, 3, 3), Action.NONE, False)
GONE = ObjectState(2, 'ball', 0.0, 0.0, 0, None, Action.ASKED, True)


class Aged(Rate):
    def __init__(self, age):
        super().__init__()
        self.seconds = age

    @property
    def age(self):
        return self.seconds


def question(stamp):
    return CorrectionRequest(
        'id', 2, 'ball', 3, stamp, stamp, 60.0, 0.5, 0.5, 'why', PLANE, PLANE > 0, PLANE
    )


def health(**changes):
    result = FrameResult(
        7, 9.0, PLANE.astype(np.uint16), PLANE, (CUP, GONE), (), (), True, Timings(0, 0, 0, 0)
    )
    latency = Latency()
    latency.add(0.02)
    state = SessionState(result, MemorySize(48, 16, 100, 4096), (question(4.0),))
    made = Health(
        name='robot/lazy_vos',
        state='active',
        backend='XMem (x.pth)',
        refiner='discs',
        device='cpu',
        device_memory=None,
        received=Aged(0.1),
        freshness=Freshness.FRESH,
        odd_stamps='',
        rivals=(),
        processed=Rate(),
        dropped=3,
        latency=latency,
        session=state,
        buffer_bytes=10,
        operator_present=True,
        faults=Faults(),
        lazy=LazyConfig(tau_u=0.6),
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    ('changes', 'level', 'words'),
    [
        ({'state': 'unconfigured', 'backend': ''}, WARN, 'unconfigured'),
        ({'state': 'inactive'}, OK, 'inactive'),
        (
            {'received': Aged(1.5), 'freshness': Freshness.STALE},
            WARN,
            'no image for 1.5 s',
        ),
        (
            {'received': Aged(5.5), 'freshness': Freshness.LOST},
            ERROR,
            'no image for 5.5 s',
        ),
        ({'freshness': Freshness.RETURNING}, WARN, 'images come again'),
        ({'state': 'inactive', 'freshness': Freshness.LOST}, OK, 'inactive'),
        ({'rivals': ('/left', '/right')}, WARN, '2 publishers of the images'),
        ({'rivals': ('/left', '/right')}, WARN, 'one stream: /left, /right'),
        ({'odd_stamps': 'image stamps repeat'}, WARN, 'image stamps repeat'),
        ({'session': SessionState(scale=0.75)}, WARN, 'works at 75% of its size'),
        (
            {'session': SessionState(first_refused='the click is outside')},
            WARN,
            'the first object could not be added: the click is outside',
        ),
        ({'operator_present': False}, WARN, 'nobody serves request_correction'),
        ({}, OK, 'images per second, 2 objects, 1 open questions, the oldest for 5 s'),
        ({'session': SessionState(), 'operator_present': False}, OK, 'images per second'),
    ],
)
def test_level(changes, level, words):
    judged = judge(health(**changes))
    assert judged[0] == level
    assert words in judged[1]


def test_report():
    faults = Faults()
    faults.note('image is green')
    node, cup, ball = report(health(faults=faults))
    assert node.name == 'robot/lazy_vos: tracker'
    assert node.hardware_id.endswith(' cpu')
    values = {item.key: item.value for item in node.values}
    assert values['weights'] == 'XMem (x.pth)'
    assert values['images dropped'] == '3'
    assert values['latency p50 (ms)'] == '20.0'
    assert (values['memory elements, working'], values['memory bytes']) == ('48', '4096')
    assert values['first object refused'] == 'no'
    assert (values['open questions'], values['oldest question (s)']) == ('1', '5.0')
    assert (values['faults'], values['last fault']) == ('1', 'image is green')
    assert values['faults: image is green'] == '1'
    assert (cup.level, cup.message) == (OK, 'S_R 0.25')
    assert (ball.level, ball.message) == (WARN, 'not in the image, waits for an answer')
    assert ball.name == 'robot/lazy_vos: object 2 (ball)'


def test_nothing_known_yet():
    (node,) = report(health(session=SessionState(), backend='', latency=Latency()))
    values = {item.key: item.value for item in node.values}
    assert (values['weights'], values['memory bytes'], values['objects']) == ('none', '0', '0')
    message = array([node], Time(sec=5))
    assert (message.header.stamp.sec, len(message.status)) == (5, 1)


def test_thresholds_are_told():
    tracker, *_ = report(health())
    values = {item.key: item.value for item in tracker.values}
    assert (values['tau_u'], values['tau_p'], values['trigger']) == ('0.6', '0.2', 'derivative')
    assert values['user_corrections'] == 'True'


def test_the_age_of_each_question_is_told_where_it_is_open():
    _, cup, ball = report(health())
    values = [{item.key: item.value for item in status.values} for status in (cup, ball)]
    assert [item['question age (s)'] for item in values] == ['', '5.0']


def test_an_object_that_is_absent_is_not_in_the_image_though_some_pixels_are_left():
    state = health().session
    gone = replace(state.result, objects=(replace(CUP, absent=True),))
    _, cup = report(health(session=replace(state, result=gone, questions=())))
    assert (cup.level, cup.message) == (OK, 'not in the image')


def test_memory_of_an_accelerator():
    mebibyte = 2**20
    told = DeviceMemory(100 * mebibyte, 900 * mebibyte, 2000 * mebibyte)
    tracker, *_ = report(health(device_memory=told))
    values = {item.key: item.value for item in tracker.values}
    assert values['accelerator memory, this process (MiB)'] == '100'
    assert values['accelerator memory, free (MiB)'] == '900'
    assert values['accelerator memory, all (MiB)'] == '2000'
