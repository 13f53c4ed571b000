"""Trackers and an operator, each in a process of its own; the test clicks as RViz does."""

import signal

import cv2
import pytest
from conftest import NUMBERS
from conftest import Camera
from conftest import Graph
from geometry_msgs.msg import PointStamped
from lazy_vos_msgs.msg import CorrectionEvent
from lazy_vos_msgs.msg import TrackingState
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import Canvas
from lazy_vos_ros.nodes.operator_desk import GRACE
from lazy_vos_ros.nodes.qos import EVENTS
from lazy_vos_ros.nodes.qos import LATCHED

OPERATOR = 'lazy_vos_ros.nodes.operator'
CANVAS = Canvas(128, 96)


class Robot:
    """A camera and a tracker that asks once about its object."""

    def __init__(self, graph, folder, **parameters):
        self.graph = graph
        self.camera = Camera(graph)
        self.camera.count = 1
        path = folder / 'mask.png'
        cv2.imwrite(str(path), self.camera.mask().astype('uint8'))
        self.camera.count = 0
        self.events = graph.collect(CorrectionEvent, 'lazy_vos/correction_event', EVENTS)
        self.states = graph.collect(TrackingState, 'lazy_vos/tracking_state')
        graph.start(
            'small_tracker.py',
            initial_mask=path,
            initial_label=f'cup of {graph.namespace}',
            trigger='level',
            tau_u=0.0,
            tau_p=0.0,
            question_cooldown=1e6,
            **parameters,
        )

    @property
    def name(self):
        return f'{self.graph.namespace}/lazy_vos'

    def run(self, count=1):
        """Publish images, each when the one before was processed; return the last state."""
        for _ in range(count):
            stamp = self.camera.publish().header.stamp
            self.graph.until(
                lambda stamp=stamp: any(m.header.stamp == stamp for m in tuple(self.states)),
                'an image is processed',
            )
        return self.states[-1]

    def events_of(self, kind):
        return [event for event in tuple(self.events) if event.kind == kind]

    def wait_for(self, kind):
        self.graph.until(lambda: self.events_of(kind), f'event {kind} comes')
        return self.events_of(kind)[-1]


class Rviz:
    """The canvas as a person sees it, and the two tools."""

    def __init__(self, graph):
        self.graph = graph
        self.words = graph.collect(MarkerArray, 'lazy_vos_operator/canvas_words', LATCHED)
        self.pictures = graph.collect(Image, 'lazy_vos_operator/question', LATCHED)
        self.tools = {
            positive: graph.node.create_publisher(PointStamped, f'lazy_vos_operator/{name}', 5)
            for name, positive in (('here', True), ('not_here', False))
        }

    def read(self):
        """Return the words above the canvas."""
        return self.words[-1].markers[0].text if self.words else ''

    def see(self, words):
        """Wait until words stand above the canvas, and until one has seen them."""
        self.graph.until(lambda: words in self.read(), f'{words!r} is shown')
        pause(self.graph, GRACE + 0.1)

    def click(self, x, y, *, positive=True):
        tool = self.tools[positive]
        self.graph.until(tool.get_subscription_count, 'the operator listens')
        message = PointStamped()
        message.header.frame_id = FRAME_ID
        message.header.stamp = self.graph.node.get_clock().now().to_msg()
        message.point.x, message.point.y = CANVAS.point(Click(x, y))
        tool.publish(message)


def pause(graph, seconds):
    end = graph.node.get_clock().now().nanoseconds + seconds * 1e9
    graph.until(lambda: graph.node.get_clock().now().nanoseconds > end, 'time passes')


@pytest.fixture
def other(tmp_path):
    """Return a second robot's graph, in its own namespace."""
    folder = tmp_path / 'other'
    folder.mkdir()
    made = Graph(folder, f'/test_{next(NUMBERS)}')
    yield made
    made.close()


def test_one_operator_answers_two_robots(graph, other, tmp_path):
    robots = [Robot(graph, tmp_path), Robot(other, tmp_path)]
    rviz = Rviz(graph)
    names = f'[{robots[0].name}, {robots[1].name}]'
    operator = graph.start(OPERATOR, web__port=0, trackers=names, confirm_after=0.3)
    for robot in robots:
        robot.camera.connect()
    robots[0].run(3)
    rviz.see('Where is')
    robots[1].run(3)
    rviz.see('(+1 more)')

    # The first is answered by a click, which takes effect on the frame of the question.
    assert robots[0].name in rviz.read()
    later = robots[0].run(4)
    rviz.click(70, 40)
    event = robots[0].wait_for(CorrectionEvent.ANSWERED)
    (asked,) = robots[0].events_of(CorrectionEvent.ASKED)
    assert (event.request_id, event.header.stamp) == (asked.request_id, asked.header.stamp)
    assert event.applied_stamp == later.header.stamp
    assert [(click.x, click.y, click.positive) for click in event.clicks] == [
        (pytest.approx(70, abs=1e-3), pytest.approx(40, abs=1e-3), True)
    ]

    # Then comes the other robot's; its object is gone, and is not memorised from then on.
    rviz.see(robots[1].name)
    assert not robots[1].events_of(CorrectionEvent.ABSENT)
    assert graph.call(Trigger, 'lazy_vos_operator/absent').success
    event = robots[1].wait_for(CorrectionEvent.ABSENT)
    assert not event.clicks
    assert robots[1].run().objects[0].absent
    rviz.see('No question')
    assert 'absent' in rviz.read()
    assert 'ignored' not in operator.output


def test_an_operator_who_comes_late_or_again_gets_what_is_open(graph, tmp_path):
    robot = Robot(graph, tmp_path)
    robot.camera.connect()
    robot.run(3)
    asked = robot.wait_for(CorrectionEvent.ASKED)

    rviz = Rviz(graph)
    graph.start(OPERATOR, web__port=0, confirm_after=1000.0)
    rviz.see('Where is')
    assert rviz.pictures[-1].header.stamp == asked.header.stamp
    rviz.click(70, 40)
    rviz.see('this is its mask')

    # It dies with the answer not yet confirmed, and is back before the middleware notices.
    killed = graph.processes.pop()
    killed.popen.send_signal(signal.SIGKILL)
    killed.popen.wait()
    rviz.words.clear()
    graph.start(OPERATOR, web__port=0, confirm_after=0.0)
    graph.until(lambda: any('Where is' in text for text in words(rviz)), 'it is asked again')
    pause(graph, GRACE + 0.2)
    robot.run(2)
    rviz.click(64, 38, positive=False)
    event = robot.wait_for(CorrectionEvent.ANSWERED)
    assert event.request_id == asked.request_id
    assert [click.positive for click in event.clicks] == [False]
    assert len(robot.events_of(CorrectionEvent.ASKED)) == 1


def words(rviz):
    return [item.markers[0].text for item in tuple(rviz.words)]


def test_a_question_that_expires_goes_from_the_canvas(graph, tmp_path):
    robot = Robot(graph, tmp_path, question_timeout=0.5)
    rviz = Rviz(graph)
    graph.start(OPERATOR, web__port=0)
    robot.camera.connect()
    robot.run(3)
    rviz.see('Where is')
    robot.run(7)
    robot.wait_for(CorrectionEvent.EXPIRED)
    rviz.see('No question')
    assert 'no answer in time' in rviz.read()
    rviz.click(70, 40)
    graph.until(
        lambda: 'there is no question' in graph.processes[-1].output, 'the click is refused'
    )
    assert not robot.events_of(CorrectionEvent.ANSWERED)
