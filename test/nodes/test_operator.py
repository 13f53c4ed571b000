"""The operator node in this process, asked and clicked over real DDS by another node."""

import os
from time import monotonic
from time import time

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Duration
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point
from geometry_msgs.msg import PointStamped
from lazy_vos_msgs.msg import Click as ClickMessage
from lazy_vos_msgs.msg import CorrectionEvent
from lazy_vos_msgs.msg import ObjectState
from lazy_vos_msgs.msg import TrackingState
from lazy_vos_msgs.srv import AddObject
from lazy_vos_msgs.srv import Correct
from lazy_vos_msgs.srv import PreviewCorrection
from lazy_vos_msgs.srv import RemoveObject
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from sensor_msgs.msg import PointCloud2
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import WIDTH
from lazy_vos_ros.nodes.canvas import Canvas
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.operator import Operator
from lazy_vos_ros.nodes.operator_desk import GRACE
from lazy_vos_ros.nodes.operator_view import Deed
from lazy_vos_ros.nodes.operator_view import Outcome
from lazy_vos_ros.nodes.qos import EVENTS
from lazy_vos_ros.nodes.qos import LATCHED

CODES = RequestCorrection.Response
CANVAS = Canvas(64, 48)
TRACKER = '/robot/lazy_vos'


class Tracker:
    """What the operator reaches of a tracker."""

    def __init__(self, node, name=TRACKER):
        self.node, self.name = node, name
        self.calls = []
        self.refusal = ''
        self.asks = node.create_client(
            RequestCorrection, f'{name.rpartition("/")[0]}/request_correction'
        )
        for kind, service in (
            (AddObject, 'add_object'),
            (Correct, 'correct'),
            (RemoveObject, 'remove_object'),
            (PreviewCorrection, 'preview'),
            (Trigger, 'undo'),
        ):
            node.create_service(kind, f'{name}/{service}', self._serve(service))
        self.events = node.create_publisher(CorrectionEvent, f'{name}/correction_event', EVENTS)
        self.states = node.create_publisher(TrackingState, f'{name}/tracking_state', 5)
        self.overlays = node.create_publisher(Image, f'{name}/overlay', 5)

    def _serve(self, service):
        def handler(request, response):
            self.calls.append((service, request))
            response.success, response.message = not self.refusal, self.refusal
            if service == 'preview':
                mask = np.zeros((48, 64), np.uint8)
                mask[:, :32] = 255
                response.mask = image_message(mask, 'mono8', Header())
            if service == 'add_object':
                response.object_id = 7
            return response

        return handler

    def ask(self, object_id=1, derivative=0.0, timeout=30.0, **changes):
        header = Header(frame_id='lens', stamp=Time(sec=100 + object_id))
        mask = np.zeros((48, 64), np.uint8)
        mask[10:20, 10:30] = 255
        request = RequestCorrection.Request(
            header=header,
            tracker=self.name,
            request_id=f'{self.name} {object_id}',
            object_id=object_id,
            label=f'object {object_id}',
            derivative=derivative,
            reason='it is unsure',
            asked=self.node.get_clock().now().to_msg(),
            timeout=Duration(sec=int(timeout), nanosec=int(timeout % 1 * 1e9)),
            image=image_message(np.full((48, 64, 3), 90, np.uint8), 'rgb8', header),
            mask=image_message(mask, 'mono8', header),
            entropy=image_message(np.zeros((48, 64), np.float32), '32FC1', header),
        )
        for name, value in changes.items():
            setattr(request, name, value)
        return self.asks.call_async(request)

    def tell(self, kind, object_id=1, reason=''):
        stamp, applied = Time(sec=100 + object_id), Time(sec=103 + object_id)
        self.events.publish(
            CorrectionEvent(
                header=Header(stamp=stamp),
                kind=kind,
                object_id=object_id,
                request_id=f'{self.name} {object_id}',
                applied_stamp=applied,
                reason=reason,
            )
        )


class Person:
    """An operator node, a tracker, and a person's mouse in several tools."""

    def __init__(self, context, **settings):
        settings = {'trackers': [TRACKER], 'web.port': 0, **settings}
        given = [Parameter(name, value=value) for name, value in settings.items()]
        self.operator = Operator(context=context, parameter_overrides=given)
        self.desk = self.operator.desk
        self.node = rclpy.create_node('person', context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.operator)
        self.executor.add_node(self.node)
        self.tracker = Tracker(self.node)
        mouse = 'lazy_vos_operator/question_mouse_left'
        self.here = self.node.create_publisher(PointStamped, 'lazy_vos_operator/here', 5)
        self.away = self.node.create_publisher(PointStamped, 'lazy_vos_operator/not_here', 5)
        self.mouse = self.node.create_publisher(Point, mouse, 1000)
        self.mouse_away = self.node.create_publisher(Point, 'second_mouse_left', 1000)
        self.clouds, self.words, self.pictures = [], [], []
        for kind, topic, found in (
            (PointCloud2, 'canvas', self.clouds),
            (MarkerArray, 'canvas_words', self.words),
            (Image, 'question', self.pictures),
        ):
            self.node.create_subscription(
                kind, f'lazy_vos_operator/{topic}', found.append, LATCHED
            )
        self.until(lambda: all(item.get_subscription_count() for item in (self.here, self.mouse)))
        self.until(self.tracker.asks.service_is_ready)
        self.until(lambda: self.views()[TRACKER].present)
        self.until(self.tracker.events.get_subscription_count)

    def close(self):
        self.executor.shutdown()
        self.operator.destroy_node()
        self.node.destroy_node()

    def views(self):
        return {view.name: view for view in self.desk.snapshot().trackers}

    def until(self, condition, seconds=20.0):
        end = monotonic() + seconds
        while not condition():
            assert monotonic() < end, 'timed out'
            self.executor.spin_once(timeout_sec=0.02)

    def spin(self, seconds):
        end = monotonic() + seconds
        while monotonic() < end:
            self.executor.spin_once(timeout_sec=0.02)

    def see(self, label):
        """Wait until a question is shown, and look at it."""
        self.until(lambda: any(label in text(item) for item in self.words[-1:]))
        self.spin(GRACE)

    def answer_of(self, future):
        self.until(future.done)
        return future.result()

    def pixel(self, x, y):
        shown = np.frombuffer(self.pictures[-1].data, np.uint8).reshape(48, 64, 3)
        return tuple(shown[y, x])

    def history(self):
        return self.desk.snapshot().history


def text(markers):
    return markers.markers[0].text


def rviz(x, y, frame_id=FRAME_ID):
    """A click of RViz's Publish Point: fixed frame, stamp of now, a z from the depth buffer."""
    now = time()
    stamp = Time(sec=int(now), nanosec=int(now % 1 * 1e9))
    message = PointStamped(header=Header(stamp=stamp, frame_id=frame_id))
    message.point.x, message.point.y, message.point.z = x, y, 0.006
    return message


def foxglove(x, y):
    """A click of Foxglove's 3D panel: on the ground, stamp of the browser's clock."""
    message = rviz(x, y)
    message.header.stamp = Time(sec=int(time()) - 3600)
    message.point.z = 0.0
    return message


def at(x, y):
    return CANVAS.point(Click(x, y))


def button(number, count=5):
    return (number + 0.5) / count * WIDTH - WIDTH / 2, -1.95


@pytest.fixture
def make_person(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    context = rclpy.Context()
    context.init(domain_id=100 + os.getpid() % 100)
    made = []

    def make(**settings):
        made.append(Person(context, **settings))
        return made[-1]

    yield make
    for person in made:
        person.close()
    context.try_shutdown()


@pytest.mark.parametrize(
    ('tool', 'positive'),
    [('rviz', True), ('rviz', False), ('foxglove', True), ('rqt', True), ('rqt', False)],
)
def test_a_click_of_each_tool_is_the_pixel_of_the_frozen_image(make_person, tool, positive):
    person = make_person(confirm_after=0.0, not_here_mouse_topic='/second_mouse_left')
    person.until(person.mouse_away.get_subscription_count)
    future = person.tracker.ask()
    person.see('object 1')
    if tool == 'rqt':
        (person.mouse if positive else person.mouse_away).publish(Point(x=20.0, y=13.0))
    else:
        make = {'rviz': rviz, 'foxglove': foxglove}[tool]
        (person.here if positive else person.away).publish(make(*at(20, 13)))
    answer = person.answer_of(future)
    assert answer.answer == CODES.CLICK
    (click,) = answer.clicks
    assert (click.x, click.y) == pytest.approx((20.0, 13.0), abs=1e-3)
    assert click.positive is positive


def test_clicks_that_mean_nothing_are_ignored(make_person):
    person = make_person(confirm_after=0.0)
    nowhere = [rviz(*at(20, 13), frame_id=name) for name in ('map', 'lens', '')]
    person.here.publish(rviz(*at(20, 13)))  # nothing is asked
    person.mouse.publish(Point(x=20.0, y=13.0))
    person.spin(0.3)
    future = person.tracker.ask()
    person.see('object 1')
    beside = (CANVAS.left - 0.01, 0.0), (0.0, CANVAS.top + 0.01), (0.0, -1.81), (3.0, 0.0)
    for message in (*nowhere, PointStamped(), *(rviz(*point) for point in beside)):
        person.here.publish(message)
        person.away.publish(message)
    for x, y in ((-1.0, 5.0), (65.0, 5.0), (5.0, 49.0), (float('nan'), 5.0)):
        person.mouse.publish(Point(x=x, y=y))
    person.spin(0.5)
    assert not future.done()
    # rqt_image_view may name the pixel after the last one.
    person.mouse.publish(Point(x=64.0, y=48.0))
    (click,) = person.answer_of(future).clicks
    assert (click.x, click.y) == (63.0, 47.0)


def test_an_answer_shows_its_mask_and_can_be_undone_extended_and_confirmed(make_person):
    person = make_person(confirm_after=1000.0)
    future = person.tracker.ask()
    person.see('object 1')
    # Half of a double click changes nothing.
    person.here.publish(rviz(*at(20, 13)))
    person.here.publish(rviz(*at(21, 13)))
    person.until(lambda: 'this is its mask' in text(person.words[-1]))
    ((_, asked),) = person.tracker.calls
    assert (asked.request_id, len(asked.clicks)) == (f'{TRACKER} 1', 1)
    person.until(lambda: person.pixel(5, 40) != (90, 90, 90))
    assert person.pixel(60, 40) == (90, 90, 90)
    # Another place is a second click.
    person.away.publish(rviz(*at(50, 40)))
    person.until(lambda: len(person.tracker.calls) == 2)
    assert [click.positive for click in person.tracker.calls[-1][1].clicks] == [True, False]
    person.spin(GRACE)
    person.here.publish(rviz(*button(2)))  # undo
    person.until(lambda: len(person.tracker.calls) == 3)
    assert not future.done()
    person.spin(GRACE)
    person.away.publish(rviz(*button(3)))  # confirm, with either tool
    (click,) = person.answer_of(future).clicks
    assert (click.x, click.y) == pytest.approx((20.0, 13.0), abs=1e-3)
    person.tracker.tell(CorrectionEvent.ANSWERED)
    person.until(lambda: person.history()[-1].outcome is Outcome.DONE)
    assert 'image of 3.0 s before' in person.history()[-1].message


def test_a_mask_that_cannot_be_made_is_told_and_nothing_is_sent(make_person):
    person = make_person(confirm_after=0.1)
    future = person.tracker.ask()
    person.see('object 1')
    person.tracker.refusal = 'the mask is empty'
    person.here.publish(rviz(*at(20, 13)))
    person.until(lambda: 'the mask is empty' in text(person.words[-1]))
    person.spin(0.5)
    assert not future.done()
    person.tracker.refusal = ''
    person.here.publish(rviz(*at(40, 13)))
    assert len(person.answer_of(future).clicks) == 2


def test_the_most_urgent_question_of_all_trackers_comes_first(make_person):
    person = make_person(confirm_after=0.0, trackers=[TRACKER, '/other/lazy_vos'])
    other = Tracker(person.node, '/other/lazy_vos')
    person.until(other.asks.service_is_ready)
    person.until(lambda: person.views()[other.name].present)
    calls = {'a': person.tracker.ask(1, derivative=0.1)}
    person.see('object 1')
    calls['b'] = person.tracker.ask(2, derivative=0.2)
    calls['c'] = other.ask(3, derivative=0.9)
    calls['d'] = other.ask(4, derivative=0.2)
    person.until(lambda: len(person.desk.snapshot().waiting) == 3)
    order = []

    def any_done():
        return any(call.done() for call in calls.values())

    while person.desk.snapshot().current is not None:
        person.see(person.desk.snapshot().current.label)
        person.here.publish(rviz(*at(20, 13)))
        person.until(any_done)
        done = [key for key, call in calls.items() if call.done()]
        assert len(done) == 1
        order += done
        del calls[done[0]]
        person.spin(0.15)
    assert order == ['a', 'c', 'b', 'd']
    person.until(lambda: 'No question' in text(person.words[-1]))


def test_buttons_and_services_answer_without_a_click(make_person):
    person = make_person(confirm_after=1000.0)

    def call(name):
        client = person.node.create_client(Trigger, f'lazy_vos_operator/{name}')
        person.until(client.service_is_ready)
        return person.answer_of(client.call_async(Trigger.Request()))

    for name in ('skip', 'absent', 'undo', 'confirm'):
        refused = call(name)
        assert not refused.success
        assert ('nothing to undo' if name == 'undo' else 'there is no question') in refused.message
    for number in (1, 2):
        future = person.tracker.ask(number)
        person.see(f'object {number}')
        if number == 1:
            assert call('absent').success
            assert call('confirm').success
        else:
            person.here.publish(rviz(*button(1)))
            person.until(lambda: 'it is gone' in text(person.words[-1]))
            person.spin(GRACE)
            person.here.publish(rviz(*button(3)))
        answer = person.answer_of(future)
        assert (answer.answer, answer.clicks) == (CODES.ABSENT, [])
    future = person.tracker.ask(3)
    person.see('object 3')
    person.here.publish(rviz(*button(0)))
    assert person.answer_of(future).answer == CODES.SKIP
    deeds = [entry.deed for entry in person.history()]
    assert deeds == [Deed.ABSENT, Deed.ABSENT, Deed.SKIPPED]


def test_an_answer_that_was_sent_is_taken_back_from_the_canvas(make_person):
    person = make_person(confirm_after=0.0)
    future = person.tracker.ask(2)
    person.see('object 2')
    person.here.publish(rviz(*CANVAS.point(Click(30, 20))))
    person.answer_of(future)
    person.tracker.tell(CorrectionEvent.ANSWERED, 2)
    person.until(lambda: person.history()[-1].outcome is Outcome.DONE)
    person.spin(GRACE)
    person.here.publish(rviz(*button(2, 3)))
    person.until(lambda: any(name == 'undo' for name, _ in person.tracker.calls))
    person.until(lambda: person.history()[0].outcome is Outcome.UNDONE)
    assert [entry.deed for entry in person.history()] == [Deed.ANSWERED, Deed.UNDONE]
    future = person.tracker.ask(3)  # the question comes back, or another one
    person.see('object 3')
    person.spin(GRACE)
    person.here.publish(rviz(*button(2)))
    person.spin(0.3)
    assert [name for name, _ in person.tracker.calls].count('undo') == 1
    assert not future.done()


def test_a_question_goes_when_its_tracker_says_so_or_goes(make_person):
    person = make_person()
    futures = [person.tracker.ask(number) for number in (1, 2, 3)]
    person.see('object 1')
    person.tracker.tell(CorrectionEvent.EXPIRED, 1, 'no answer in time')
    person.tracker.tell(CorrectionEvent.ANSWERED, 2)  # by somebody else
    person.until(lambda: futures[0].done() and futures[1].done())
    person.see('object 3')
    # Asked again, as by a tracker that has not seen that we are here all the time.
    again = person.tracker.ask(3)
    late = person.tracker.ask(1)
    assert person.answer_of(late).answer == CODES.SKIP
    person.tracker.tell(CorrectionEvent.EXPIRED, 3, 'the object was removed')
    person.until(lambda: again.done() and futures[2].done())
    told = [(entry.deed, entry.message) for entry in person.history()]
    assert told == [
        (Deed.WITHDRAWN, 'no answer in time'),
        (Deed.WITHDRAWN, 'it was answered elsewhere'),
        (Deed.WITHDRAWN, 'the object was removed'),
    ]


def test_a_question_that_cannot_be_shown_is_skipped_and_the_next_one_comes(make_person):
    person = make_person()
    bad = Image(width=64, height=48, encoding='nonsense')
    answer = person.answer_of(person.tracker.ask(1, image=bad))
    assert (answer.answer, 'cannot be shown' in answer.message) == (CODES.SKIP, True)
    small = image_message(np.zeros((4, 4), np.uint8), 'mono8', Header())
    answer = person.answer_of(person.tracker.ask(1, mask=small))
    assert 'the same height and width' in answer.message
    future = person.tracker.ask(2)
    person.see('object 2')
    assert not future.done()


def test_unasked_clicks_start_and_correct_on_the_picture_that_was_seen(make_person):
    person = make_person(unasked_clicks='start')
    state = TrackingState(header=Header(stamp=Time(sec=5)))
    for number, left in ((1, 0), (2, 40)):
        box = RegionOfInterest(x_offset=left, y_offset=0, width=20, height=20)
        state.objects.append(ObjectState(id=number, label=f'object {number}', area=400, box=box))
    person.tracker.states.publish(state)
    overlay = image_message(np.full((48, 64, 3), 120, np.uint8), 'rgb8', state.header)
    person.until(person.tracker.overlays.get_subscription_count)
    person.tracker.overlays.publish(overlay)
    person.until(lambda: any(item.header.stamp.sec == 5 for item in person.pictures[-1:]))
    person.here.publish(rviz(*at(20, 13)))
    person.here.publish(rviz(*at(20, 13)))  # the second half of a double click
    person.until(lambda: person.tracker.calls)
    service, request = person.tracker.calls[0]
    assert (service, request.header.stamp.sec) == ('add_object', 5)
    assert (request.clicks[0].x, request.clicks[0].y) == pytest.approx((20, 13), abs=1e-3)
    person.until(lambda: person.history()[-1].outcome is Outcome.DONE)
    assert person.history()[-1].object_id == 7

    person.spin(GRACE)
    assert len(person.tracker.calls) == 1
    person.operator.set_parameters([Parameter('unasked_clicks', value='ignore')])
    person.here.publish(rviz(*at(20, 13)))
    person.spin(0.1)
    person.here.publish(rviz(*button(1, count=3)))  # clicks mean: correct
    person.until(lambda: person.operator.get_parameter('unasked_clicks').value == 'correct')
    person.tracker.overlays.publish(overlay)
    person.until(lambda: any(item.header.stamp.sec == 5 for item in person.pictures[-1:]))
    person.spin(GRACE)
    person.tracker.refusal = 'the image is not kept any more'
    person.away.publish(rviz(*at(35, 30)))
    person.until(lambda: len(person.tracker.calls) == 2)
    service, request = person.tracker.calls[1]
    assert (service, request.object_id, request.answer) == ('correct', 2, Correct.Request.CLICK)
    assert request.clicks == [ClickMessage(x=35.0, y=30.0, positive=False)]
    person.until(lambda: person.history()[-1].outcome is Outcome.REFUSED)
    assert person.history()[-1].message == 'the image is not kept any more'

    for number, unasked in enumerate(('gone', 'remove'), 3):
        person.operator.set_parameters([Parameter('unasked_clicks', value=unasked)])
        person.spin(GRACE)
        person.here.publish(rviz(*at(30, 10)))  # beside both objects
        person.here.publish(rviz(*at(45, 10)))
        person.until(lambda number=number: len(person.tracker.calls) == number)
        assert person.tracker.calls[-1][1].object_id == 2
    assert [name for name, _ in person.tracker.calls] == [
        'add_object',
        'correct',
        'correct',
        'remove_object',
    ]
    assert person.tracker.calls[2][1].answer == Correct.Request.ABSENT


def test_settings_that_are_not_allowed_are_refused(make_person):
    with pytest.raises(ValueError, match=r'trackers.*allowed: names of nodes'):
        make_person(trackers=[''])
    person = make_person()
    for name, value, words in (
        ('unasked_clicks', 'guess', 'one of ignore, correct, start, gone, remove'),
        ('confirm_after', -1.0, 'out of range'),
        ('trackers', ['a'], 'read-only'),
    ):
        (result,) = person.operator.set_parameters([Parameter(name, value=value)])
        assert not result.successful
        assert words in result.reason
