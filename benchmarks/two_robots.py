"""Two cameras, two trackers in two namespaces, one operator; the report is made from the bag.

`/robot_1` plays the demo's clip, whose cyclist is hidden for a while; `/robot_2` a procedural
scene. A person is simulated at the mouse: reads which robot asks on the canvas, takes a reaction
time, and clicks on the canvas (or presses its button "object is gone") as RViz would. Everything
is recorded, the person's clicks too, and the table is read from the bag alone.

Example: ``python -m benchmarks.two_robots --out out/two_robots``
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import rclpy
from geometry_msgs.msg import PointStamped
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image
from sensor_msgs.msg import TimeReference
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from benchmarks.two_robots_report import print_report
from lazy_vos_ros.engine.centre import centre_click
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.evaluation.demo_clip import demo_clip
from lazy_vos_ros.evaluation.operators import RecordedClicks
from lazy_vos_ros.evaluation.speed.scene import MovingScene
from lazy_vos_ros.nodes.canvas import BUTTON_HEIGHT
from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import GAP
from lazy_vos_ros.nodes.canvas import HEIGHT
from lazy_vos_ros.nodes.canvas import WIDTH
from lazy_vos_ros.nodes.canvas import Canvas
from lazy_vos_ros.nodes.canvas_view import ASKED_BUTTONS
from lazy_vos_ros.nodes.qos import EVENTS
from lazy_vos_ros.nodes.qos import LATCHED

ROOT = Path(__file__).resolve().parents[1]
CLICKS = ROOT / 'config' / 'bikes_clicks.yaml'
FIRST = 76
"""First frame of the cyclist's shot."""

SCENE = (240, 320)
TOPICS = ('image', 'lazy_vos/mask', 'lazy_vos/tracking_state', 'lazy_vos/correction_event')
OPERATOR_TOPICS = ('canvas_words', 'here', 'not_here')


class Person:
    """Looks at the canvas and clicks on it."""

    def __init__(self, reaction: float) -> None:
        self._reaction = reaction
        self.node = rclpy.create_node('person')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self.words = ''
        self._question: Image | None = None
        self._times: dict[tuple[str, int, int], float] = {}
        self._clicks = RecordedClicks.load(str(CLICKS))
        self._scene = MovingScene(*SCENE)
        subscribe = self.node.create_subscription
        subscribe(MarkerArray, '/lazy_vos_operator/canvas_words', self._on_words, LATCHED)
        subscribe(Image, '/lazy_vos_operator/question', self._on_question, LATCHED)
        for robot in ('/robot_1', '/robot_2'):
            subscribe(
                TimeReference,
                f'{robot}/lazy_vos_camera/clip_time',
                lambda message, robot=robot: self._on_time(robot, message),
                EVENTS,
            )
        create = self.node.create_publisher
        self._here = create(PointStamped, '/lazy_vos_operator/here', 5)
        self._not_here = create(PointStamped, '/lazy_vos_operator/not_here', 5)

    def spin(self, seconds: float) -> None:
        """Look for a while."""
        end = monotonic() + seconds
        while monotonic() < end:
            self._executor.spin_once(timeout_sec=0.05)

    @property
    def asked(self) -> str:
        """The robot that asks and has no answer yet; empty if there is none."""
        if 'Where is' not in self.words or 'since' not in self.words:
            return ''
        return '/robot_1' if '/robot_1/' in self.words else '/robot_2'

    def answer(self) -> None:
        """Answer what is asked, after a reaction time."""
        robot = self.asked
        self.spin(self._reaction)
        if self._question is None or self.asked != robot:
            return
        stamp = self._question.header.stamp
        seconds = self._times.get((robot, stamp.sec, stamp.nanosec))
        if seconds is None:
            return
        if robot == '/robot_1':
            answer = self._clicks.at(seconds * self._clicks.fps, 1)
        else:
            answer = centre_click(self._scene.mask(round(seconds * 25))) or Absent()
        if isinstance(answer, Click):
            canvas = Canvas(self._question.width, self._question.height)
            self._click(canvas.point(answer), positive=answer.positive)
        else:
            name = 'object is gone' if isinstance(answer, Absent) else 'skip'
            place = (ASKED_BUTTONS.index(name) + 0.5) / len(ASKED_BUTTONS)
            middle = -HEIGHT / 2 - GAP - BUTTON_HEIGHT / 2
            self._click((place * WIDTH - WIDTH / 2, middle), positive=True)
        self.spin(0.5)

    def _click(self, place: tuple[float, float], *, positive: bool) -> None:
        message = PointStamped(header=Header(frame_id=FRAME_ID))
        message.header.stamp = self.node.get_clock().now().to_msg()
        message.point.x, message.point.y = place
        (self._here if positive else self._not_here).publish(message)

    def _on_words(self, message: MarkerArray) -> None:
        self.words = message.markers[0].text

    def _on_question(self, message: Image) -> None:
        self._question = message

    def _on_time(self, robot: str, message: TimeReference) -> None:
        stamp, clip = message.header.stamp, message.time_ref
        self._times[robot, stamp.sec, stamp.nanosec] = clip.sec + clip.nanosec * 1e-9


@dataclass
class Processes:
    """The nodes, each in a process."""

    logs: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, module: str, namespace: str, **parameters: Any) -> subprocess.Popen[bytes]:
        """Start a node in a namespace (empty: none)."""
        command = [sys.executable, '-m', f'lazy_vos_ros.nodes.{module}', '--ros-args']
        command += ['-r', f'__ns:=/{namespace}']
        for name, value in parameters.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            command += ['-p', f'{name.replace("__", ".")}:={text}']
        log = self.logs / f'{namespace or "shared"}_{module}.log'
        with log.open('wb') as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        self.running.append(process)
        return process

    def end(self) -> None:
        """End all, the newest first."""
        for process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(30)


def write_scene(folder: Path, frames: int) -> Path:
    """Write the procedural scene and the mask of its first frame; return the folder."""
    scene = MovingScene(*SCENE)
    folder.mkdir()
    for index, image in enumerate(scene.frames(frames)):
        cv2.imwrite(str(folder / f'{index:05d}.png'), image[..., ::-1])
    cv2.imwrite(str(folder.with_suffix('.png')), scene.mask(0).astype(np.uint8))
    return folder


def play(out: Path, frames: int, rate: float, reaction: float) -> None:
    """Run everything and record it."""
    scene = write_scene(out / 'scene', frames)
    topics = [f'/robot_{number}/{topic}' for number in (1, 2) for topic in TOPICS]
    topics += [f'/lazy_vos_operator/{topic}' for topic in OPERATOR_TOPICS]
    listed = out / 'topics.yaml'
    listed.write_text('topics:\n' + ''.join(f'  - {topic}\n' for topic in topics))
    nodes = Processes(out)
    rclpy.init()
    person = Person(reaction)
    method = {'xmem__size': 256, 'question_timeout': 30.0, 'question_cooldown': 3.0}
    try:
        nodes.start('recorder', '', bag=out / 'bag', topics=listed)
        names = '[/robot_1/lazy_vos, /robot_2/lazy_vos]'
        nodes.start('operator', '', trackers=names, web__port=0)
        first = RecordedClicks.load(str(CLICKS)).at(FIRST, 1)
        click = f'"{first.x:g},{first.y:g}"' if isinstance(first, Click) else ''
        nodes.start(
            'tracker_node', 'robot_1', initial_click=click, initial_label='cyclist', **method
        )
        nodes.start(
            'tracker_node',
            'robot_2',
            initial_mask=scene.with_suffix('.png'),
            initial_label='ball',
            tau_u=0.06,
            tau_p=0.03,
            **method,
        )
        # Both are played from the moment at which tracker and recorder take their images.
        common = {
            'rate': rate,
            'pace': 'rate' if rate else 'consumed',
            'frames': frames,
            'wait_for_subscribers': 2,
        }
        cameras = [
            nodes.start('camera', 'robot_1', source=demo_clip(), start=FIRST, **common),
            nodes.start('camera', 'robot_2', source=scene, **common),
        ]
        idle = monotonic()
        while any(camera.poll() is None for camera in cameras) or monotonic() - idle < 5.0:
            person.spin(0.1)
            if person.asked:
                person.answer()
            if person.asked or any(camera.poll() is None for camera in cameras):
                idle = monotonic()
    finally:
        nodes.end()
        person.node.destroy_node()
        rclpy.shutdown()


def main(args: Sequence[str] | None = None) -> int:
    """Play, record and report."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--out', type=Path, default=Path('out/two_robots'), help='a new folder')
    parser.add_argument('--frames', type=int, default=75, help='of each camera')
    parser.add_argument(
        '--rate',
        type=float,
        default=0.0,
        help='images a second of each camera; 0: the next when one is processed',
    )
    parser.add_argument(
        '--reaction', type=float, default=1.5, help='seconds from seeing a question to the click'
    )
    parser.add_argument('--report', type=Path, help='only print the report of this bag')
    options = parser.parse_args(args)
    if options.report is None:
        options.out.mkdir(parents=True)
        os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
        profile = ROOT / 'config' / 'fastdds.xml'
        os.environ.setdefault('FASTRTPS_DEFAULT_PROFILES_FILE', str(profile))
        play(options.out, options.frames, options.rate, options.reaction)
    print_report(options.report or options.out / 'bag')
    return 0


if __name__ == '__main__':
    sys.exit(main())
