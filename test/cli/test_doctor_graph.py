"""What `lazy-vos doctor` finds in a graph of real nodes."""

import os
from pathlib import Path
from time import monotonic
from time import sleep

import pytest
import rclpy
from lazy_vos_msgs.msg import TrackingState
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.qos import QoSProfile
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from lazy_vos_ros.cli.checks.finding import Level
from lazy_vos_ros.cli.checks.graph import check_graph
from lazy_vos_ros.cli.checks.shared_memory import leftovers

DOMAIN = 101 + os.getpid() % 100
PROFILE = Path(__file__).resolve().parents[2] / 'config' / 'fastdds.xml'
RELIABLE = QoSProfile(depth=5)


@pytest.fixture
def context(monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', str(PROFILE))
    made = rclpy.Context()
    made.init(domain_id=DOMAIN)
    yield made
    made.try_shutdown()


@pytest.fixture
def make(context):
    """Return a function that makes nodes."""
    nodes = []

    def node(name, namespace='/'):
        nodes.append(rclpy.create_node(name, context=context, namespace=namespace))
        return nodes[-1]

    yield node
    for item in nodes:
        item.destroy_node()


def found(words=''):
    """Return what is found; look again while `words` are not among it."""
    end = monotonic() + 20
    while True:
        items = list(check_graph(5.0, DOMAIN))
        if any(words in item.found for item in items) or monotonic() > end:
            return items
        sleep(0.2)


def bad(items):
    return [item for item in items if item.level is not Level.OK]


def tracker(node, image='image'):
    """Give a node what a tracker has in the graph."""
    node.create_publisher(TrackingState, '~/tracking_state', RELIABLE)
    node.create_subscription(Image, image, print, RELIABLE)
    return node


def test_nobody_is_there(context):
    (item,) = check_graph(0.5, DOMAIN)
    assert (item.level, 'no node is running' in item.found) == (Level.OK, True)


def test_a_graph_in_which_all_is_well(make):
    tracker(make('lazy_vos', '/robot'))
    make('camera', '/robot').create_publisher(Image, 'image', RELIABLE)
    make('person', '/robot').create_service(
        RequestCorrection, 'request_correction', lambda request, response: response
    )
    items = found('/robot/image from /robot/camera (reliable, volatile)')
    assert bad(items) == []
    assert items[0].found == '/robot/camera, /robot/lazy_vos, /robot/person'
    mapped = Path('/proc/self/maps').read_text()
    mine = {path for path in Path('/dev/shm').glob('fastrtps_*') if f'{path}\n' in mapped}
    assert mine
    assert not mine & set(leftovers())


def test_a_subscriber_that_gets_nothing_is_named_with_its_publisher(make):
    tracker(make('lazy_vos'))
    make('camera').create_publisher(Image, 'image', qos_profile_sensor_data)
    items = bad(found('gets nothing'))
    mismatch = next(item for item in items if item.name == 'QoS')
    assert mismatch.level is Level.PROBLEM
    assert mismatch.found == (
        '/image: /lazy_vos (reliable, volatile) gets nothing from /camera (best_effort, '
        'volatile): best effort publisher and reliable subscription'
    )
    assert 'qos_overrides./image.subscription.reliability:=best_effort' in mismatch.mend


def test_a_tracker_without_images_and_operator_and_where_the_images_are(make):
    tracker(make('lazy_vos'))
    for name in ('left', 'right'):
        make(name).create_publisher(Image, f'/{name}/image_raw', RELIABLE)
    items = bad(found('waits for images on /image'))
    assert [(item.name, item.level) for item in items] == [
        ('tracker', Level.PROBLEM),
        ('operator', Level.WARNING),
    ]
    assert 'published on: /left/image_raw, /right/image_raw' in items[0].found


def test_two_cameras_on_one_topic_and_a_tracker_that_is_not_active(make):
    tracker(make('lazy_vos'))
    make('idle', '/b').create_publisher(TrackingState, '~/tracking_state', RELIABLE)
    for name in ('left', 'right'):
        make(name).create_publisher(Image, 'image', RELIABLE)
    words = [item.found for item in bad(found('2 publishers on /image'))]
    assert any(item.startswith('/lazy_vos: 2 publishers on /image') for item in words)
    assert any(item.startswith('/b/idle subscribes to no images') for item in words)
