"""Camera, tracker, agent and recorder, each in a process of its own; then the bag is read."""

from time import sleep

import cv2
import numpy as np
import pytest
from lazy_vos_msgs.msg import CorrectionEvent
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import Image

from lazy_vos_ros.evaluation.message_types import lazy_vos_typestore

CAMERA, AGENT, RECORDER = (
    f'lazy_vos_ros.nodes.{name}' for name in ('camera', 'agent', 'recorder')
)
FRAMES = 14


@pytest.fixture
def clip(tmp_path):
    """Images of a moving square, and label images of where it is."""
    for name in ('images', 'masks'):
        (tmp_path / name).mkdir()
    noise = np.random.default_rng(2).integers(0, 90, (96, 128, 3), np.uint8)
    for index in range(FRAMES):
        image, labels = noise.copy(), np.zeros((96, 128), np.uint8)
        image[30:60, 20 + index : 60 + index] += 150
        labels[30:60, 20 + index : 60 + index] = 1
        cv2.imwrite(str(tmp_path / 'images' / f'{index}.png'), image)
        cv2.imwrite(str(tmp_path / 'masks' / f'{index:03d}.png'), labels)
    return tmp_path


def read(bag, namespace):
    """Return the messages of a bag by topic, without the namespace."""
    found = {}
    with AnyReader([bag], default_typestore=lazy_vos_typestore()) as reader:
        for connection, _, data in reader.messages():
            topic = connection.topic.removeprefix(f'{namespace}/')
            found.setdefault(topic, []).append(reader.deserialize(data, connection.msgtype))
    return found


def stamps(messages):
    return [(m.header.stamp.sec, m.header.stamp.nanosec) for m in messages]


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_clip_is_tracked_asked_about_answered_and_recorded(graph, clip, storage):
    bag = clip / 'bag'
    recorder = graph.start(RECORDER, bag=bag, storage=storage)
    graph.start(
        'small_tracker.py',
        initial_mask=clip / 'masks' / '000.png',
        trigger='level',
        tau_u=0.0,
        tau_p=0.0,
    )
    graph.start(AGENT, masks=clip / 'masks', fps=25.0, reaction_time=0.1)
    services = graph.node.get_service_names_and_types
    graph.until(
        lambda: any(name.endswith('/request_correction') for name, _ in services()),
        'the operator is there',
    )
    for topic in ('mask', 'entropy', 'tracking_state', 'correction_event'):
        graph.until(
            lambda name=f'lazy_vos/{topic}': graph.node.count_subscribers(name),
            f'{topic} is recorded',
        )
    camera = graph.start(
        CAMERA, source=clip / 'images', pace='consumed', wait_for_subscribers=2, frame_id='lens'
    )
    assert camera.wait() == 0
    graph.until(lambda: f'{FRAMES} images' in camera.output, 'the camera says that it ended')
    assert recorder.stop() == 0
    assert f'{FRAMES} x {graph.namespace}/image' in recorder.output

    found = read(bag, graph.namespace)
    sent = stamps(found['image'])
    assert len(sent) == FRAMES
    for topic in ('lazy_vos/mask', 'lazy_vos/entropy', 'lazy_vos/tracking_state'):
        assert set(stamps(found[topic])) == set(sent), topic
        assert {m.header.frame_id for m in found[topic]} == {'lens'}
    kinds = [event.kind for event in found['lazy_vos/correction_event']]
    assert kinds[0] == CorrectionEvent.ADDED
    assert CorrectionEvent.ASKED in kinds
    assert CorrectionEvent.ANSWERED in kinds
    # The agent clicks on the middle of the square as it was in the image of the question.
    for event in found['lazy_vos/correction_event']:
        if event.kind == CorrectionEvent.ANSWERED:
            frame = sent.index((event.header.stamp.sec, event.header.stamp.nanosec))
            (click,) = event.clicks
            assert (click.x, click.y) == pytest.approx((39.5 + frame, 44.5), abs=1.0)
    assert '/diagnostics' in found or f'{graph.namespace}/diagnostics' in found


def test_a_full_disk_is_one_clear_line_and_what_was_written_can_be_read(graph, camera, tmp_path):
    topics = tmp_path / 'topics.yaml'
    topics.write_text('topics: [image]\n')
    bag = tmp_path / 'bag'
    recorder = graph.start('small_disk.py', bag=bag, topics=topics, storage='mcap')
    graph.processes.clear()
    camera.connect()
    while recorder.popen.poll() is None and camera.count < 200:
        camera.publish()
        sleep(0.05)
    assert recorder.wait() == 1
    assert 'recording ends' in recorder.output or 'is not complete' in recorder.output
    assert 'File too large' in recorder.output
    assert (bag / 'bag.mcap').stat().st_size > 0


def test_a_camera_whose_source_is_none_says_what_is_allowed(graph, tmp_path):
    camera = graph.start(CAMERA, source=tmp_path / 'nothing.mp4')
    graph.processes.clear()
    assert camera.wait() == 1
    assert 'nothing.mp4 does not exist; allowed: a video file' in camera.output


def test_a_camera_loops_with_a_rate_until_it_is_stopped(graph, clip):
    images = graph.collect(Image, 'image')
    graph.start(CAMERA, source=clip / 'images', rate=100.0, loop=True)
    graph.until(lambda: len(images) > 2 * FRAMES, 'the clip began again')
    times = np.array([1_000_000_000 * sec + nanosec for sec, nanosec in stamps(images)])
    assert (np.diff(times) > 0).all()
    # Stamps follow the rate exactly, whether images arrive late or not at all.
    assert (np.diff(times) % 10_000_000 == 0).all()
