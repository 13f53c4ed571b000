"""Draw what RViz shows an operator, from the messages that the operator node publishes.

The tracker runs on the demo's clip, offline, and is made to ask about one frame; the question goes
through the operator node over ROS, and its canvas is drawn once as it asks, and once with a click
and its refined mask.

Example: ``python -m benchmarks.canvas_picture --out docs/images/operator_canvas.jpg``
"""

import argparse
import os
import sys
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import rclpy
from geometry_msgs.msg import PointStamped
from lazy_vos_msgs.srv import PreviewCorrection
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from benchmarks.rviz_view import RvizView
from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners import make_refiner
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.evaluation.demo_clip import demo_clip
from lazy_vos_ros.evaluation.operators import RecordedClicks
from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import Canvas
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.messages import clicks_from
from lazy_vos_ros.nodes.messages import question_message
from lazy_vos_ros.nodes.node_config import NodeConfig
from lazy_vos_ros.nodes.operator import Operator
from lazy_vos_ros.nodes.operator_desk import GRACE
from lazy_vos_ros.nodes.qos import LATCHED
from lazy_vos_ros.nodes.tracker_node import method_defaults

ROOT = Path(__file__).resolve().parents[1]
CLICKS = ROOT / 'config' / 'bikes_clicks.yaml'
FIRST = 76
TRACKER = '/robot_1/lazy_vos'


def question_about(asked: int) -> tuple[LazyTracker, CorrectionRequest, Click]:
    """Track the cyclist up to a frame of the clip and make the tracker ask about it."""
    clicks = RecordedClicks.load(str(CLICKS))
    lazy, xmem = method_defaults(NodeConfig())
    backend = make_backend('auto', settings=replace(xmem, size=256))
    quiet = replace(lazy, user_corrections=False)
    tracker = LazyTracker(backend, make_refiner('auto', backend=backend, device='cpu'), quiet)
    first, answer = clicks.at(FIRST, 1), clicks.at(asked, 1)
    if not (isinstance(first, Click) and isinstance(answer, Click)):
        raise ValueError(f'no click in frame {FIRST} or {asked}; allowed: frames with the cyclist')
    video = cv2.VideoCapture(str(demo_clip()))
    for number in range(asked + 1):
        image = cv2.cvtColor(video.read()[1], cv2.COLOR_BGR2RGB)
        if number == FIRST:
            tracker.add_object(image, click=first, label='cyclist')
        elif number > FIRST:
            if number == asked:
                tracker.configure(replace(lazy, trigger='level', tau_u=0.0, tau_p=0.0))
            tracker.step(image)
    return tracker, tracker.open_requests[0], answer


class Stage:
    """An operator node, the tracker that asks, and a person's mouse."""

    def __init__(self, tracker: LazyTracker) -> None:
        context = rclpy.Context()
        context.init(domain_id=100 + os.getpid() % 100)
        settings = {'trackers': [TRACKER], 'confirm_after': 60.0, 'web.port': 0}
        given = [Parameter(name, value=value) for name, value in settings.items()]
        self._operator = Operator(context=context, parameter_overrides=given)
        self._node = rclpy.create_node('lazy_vos', namespace='robot_1', context=context)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self._operator)
        self._executor.add_node(self._node)
        self._tracker = tracker
        self._node.create_service(PreviewCorrection, '~/preview', self._preview)
        self._asks = self._node.create_client(RequestCorrection, 'request_correction')
        self._here = self._node.create_publisher(PointStamped, '/lazy_vos_operator/here', 5)
        self.clouds: list[PointCloud2] = []
        self.words: list[MarkerArray] = []
        for kind, topic, found in (
            (PointCloud2, 'canvas', self.clouds),
            (MarkerArray, 'canvas_words', self.words),
        ):
            name = f'/lazy_vos_operator/{topic}'
            self._node.create_subscription(kind, name, found.append, LATCHED)
        self.until(self._asks.service_is_ready)
        self.until(self._here.get_subscription_count)

    def _preview(
        self, request: PreviewCorrection.Request, response: PreviewCorrection.Response
    ) -> PreviewCorrection.Response:
        mask = self._tracker.preview(request.request_id, clicks_from(request.clicks))
        response.success = True
        response.mask = image_message(mask.astype(np.uint8) * 255, 'mono8', Header())
        return response

    def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> None:
        """Let the nodes work until a condition holds."""
        end = monotonic() + seconds
        while not condition():
            if monotonic() > end:
                raise RuntimeError('timed out')
            self._executor.spin_once(timeout_sec=0.05)

    def says(self, words: str) -> bool:
        """Return whether these words stand above the canvas."""
        return any(words in item.markers[0].text for item in self.words[-1:])

    def ask(self, request: CorrectionRequest) -> None:
        """Put the question and wait until it is seen."""
        header = Header(frame_id='front_camera')
        now = self._node.get_clock().now().to_msg()
        self._asks.call_async(question_message(request, header, TRACKER, now))
        self.until(lambda: self.says('Where is'))
        seen = monotonic() + GRACE + 0.3
        self.until(lambda: monotonic() > seen)

    def click(self, click: Click, size: tuple[int, int]) -> None:
        """Click and wait for the refined mask."""
        message = PointStamped(header=Header(frame_id=FRAME_ID))
        message.point.x, message.point.y = Canvas(*size).point(click)
        self._here.publish(message)
        self.until(lambda: self.says('this is its mask'))
        shown = monotonic() + 0.5
        self.until(lambda: monotonic() > shown)

    def close(self) -> None:
        """Take the nodes away."""
        self._executor.shutdown()
        self._operator.destroy_node()
        self._node.destroy_node()


def main(args: Sequence[str] | None = None) -> int:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--out', type=Path, default=Path('operator_canvas.jpg'))
    parser.add_argument('--frame', type=int, default=FIRST + 5, help='of the clip, asked about')
    options = parser.parse_args(args)
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    tracker, request, click = question_about(options.frame)
    print(f'frame {request.frame_index}: {request.reason}; click at ({click.x:g}, {click.y:g})')
    view = RvizView.load()
    stage = Stage(tracker)
    stage.ask(request)
    pictures = [view.draw(stage.clouds[-1], stage.words[-1])]
    stage.click(click, (request.image.shape[1], request.image.shape[0]))
    pictures.append(view.draw(stage.clouds[-1], stage.words[-1]))
    stage.close()
    both = np.vstack(pictures)[..., ::-1]
    smaller = cv2.resize(both, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(options.out), smaller, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return 0


if __name__ == '__main__':
    sys.exit(main())
