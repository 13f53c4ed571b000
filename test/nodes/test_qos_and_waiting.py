"""Quality of service, and handlers that wait, over DDS within this process."""

from concurrent.futures import Future
from threading import Timer
from time import monotonic

import pytest
import rclpy
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy
from rclpy.qos import ReliabilityPolicy
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from lazy_vos_ros.nodes import qos
from lazy_vos_ros.nodes.waiting import pause
from lazy_vos_ros.nodes.waiting import resolve
from lazy_vos_ros.nodes.waiting import result_of


class Pair:
    """Two nodes that one executor runs."""

    def __init__(self, context, overrides):
        given = [Parameter(name, value=value) for name, value in overrides.items()]
        self.node = rclpy.create_node('it', context=context, parameter_overrides=given)
        self.other = rclpy.create_node('other', context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self.executor.add_node(self.other)

    def until(self, condition):
        end = monotonic() + 30
        while not condition():
            assert monotonic() < end, 'timed out'
            self.executor.spin_once(timeout_sec=0.05)

    def serve(self, handler):
        self.node.create_service(Trigger, 'wait', handler, callback_group=ReentrantCallbackGroup())
        client = self.other.create_client(Trigger, 'wait')
        self.until(client.service_is_ready)
        return client


@pytest.fixture
def make_pair():
    context = rclpy.Context()
    rclpy.init(context=context)
    pairs = []

    def make(**overrides):
        pairs.append(Pair(context, overrides))
        return pairs[-1]

    yield make
    for pair in pairs:
        pair.executor.shutdown()
        pair.node.destroy_node()
        pair.other.destroy_node()
    rclpy.shutdown(context=context)


def test_a_mismatch_names_topic_policy_and_what_to_set(make_pair, capfd):
    pair = make_pair()
    pair.other.create_publisher(Header, 'topic', qos.SENSOR)
    qos.subscription(pair.node, Header, 'topic', lambda _: None, qos.RELIABLE)
    output = []

    def told():
        output.append(capfd.readouterr().err)
        return 'qos_overrides./topic.subscription.reliability' in ''.join(output)

    pair.until(told)
    assert '/topic: nothing comes from a publisher' in ''.join(output)


def test_a_publisher_tells_a_mismatch_too(make_pair, capfd):
    pair = make_pair()
    qos.publisher(pair.node, Header, 'topic', qos.SENSOR)
    pair.other.create_subscription(Header, 'topic', lambda _: None, qos.LATCHED)
    output = []

    def told():
        output.append(capfd.readouterr().err)
        return '/topic: a subscriber gets nothing' in ''.join(output)

    pair.until(told)


def test_a_parameter_overrides_a_topic_by_its_name(make_pair):
    name = 'qos_overrides./topic.subscription.'
    pair = make_pair(**{f'{name}reliability': 'reliable', f'{name}depth': 9})
    made = qos.subscription(pair.node, Header, 'topic', lambda _: None, qos.SENSOR)
    assert made.qos_profile.reliability == ReliabilityPolicy.RELIABLE
    assert made.qos_profile.depth == 9
    assert qos.SENSOR.reliability == ReliabilityPolicy.BEST_EFFORT


def test_events_and_states_reach_those_who_come_late(make_pair):
    pair = make_pair()
    sender = qos.publisher(pair.node, Header, 'events', qos.EVENTS)
    for name in 'abc':
        sender.publish(Header(frame_id=name))
    seen = []
    qos.subscription(pair.other, Header, 'events', lambda m: seen.append(m.frame_id), qos.EVENTS)
    pair.until(lambda: seen == ['a', 'b', 'c'])
    assert qos.LATCHED.durability == DurabilityPolicy.TRANSIENT_LOCAL


def test_waiting_handlers_do_not_hold_up_one_another(make_pair):
    pair = make_pair()
    waits = iter([1.0, 0.1, 0.1])

    async def handler(_, response):
        seconds = next(waits)
        await pause(pair.node, seconds)
        response.message = str(seconds)
        return response

    client = pair.serve(handler)
    order = []
    begin = monotonic()
    for _ in range(3):
        client.call_async(Trigger.Request()).add_done_callback(
            lambda done: order.append(done.result().message)
        )
    pair.until(lambda: len(order) == 3)
    assert order == ['0.1', '0.1', '1.0']
    assert monotonic() - begin >= 1.0


def test_a_job_of_another_thread_wakes_the_handler(make_pair):
    pair = make_pair()
    job = Future()

    async def handler(_, response):
        try:
            response.message = await result_of(pair.node, job)
        except ValueError as error:
            response.message = f'refused: {error}'
        return response

    client = pair.serve(handler)
    answer = client.call_async(Trigger.Request())
    Timer(0.3, job.set_exception, [ValueError('no')]).start()
    pair.until(answer.done)
    assert answer.result().message == 'refused: no'


def test_nothing_is_waited_for_where_there_is_nothing_to_wait_for(make_pair):
    pair = make_pair()
    future = rclpy.task.Future()
    lonely = rclpy.create_node('lonely', context=pair.node.context)
    resolve(lonely, future, 'now')
    assert future.result() == 'now'
    with pytest.raises(StopIteration):
        pause(lonely, 0.0).send(None)
    lonely.destroy_node()
