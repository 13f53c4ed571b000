"""A tracker node that is started again goes on with the same objects."""

import signal

import numpy as np
import pytest
from lazy_vos_msgs.msg import TrackingState
from lazy_vos_msgs.srv import AddObject
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from lazy_vos_ros.nodes.images import image_message

TRACKER = 'small_tracker.py'


@pytest.fixture
def states(graph):
    return graph.collect(TrackingState, 'lazy_vos/tracking_state')


def track(graph, camera, states):
    """Track the square for two images; return the ids."""
    camera.connect()
    for _ in range(2):
        stamp = camera.publish().header.stamp
        graph.until(
            lambda wanted=stamp: any(item.header.stamp == wanted for item in tuple(states)),
            'an image is processed',
        )
    return [(item.id, item.label) for item in states[-1].objects]


def add_square(graph, camera):
    mask = image_message(camera.mask().astype(np.uint8), 'mono8', Header())
    return graph.call(AddObject, 'lazy_vos/add_object', mask=mask, label='box')


def test_objects_live_on_over_a_shutdown_a_kill_and_a_damaged_file(
    graph, camera, states, tmp_path
):
    path = tmp_path / 'state.safetensors'
    given = {'state_file': path, 'keep_state': True}

    first = graph.start(TRACKER, **given)
    assert track(graph, camera, states) == []
    assert add_square(graph, camera).success
    assert track(graph, camera, states) == [(1, 'box')]
    assert first.stop() == 0
    assert f'objects 1 saved in {path}' in first.output

    second = graph.start(TRACKER, **given)
    assert track(graph, camera, states) == [(1, 'box')]
    assert add_square(graph, camera).object_id == 2
    saved = graph.call(Trigger, 'lazy_vos/save_state')
    assert (saved.success, saved.message) == (True, f'objects 1, 2 saved in {path}')
    graph.call(Trigger, 'lazy_vos/reset')
    assert track(graph, camera, states) == []
    loaded = graph.call(Trigger, 'lazy_vos/load_state')
    assert (loaded.success, loaded.message) == (True, f'objects 1, 2 loaded from {path}')
    assert [item for item, _ in track(graph, camera, states)] == [1, 2]
    second.popen.send_signal(signal.SIGKILL)
    second.popen.wait()
    graph.processes.remove(second)

    path.write_bytes(path.read_bytes()[:-100])
    third = graph.start(TRACKER, **given)
    graph.until(lambda: 'active; waiting' in third.output, 'it starts all the same')
    assert 'cannot load the state' in third.output
    refused = graph.call_until_answered(Trigger, 'lazy_vos/load_state')
    assert not refused.success
    assert 'no file of a state' in refused.message


def test_without_a_file_the_services_say_what_is_missing(graph):
    graph.start(TRACKER)
    for name in ('save_state', 'load_state'):
        response = graph.call(Trigger, f'lazy_vos/{name}')
        assert (response.success, 'state_file is empty' in response.message) == (False, True)
