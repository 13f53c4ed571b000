from dataclasses import replace

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from lazy_vos_msgs.msg import Click as ClickMessage
from lazy_vos_msgs.msg import CorrectionEvent as EventMessage
from lazy_vos_msgs.srv import RequestCorrection
from std_msgs.msg import Header

from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.engine.results import Timings
from lazy_vos_ros.nodes import messages
from lazy_vos_ros.nodes.images import bridge

HEADER = Header(stamp=Time(sec=7, nanosec=9), frame_id='lens')
STATE = ObjectState(3, 'cup', 0.25, -0.5, 12, (1, 2, 3, 4), Action.PSEUDO, True, absent=True)
LABELS = np.array([[0, 3], [3, 0]], np.uint16)
RESULT = FrameResult(
    frame_index=5,
    stamp=0.5,
    labels=LABELS,
    entropy=np.full((2, 2), 0.25, np.float32),
    objects=(STATE, replace(STATE, object_id=4, box=None, area=0)),
    requests=(),
    events=(),
    memorised=True,
    timings=Timings(0.1, 0.02, 0.003, 0.004),
)
CODES = RequestCorrection.Response


@pytest.mark.parametrize(
    ('code', 'clicks'),
    [(CODES.CLICK, 0), (CODES.SKIP, 1), (CODES.ABSENT, 1), (3, 0), (255, 1)],
)
def test_answers_must_make_sense(code, clicks):
    with pytest.raises(ValueError, match=f'answer is {code} with {clicks} clicks; allowed'):
        messages.answer_from(code, [ClickMessage()] * clicks)


def test_a_click_that_is_no_place_is_refused():
    with pytest.raises(ValueError, match='finite'):
        messages.answer_from(CODES.CLICK, [ClickMessage(x=float('nan'))])


@pytest.mark.parametrize(
    ('answer', 'back'),
    [
        (Skip(), Skip()),
        (Absent(), Absent()),
        (Click(3.5, 4.25, False), (Click(3.5, 4.25, False),)),
        ((Click(1, 2), Click(3, 4, False)), (Click(1, 2), Click(3, 4, False))),
    ],
)
def test_answers_there_and_back(answer, back):
    response = messages.response_from(answer, 'words')
    assert response.message == 'words'
    assert messages.answer_from(response.answer, response.clicks) == back


def test_every_kind_and_action_has_its_own_number():
    assert len(set(messages.EVENT_KINDS.values())) == len(EventKind) == 16
    assert messages.EVENT_KINDS[EventKind.EXPIRED] == EventMessage.EXPIRED
    assert sorted(messages.ACTIONS.values()) == [0, 1, 2, 3, 4]


def test_masks_take_sixteen_bits_only_where_they_must():
    narrow = messages.mask_message(LABELS, HEADER)
    assert (narrow.encoding, narrow.header) == ('mono8', HEADER)
    np.testing.assert_array_equal(bridge().imgmsg_to_cv2(narrow), LABELS)
    wide = messages.mask_message(LABELS * 100, HEADER)
    assert wide.encoding == 'mono16'
    np.testing.assert_array_equal(bridge().imgmsg_to_cv2(wide), LABELS * 100)


def test_state():
    memory = MemorySize(10, 20, 100, 4000)
    state = messages.state_message(RESULT, HEADER, memory, dropped=6, latency=0.05)
    assert state.header == HEADER
    assert (state.frame_index, state.dropped, state.memorised) == (5, 6, True)
    assert (state.working_memory, state.long_term_memory) == (10, 20)
    assert state.mean_entropy == pytest.approx(0.25)
    times = (state.predict_ms, state.lazy_ms, state.refine_ms, state.commit_ms, state.latency_ms)
    assert times == pytest.approx((100, 20, 3, 4, 50))
    first, second = state.objects
    assert (first.id, first.label, first.area, first.action) == (3, 'cup', 12, 2)
    assert (first.uncertainty, first.derivative, first.question_open) == (0.25, -0.5, True)
    box = first.box
    assert (box.x_offset, box.y_offset, box.width, box.height) == (1, 2, 3, 4)
    assert second.box.width == second.area == 0


def test_event():
    event = CorrectionEvent(
        EventKind.ANSWERED, 3, 5, 0.5, 0.9, 'id', (Click(1, 2),), 0.7, 0.6, 'why'
    )
    made = messages.event_message(event, HEADER, Time(sec=8), Time(sec=9))
    assert (made.kind, made.object_id, made.frame_index) == (EventMessage.ANSWERED, 3, 5)
    assert (made.request_id, made.reason) == ('id', 'why')
    assert made.clicks == [ClickMessage(x=1.0, y=2.0, positive=True)]
    assert (made.applied_stamp.sec, made.time.sec) == (8, 9)
    assert (made.uncertainty, made.derivative) == pytest.approx((0.7, 0.6))


@pytest.mark.parametrize(('expires', 'seconds'), [(10.5, 10), (0.0, 0), (float('inf'), 2**31 - 1)])
def test_question(expires, seconds):
    request = CorrectionRequest(
        'id',
        3,
        'cup',
        5,
        0.25,
        0.5,
        expires,
        0.7,
        0.6,
        'unsure',
        image=np.full((2, 2, 3), 9, np.uint8),
        mask=LABELS > 0,
        entropy=RESULT.entropy,
    )
    asked = Time(sec=9, nanosec=8)
    made = messages.question_message(request, HEADER, '/robot/lazy_vos', asked)
    assert (made.tracker, made.asked) == ('/robot/lazy_vos', asked)
    assert (made.request_id, made.object_id, made.label, made.reason) == ('id', 3, 'cup', 'unsure')
    assert made.timeout.sec == seconds
    encodings = [item.encoding for item in (made.image, made.mask, made.entropy)]
    assert encodings == ['rgb8', 'mono8', '32FC1']
    assert made.header == made.image.header == made.mask.header == HEADER
    assert bridge().imgmsg_to_cv2(made.mask).tolist() == [[0, 255], [255, 0]]
