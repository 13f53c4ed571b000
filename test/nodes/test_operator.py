"""The operator node in this process, asked and clicked over real DDS by another node."""

import os
from time import monotonic

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
from geometry_msgs.msg import PointStamped
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from lazy_vos_ros.nodes import operator as module
from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import Canvas
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.operator import Operator
from lazy_vos_ros.nodes.qos import LATCHED

CODES = RequestCorrection.Response
CANVAS = Canvas(64, 48)


class Person:
    """A tracker's client and a person's mouse."""

    def __init__(self, context):
        self.operator = Operator(context=context)
        self.node = rclpy.create_node('person', context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.operator)
        self.executor.add_node(self.node)
        self.asks = self.node.create_client(RequestCorrection, 'request_correction')
        self.here = self.node.create_publisher(PointStamped, 'lazy_vos_operator/here', 5)
        self.away = self.node.create_publisher(PointStamped, 'lazy_vos_operator/not_here', 5)
        self.mouse = self.node.create_publisher(Point, 'lazy_vos_operator/question_mouse_left', 5)
        self.pictures, self.markers = [], []
        self.node.create_subscription(
            Image, 'lazy_vos_operator/question', self.pictures.append, LATCHED
        )
        self.node.create_subscription(
            MarkerArray, 'lazy_vos_operator/canvas', self.markers.append, LATCHED
        )
        publishers = (self.here, self.away, self.mouse)
        self.until(lambda: all(item.get_subscription_count() for item in publishers))
        self.until(self.asks.service_is_ready)

    def until(self, condition, seconds=10.0):
        end = monotonic() + seconds
        while not condition():
            assert monotonic() < end, 'timed out'
            self.executor.spin_once(timeout_sec=0.05)

    def spin(self, seconds):
        end = monotonic() + seconds
        while monotonic() < end:
            self.executor.spin_once(timeout_sec=0.02)

    def ask(self, object_id=1, timeout=30):
        before = len(self.pictures)
        future = self.asks.call_async(question(object_id, timeout))
        self.spin(0.1)
        return future, before

    def ask_and_see(self, **options):
        future, before = self.ask(**options)
        self.until(lambda: len(self.pictures) > before)
        self.spin(module.GRACE + 0.05)
        return future

    def answer_of(self, future):
        self.until(future.done)
        return future.result()


def question(object_id, timeout):
    header = Header(frame_id='camera')
    header.stamp.sec = 100 + object_id
    mask = np.zeros((48, 64), np.uint8)
    mask[10:20, 10:30] = 255
    return RequestCorrection.Request(
        header=header,
        request_id=f'question {object_id}',
        object_id=object_id,
        label=f'object {object_id}',
        timeout=Duration(sec=int(timeout), nanosec=int(timeout % 1 * 1e9)),
        image=image_message(np.full((48, 64, 3), 90, np.uint8), 'rgb8', header),
        mask=image_message(mask, 'mono8', header),
        entropy=image_message(np.zeros((48, 64), np.float32), '32FC1', header),
    )


def stamped(x, y, frame_id=FRAME_ID):
    message = PointStamped()
    message.header.frame_id = frame_id
    message.point.x, message.point.y = x, y
    return message


@pytest.fixture
def person(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    context = rclpy.Context()
    context.init(domain_id=100 + os.getpid() % 100)
    person = Person(context)
    yield person
    person.executor.shutdown()
    person.operator.destroy_node()
    person.node.destroy_node()
    context.try_shutdown()


def test_rviz_clicks_answer_with_the_pixel_of_the_frozen_image(person):
    future = person.ask_and_see()
    person.here.publish(stamped(1.0, -1.0, frame_id='map'))
    person.here.publish(stamped(-1.0, -1.0))
    person.spin(0.3)
    assert not future.done()
    x, y = CANVAS.point(module.Click(20.0, 13.0))
    person.away.publish(stamped(x, y))
    answer = person.answer_of(future)
    assert answer.answer == CODES.CLICK
    click = answer.clicks[0]
    assert (click.x, click.y) == pytest.approx((20.0, 13.0), abs=1e-3)
    assert not click.positive


def test_questions_wait_in_line_and_a_double_click_answers_only_one(person):
    first = person.ask_and_see(object_id=1)
    second, _ = person.ask(object_id=2)
    x, y = CANVAS.point(module.Click(20.0, 13.0))
    person.here.publish(stamped(x, y))
    assert person.answer_of(first).answer == CODES.CLICK
    person.until(lambda: person.pictures[-1].header.stamp.sec == 102)
    person.here.publish(stamped(x, y))
    person.spin(0.2)
    assert not second.done()
    person.spin(module.GRACE)
    person.mouse.publish(Point(x=64.0, y=48.0))
    answer = person.answer_of(second)
    assert (answer.clicks[0].x, answer.clicks[0].y) == (63.0, 47.0)
    assert answer.clicks[0].positive


def test_skip_absent_and_nobody(person):
    for name, code in (('skip', CODES.SKIP), ('absent', CODES.ABSENT)):
        client = person.node.create_client(Trigger, f'lazy_vos_operator/{name}')
        person.until(client.service_is_ready)
        idle = client.call_async(Trigger.Request())
        person.until(idle.done)
        assert not idle.result().success
        future = person.ask_and_see()
        done = client.call_async(Trigger.Request())
        answer = person.answer_of(future)
        assert (answer.answer, answer.clicks) == (code, [])
        person.until(done.done)
        assert done.result().success
    future, _ = person.ask(timeout=0.7)
    assert person.answer_of(future).answer == CODES.SKIP


def test_a_question_that_cannot_be_shown_is_skipped_and_the_next_one_comes(person):
    request = question(3, 30)
    request.image.encoding = 'nonsense'
    assert person.answer_of(person.asks.call_async(request)).answer == CODES.SKIP
    future = person.ask_and_see()
    assert not future.done()


def test_the_canvas_is_cleared_when_all_is_answered(person):
    future = person.ask_and_see()
    shown = len(person.markers)
    assert len(person.markers[-1].markers) == 3
    x, y = CANVAS.point(module.Click(20.0, 13.0))
    person.here.publish(stamped(x, y))
    person.answer_of(future)
    person.until(lambda: len(person.markers) > shown)
    assert len(person.markers[-1].markers) == 1
