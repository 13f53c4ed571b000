"""Faults of the images and of their stamps."""

from array import array
from time import monotonic
from time import sleep
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from benchmarks.faults.robot import Robot
from benchmarks.faults.row import Row
from benchmarks.faults.row import check
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.qos import RELIABLE


def camera_stops(robot: Robot, stale_after: float = 0.4) -> Row:
    """Publish nothing for a while, then again; `stale_after` is that of the tracker."""
    robot.track(2)
    level = robot.judged('no image for', 'ERROR', silent=True)
    warned = robot.judged('no image for', 'WARN', silent=True)
    seconds = robot.recover()
    robot.until(lambda: robot.ids == [1], 'its object is tracked')
    return Row(
        'camera stops and returns',
        f'no images for {5 * stale_after:g} s and more (`stale_after` {stale_after:g})',
        'waits; warns after `stale_after`, an error after five times as long; goes on with the '
        'same objects, and is trusted again after three times as long',
        (seconds,),
        level=f'{warned}, then {level}',
        lost='what happened meanwhile',
    )


def stamps_jump_back(robot: Robot) -> Row:
    """Let the stamps start again 100 s before, as a bag or a driver does that starts again."""
    robot.camera.count += 1000
    robot.track(2)
    robot.camera.count -= 1000
    seconds = robot.recover()
    log = robot.logged('stamps went back')
    level = robot.judged('stamps went back')
    robot.until(lambda: robot.ids == [1], 'its object is tracked')
    return Row(
        'stamps jump back',
        'stamps begin again 100 s before',
        'tracks on; the timers of open questions move along',
        (seconds,),
        log,
        level,
    )


def stamps_repeat(robot: Robot) -> Row:
    """Give five images one stamp."""
    header = robot.camera.publish().header
    before = len(robot.states)
    for _ in range(4):
        robot.camera.publish(header=header)
        sleep(0.1)
    robot.until(lambda: len(robot.states) >= before + 3, 'images of one stamp are processed')
    return Row(
        'stamps repeat',
        'five images with one stamp',
        'tracks each',
        (robot.recover(),),
        robot.logged('stamps repeat'),
        robot.judged('stamps repeat'),
        lost='who joins masks and images by stamp cannot tell them apart',
    )


def stamps_zero(robot: Robot) -> Row:
    """Publish images without stamps, then with stamps again."""
    before = len(robot.states)
    for _ in range(5):
        robot.camera.publish(header=Header(frame_id='lens'))
        sleep(0.1)
    robot.until(lambda: len(robot.states) >= before + 4, 'images without stamps are processed')
    return Row(
        'stamps are zero',
        'five images with stamp 0',
        'tracks each',
        (robot.recover(),),
        robot.logged('stamps are zero'),
        robot.judged('stamps are zero'),
        lost='a click counts for the newest image, not for the one that was seen',
    )


def size_changes(robot: Robot) -> Row:
    """Change the size in mid-stream, to one of another shape, and back."""
    seconds = []
    for size in ((64, 160), (96, 128)):
        robot.camera.size = size
        seconds.append(robot.recover())
        check((robot.masks[-1].height, robot.masks[-1].width) == size, 'the mask has another size')
    robot.until(lambda: robot.ids == [1], 'its object is tracked')
    return Row(
        'size changes in mid-stream',
        '128x96, 160x64, 128x96',
        'tracks on; the mask has the size of its image',
        tuple(seconds),
    )


def encoding_changes(robot: Robot) -> Row:
    """Change the encoding in mid-stream: grey, alpha, 16 bits, one that nobody knows."""
    seconds = []
    for encoding, pixels in _encodings(robot.camera.picture()):
        changed = image_message(pixels, encoding, Header())
        seconds.append(
            robot.recover(
                lambda changed=changed: robot.camera.publish(
                    encoding=changed.encoding, step=changed.step, data=changed.data
                )
            )
        )
    robot.camera.publish(encoding='rgb9')
    log = robot.logged('rgb9')
    robot.camera.publish(encoding='rgb9')
    seconds.append(robot.recover())
    check(robot.logged('rgb9') == log, 'the unknown encoding was told otherwise')
    return Row(
        'encoding changes in mid-stream',
        'rgb8, mono8, bgra8, mono16, one that does not exist (`rgb9`), rgb8',
        'converts what it knows; leaves out images that it does not know',
        tuple(seconds),
        log,
        lost='the images that cannot be read',
    )


def _encodings(picture: np.ndarray) -> list[tuple[str, np.ndarray]]:
    grey = picture.mean(2).astype(np.uint8)
    alpha = np.dstack([picture[..., ::-1], np.full_like(grey, 255)])
    return [('mono8', grey), ('bgra8', alpha), ('mono16', grey.astype(np.uint16) * 257)]


def step_changes(robot: Robot) -> Row:
    """Pad the rows in mid-stream; then tell a step that is too small."""

    def padded() -> Image:
        picture = robot.camera.picture()
        rows = np.pad(picture.reshape(96, -1), ((0, 0), (0, 32)), constant_values=255)
        return robot.camera.publish(step=rows.shape[1], data=array('B', rows.tobytes()))

    seconds = [robot.recover(padded)]
    robot.camera.publish(step=5)
    log = robot.logged('step of 5 bytes')
    seconds.append(robot.recover())
    return Row(
        'step changes in mid-stream',
        'rows padded by 32 bytes; a step of 5 bytes; as before',
        'reads padded rows; leaves out images whose step is too small',
        tuple(seconds),
        log,
        lost='the images that cannot be read',
    )


def truncated_data(robot: Robot) -> Row:
    """Cut images off at several places."""
    robot.camera.publish(data=array('B', bytes(100)))
    log = robot.logged('bytes of data; allowed')
    for length in (0, 1, 96 * 128 * 3 - 1):
        robot.camera.publish(data=array('B', bytes(length)))
        sleep(0.05)
    seconds = robot.recover()
    check(robot.logged('bytes of data; allowed') == log, 'a cut image was told otherwise')
    return Row(
        'truncated image data',
        'images of 0, 1, 100 bytes and one byte too few',
        'leaves them out and counts them',
        (seconds,),
        log,
        lost='these images',
    )


def flood(robot: Robot, seconds: float = 5.0) -> Row:
    """Publish 120 images a second at a tracker that takes 30 ms for each."""
    robot.fail(seconds=0.03)
    begin, published, shown = monotonic(), 0, len(robot.masks)
    while monotonic() < begin + seconds:
        robot.camera.publish()
        published += 1
        sleep(max(0.0, begin + published / 120 - monotonic()))
    stamp, ended = _newest(robot), monotonic()
    robot.until(lambda: robot.masks[-1].header.stamp == stamp, 'the newest image is processed')
    behind = monotonic() - ended
    tracked = len(robot.masks) - shown
    robot.fail()
    return Row(
        'flood: 120 images a second',
        f'120 images a second asked for, {published} published in {seconds:g} s, at a tracker '
        'that takes 30 ms for each',
        f'the newest image wins: tracked {tracked}, and was {1e3 * behind:.0f} ms behind the '
        'last one at the end',
        (),
        level='OK, with "images dropped"',
        lost=f'{published - tracked} images',
    )


def _newest(robot: Robot) -> Time:
    return robot.camera.publish().header.stamp


def two_publishers(robot: Robot) -> Row:
    """Let a second camera publish on the same topic, and take it away."""
    other = robot.graph.node.create_publisher(Image, 'image', RELIABLE)
    log = robot.logged('2 publishers')
    level = robot.judged('2 publishers')
    robot.graph.node.destroy_publisher(other)
    robot.logged('one publisher again')
    return Row(
        'two publishers on one topic',
        'a second publisher of `image` comes and goes',
        'takes both for one stream, and says who they are',
        (robot.recover(),),
        log,
        level,
        lost='nothing while the second one is silent; else the objects jump',
    )


def wrong_quality_of_service(robot: Robot) -> Row:
    """Let the camera offer best effort to a tracker that asks for reliable, and mend it."""
    camera, node = robot.camera, robot.graph.node
    node.destroy_publisher(camera.publisher)
    wrong = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    camera.publisher = node.create_publisher(Image, 'image', wrong)
    log = robot.logged('another reliability')
    node.destroy_publisher(camera.publisher)
    camera.publisher = node.create_publisher(Image, 'image', RELIABLE)
    return Row(
        'wrong quality of service',
        'the camera offers best effort, the tracker was told to ask for reliable',
        'gets no images, and names topic, policy and the parameter to set',
        (robot.recover(),),
        log,
        level='WARN, then ERROR, "no image for ..."',
        lost='the images until it is mended',
    )


IN_STREAM: tuple[Any, ...] = (
    stamps_jump_back,
    stamps_repeat,
    stamps_zero,
    size_changes,
    encoding_changes,
    step_changes,
    truncated_data,
    two_publishers,
    wrong_quality_of_service,
)
"""Those that take a running robot and leave it well, in about a second each."""
