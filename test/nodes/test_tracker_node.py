"""The tracker node in a process of its own."""

import signal
from array import array
from itertools import groupby
from time import monotonic
from time import time

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from lazy_vos_msgs.msg import Click
from lazy_vos_msgs.msg import CorrectionEvent
from lazy_vos_msgs.msg import TrackingState
from lazy_vos_msgs.srv import AddObject
from lazy_vos_msgs.srv import Correct
from lazy_vos_msgs.srv import PreviewCorrection
from lazy_vos_msgs.srv import RemoveObject
from lazy_vos_msgs.srv import RequestCorrection
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from lifecycle_msgs.srv import GetState
from rcl_interfaces.msg import Parameter
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.msg import ParameterValue
from rcl_interfaces.srv import DescribeParameters
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from lazy_vos_ros.nodes.images import bridge
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.parameters_yaml import yaml_text
from lazy_vos_ros.nodes.qos import BURST
from lazy_vos_ros.nodes.qos import EVENTS

TRACKER = 'small_tracker.py'
ASK_ALWAYS = {'trigger': 'level', 'tau_u': 0.0, 'tau_p': 0.0}


class Outputs:
    """Everything that the tracker publishes."""

    def __init__(self, graph):
        self.graph = graph
        self.masks = graph.collect(Image, 'lazy_vos/mask')
        self.entropies = graph.collect(Image, 'lazy_vos/entropy')
        self.states = graph.collect(TrackingState, 'lazy_vos/tracking_state')
        self.events = graph.collect(CorrectionEvent, 'lazy_vos/correction_event', EVENTS)

    def run(self, camera, count=1, **changes):
        """Publish images, each when the one before was processed; return their states."""
        found = []
        for _ in range(count):
            stamp = camera.publish(**changes).header.stamp
            found += self._until_all(stamp)
        return found

    def _until_all(self, stamp):
        outputs = (self.masks, self.entropies, self.states)
        self.graph.until(
            lambda: all(any(m.header.stamp == stamp for m in tuple(found)) for found in outputs),
            f'the image of {stamp} is processed',
        )
        return [state for state in self.states if state.header.stamp == stamp]

    def kinds(self):
        return [event.kind for event in self.events]


@pytest.fixture
def outputs(graph):
    return Outputs(graph)


@pytest.fixture
def started(graph, camera, outputs):
    """Return a tracker that has seen the first image and tracks the square in it."""
    tracker = graph.start(TRACKER)
    camera.connect()
    graph.until(lambda: matched(outputs), 'the outputs are matched')
    outputs.run(camera)
    added = add_square(graph, camera)
    assert added.success, added.message
    assert added.object_id == 1
    graph.until(lambda: outputs.events and len(outputs.masks) == 2, 'the object is shown')
    return tracker


def matched(outputs):
    topics = ('mask', 'entropy', 'tracking_state', 'correction_event')
    return all(outputs.graph.node.count_publishers(f'lazy_vos/{topic}') for topic in topics)


def add_square(graph, camera, **fields):
    mask = image_message(camera.mask().astype(np.uint8), 'mono8', Header())
    return graph.call(AddObject, 'lazy_vos/add_object', mask=mask, **fields)


def change_state(graph, transition):
    return graph.call(
        ChangeState, 'lazy_vos/change_state', transition=Transition(id=transition)
    ).success


def state_of(graph):
    return graph.call(GetState, 'lazy_vos/get_state').current_state.label


def set_parameters(graph, **values):
    given = [Parameter(name=name, value=parameter_value(v)) for name, v in values.items()]
    return graph.call(
        SetParametersAtomically, 'lazy_vos/set_parameters_atomically', parameters=given
    ).result


def parameter_value(value):
    if isinstance(value, bool):
        return ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=value)
    if isinstance(value, int):
        return ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=value)
    if isinstance(value, float):
        return ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
    return ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)


class LateOperator:
    """Serves request_correction; answers when the test says so."""

    def __init__(self, graph):
        self.graph = graph
        self.requests = []
        self.answers = {}
        self.service = graph.node.create_service(
            RequestCorrection,
            'request_correction',
            self._serve,
            callback_group=ReentrantCallbackGroup(),
        )

    async def _serve(self, request, response):
        self.answers[request.request_id] = Future()
        with self.graph.changed:
            self.requests.append(request)
            self.graph.changed.notify_all()
        return await self.answers[request.request_id]

    def answer(self, request, response):
        future = self.answers[request.request_id]
        self.graph.executor.create_task(future.set_result, response)

    def leave(self):
        self.graph.node.destroy_service(self.service)


def test_services_refuse_what_makes_no_sense_and_the_node_goes_on(graph, camera, outputs):
    graph.start(TRACKER)
    camera.connect()
    graph.until(lambda: matched(outputs), 'the outputs are matched')

    empty = graph.call(AddObject, 'lazy_vos/add_object', clicks=[Click(x=1.0, positive=True)])
    assert not empty.success
    assert 'no image has come yet' in empty.message
    outputs.run(camera)

    def add(**fields):
        response = graph.call(AddObject, 'lazy_vos/add_object', **fields)
        assert not response.success
        assert response.object_id == 0
        return response.message

    assert 'neither of clicks and mask' in add()
    assert 'click is at (500, 5); allowed: inside' in add(
        clicks=[Click(x=500.0, y=5.0, positive=True)]
    )
    assert 'only negative' in add(clicks=[Click(x=5.0, y=5.0)])
    assert 'finite' in add(clicks=[Click(x=float('nan'), positive=True)])
    small = image_message(np.ones((4, 4), np.uint8), 'mono8', Header())
    assert 'shape (4, 4); allowed: that of the image' in add(mask=small)
    black = image_message(np.zeros((96, 128), np.uint8), 'mono8', Header())
    assert 'empty mask' in add(mask=black)
    small.encoding = '32FC1'
    assert "'32FC1'; allowed: mono8" in add(mask=small)
    cut = image_message(np.ones((96, 128), np.uint8), 'mono8', Header())
    cut.data = cut.data[:-5]
    assert 'cut off' in add(mask=cut)
    old = Header(stamp=Time(sec=3))
    assert 'stamp 3.000 s is not kept' in add(header=old, clicks=[Click(x=5.0, positive=True)])

    removed = graph.call(RemoveObject, 'lazy_vos/remove_object', object_id=9)
    assert 'object 9 is not tracked' in removed.message
    corrected = graph.call(Correct, 'lazy_vos/correct', object_id=9, answer=Correct.Request.ABSENT)
    assert 'object 9 is not tracked' in corrected.message
    corrected = graph.call(Correct, 'lazy_vos/correct', object_id=9, answer=7)
    assert 'answer is 7' in corrected.message
    assert not removed.success
    assert not corrected.success

    outputs.run(camera)
    assert add_square(graph, camera).success
    assert set(outputs.kinds()) == {CorrectionEvent.ADDED}


def test_frames_in_masks_out(graph, camera, outputs, started):
    states = outputs.run(camera, 6)
    assert [state.frame_index for state in states] == list(range(2, 8))
    for outs in (outputs.masks, outputs.entropies, outputs.states):
        assert all(item.header.frame_id == 'lens' for item in outs)
        stamps = [(item.header.stamp.sec, item.header.stamp.nanosec) for item in outs]
        assert len(stamps) == 8
        assert stamps[2:] == [(1000, 100_000_000 * n + 7) for n in range(2, 8)]
    mask, entropy = outputs.masks[-1], outputs.entropies[-1]
    labels = bridge().imgmsg_to_cv2(mask)
    assert mask.encoding == 'mono8'
    assert labels.shape == (96, 128)
    assert set(np.unique(labels)) <= {0, 1}
    assert entropy.encoding == '32FC1'
    values = bridge().imgmsg_to_cv2(entropy)
    assert values.min() >= 0
    assert 0 < values.max() <= 1
    last = outputs.states[-1]
    assert last.objects[0].label == 'object 1'
    assert last.objects[0].area == (labels == 1).sum()
    assert last.working_memory > 0
    assert last.mean_entropy == pytest.approx(values.mean(), rel=1e-3)
    assert last.latency_ms == 0  # stamps of 1970 are of another clock
    assert outputs.kinds() == [CorrectionEvent.ADDED]
    assert outputs.events[0].header == outputs.masks[0].header


def test_the_first_mask_is_the_given_one(graph, camera, outputs, started):
    mask = bridge().imgmsg_to_cv2(outputs.masks[1])
    np.testing.assert_array_equal(mask == 1, camera.mask())


def test_objects_come_and_go_and_reset_forgets_all(graph, camera, outputs, started):
    second = graph.call(
        AddObject,
        'lazy_vos/add_object',
        label='ball',
        clicks=[Click(x=100.0, y=70.0, positive=True)],
    )
    assert (second.success, second.object_id) == (True, 2)
    (state,) = outputs.run(camera)
    assert [(item.id, item.label) for item in state.objects] == [(1, 'object 1'), (2, 'ball')]
    assert graph.call(RemoveObject, 'lazy_vos/remove_object', object_id=1).success
    (state,) = outputs.run(camera)
    assert [item.id for item in state.objects] == [2]
    assert graph.call(Trigger, 'lazy_vos/reset').success
    (state,) = outputs.run(camera)
    assert (state.frame_index, list(state.objects), state.working_memory) == (0, [], 0)
    added = [CorrectionEvent.ADDED] * 2
    assert outputs.kinds() == [*added, CorrectionEvent.REMOVED]
    assert add_square(graph, camera).object_id == 1


def test_a_click_on_an_earlier_image_takes_effect_on_that_one(graph, camera, outputs, started):
    earlier = outputs.run(camera)[0].header
    outputs.run(camera, 4)
    click = Click(x=100.0, y=70.0, positive=True)
    added = graph.call(AddObject, 'lazy_vos/add_object', header=earlier, clicks=[click])
    assert added.success, added.message
    event = outputs.events[-1]
    assert (event.kind, event.object_id) == (CorrectionEvent.ADDED, 2)
    assert event.header.stamp == earlier.stamp

    corrected = graph.call(
        Correct,
        'lazy_vos/correct',
        header=earlier,
        object_id=1,
        clicks=[Click(x=30.0, y=30.0, positive=True)],
    )
    assert corrected.success, corrected.message
    graph.until(lambda: CorrectionEvent.CORRECTED in outputs.kinds(), 'the correction is told')
    assert outputs.events[-1].header.stamp == earlier.stamp
    shown = [m for m in outputs.masks if m.header.stamp == earlier.stamp][-1]
    rows, columns = np.nonzero(bridge().imgmsg_to_cv2(shown) == 1)
    assert (rows.mean(), columns.mean()) == pytest.approx((30, 30), abs=1)
    outputs.run(camera)


def test_a_late_answer_is_applied_to_the_frame_of_the_question(graph, camera, outputs, started):
    operator = LateOperator(graph)
    assert set_parameters(graph, **ASK_ALWAYS).successful
    asked = outputs.run(camera, 2)
    graph.until(lambda: operator.requests, 'the operator is asked')
    question = operator.requests[0]
    assert question.header.stamp in [state.header.stamp for state in asked]
    assert question.header.frame_id == 'lens'
    assert (question.image.width, question.image.height) == (128, 96)
    assert question.mask.encoding == 'mono8'
    assert question.entropy.encoding == '32FC1'
    assert question.timeout.sec == 2**31 - 1  # for ever, in the profile "paper"
    assert question.tracker == f'{graph.namespace}/lazy_vos'
    assert abs(question.asked.sec - time()) < 600

    before = outputs.run(camera, 20)[-1]  # the camera does not wait
    assert before.objects[0].question_open
    assert len(operator.requests) == 1
    clicks = [Click(x=50.0, y=40.0, positive=True)]
    shown = graph.call(
        PreviewCorrection, 'lazy_vos/preview', request_id=question.request_id, clicks=clicks
    )
    assert shown.success, shown.message
    mask = bridge().imgmsg_to_cv2(shown.mask)
    assert (mask.shape, set(mask.ravel().tolist())) == ((96, 128), {0, 255})
    assert mask[40, 50] == 255
    unknown = graph.call(PreviewCorrection, 'lazy_vos/preview', request_id='x', clicks=clicks)
    assert not unknown.success
    assert 'it is not known' in unknown.message
    operator.answer(question, response(*clicks))
    graph.until(lambda: CorrectionEvent.ANSWERED in outputs.kinds(), 'the answer is used')
    event = next(item for item in outputs.events if item.kind == CorrectionEvent.ANSWERED)
    assert event.header == question.header
    assert event.applied_stamp == before.header.stamp
    assert (event.request_id, len(event.clicks)) == (question.request_id, 1)
    (after,) = outputs.run(camera)
    assert outputs.kinds().count(CorrectionEvent.ANSWERED) == 1
    # The frame of the question enters the memory, if it was not there already.
    (frozen,) = (state for state in asked if state.header.stamp == question.header.stamp)
    cells = 96 // 8 * 128 // 8
    written = (not frozen.memorised) + after.memorised
    assert after.working_memory - before.working_memory == cells * written


def test_an_answer_is_undone_and_the_question_comes_back(graph, camera, outputs, started):
    operator = LateOperator(graph)
    repaired = graph.collect(Image, 'lazy_vos/repaired_mask', BURST)
    graph.until(lambda: graph.node.count_publishers('lazy_vos/repaired_mask'), 'it is matched')
    nothing = graph.call(Trigger, 'lazy_vos/undo')
    assert (nothing.success, 'no correction to undo' in nothing.message) == (False, True)
    settings = {**ASK_ALWAYS, 'question_cooldown': 1e6, 'pseudo_corrections': False}
    assert set_parameters(graph, undo_seconds=60.0, replay_seconds=60.0, **settings).successful
    outputs.run(camera, 6)
    graph.until(lambda: operator.requests, 'the operator is asked')
    question = operator.requests[0]
    operator.answer(question, response(Click(x=50.0, y=40.0, positive=True)))
    graph.until(lambda: CorrectionEvent.ANSWERED in outputs.kinds(), 'the answer is used')
    since = [state.header.stamp for state in outputs.run(camera, 3)]
    undone = graph.call(Trigger, 'lazy_vos/undo')
    assert undone.success, undone.message
    assert 'object 1' in undone.message
    graph.until(lambda: CorrectionEvent.UNDONE in outputs.kinds(), 'it is told')
    event = next(item for item in outputs.events if item.kind == CorrectionEvent.UNDONE)
    assert event.header == question.header
    assert event.request_id == question.request_id
    graph.until(lambda: len(repaired) == 3, 'the masks without the answer come')
    assert [mask.header.stamp for mask in repaired] == since
    graph.until(lambda: len(operator.requests) == 2, 'it is asked again')
    again = operator.requests[1]
    assert again.header == question.header
    assert again.request_id != question.request_id
    operator.answer(again, response(Click(x=50.0, y=40.0, positive=True)))
    graph.until(lambda: outputs.kinds().count(CorrectionEvent.ANSWERED) == 2, 'it is used')
    outputs.run(camera)
    assert outputs.kinds().count(CorrectionEvent.UNDONE) == 1


def test_a_replay_repairs_the_images_since_the_question_while_the_camera_goes_on(
    graph, camera, outputs, started
):
    operator = LateOperator(graph)
    repaired = graph.collect(Image, 'lazy_vos/repaired_mask', BURST)
    graph.until(lambda: graph.node.count_publishers('lazy_vos/repaired_mask'), 'it is matched')
    settings = {**ASK_ALWAYS, 'question_cooldown': 1e6, 'pseudo_corrections': False}
    assert set_parameters(graph, late='replay', replay_seconds=60.0, **settings).successful
    states = outputs.run(camera, 9)
    graph.until(lambda: operator.requests, 'the operator is asked')
    question = operator.requests[0]
    assert not repaired
    operator.answer(question, response(Click(x=50.0, y=40.0, positive=True)))
    states += outputs.run(camera, 3)  # the camera does not wait
    stamps = [s.header.stamp for s in states]
    since = stamps[stamps.index(question.header.stamp) :]
    graph.until(lambda: CorrectionEvent.REPLAYED in outputs.kinds(), 'the replay is told')
    assert [mask.header.stamp for mask in repaired] == since[: len(repaired)]
    assert {mask.header.frame_id for mask in repaired} == {'lens'}
    first = bridge().imgmsg_to_cv2(repaired[0])
    rows, columns = np.nonzero(first == 1)
    assert (rows.mean(), columns.mean()) == pytest.approx((40, 50), abs=0.5)
    event = next(item for item in outputs.events if item.kind == CorrectionEvent.REPLAYED)
    assert event.header == question.header
    assert event.request_id == question.request_id
    outputs.run(camera)
    assert outputs.kinds().count(CorrectionEvent.REPLAYED) == 1
    assert CorrectionEvent.REPLAY_DROPPED not in outputs.kinds()


def response(*clicks, answer=RequestCorrection.Response.CLICK):
    return RequestCorrection.Response(answer=answer, clicks=list(clicks))


def test_nobody_answers_and_the_node_goes_on(graph, camera, outputs, started):
    assert set_parameters(graph, question_timeout=0.5, **ASK_ALWAYS).successful
    outputs.run(camera, 12)
    assert CorrectionEvent.ASKED in outputs.kinds()
    expired = [event for event in outputs.events if event.kind == CorrectionEvent.EXPIRED]
    assert expired
    assert 'no answer in time' in expired[0].reason

    # An operator who comes late gets the question that is open, not those that have expired.
    operator = LateOperator(graph)
    assert set_parameters(graph, question_timeout=1000.0).successful
    outputs.run(camera, 8)
    asked = [event for event in outputs.events if event.kind == CorrectionEvent.ASKED]
    graph.until(
        lambda: asked[-1].request_id in [item.request_id for item in operator.requests],
        'the operator is asked',
    )
    question = operator.requests[-1]
    assert not {item.request_id for item in operator.requests} & {
        event.request_id for event in expired
    }

    # One who goes with the question open gets it again when back; a bad answer is refused.
    operator.leave()
    outputs.run(camera, 2)
    client = graph.node.create_client(RequestCorrection, 'request_correction')
    graph.until(lambda: not client.service_is_ready(), 'the operator is gone')
    sleep_a_look(graph)
    back = LateOperator(graph)
    graph.until(lambda: back.requests, 'the operator is asked again')
    assert back.requests[0].request_id == question.request_id
    back.answer(question, response(answer=9))
    graph.until(lambda: 'answer is 9' in graph.processes[0].output, 'the answer is refused')
    outputs.run(camera, 2)


def sleep_a_look(graph):
    """Let the tracker look for its operator a few times."""
    end = monotonic() + 1.0
    graph.until(lambda: monotonic() > end, 'a second has passed')


def test_bad_images_are_told_once_and_counted(graph, camera, outputs, started):
    reports = graph.collect(DiagnosticArray, '/diagnostics')
    for number, (change, words) in enumerate(
        (
            ({'data': array('B', bytes(100))}, '100 bytes of data; allowed: 36864'),
            ({'encoding': 'rgb9'}, "'rgb9'; allowed"),
            ({'data': array('B', bytes(200))}, ''),
            ({'encoding': 'rgb9'}, ''),
            ({'step': 5}, 'step of 5 bytes; allowed: at least 384'),
        ),
        start=1,
    ):
        camera.publish(**change)
        graph.until(
            lambda known=number: faults(reports) == known, f'{number} faults are in /diagnostics'
        )
        assert words in graph.processes[0].output
        outputs.run(camera)
    assert graph.processes[0].output.count('image not processed') == 3


def faults(reports):
    counts = [
        int(value.value)
        for report in tuple(reports)
        for status in report.status
        for value in status.values
        if value.key == 'faults' and status.name.endswith('lazy_vos: tracker')
    ]
    return max(counts, default=0)


def test_size_changes_and_a_camera_that_stops_and_returns(graph, camera, outputs, started):
    reports = graph.collect(DiagnosticArray, '/diagnostics')
    outputs.run(camera, 2)
    levels = [DiagnosticStatus.WARN, DiagnosticStatus.ERROR]
    graph.until(
        lambda: any(judged(r)[0] in levels and 'no image' in judged(r)[1] for r in reports),
        'the stale input is told',
    )
    camera.size = (64, 160)
    states = outputs.run(camera, 3)
    assert [item.id for item in states[-1].objects] == [1]
    assert (outputs.masks[-1].height, outputs.masks[-1].width) == (64, 160)
    camera.size = (96, 128)
    outputs.run(camera, 2)
    assert outputs.masks[-1].height == 96
    figures = {value.key: value.value for value in tracker_status(reports[-1]).values}
    for key in (
        'weights',
        'latency p50 (ms)',
        'memory bytes',
        'open questions',
        'input rate (1/s)',
    ):
        assert key in figures
    assert 'small.safetensors' in figures['weights']
    assert tracker_status(reports[-1]).hardware_id


def test_a_camera_that_stops_is_a_warning_then_an_error_and_is_trusted_again_after_a_while(
    graph, camera
):
    reports = graph.collect(DiagnosticArray, '/diagnostics')
    graph.start(TRACKER, stale_after=0.4)
    camera.connect()

    def told(level, words):
        return lambda: any(
            judged(report)[0] == level and words in judged(report)[1] for report in tuple(reports)
        )

    def run_until(level, words):
        def condition():
            camera.publish()
            return told(level, words)()

        graph.until(condition, f'{words} is told')

    run_until(DiagnosticStatus.OK, 'images per second')
    reports.clear()
    graph.until(told(DiagnosticStatus.WARN, 'no image for'), 'the stale input is told')
    graph.until(told(DiagnosticStatus.ERROR, 'no image for'), 'the lost input is told')
    reports.clear()
    run_until(DiagnosticStatus.OK, 'images per second')
    levels = [judged(report)[0] for report in reports if tracker_status(report)]
    found = [level for level, _ in groupby(levels)]
    # At least one report between the error and the end of the alarm asks for patience.
    assert found[-2:] == [DiagnosticStatus.WARN, DiagnosticStatus.OK]
    assert told(DiagnosticStatus.WARN, 'images come again')()


def tracker_status(report):
    return next((s for s in report.status if s.name.endswith('lazy_vos: tracker')), None)


def judged(report):
    status = tracker_status(report)
    return (status.level, status.message) if status else (b'', '')


def test_lifecycle(graph, camera, outputs):
    tracker = graph.start(TRACKER, autostart=False)
    assert state_of(graph) == 'unconfigured'
    assert not change_state(graph, Transition.TRANSITION_ACTIVATE)
    assert change_state(graph, Transition.TRANSITION_CONFIGURE)
    assert state_of(graph) == 'inactive'
    assert camera.publisher.get_subscription_count() == 0
    assert change_state(graph, Transition.TRANSITION_ACTIVATE)
    camera.connect()
    graph.until(lambda: matched(outputs), 'the outputs are matched')
    outputs.run(camera)
    assert add_square(graph, camera).success
    memory = outputs.run(camera)[0].working_memory
    assert memory > 0

    assert change_state(graph, Transition.TRANSITION_DEACTIVATE)
    graph.until(lambda: not camera.publisher.get_subscription_count(), 'it has unsubscribed')
    assert change_state(graph, Transition.TRANSITION_ACTIVATE)
    camera.connect()
    (state,) = outputs.run(camera)
    assert [item.id for item in state.objects] == [1]
    assert state.working_memory >= memory

    assert change_state(graph, Transition.TRANSITION_DEACTIVATE)
    assert change_state(graph, Transition.TRANSITION_CLEANUP)
    assert state_of(graph) == 'unconfigured'
    graph.until(
        lambda: not graph.node.count_publishers('lazy_vos/mask'), 'the topics are taken away'
    )
    assert change_state(graph, Transition.TRANSITION_CONFIGURE)
    assert change_state(graph, Transition.TRANSITION_ACTIVATE)
    camera.connect()
    graph.until(lambda: matched(outputs), 'the outputs are matched')
    (state,) = outputs.run(camera)
    assert list(state.objects) == []
    assert change_state(graph, Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert state_of(graph) == 'finalized'
    assert tracker.stop(signal.SIGTERM) == 0


def test_parameters_while_running(graph, camera, outputs, started):
    refused = set_parameters(graph, tau_u=-1.0)
    assert not refused.successful
    assert 'tau_u' in refused.reason
    assert '0' in refused.reason
    refused = set_parameters(graph, tau_p=0.9)
    assert 'allowed: tau_p <= tau_u' in refused.reason
    refused = set_parameters(graph, trigger='sometimes')
    assert 'one of derivative, level' in refused.reason
    refused = set_parameters(graph, tau_u='much')
    assert 'number in [0, inf]' in refused.reason
    for name, value in (('weights', 'x'), ('device', 'cuda'), ('xmem.mem_every', 3)):
        assert 'read-only' in set_parameters(graph, **{name: value}).reason
    assert set_parameters(graph, tau_u=2).successful  # a whole number is a number
    described = graph.call(
        DescribeParameters, 'lazy_vos/describe_parameters', names=['tau_u', 'xmem.mem_every']
    ).descriptors
    assert 'Ask the operator' in described[0].description
    assert described[0].floating_point_range[0].from_value == 0
    assert described[1].read_only
    assert (described[1].integer_range[0].from_value, described[1].integer_range[0].to_value) == (
        1,
        10000,
    )
    outputs.run(camera)


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        ({'tau_u': -1.0}, 'tau_u'),
        ({'tau_p': 0.9}, 'allowed: tau_p <= tau_u'),
        ({'profile': 'best'}, 'one of paper, code'),
        ({'initial_click': 'middle'}, 'allowed: "x,y"'),
        ({'initial_mask': 'nowhere.png'}, 'nowhere.png'),
        ({'device': 'abacus'}, 'abacus'),
    ],
)
def test_bad_parameters_at_start(graph, given, words):
    tracker = graph.start(TRACKER, **given)
    graph.processes.clear()
    assert tracker.wait() == 1
    assert words in tracker.output


def test_bad_weights_at_start(graph, tmp_path):
    damaged = tmp_path / 'damaged.safetensors'
    damaged.write_bytes(b'no weights at all')
    process = graph.start('lazy_vos_ros.nodes.tracker_node', weights=damaged, tau_q=3.0)
    graph.processes.clear()
    assert process.wait() == 1
    assert 'cannot configure' in process.output
    assert 'damaged.safetensors' in process.output
    assert 'unknown parameter tau_q is ignored; did you mean tau_' in process.output


def test_starts_by_a_file_alone_and_reads_compressed_images(
    graph, compressed_camera, outputs, tmp_path
):
    camera = compressed_camera
    settings = yaml_text()
    for old, new in (
        ('initial_click: ""', 'initial_click: "24.0,36"'),
        ('initial_label: ""', 'initial_label: "cup"'),
        ('image_transport: "raw"', 'image_transport: "compressed"'),
    ):
        assert old in settings
        settings = settings.replace(old, new)
    file = tmp_path / 'settings.yaml'
    file.write_text(settings)
    graph.start(TRACKER, args=['--ros-args', '--params-file', str(file), '--'])
    camera.connect()
    graph.until(lambda: matched(outputs), 'the outputs are matched')
    (state,) = outputs.run(camera)
    assert [(item.id, item.label, item.action) for item in state.objects] == [(1, 'cup', 1)]
    rows, columns = np.nonzero(bridge().imgmsg_to_cv2(outputs.masks[0]))
    assert (rows.mean(), columns.mean()) == pytest.approx((36, 24), abs=0.5)
    overlays = graph.collect(Image, 'lazy_vos/overlay')
    graph.until(
        lambda: graph.node.count_publishers('lazy_vos/overlay'), 'the overlay is published'
    )
    for _ in range(50):  # drawn only once the subscription is known
        outputs.run(camera)
        if overlays:
            break
    assert overlays[-1].encoding == 'rgb8'
    assert overlays[-1].header.frame_id == 'lens'
    camera.publish(data=array('B', b'nothing'))
    graph.until(lambda: 'cannot be decoded' in graph.processes[0].output, 'the fault is told')
    outputs.run(camera)


def test_the_compact_model_tracks_from_one_click(graph, camera, outputs):
    graph.start('lazy_vos_ros.nodes.tracker_node', weights='compact', refiner='compact')
    camera.connect()
    graph.until(lambda: matched(outputs), 'the outputs are matched')
    outputs.run(camera)
    middle = np.argwhere(camera.mask()).mean(axis=0)
    click = Click(x=float(middle[1]), y=float(middle[0]), positive=True)
    added = graph.call(AddObject, 'lazy_vos/add_object', clicks=[click])
    assert added.success, added.message
    states = outputs.run(camera, 3)
    labels = bridge().imgmsg_to_cv2(outputs.masks[-1]) == 1
    square = camera.mask()
    # A noisy toy picture is not what it was trained on: found, and not everywhere.
    assert (labels & square).sum() > 0.8 * square.sum()
    assert labels.mean() < 0.25
    assert states[-1].objects[0].area == labels.sum()
